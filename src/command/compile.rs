//! `sekisho compile`: the selection string and the other keys of a policy.

use super::{CommandResult, Outcome, print, report_policy};
use sekisho_policy::compile;
use std::path::PathBuf;

/// Print the selection string and the other keys of a policy.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The policy file; `-` reads standard input.
    policy: PathBuf,
    /// Print each entry of the selection string with the source line behind it.
    #[arg(long)]
    trace: bool,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let Some((_, policy)) = report_policy(&arguments.policy)? else {
        return Ok(Outcome::Refused);
    };
    let compiled = compile(&policy);
    print(&compiled.text())?;
    if arguments.trace {
        print(&format!("\n{}", compiled.trace(&policy)))?;
    }
    Ok(Outcome::Fine)
}
