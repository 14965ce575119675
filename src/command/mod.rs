//! The subcommands, and what they share: reading a policy, writing results, exit codes.
//!
//! Each subcommand is one file with `Arguments` and `run`. Results go to stdout, diagnostics to stderr.

mod check;
mod compile;
mod completions;
mod diff;
mod disk;
mod explain;
mod fleet;
mod fmt;
mod image;
mod inventory;
mod keys;
mod logs;
mod man;
mod match_;
mod plan;
mod replace;
mod schema;

use clap::{CommandFactory, Parser, Subcommand};
use sekisho_policy::{Policy, Source, check, render_human};
use std::error::Error;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Builds and checks the policies and images of the Sekisho security appliance.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Compile(compile::Arguments),
    Completions(completions::Arguments),
    Diff(diff::Arguments),
    Disk(disk::Arguments),
    Explain(explain::Arguments),
    Fmt(fmt::Arguments),
    Schema(schema::Arguments),
    Image(image::Arguments),
    Inventory(inventory::Arguments),
    Keys(keys::Arguments),
    Logs(logs::Arguments),
    Man(man::Arguments),
    Match(match_::Arguments),
    Plan(plan::Arguments),
}

/// How a subcommand that could run ended. One that could not returns an error instead: exit code 2.
pub(crate) enum Outcome {
    /// Exit code 0.
    Fine,
    /// The policy or the data has errors: exit code 1.
    Refused,
    /// Protection weakens: exit code 3.
    Weakened,
}

/// What every subcommand returns.
pub(crate) type CommandResult = Result<Outcome, Box<dyn Error>>;

/// Runs the subcommand of this process's arguments.
pub(crate) fn run() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Compile(arguments) => compile::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Disk(arguments) => disk::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Fmt(arguments) => fmt::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Image(arguments) => image::run(&arguments),
        Command::Inventory(arguments) => inventory::run(&arguments),
        Command::Keys(arguments) => keys::run(&arguments),
        Command::Logs(arguments) => logs::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
        Command::Match(arguments) => match_::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
    };
    match result {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::from(1),
        Ok(Outcome::Weakened) => ExitCode::from(3),
        // Whoever read the output has seen enough (`sekisho … | head`).
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("sekisho: {error}\n"));
            ExitCode::from(2)
        }
    }
}

/// The command line's definition, for what is made from it.
pub(crate) fn definition() -> clap::Command {
    Arguments::command()
}

/// A file that could not be read, and why.
#[derive(Debug)]
pub(crate) struct Unreadable {
    path: PathBuf,
    error: io::Error,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "cannot read {}: {}", self.path.display(), self.error)
    }
}

impl Error for Unreadable {}

impl Unreadable {
    /// What the system said of `path`.
    pub(crate) fn at(path: &Path, error: io::Error) -> Self {
        let path = path.to_path_buf();
        Self { path, error }
    }
}

/// Reads a policy file and the files it extends; `-` is standard input.
pub(crate) fn read_policy(path: &Path) -> Result<Source, Unreadable> {
    read_file(path).map(|source| source.with_bases(|base| std::fs::read(base)))
}

/// Reads a file by itself; `-` is standard input.
pub(crate) fn read_file(path: &Path) -> Result<Source, Unreadable> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    match bytes {
        Ok(bytes) => Ok(Source::new(path.display().to_string(), bytes)),
        Err(error) => Err(Unreadable::at(path, error)),
    }
}

/// Reads and checks a policy, with its diagnostics on stderr; `None` if it has errors.
pub(crate) fn report_policy(path: &Path) -> Result<Option<(Source, Policy)>, Unreadable> {
    let source = read_policy(path)?;
    let checked = check(&source);
    report(&render_human(&source, &checked.diagnostics, colour_of_stderr()));
    Ok(checked.policy.map(|policy| (source, policy)))
}

/// Writes a result to stdout.
pub(crate) fn print(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

/// Writes a diagnostic to stderr.
pub(crate) fn report(text: &str) {
    // Nothing is left to tell anyone when stderr itself is closed.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Colour only where a person looks at it and has not refused it (<https://no-color.org>), or has asked for it.
pub(crate) fn colour_of_stderr() -> sekisho_policy::Colour {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0");
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if !refused && (is_set("CLICOLOR_FORCE") || io::stderr().is_terminal()) {
        sekisho_policy::Colour::Terminal
    } else {
        sekisho_policy::Colour::Plain
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
