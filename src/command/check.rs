//! `sekisho check`: every error of every policy named, in one run.

use super::{CommandResult, Outcome, colour_of_stderr, print, read_policy, report};
use clap::ValueEnum;
use sekisho_policy::{check, render_human, render_json, render_junit, render_sarif};
use std::path::PathBuf;

/// Report every error of a policy, with its place and what to write instead.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Policy files; `-` reads standard input.
    #[arg(required = true)]
    policies: Vec<PathBuf>,
    /// Form of the diagnostics: `human` goes to stderr, the others to stdout.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

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
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let mut reports = Vec::new();
    for path in &arguments.policies {
        let source = read_policy(path)?;
        let report = check(&source);
        reports.push((source, report));
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
    }
    let refused = reports.iter().any(|(_, report)| report.policy.is_none());
    Ok(if refused { Outcome::Refused } else { Outcome::Fine })
}
