//! The `sekisho` command: one file a subcommand, no logic of its own.

mod command;

fn main() -> std::process::ExitCode {
    command::run()
}
