//! `sekisho completions`: what a shell needs to complete this command, from the command's own definition.

use super::{CommandResult, Outcome, definition, print};
use clap_complete::{Shell, generate};

/// Print the completions of this command for a shell.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let mut script = Vec::new();
    generate(arguments.shell, &mut definition(), "sekisho", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(Outcome::Fine)
}
