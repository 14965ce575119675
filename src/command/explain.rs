//! `sekisho explain`: the documentation of a diagnostic.

use super::{CommandResult, Outcome, print};
use clap::ValueEnum;
use sekisho_policy::{codes, explain, explain_markdown, reference};

/// Explain a diagnostic by its code, or list every code.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The code, as `check` prints it: `E0104`.
    code: Option<String>,
    /// Form of the page; in Markdown, every page where no code is given.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For a terminal.
    Human,
    /// For a page of documentation.
    Markdown,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let text = match (&arguments.code, arguments.format) {
        (Some(code), Format::Human) => explain(code)?,
        (Some(code), Format::Markdown) => explain_markdown(code)?,
        (None, Format::Human) => codes(),
        (None, Format::Markdown) => reference(),
    };
    print(&text)?;
    Ok(Outcome::Fine)
}
