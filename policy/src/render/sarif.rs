//! SARIF 2.1.0, for code review: diagnostics as annotations of the lines that a change touches.
//!
//! Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", section numbers below.

use crate::Report;
use crate::diagnostic::{Diagnostic, Edit, Label};
use crate::explain::{explain, explain_markdown};
use crate::findings::Rule;
use crate::rules::RULES;
use crate::source::{Source, Span};
use serde_json::{Value, json};
use std::fmt::Write;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One run (section 3.14) with every rule that was broken, and a result for each diagnostic of all files.
#[must_use]
pub fn render_sarif(reports: &[(Source, Report)]) -> String {
    let found = || {
        reports
            .iter()
            .flat_map(|(source, report)| report.diagnostics.iter().map(move |it| (source, it)))
    };
    let rules: Vec<&Rule> = RULES
        .iter()
        .copied()
        .filter(|rule| found().any(|(_, diagnostic)| diagnostic.code == rule.code))
        .collect();
    let results: Vec<Value> = found()
        .map(|(source, diagnostic)| result(source, diagnostic, &rules))
        .collect();
    let descriptors: Vec<Value> = rules.iter().map(|rule| descriptor(rule)).collect();
    let driver = json!({ "name": "sekisho", "version": env!("CARGO_PKG_VERSION"), "rules": descriptors });
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{ "tool": { "driver": driver }, "columnKind": "unicodeCodePoints", "results": results }],
    });
    format!("{log:#}\n")
}

/// A reportingDescriptor object (section 3.49).
fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.text },
        "help": {
            "text": explain(rule.code).unwrap_or_default(),
            "markdown": explain_markdown(rule.code).unwrap_or_default(),
        },
        "defaultConfiguration": { "level": rule.severity().word() },
    })
}

/// A result object (section 3.27). Its levels `error` and `warning` are our words.
fn result(source: &Source, diagnostic: &Diagnostic, rules: &[&Rule]) -> Value {
    let related = diagnostic
        .secondary
        .iter()
        .enumerate()
        .map(|(id, label)| related(source, id, label));
    let fixes = diagnostic.edit.iter().map(|edit| fix(source, edit));
    json!({
        "ruleId": diagnostic.code,
        "ruleIndex": rules.iter().position(|rule| rule.code == diagnostic.code),
        "level": diagnostic.severity.word(),
        "message": { "text": format!("{}; {}", diagnostic.message, diagnostic.help.join("; ")) },
        "locations": [{
            "physicalLocation": place(source, diagnostic.primary.span),
            "message": { "text": diagnostic.primary.text },
        }],
        "relatedLocations": related.collect::<Vec<_>>(),
        "fixes": fixes.collect::<Vec<_>>(),
    })
}

/// A fix object (section 3.55) with its one replacement (section 3.57).
fn fix(source: &Source, edit: &Edit) -> Value {
    let place = place(source, edit.span);
    json!({
        "description": { "text": format!("write {}", edit.replacement) },
        "artifactChanges": [{
            "artifactLocation": place.get("artifactLocation"),
            "replacements": [{
                "deletedRegion": place.get("region"),
                "insertedContent": { "text": edit.replacement },
            }],
        }],
    })
}

fn related(source: &Source, id: usize, label: &Label) -> Value {
    json!({ "id": id, "physicalLocation": place(source, label.span), "message": { "text": label.text } })
}

/// A physicalLocation object (section 3.29). An endColumn is behind the last character, as our spans are.
fn place(source: &Source, span: Span) -> Value {
    let (start, end) = (source.position(span.start), source.position(span.end));
    json!({
        "artifactLocation": { "uri": uri(source.name_at(span.start)) },
        "region": {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        },
    })
}

/// A file name as a relative or absolute URI reference (RFC 3986, section 2.3).
fn uri(name: &str) -> String {
    let name = if name == "-" { "stdin" } else { name };
    let mut uri = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            other => drop(write!(uri, "%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    #[test]
    fn a_result_points_at_its_rule_and_its_line() {
        let source = Source::new(
            "my policies/a.toml".into(),
            b"policy = 1\nname = \"A\"\n".to_vec(),
        );
        let report = check(&source);
        let log: Value = serde_json::from_str(&render_sarif(&[(source, report)])).unwrap();
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
        }
        let place = &results[1]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "my%20policies/a.toml");
        let region = json!({ "startLine": 2, "startColumn": 8, "endLine": 2, "endColumn": 11 });
        assert_eq!(place["region"], region);
    }
}
