//! `sekisho man`: the manual, from the command's own definition.

use super::{CommandResult, Outcome, Unreadable, definition, print};
use clap_mangen::{Man, generate_to};
use std::fs;
use std::path::PathBuf;

/// Print the manual page of this command, or write one for each subcommand.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A folder for `sekisho.1`, `sekisho-check.1` and the others.
    folder: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.folder {
        None => {
            let mut page = Vec::new();
            Man::new(definition()).render(&mut page)?;
            print(&String::from_utf8(page)?)?;
        }
        Some(folder) => {
            let written = fs::create_dir_all(folder).and_then(|()| generate_to(definition(), folder));
            written.map_err(|error| Unreadable::at(folder, error))?;
        }
    }
    Ok(Outcome::Fine)
}
