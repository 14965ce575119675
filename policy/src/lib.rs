//! From policy.toml to a checked plan, selection strings and the compiled policy.

mod diagnostic;
pub mod inventory;
pub mod matching;
mod render;
mod source;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use render::{Colour, render_human, render_json};
pub use source::{Located, Position, Source, Span};

/// What [`check`] found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The checked policy, unless there are errors.
    pub policy: Option<Policy>,
    /// Everything wrong, in file order.
    pub diagnostics: Vec<Diagnostic>,
}

/// A checked policy.
#[derive(Clone, Debug)]
pub struct Policy {}

/// Checks a policy file.
#[must_use]
pub fn check(source: &Source) -> Report {
    let (_, errors) = toml::de::DeTable::parse_recoverable(source.text());
    let diagnostics: Vec<Diagnostic> = errors
        .iter()
        .map(|error| Diagnostic {
            code: "E0101",
            severity: Severity::Error,
            message: error.message().to_owned(),
            primary: Label {
                span: error.span().unwrap_or_default().into(),
                text: String::new(),
            },
            secondary: Vec::new(),
            help: Vec::new(),
        })
        .collect();
    Report {
        policy: diagnostics.is_empty().then_some(Policy {}),
        diagnostics,
    }
}
