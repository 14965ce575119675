//! The form for people: the line, a caret, what to write instead. Layout by `annotate-snippets`.

use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::{Source, Span};
use annotate_snippets::renderer::DEFAULT_TERM_WIDTH;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use std::ops::Range;

/// Whether the reader is a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// No escape sequences.
    Plain,
    /// ANSI colours.
    Terminal,
}

/// All diagnostics of one file, and a line that counts them; empty if there are none.
#[must_use]
pub fn render_human(source: &Source, diagnostics: &[Diagnostic], colour: Colour) -> String {
    let renderer = match colour {
        Colour::Plain => Renderer::plain(),
        Colour::Terminal => Renderer::styled(),
    };
    let renderer = renderer.term_width(DEFAULT_TERM_WIDTH);
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&renderer.render(&[group(source, diagnostic)]));
        out.push_str("\n\n");
    }
    out.push_str(&summary(source, diagnostics));
    out
}

fn group<'a>(source: &'a Source, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code)
        .elements(snippets(source, diagnostic));
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

/// A snippet of each file that a label is in, the primary one's first.
fn snippets<'a>(source: &'a Source, diagnostic: &'a Diagnostic) -> Vec<Snippet<'a, Annotation<'a>>> {
    let primary = (AnnotationKind::Primary, &diagnostic.primary);
    let context = diagnostic
        .secondary
        .iter()
        .map(|label| (AnnotationKind::Context, label));
    let mut snippets: Vec<(Span, Snippet<'a, Annotation<'a>>)> = Vec::new();
    for (kind, label) in std::iter::once(primary).chain(context) {
        let file = source.span_at(label.span.start);
        let annotation = annotation(source, kind, label);
        let place = snippets.iter().position(|(known, _)| *known == file);
        let snippet = match place {
            Some(place) => snippets.remove(place).1,
            None => Snippet::source(source.slice(file)).path(source.name_at(file.start)),
        };
        let place = place.unwrap_or(snippets.len());
        snippets.insert(place, (file, snippet.annotation(annotation)));
    }
    snippets.into_iter().map(|(_, snippet)| snippet).collect()
}

fn annotation<'a>(source: &Source, kind: AnnotationKind, label: &'a Label) -> Annotation<'a> {
    let annotation = kind.span(visible(source, label.span));
    if label.text.is_empty() {
        annotation
    } else {
        annotation.label(label.text.as_str())
    }
}

/// The part of a span that is on its first line, on character borders within its file's text.
fn visible(source: &Source, span: Span) -> Range<usize> {
    let file = source.span_at(span.start);
    let text = source.slice(file);
    let [start, end] = [span.start, span.end].map(|offset| offset.saturating_sub(file.start));
    let span = Span { start, end };
    let start = (0..=span.start.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let line = text.get(start..).unwrap_or_default();
    let line_end = start + line.find('\n').unwrap_or(line.len());
    let end = (span.end.min(line_end)..=line_end)
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(line_end);
    start..end.max(start)
}

fn summary(source: &Source, diagnostics: &[Diagnostic]) -> String {
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|found| found.severity == severity)
            .count()
    };
    let errors = count_phrase(count(Severity::Error), "error");
    let warnings = count_phrase(count(Severity::Warning), "warning");
    let found = [errors, warnings]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
    if found.is_empty() {
        return String::new();
    }
    format!("{}: {found}\n", source.name())
}

fn count_phrase(count: usize, word: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    }
}
