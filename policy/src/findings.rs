//! Where readers and rules put what they find, and the record every rule has.

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::Span;

/// One thing that can be wrong with a policy: its documentation and, where it needs the whole file, its
/// check.
///
/// A rule without `check` is raised by the reader while it turns TOML into the document.
pub(crate) struct Rule {
    /// Stable code; the first letter is the severity.
    pub(crate) code: &'static str,
    /// The problem in one phrase.
    pub(crate) title: &'static str,
    /// Why it is refused and what to do, in sentences.
    pub(crate) text: &'static str,
    /// A policy that has this problem and no other; also the rule's golden case.
    pub(crate) example: &'static [u8],
    /// Replacements in the example that repair it.
    pub(crate) repair: &'static [(&'static str, &'static str)],
    /// Looks for the problem in a document that was read.
    pub(crate) check: Option<fn(&Context<'_>, &mut Findings)>,
}

/// One thing that only shows beside something else than the policy.
pub(crate) struct FleetRule {
    /// As for a policy alone.
    pub(crate) rule: Rule,
    /// What the example stands beside.
    pub(crate) scene: Scene,
}

/// What an example stands beside.
#[derive(Clone, Copy)]
pub(crate) enum Scene {
    /// An inventory.
    Fleet(&'static str),
    /// The fleet and the policy of `examples/`: the example is what is expected of them.
    Expected,
    /// The policy as it was: the example with its repair.
    Change,
}

impl Rule {
    /// Error or warning, as the code says.
    pub(crate) fn severity(&self) -> Severity {
        if self.code.starts_with('W') {
            Severity::Warning
        } else {
            Severity::Error
        }
    }

    /// This problem at `span`, remarked with `label`.
    pub(crate) fn at(&self, span: Span, label: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code: self.code,
            severity: self.severity(),
            message: self.title.to_owned(),
            primary: Label {
                span,
                text: label.into(),
            },
            secondary: Vec::new(),
            help: Vec::new(),
            edit: None,
        }
    }
}

/// What was found so far.
#[derive(Default)]
pub(crate) struct Findings {
    diagnostics: Vec<Diagnostic>,
}

impl Findings {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.diagnostics.len()
    }

    /// What was found after there were `count`.
    pub(crate) fn since(&mut self, count: usize) -> &mut [Diagnostic] {
        self.diagnostics.get_mut(count..).unwrap_or_default()
    }

    /// Drops findings that only follow from others.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.diagnostics.retain(keep);
    }

    /// Adds what was found elsewhere.
    pub(crate) fn extend(&mut self, other: Self) {
        self.diagnostics.extend(other.diagnostics);
    }

    /// Everything, in file order.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.diagnostics
            .sort_by(|a, b| (a.primary.span, a.code).cmp(&(b.primary.span, b.code)));
        self.diagnostics.dedup();
        self.diagnostics
    }
}

/// The known word nearest to what was written, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    match near(written, known) {
        Nearest::None => None,
        Nearest::One(word) | Nearest::FirstOfSome(word) => Some(word),
    }
}

/// Which known words are nearest to what was written.
pub(crate) enum Nearest<'a> {
    /// None is near enough for a slip.
    None,
    /// This, and no other as near.
    One(&'a str),
    /// This, and others as near.
    FirstOfSome(&'a str),
}

/// Looks for the known words that are nearest.
pub(crate) fn near<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Nearest<'a> {
    let written = written.to_lowercase();
    let mut best: Option<(usize, &str)> = None;
    let mut is_alone = true;
    for word in known {
        let distance = strsim::osa_distance(&written, &word.to_lowercase());
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, word));
            is_alone = true;
        } else if best.is_some_and(|(least, first)| distance == least && first != word) {
            is_alone = false;
        }
    }
    match best {
        // A third of the word may be wrong: `netwrok`, not `net` for `log`.
        Some((distance, word)) if distance <= word.chars().count().div_ceil(3) => {
            if is_alone {
                Nearest::One(word)
            } else {
                Nearest::FirstOfSome(word)
            }
        }
        _ => Nearest::None,
    }
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn choices<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.pop() {
        None => String::new(),
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} or {last}", quoted.join(", ")),
    }
}
