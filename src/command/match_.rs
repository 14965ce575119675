//! `sekisho match`: what a raw selection string does to the devices of an inventory.

use super::fleet::{Files, unread};
use super::{CommandResult, Outcome, colour_of_stderr, print, report};
use clap::ValueEnum;
use sekisho_policy::matching::{matches_as_json, matches_for_people, read_selection};
use sekisho_policy::{Source, render_human};
use std::path::PathBuf;

/// Apply a selection string to the devices of an inventory.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The selection string, as in `vmm.driver.pci`.
    selection: String,
    /// Inventories: files, folders of `.json`, `.jsonl` and `.ndjson` files, or `-` for standard input.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    inventory: Vec<PathBuf>,
    /// Form of the result.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Human,
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let files = Files::of(&arguments.inventory)?;
    let source = Source::new("selection".to_owned(), arguments.selection.clone().into_bytes());
    let selection = match read_selection(&source) {
        Ok(selection) => selection,
        Err(wrong) => {
            report(&render_human(&source, &[*wrong], colour_of_stderr()));
            return Ok(Outcome::Refused);
        }
    };
    let machines = match files.machines() {
        Ok(machines) => machines,
        Err(error) => return unread(error),
    };
    let text = match arguments.format {
        Format::Human => matches_for_people(&selection, &machines),
        Format::Json => matches_as_json(&selection, &machines),
    };
    print(&text)?;
    Ok(Outcome::Fine)
}
