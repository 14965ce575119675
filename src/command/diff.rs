//! `sekisho diff`: what another version of a policy changes, and whether protection weakens.

use super::fleet::{Files, unread};
use super::{CommandResult, Outcome, colour_of_stderr, print, report, report_policy};
use clap::ValueEnum;
use sekisho_policy::diff::{Difference, Models, Side, Version, diff_for_people, diff_json, diff_markdown};
use sekisho_policy::plan::Planner;
use sekisho_policy::{Diagnostic, render_human};
use std::path::PathBuf;

/// Tell what a new version of a policy changes; exit code 3 where protection weakens.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The policy as it was.
    old: PathBuf,
    /// The policy as it becomes.
    new: PathBuf,
    /// Inventories, to tell for which machines fates change: files, folders, or `-` for standard input.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    inventory: Vec<PathBuf>,
    /// Form of the result. What weakens goes to stderr for `human`, else it is part of the result.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Sentences.
    Human,
    /// One JSON document.
    Json,
    /// For a pull request.
    Markdown,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let old = report_policy(&arguments.old)?;
    let new = report_policy(&arguments.new)?;
    let (Some(old), Some(new)) = (&old, &new) else {
        return Ok(Outcome::Refused);
    };
    let [old, new] = [old, new].map(|(source, policy)| Version { source, policy });
    let models = match arguments.inventory.as_slice() {
        [] => None,
        inventory => {
            let files = Files::of(inventory)?;
            let read = Models::survey(&Planner::new(old.policy), &Planner::new(new.policy), files.open());
            files.done();
            match read {
                Ok(models) => Some(models),
                Err(error) => return unread(error),
            }
        }
    };
    let difference = Difference::new(old, new, models);
    match arguments.format {
        Format::Json => print(&diff_json(&difference))?,
        Format::Markdown => print(&diff_markdown(&difference))?,
        Format::Human => {
            print(&diff_for_people(&difference))?;
            for side in [Side::Old, Side::New] {
                let of_side = difference.weakenings.iter().filter(|it| it.side == side);
                let found: Vec<Diagnostic> = of_side.map(|it| it.diagnostic.clone()).collect();
                report(&render_human(difference.source(side), &found, colour_of_stderr()));
            }
        }
    }
    Ok(match difference.weakenings.is_empty() {
        true => Outcome::Fine,
        false => Outcome::Weakened,
    })
}
