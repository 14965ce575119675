//! `sekisho fmt`: policies in the one form that all have, so that a change of one shows what was changed.

use super::replace::replace;
use super::{CommandResult, Outcome, colour_of_stderr, print, read_file, report};
use sekisho_policy::{Source, format, render_human};
use std::path::{Path, PathBuf};

/// Put the blanks of policies in order; remarks stay, and what a policy says.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Policy files; `-` reads standard input and writes standard output.
    #[arg(required = true)]
    policies: Vec<PathBuf>,
    /// Change nothing; name each file that is not in order, and its first line that is not.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let mut outcome = Outcome::Fine;
    for path in &arguments.policies {
        let source = read_file(path)?;
        match format(&source) {
            Err(broken) => {
                report(&render_human(&source, &broken, colour_of_stderr()));
                outcome = Outcome::Refused;
            }
            Ok(formatted) if arguments.check => {
                if let Some(difference) = first_difference(&source, &formatted) {
                    report(&difference);
                    outcome = Outcome::Refused;
                }
            }
            Ok(formatted) if path == Path::new("-") => print(&formatted)?,
            Ok(formatted) if formatted == source.text() => {}
            Ok(formatted) => replace(path, formatted.as_bytes())?,
        }
    }
    Ok(outcome)
}

/// The first line that is not in order, and what it should be.
fn first_difference(source: &Source, formatted: &str) -> Option<String> {
    if source.text() == formatted {
        return None;
    }
    let mut written = source.text().split('\n');
    let mut wanted = formatted.split('\n');
    let mut line = 1;
    let (written, wanted) = loop {
        match (written.next(), wanted.next()) {
            (Some(written), Some(wanted)) if written == wanted => line += 1,
            differ => break differ,
        }
    };
    let shown = |line: Option<&str>| line.map_or_else(|| "the end".to_owned(), |line| format!("{line:?}"));
    let name = source.name();
    Some(format!(
        "{name}:{line}: not in order: {}, should be {}\n  = help: `sekisho fmt {name}` puts it in order\n",
        shown(written),
        shown(wanted)
    ))
}
