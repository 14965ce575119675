//! `sekisho match`: what a raw selection string does to the devices of an inventory.

use super::{CommandResult, Outcome, colour_of_stderr, print, read_policy, report};
use clap::ValueEnum;
use sekisho_policy::inventory::read_inventory;
use sekisho_policy::matching::{matches_as_json, matches_for_people, read_selection};
use sekisho_policy::{Source, render_human};
use std::path::PathBuf;

/// Apply a selection string to the devices of an inventory.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The selection string, as in `vmm.driver.pci`.
    selection: String,
    /// Inventory file; `-` reads standard input.
    #[arg(long, value_name = "FILE")]
    inventory: PathBuf,
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
    let inventory = read_policy(&arguments.inventory)?;
    let source = Source::new("selection".to_owned(), arguments.selection.clone().into_bytes());
    let selection = match read_selection(&source) {
        Ok(selection) => selection,
        Err(wrong) => {
            report(&render_human(&source, &[*wrong], colour_of_stderr()));
            return Ok(Outcome::Refused);
        }
    };
    let machines = match read_inventory(inventory.text()) {
        Ok(machines) => machines,
        Err(error) => {
            report(&format!("{}: {error}\n", inventory.name()));
            return Ok(Outcome::Refused);
        }
    };
    let text = match arguments.format {
        Format::Human => matches_for_people(&selection, &machines),
        Format::Json => matches_as_json(&selection, &machines),
    };
    print(&text)?;
    Ok(Outcome::Fine)
}
