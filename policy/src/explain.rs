//! `sekisho explain CODE`: what a diagnostic means, with its rule's example and how that is repaired.

use crate::check::check;
use crate::findings::{Rule, nearest};
use crate::lower::unsupported;
use crate::render::{Colour, render_human};
use crate::rules::RULES;
use crate::source::Source;

/// No diagnostic has this code.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownCode {
    /// As asked.
    pub code: String,
    /// The nearest code there is.
    pub near: Option<&'static str>,
}

impl std::fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "there is no diagnostic `{}`", self.code)?;
        match self.near {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => write!(f, "; codes are like `E0104`, and `sekisho explain` lists them"),
        }
    }
}

impl std::error::Error for UnknownCode {}

/// Every code with its title, one a line.
#[must_use]
pub fn codes() -> String {
    RULES
        .iter()
        .map(|rule| format!("{}  {}\n", rule.code, rule.title))
        .collect()
}

/// The documentation of a code: why, an example, what `check` says about it, and the example repaired.
///
/// # Errors
/// [`UnknownCode`].
pub fn explain(code: &str) -> Result<String, UnknownCode> {
    let wanted = code.trim().to_ascii_uppercase();
    let rule = RULES
        .iter()
        .find(|rule| rule.code == wanted)
        .ok_or_else(|| UnknownCode {
            near: nearest(&wanted, RULES.iter().map(|rule| rule.code)),
            code: code.to_owned(),
        })?;
    let title = format!("{}: {}", rule.code, rule.title);
    let mut text = format!(
        "{title}\n{}\n\n{}\n",
        "=".repeat(title.chars().count()),
        wrapped(rule.text)
    );
    text.push_str("\nExample\n-------\n\n");
    text.push_str(&indented(&String::from_utf8_lossy(rule.example)));
    text.push_str("\nWhat is said about it\n---------------------\n\n");
    text.push_str(&indented(&said_about(rule)));
    text.push_str("\nRepaired\n--------\n\n");
    for (broken, repaired) in rule.repair {
        text.push_str(&marked('-', broken));
        text.push_str(&marked('+', repaired));
    }
    Ok(text)
}

fn said_about(rule: &Rule) -> String {
    let source = Source::new("policy.toml".to_owned(), rule.example.to_vec());
    let report = check(&source);
    let mut diagnostics = report.diagnostics;
    diagnostics.extend(report.policy.iter().flat_map(unsupported));
    diagnostics.retain(|found| found.code == rule.code);
    render_human(&source, &diagnostics, Colour::Plain)
}

/// Width of a line of prose, for terminals of 80 columns.
const WIDTH: usize = 78;

fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}").trim_end().to_owned() + "\n")
        .collect()
}

fn marked(mark: char, text: &str) -> String {
    text.lines()
        .map(|line| format!("    {mark} {line}").trim_end().to_owned() + "\n")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Diagnostic, Severity};

    /// What is found in a policy, including what only `image build` refuses.
    fn found(bytes: &[u8]) -> Vec<Diagnostic> {
        let report = check(&Source::new("policy.toml".into(), bytes.to_vec()));
        report.diagnostics
    }

    #[test]
    fn every_code_has_an_example_that_triggers_it_and_nothing_else() {
        for rule in RULES.iter().filter(|rule| rule.code != crate::UNSUPPORTED) {
            let codes: Vec<_> = found(rule.example).iter().map(|found| found.code).collect();
            assert_eq!(codes, [rule.code], "{}", rule.title);
        }
    }

    #[test]
    fn every_repaired_example_is_clean() {
        for rule in RULES {
            let mut text = String::from_utf8_lossy(rule.example).into_owned();
            assert!(!rule.repair.is_empty(), "{}: no repair", rule.code);
            for (broken, repaired) in rule.repair {
                assert!(
                    text.contains(broken),
                    "{}: the example has no {broken:?}",
                    rule.code
                );
                text = text.replacen(broken, repaired, 1);
            }
            let source = Source::new("policy.toml".into(), text.into_bytes());
            let report = check(&source);
            let unsupported = match rule.code {
                crate::UNSUPPORTED => report.policy.as_ref().map(unsupported).unwrap_or_default(),
                _ => Vec::new(),
            };
            let said = render_human(&source, &report.diagnostics, Colour::Plain);
            assert!(
                report.diagnostics.is_empty() && unsupported.is_empty(),
                "{}:\n{said}",
                rule.code
            );
        }
    }

    #[test]
    fn codes_are_unique_and_in_order() {
        let numbers: Vec<&str> = RULES.iter().map(|rule| &rule.code[1..]).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    #[test]
    fn every_code_is_explained_with_what_check_says() {
        for rule in RULES {
            let text = explain(&rule.code.to_lowercase()).unwrap();
            let severity = rule.severity().word();
            assert!(text.contains(&format!("{severity}[{}]", rule.code)), "{text}");
            assert!(text.contains(" help: "), "{text}");
        }
    }

    #[test]
    fn warnings_do_not_refuse_a_policy() {
        for rule in RULES.iter().filter(|rule| rule.severity() == Severity::Warning) {
            let report = check(&Source::new("policy.toml".into(), rule.example.to_vec()));
            assert!(report.policy.is_some(), "{}", rule.code);
        }
    }

    #[test]
    fn a_code_with_a_slip_is_told_the_nearest() {
        assert_eq!(explain("E0402x").unwrap_err().near, Some("E0402"));
    }
}
