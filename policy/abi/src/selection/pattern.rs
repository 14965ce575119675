//! Patterns: `?` is any one character, `*` any run, everything else itself.
//!
//! Quotes, backslashes and blanks are resolved when text is read ([`super::parse()`]); a compiled pattern holds
//! only what is compared. Matching neither recurses nor allocates, and its time is bounded by the product of the
//! two lengths, whatever a pattern holds.

use super::error::ParseError;
use super::token;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The end of a string where BitVisor reads it.
pub(super) const NUL: char = '\0';

/// One element of a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Part {
    /// This character.
    Literal(char),
    /// `?`: any one character.
    AnyCharacter,
    /// `*`: any run of characters, the empty one too.
    AnyRun,
}

/// One compiled pattern. An empty one matches nothing but the empty text.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Pattern {
    parts: Vec<Part>,
}

impl Pattern {
    /// The pattern made of `parts`.
    #[must_use]
    pub const fn new(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// Its elements in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether all of `text` is matched.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        glob(self.parts.iter().copied(), text)
    }
}

/// The alternatives of one item, `a|b|c`: any of them may match.
///
/// Blank alternatives are dropped, so `id=` holds none and matches nothing; so are those with a NUL character,
/// which no string can hold.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Pattern>")]
pub struct Patterns {
    alternatives: Vec<Pattern>,
}

impl From<Vec<Pattern>> for Patterns {
    fn from(mut alternatives: Vec<Pattern>) -> Self {
        alternatives
            .retain(|pattern| !pattern.parts.is_empty() && !pattern.parts.contains(&Part::Literal(NUL)));
        Self { alternatives }
    }
}

impl Patterns {
    /// Reads the text of a value: alternatives, wildcards, quotes and backslashes as in a selection string.
    ///
    /// # Errors
    /// [`ParseError`] as for a whole string; a `,` or `=` must be quoted or escaped.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        token::whole(text).map(|token| token.patterns)
    }

    /// Exactly `text`: no character of it is a wildcard.
    #[must_use]
    pub fn exactly(text: &str) -> Self {
        Self::from(alloc::vec![Pattern::new(
            text.chars().map(Part::Literal).collect()
        )])
    }

    /// The alternatives, none of them empty.
    #[must_use]
    pub fn alternatives(&self) -> &[Pattern] {
        &self.alternatives
    }

    /// Whether any alternative matches all of `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.alternatives.iter().any(|pattern| pattern.matches(text))
    }
}

/// Whether the plain pattern `pattern` (wildcards, but no quotes or backslashes) matches all of `text`.
pub(super) fn plain_matches(pattern: &str, text: &str) -> bool {
    glob(pattern.chars().map(plain_part), text)
}

/// What an unquoted, unescaped character means in a pattern.
pub(super) const fn plain_part(character: char) -> Part {
    match character {
        '*' => Part::AnyRun,
        '?' => Part::AnyCharacter,
        other => Part::Literal(other),
    }
}

/// Greedy matching: on a mismatch only the latest `*` takes one character more, as an earlier one never could
/// do better. So there are at most `text` retries, each at most as long as the pattern.
fn glob(pattern: impl Iterator<Item = Part> + Clone, text: &str) -> bool {
    let mut pattern = pattern;
    let mut text = text.chars();
    let mut retry = None;
    loop {
        let rest = text.clone();
        match (pattern.next(), text.next()) {
            (Some(Part::AnyRun), _) => {
                text = rest.clone();
                retry = Some((pattern.clone(), rest));
                continue;
            }
            (None, None) => return true,
            (Some(Part::AnyCharacter), Some(_)) => continue,
            (Some(Part::Literal(expected)), Some(found)) if expected == found => continue,
            _ => {}
        }
        let Some((after_star, mut from)) = retry.take() else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        pattern = after_star.clone();
        text = from.clone();
        retry = Some((after_star, from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_one_character_and_any_run() {
        assert!(plain_matches("8086:????", "8086:100e"));
        assert!(!plain_matches("8086:???", "8086:100e"));
        assert!(plain_matches("02*", "0200"));
        assert!(plain_matches("02*", "02"));
        assert!(plain_matches("**2922", "8086:2922"));
        assert!(plain_matches("*:*e", "8086:100e"));
        assert!(!plain_matches("*:*e", "8086:10ef"));
        assert!(plain_matches("*a*ab", "aaab"));
        assert!(!plain_matches("", "0"));
        assert!(plain_matches("*", ""));
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_exponential_time() {
        let mut parts = Vec::new();
        for _ in 0..20_000 {
            parts.push(Part::AnyRun);
            parts.push(Part::AnyCharacter);
        }
        assert!(!Pattern::new(parts).matches("00:1f.2"));
    }

    #[test]
    fn a_blank_is_not_an_alternative() {
        let patterns = Patterns::parse("02*| |").unwrap();
        assert_eq!(patterns.alternatives().len(), 1);
        assert!(Patterns::parse(" ").unwrap().alternatives().is_empty());
    }

    #[test]
    fn exact_text_has_no_wildcards() {
        assert!(Patterns::exactly("a*").matches("a*"));
        assert!(!Patterns::exactly("a*").matches("ab"));
    }
}
