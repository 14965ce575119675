//! `sekisho schema`: the JSON Schema of the policy, for editors.

use super::{CommandResult, Outcome, print};
use sekisho_policy::json_schema;

/// Print the JSON Schema of the policy file, for editors.
#[derive(clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_: &Arguments) -> CommandResult {
    print(&json_schema())?;
    Ok(Outcome::Fine)
}
