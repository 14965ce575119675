//! `sekisho check`: every error of every policy named, in one run.

use super::replace::replace;
use super::{CommandResult, Outcome, colour_of_stderr, print, read_policy, report};
use clap::ValueEnum;
use sekisho_policy::{
    Report, Source, check, render_gitlab, render_human, render_json, render_junit, render_sarif, repair,
};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Report every error of a policy, with its place and what to write instead.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Policy files; `-` reads standard input.
    #[arg(required = true)]
    policies: Vec<PathBuf>,
    /// Form of the diagnostics: `human` goes to stderr, the others to stdout.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Repair what has one obvious repair, say what was repaired, and report what remains.
    #[arg(long)]
    fix: bool,
}

/// How often a file is repaired and checked again; a repair may uncover another.
const MAX_ROUNDS: usize = 8;

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Lines with carets, for people.
    Human,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code review.
    Sarif,
    /// JUnit's XML, for CI servers.
    Junit,
    /// GitLab's code quality report.
    Gitlab,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let mut reports = Vec::new();
    for path in &arguments.policies {
        reports.push(if arguments.fix { fix(path)? } else { judged(path)? });
    }
    match arguments.format {
        Format::Human => {
            for (source, found) in &reports {
                report(&render_human(source, &found.diagnostics, colour_of_stderr()));
            }
        }
        Format::Json => print(&render_json(&reports))?,
        Format::Sarif => print(&render_sarif(&reports))?,
        Format::Junit => print(&render_junit(&reports))?,
        Format::Gitlab => print(&render_gitlab(&reports))?,
    }
    let refused = reports.iter().any(|(_, report)| report.policy.is_none());
    Ok(if refused { Outcome::Refused } else { Outcome::Fine })
}

fn judged(path: &Path) -> Result<(Source, Report), Box<dyn Error>> {
    let source = read_policy(path)?;
    let report = check(&source);
    Ok((source, report))
}

/// Repairs a policy's own file until nothing obvious is left; a file that it extends is only reported.
fn fix(path: &Path) -> Result<(Source, Report), Box<dyn Error>> {
    if path == Path::new("-") {
        return Err("--fix changes files, and standard input is none".into());
    }
    for _ in 0..MAX_ROUNDS {
        let (source, found) = judged(path)?;
        let Some(repaired) = repair(&source, &found) else {
            return Ok((source, found));
        };
        replace(path, repaired.text.as_bytes())?;
        for done in &repaired.done {
            let place = source.place(done.primary.span.start);
            let written = done.edit.as_ref().map_or("", |edit| &edit.replacement);
            report(&format!(
                "{place}: repaired: {}; it is {written} now\n",
                done.message
            ));
        }
    }
    judged(path)
}
