//! JUnit's XML, for CI servers that show tests: one test case a policy file.

use super::human::{Colour, render_human};
use crate::Report;
use crate::diagnostic::Severity;
use crate::source::Source;
use std::fmt::Write;

/// A suite with a case for each file; errors make it fail, warnings are its output.
#[must_use]
pub fn render_junit(reports: &[(Source, Report)]) -> String {
    let failures = reports
        .iter()
        .filter(|(_, report)| report.policy.is_none())
        .count();
    let counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\"", reports.len());
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string cannot fail.
    let _ = writeln!(
        xml,
        "<testsuites {counts}>\n  <testsuite name=\"sekisho check\" {counts}>"
    );
    for (source, report) in reports {
        test_case(source, report, &mut xml);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn test_case(source: &Source, report: &Report, xml: &mut String) {
    let name = escaped(source.name());
    let _ = write!(
        xml,
        "    <testcase classname=\"sekisho.check\" name=\"{name}\" file=\"{name}\""
    );
    let first = report
        .diagnostics
        .iter()
        .find(|found| found.severity == Severity::Error);
    let said = escaped(&render_human(source, &report.diagnostics, Colour::Plain));
    let _ = match first {
        _ if report.diagnostics.is_empty() => writeln!(xml, "/>"),
        Some(first) => {
            let message = escaped(&first.message);
            let code = first.code;
            writeln!(
                xml,
                ">\n      <failure type=\"{code}\" message=\"{message}\">{said}</failure>\n    </testcase>"
            )
        }
        None => writeln!(xml, ">\n      <system-out>{said}</system-out>\n    </testcase>"),
    };
}

/// Text for an attribute or element; characters that XML 1.0 cannot hold (section 2.2) are replaced.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\n' | '\t' => xml.push(character),
            '\u{fffe}' | '\u{ffff}' => xml.push(char::REPLACEMENT_CHARACTER),
            other if other.is_control() => xml.push(char::REPLACEMENT_CHARACTER),
            other => xml.push(other),
        }
    }
    xml
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;

    fn xml(text: &str) -> String {
        let source = Source::new("a<b>.toml".into(), text.into());
        let report = check(&source);
        render_junit(&[(source, report)])
    }

    const GOOD: &str =
        "policy = 1\nname = \"a\"\n[defaults]\nstorage = \"pass\"\nnetwork = \"pass\"\nother = \"pass\"\n";

    #[test]
    fn a_right_policy_is_a_passed_test() {
        let xml = xml(GOOD);
        assert!(xml.contains("tests=\"1\" failures=\"0\""), "{xml}");
        assert!(
            xml.contains("name=\"a&lt;b&gt;.toml\" file=\"a&lt;b&gt;.toml\"/>"),
            "{xml}"
        );
    }

    #[test]
    fn errors_fail_and_warnings_are_told() {
        let broken = xml("policy = 2\n");
        assert!(
            broken.contains("failures=\"1\"") && broken.contains("<failure type=\"E0105\""),
            "{broken}"
        );
        let warned = xml(&format!("{GOOD}[unlock]\nmethods = [\"passphrase\"]\n"));
        assert!(
            warned.contains("failures=\"0\"") && warned.contains("<system-out>warning[W0503]"),
            "{warned}"
        );
    }

    #[test]
    fn characters_that_xml_cannot_hold_are_replaced() {
        assert_eq!(escaped("a\u{1}\u{1b}&\"\n"), "a\u{fffd}\u{fffd}&amp;&quot;\n");
    }
}
