//! Values that are strings with a form of their own, and those that are one of a few words.

use super::{Value, span_of};
use crate::diagnostic::Diagnostic;
use crate::findings::{Findings, Rule};
use crate::repair;
use crate::rules::wrong_type;
use crate::source::Span;
use toml::de::DeValue;

/// Why a text is not of the form: a remark for the caret, and what to write instead.
pub(crate) struct Malformed {
    pub(crate) remark: String,
    pub(crate) help: String,
    /// The problem in a phrase that names what was written, instead of the rule's title.
    pub(crate) problem: Option<String>,
    /// The words of which one was meant, and what was written for it.
    pub(crate) choices: Option<(String, &'static [&'static str])>,
}

impl Malformed {
    pub(crate) fn new(remark: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            remark: remark.into(),
            help: help.into(),
            problem: None,
            choices: None,
        }
    }

    /// Names the problem.
    pub(crate) fn saying(mut self, problem: impl Into<String>) -> Self {
        self.problem = Some(problem.into());
        self
    }

    /// Says of which words one was meant.
    pub(crate) fn one_of(mut self, written: &str, known: &'static [&'static str]) -> Self {
        self.choices = Some((written.to_owned(), known));
        self
    }

    /// As a finding at `span`.
    pub(crate) fn at(self, rule: &Rule, span: Span) -> Diagnostic {
        let edit = self
            .choices
            .and_then(|(written, known)| repair::word(span, &written, known.iter().copied()));
        let diagnostic = rule.at(span, self.remark).help(self.help).repaired_by(edit);
        match self.problem {
            Some(problem) => diagnostic.saying(problem),
            None => diagnostic,
        }
    }
}

/// A value whose form is checked by one function.
pub(crate) trait FromText: Sized {
    /// The rule that a malformed one breaks.
    const RULE: &'static Rule;

    /// What is expected where something else than a string stands.
    fn expected() -> String {
        "a string in quotes".to_owned()
    }

    /// Reads it.
    fn from_text(text: &str) -> Result<Self, Malformed>;
}

/// Reads a string value by [`FromText`].
pub(crate) fn read_text<T: FromText>(value: &Value<'_>, findings: &mut Findings) -> Option<T> {
    let DeValue::String(text) = value.get_ref() else {
        findings.push(wrong_type::finding(value, &T::expected()));
        return None;
    };
    match T::from_text(text) {
        Ok(read) => Some(read),
        Err(malformed) => {
            findings.push(malformed.at(T::RULE, span_of(value)));
            None
        }
    }
}

/// Makes [`FromText`] types readable from TOML.
macro_rules! from_text {
    ($($Type:ty),* $(,)?) => {$(
        impl $crate::read::FromToml for $Type {
            fn from_toml(
                value: &$crate::read::Value<'_>,
                findings: &mut $crate::findings::Findings,
            ) -> Option<Self> {
                $crate::read::read_text(value, findings)
            }
        }
    )*};
}
pub(crate) use from_text;

impl FromText for String {
    const RULE: &'static Rule = &crate::rules::bad_label::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(Malformed::new(
                "this is empty or holds control characters",
                "write the text as the disk's tools show it, for example `partition-label = \"root\"`",
            ));
        }
        Ok(text.to_owned())
    }
}

from_text!(String);

/// An enum of which each variant is one word in the file.
macro_rules! words {
    (
        $(#[doc = $doc:literal])*
        pub enum $Name:ident { $( $(#[doc = $variant_doc:literal])* $Variant:ident = $word:literal ),* $(,)? }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $Name { $( $(#[doc = $variant_doc])* $Variant ),* }

        impl $Name {
            /// Every word, in the order of the variants.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The word that means this.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $( Self::$Variant => $word ),* }
            }
        }

        impl $crate::read::FromText for $Name {
            const RULE: &'static $crate::findings::Rule = &$crate::rules::unknown_word::RULE;

            fn expected() -> String {
                $crate::rules::unknown_word::quoted(Self::WORDS)
            }

            fn from_text(text: &str) -> Result<Self, $crate::read::Malformed> {
                match text {
                    $( $word => Ok(Self::$Variant), )*
                    _ => Err($crate::rules::unknown_word::malformed(text, Self::WORDS)),
                }
            }
        }

        $crate::read::from_text!($Name);

        impl schemars::JsonSchema for $Name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($Name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": concat!($($doc, "\n"),*).trim(),
                    "oneOf": [$( {
                        "enum": [$word],
                        "description": concat!($($variant_doc, "\n"),*).trim(),
                    } ),*],
                })
            }
        }
    };
}
pub(crate) use words;
