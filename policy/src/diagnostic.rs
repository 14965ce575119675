//! What is wrong with a policy: code, place, problem and remedy.

use crate::source::Span;

/// Characters of a phrase at most: what it quotes may be a whole file.
const LONGEST: usize = 400;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The policy is refused.
    Error,
    /// The policy is accepted; a person should look at it.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place with a remark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is to be said about it.
    pub text: String,
}

/// A change of the text that repairs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// What goes.
    pub span: Span,
    /// What stands there instead.
    pub replacement: String,
}

/// One thing wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Stable: `E0101`, `W0302`; `sekisho explain` documents it.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// The problem in one phrase.
    pub message: String,
    /// Where it is.
    pub primary: Label,
    /// Other places that matter, such as a first definition.
    pub secondary: Vec<Label>,
    /// What to write instead.
    pub help: Vec<String>,
    /// The repair, where there is one that is obvious and opens nothing.
    pub edit: Option<Edit>,
}

impl Diagnostic {
    /// Replaces the rule's title by a phrase that names names.
    #[must_use]
    pub(crate) fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = bounded(message.into());
        self
    }

    /// Points at one more place.
    #[must_use]
    pub(crate) fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label {
            span,
            text: bounded(text.into()),
        });
        self
    }

    /// Offers a repair.
    #[must_use]
    pub(crate) fn repaired_by(mut self, edit: Option<Edit>) -> Self {
        self.edit = edit;
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(bounded(help.into()));
        self
    }
}

fn bounded(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}
