//! From a file's text to a report: read everything, check everything, put it in order.

use crate::compose;
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::findings::Findings;
use crate::policy::Policy;
use crate::read::{FromToml, Value};
use crate::rules::toml_syntax::Slip;
use crate::rules::{RULES, bad_selection, duplicate_key, missing_key, not_utf8};
use crate::schema::Document;
use crate::source::{Source, Span};
use toml::Spanned;
use toml::de::{DeValue, Error};

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
    let damaged = source.files().iter().filter_map(|file| file.damaged_at);
    let damaged: Vec<_> = damaged.map(not_utf8::finding).collect();
    if !damaged.is_empty() {
        return Report {
            policy: None,
            diagnostics: damaged,
        };
    }
    let mut findings = Findings::default();
    let mut broken = Vec::new();
    let texts = compose::texts(source);
    let tables = compose::parse(&texts).into_iter().map(|(table, errors)| {
        broken.extend(report_syntax(source, &errors, &mut findings));
        table.into_inner()
    });
    let tables = tables.collect();
    let mut found_later = Findings::default();
    let composed = compose::compose(source, tables, &mut found_later);
    let value: Value<'_> = Spanned::new(0..0, DeValue::Table(composed));
    let document = Document::from_toml(&value, &mut found_later);
    let policy = document.and_then(|document| {
        let context = Context::new(&document, source, &mut found_later);
        if let Some(rule) = context.first_beyond() {
            // What rules have to do with each other is not asked of so many.
            found_later.push(bad_selection::too_many_rules(rule.place()));
        } else if broken.is_empty() {
            for check in RULES.iter().filter_map(|rule| rule.check) {
                check(&context, &mut found_later);
            }
        }
        Policy::new(&context, source)
    });
    if !broken.is_empty() {
        found_later.retain(|found| {
            let start = found.primary.span.start;
            let is_unsure = broken.iter().any(|lines| lines.contains(source, start));
            found.code != missing_key::RULE.code && !is_unsure
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

/// Lines of a file that were not understood, so what is missing may only seem to be.
struct BrokenLines {
    file: Span,
    single: Vec<usize>,
    /// Every line from here on is read as an item of what was never closed above.
    from: Option<usize>,
}

impl BrokenLines {
    fn contains(&self, source: &Source, offset: usize) -> bool {
        self.file == source.span_at(offset) && self.contains_line(source.position(offset).line)
    }

    fn contains_line(&self, line: usize) -> bool {
        self.from.is_some_and(|from| from <= line) || self.single.contains(&line)
    }
}

/// Reports what is wrong with the syntax of one file; `None` if the tables are those that the author meant.
fn report_syntax(source: &Source, errors: &[Error], findings: &mut Findings) -> Option<BrokenLines> {
    let mut broken: Option<BrokenLines> = None;
    for error in errors {
        let span: Span = error.span().unwrap_or_default().into();
        if error.message() == "duplicate key" {
            findings.push(duplicate_key::finding(span, source.slice(span)));
            continue;
        }
        let slip = Slip::new(source, span, error.message());
        let broken = broken.get_or_insert_with(|| BrokenLines {
            file: source.span_at(span.start),
            single: Vec::new(),
            from: None,
        });
        // One slip often breaks several tokens of a line; the first message is the one that helps.
        if broken.contains_line(slip.line()) {
            continue;
        }
        findings.push(slip.finding());
        broken.single.push(slip.line());
        if slip.is_unclosed_above() {
            broken.from = slip.line_above().map(|above| source.position(above.start).line);
        }
    }
    broken
}
