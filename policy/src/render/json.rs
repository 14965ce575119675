//! The form for programs: one JSON document for all files of a run.

use crate::Report;
use crate::diagnostic::{Diagnostic, Edit, Label};
use crate::source::{Position, Source};
use serde_json::{Value, json};

/// `{"files": [{"file", "ok", "diagnostics": [{"code", "severity", "message", "line", "column", …}]}]}`.
#[must_use]
pub fn render_json(reports: &[(Source, Report)]) -> String {
    let files: Vec<Value> = reports
        .iter()
        .map(|(source, report)| {
            let diagnostics: Vec<Value> = report
                .diagnostics
                .iter()
                .map(|diagnostic| json_diagnostic(source, diagnostic))
                .collect();
            json!({ "file": source.name(), "ok": report.policy.is_some(), "diagnostics": diagnostics })
        })
        .collect();
    format!("{:#}\n", json!({ "files": files }))
}

/// One diagnostic.
pub(crate) fn json_diagnostic(source: &Source, diagnostic: &Diagnostic) -> Value {
    let mut value = place(source, &diagnostic.primary);
    if let Value::Object(fields) = &mut value {
        fields.insert("code".into(), diagnostic.code.into());
        fields.insert("severity".into(), diagnostic.severity.word().into());
        fields.insert("message".into(), diagnostic.message.as_str().into());
        fields.insert("help".into(), diagnostic.help.clone().into());
        let related: Vec<Value> = diagnostic
            .secondary
            .iter()
            .map(|label| place(source, label))
            .collect();
        fields.insert("related".into(), related.into());
        if let Some(edit) = &diagnostic.edit {
            fields.insert("fix".into(), fix(source, edit));
        }
    }
    value
}

/// The text to write instead of what is in the region.
fn fix(source: &Source, edit: &Edit) -> Value {
    let Position { line, column } = source.position(edit.span.start);
    let end = source.position(edit.span.end);
    json!({
        "line": line,
        "column": column,
        "end_line": end.line,
        "end_column": end.column,
        "replacement": edit.replacement,
    })
}

fn place(source: &Source, label: &Label) -> Value {
    let Position { line, column } = source.position(label.span.start);
    let end = source.position(label.span.end);
    json!({
        "file": source.name_at(label.span.start),
        "line": line,
        "column": column,
        "end_line": end.line,
        "end_column": end.column,
        "label": label.text,
    })
}
