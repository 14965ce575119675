//! From a file's text to a report: read everything, check everything, put it in order.

use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::findings::Findings;
use crate::policy::Policy;
use crate::read::{FromToml, Value};
use crate::rules::toml_syntax::Slip;
use crate::rules::{RULES, duplicate_key, missing_key, not_utf8};
use crate::schema::Document;
use crate::source::{Source, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// What [`check`] found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The checked policy, unless there are errors.
    pub policy: Option<Policy>,
    /// Everything wrong, in file order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks a policy file: every error of it in one run.
#[must_use]
pub fn check(source: &Source) -> Report {
    if let Some(offset) = source.damaged_at() {
        return Report {
            policy: None,
            diagnostics: vec![not_utf8::finding(offset)],
        };
    }
    let mut findings = Findings::default();
    let (table, errors) = DeTable::parse_recoverable(source.text());
    let syntax = report_syntax(source, &errors, &mut findings);
    let value: Value<'_> = Spanned::new(0..0, DeValue::Table(table.into_inner()));
    let mut found_later = Findings::default();
    let document = Document::from_toml(&value, &mut found_later);
    let policy = document.and_then(|document| {
        let context = Context::new(&document, source, &mut found_later);
        if syntax == Syntax::Whole {
            for check in RULES.iter().filter_map(|rule| rule.check) {
                check(&context, &mut found_later);
            }
        }
        Policy::new(&context, source)
    });
    if let Syntax::Broken(lines) = syntax {
        found_later.retain(|found| {
            let line = source.position(found.primary.span.start).line;
            found.code != missing_key::RULE.code && !lines.contains(line)
        });
    }
    findings.extend(found_later);
    let diagnostics = findings.into_sorted();
    let refused = diagnostics.iter().any(|found| found.severity == Severity::Error);
    Report {
        policy: policy.filter(|_| !refused),
        diagnostics,
    }
}

/// Whether the tables that the library recovered are those that the author meant.
#[derive(PartialEq, Eq)]
enum Syntax {
    /// Every line was understood.
    Whole,
    /// These lines were not, so what is missing may only seem to be.
    Broken(BrokenLines),
}

/// Lines that were not understood.
#[derive(Default, PartialEq, Eq)]
struct BrokenLines {
    single: Vec<usize>,
    /// Every line from here on is read as an item of what was never closed above.
    from: Option<usize>,
}

impl BrokenLines {
    fn contains(&self, line: usize) -> bool {
        self.from.is_some_and(|from| from <= line) || self.single.contains(&line)
    }
}

fn report_syntax(source: &Source, errors: &[Error], findings: &mut Findings) -> Syntax {
    let mut broken = BrokenLines::default();
    for error in errors {
        let span: Span = error.span().unwrap_or_default().into();
        if error.message() == "duplicate key" {
            findings.push(duplicate_key::finding(span, source.slice(span)));
            continue;
        }
        let slip = Slip::new(source, span, error.message());
        // One slip often breaks several tokens of a line; the first message is the one that helps.
        if broken.contains(slip.line()) {
            continue;
        }
        findings.push(slip.finding());
        broken.single.push(slip.line());
        if slip.is_unclosed_above() {
            broken.from = slip.line_above().map(|above| source.position(above.start).line);
        }
    }
    if broken == BrokenLines::default() {
        Syntax::Whole
    } else {
        Syntax::Broken(broken)
    }
}
