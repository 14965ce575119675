//! `sekisho explain`: the documentation of a diagnostic.

use super::{CommandResult, Outcome, print};
use sekisho_policy::{codes, explain};

/// Explain a diagnostic by its code, or list every code.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The code, as `check` prints it: `E0104`.
    code: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.code {
        Some(code) => print(&explain(code)?)?,
        None => print(&codes())?,
    }
    Ok(Outcome::Fine)
}
