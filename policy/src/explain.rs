//! `sekisho explain CODE`: what a diagnostic means, with its rule's example and how that is repaired.

mod page;

use crate::check::check;
use crate::diagnostic::Diagnostic;
use crate::diff::{Version, weakenings};
use crate::findings::{FleetRule, Rule, Scene, nearest};
use crate::inventory::{File, Sighting};
use crate::lower::unsupported;
use crate::plan::{Expectations, Fleet, Judgement, Planner, Strictness, cover};
use crate::render::{Colour, render_human};
use crate::rules::{RULES, fleet, weaker};
use crate::source::Source;
use page::Page;
use std::ops::ControlFlow;

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
    rules()
        .map(|rule| format!("{}  {}\n", rule.code, rule.title))
        .collect()
}

/// The documentation of a code: why, an example, what `check` says about it, and the example repaired.
///
/// # Errors
/// [`UnknownCode`].
pub fn explain(code: &str) -> Result<String, UnknownCode> {
    Ok(page::plain(&Page::of(rule(code)?)))
}

/// The same in Markdown.
///
/// # Errors
/// [`UnknownCode`].
pub fn explain_markdown(code: &str) -> Result<String, UnknownCode> {
    Ok(page::markdown(&Page::of(rule(code)?)))
}

/// The documentation of every code in Markdown: `docs/reference.md`.
#[must_use]
pub fn reference() -> String {
    let pages: Vec<Page> = rules().map(Page::of).collect();
    page::reference(&pages)
}

fn rule(code: &str) -> Result<&'static Rule, UnknownCode> {
    let wanted = code.trim().to_ascii_uppercase();
    rules()
        .find(|rule| rule.code == wanted)
        .ok_or_else(|| UnknownCode {
            near: nearest(&wanted, rules().map(|rule| rule.code)),
            code: code.to_owned(),
        })
}

impl Page {
    fn of(rule: &'static Rule) -> Self {
        Self {
            code: rule.code,
            title: rule.title,
            text: rule.text,
            example: String::from_utf8_lossy(rule.example).into_owned(),
            beside: scene(rule.code).map(Scene::files).unwrap_or_default(),
            said: said_about(rule),
            repair: rule.repair,
        }
    }
}

/// Every rule, in the order of codes.
fn rules() -> impl Iterator<Item = &'static Rule> {
    let beside = fleet::RULES.iter().chain(weaker::RULES);
    RULES.iter().copied().chain(beside.map(|it| &it.rule))
}

/// What the example of a rule stands beside; `None` where it stands alone.
fn scene(code: &str) -> Option<Scene> {
    let mut beside = fleet::RULES.iter().chain(weaker::RULES);
    let found = beside.find(|it| it.rule.code == code);
    found.map(|it: &&FleetRule| it.scene)
}

/// What expectations are tried on.
const LAPTOP: &str = include_str!("../../examples/field-laptop.toml");
const LAPTOPS: &str = include_str!("../../examples/fleet.jsonl");

impl Scene {
    /// Its files, with what they are.
    fn files(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::Fleet(fleet) => vec![("inventory", fleet)],
            // The first is there to be read, the other is shown as the repair.
            Self::Expected | Self::Change => Vec::new(),
        }
    }

    /// Everything that is found in the example beside it.
    fn found(self, rule: &Rule, example: &Source) -> Vec<Diagnostic> {
        match self {
            Self::Change => weakened(rule, example),
            Self::Fleet(fleet) => {
                let report = check(example);
                let covered = report.policy.iter().flat_map(|policy| {
                    let planner = Planner::new(policy);
                    let fleet = survey(&planner, fleet, |_| ());
                    fleet.map_or_else(Vec::new, |fleet| cover(&planner, &fleet, Strictness::Warn))
                });
                report.diagnostics.into_iter().chain(covered).collect()
            }
            Self::Expected => {
                let policy = check(&Source::new("field-laptop.toml".to_owned(), LAPTOP.into())).policy;
                match (Expectations::read(example), policy) {
                    (Err(wrong), _) => wrong,
                    (Ok(mut expected), Some(policy)) => {
                        // What is seen before a file ends badly counts.
                        let _ = survey(&Planner::new(&policy), LAPTOPS, |machine| expected.see(machine));
                        expected.unmet()
                    }
                    (Ok(_), None) => Vec::new(),
                }
            }
        }
    }
}

/// What is weaker in the example than in its repair.
fn weakened(rule: &Rule, example: &Source) -> Vec<Diagnostic> {
    let mut before = example.text().to_owned();
    for (weak, strong) in rule.repair {
        before = before.replacen(weak, strong, 1);
    }
    let before = Source::new("policy.toml".to_owned(), before.into_bytes());
    let (was, mut is) = (check(&before), check(example));
    if let (Some(was), Some(is)) = (&was.policy, &is.policy) {
        let version = |source, policy| Version { source, policy };
        let found = weakenings(version(&before, was), version(example, is));
        return found.into_iter().map(|it| it.diagnostic).collect();
    }
    is.diagnostics.extend(was.diagnostics);
    is.diagnostics
}

/// Counts a fleet of the golden cases: inventories that a test reads.
fn survey(
    planner: &Planner<'_>,
    fleet: &'static str,
    mut see: impl FnMut(&Sighting<Judgement>),
) -> Option<Fleet> {
    let file = File {
        name: "fleet.json".to_owned(),
        input: Box::new(fleet.as_bytes()),
    };
    let fleet = Fleet::survey(planner, [Ok(file)].into_iter(), |machine, _| {
        see(machine);
        ControlFlow::Continue(())
    });
    fleet.ok()
}

fn said_about(rule: &Rule) -> String {
    let source = Source::new("policy.toml".to_owned(), rule.example.to_vec());
    let diagnostics = found(rule, &source).into_iter();
    let diagnostics: Vec<_> = diagnostics.filter(|found| found.code == rule.code).collect();
    render_human(&source, &diagnostics, Colour::Plain)
}

/// Everything that is found in a rule's example, where that stands.
fn found(rule: &Rule, source: &Source) -> Vec<Diagnostic> {
    if let Some(scene) = scene(rule.code) {
        return scene.found(rule, source);
    }
    let mut report = check(source);
    if rule.code == crate::UNSUPPORTED {
        report
            .diagnostics
            .extend(report.policy.iter().flat_map(unsupported));
    }
    report.diagnostics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Severity;

    fn source(text: &[u8]) -> Source {
        Source::new("policy.toml".into(), text.to_vec())
    }

    #[test]
    fn every_code_has_an_example_that_triggers_it_and_nothing_else() {
        for rule in rules() {
            let source = source(rule.example);
            let found = found(rule, &source);
            let codes: Vec<_> = found.iter().map(|found| found.code).collect();
            assert_eq!(
                codes,
                [rule.code],
                "{}",
                render_human(&source, &found, Colour::Plain)
            );
        }
    }

    #[test]
    fn every_repaired_example_is_clean() {
        for rule in rules() {
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
            let source = source(text.as_bytes());
            let said = render_human(&source, &found(rule, &source), Colour::Plain);
            assert!(said.is_empty(), "{}:\n{said}", rule.code);
        }
    }

    #[test]
    fn every_code_is_in_a_chapter_of_the_reference() {
        let reference = reference();
        for rule in rules() {
            let section = format!("\n### {}\n**{}**\n", rule.code, rule.title);
            assert!(reference.contains(&section), "{}", rule.code);
        }
    }

    #[test]
    fn codes_are_unique_and_in_order() {
        let numbers: Vec<&str> = rules().map(|rule| &rule.code[1..]).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    #[test]
    fn every_code_is_explained_with_what_is_said() {
        for rule in rules() {
            let text = explain(&rule.code.to_lowercase()).unwrap();
            let severity = rule.severity().word();
            assert!(text.contains(&format!("{severity}[{}]", rule.code)), "{text}");
            assert!(text.contains(" help: "), "{text}");
        }
    }

    #[test]
    fn warnings_do_not_refuse_a_policy() {
        let on_policies = rules().filter(|rule| !matches!(scene(rule.code), Some(Scene::Expected)));
        for rule in on_policies.filter(|rule| rule.severity() == Severity::Warning) {
            assert!(check(&source(rule.example)).policy.is_some(), "{}", rule.code);
        }
    }

    #[test]
    fn a_code_with_a_slip_is_told_the_nearest() {
        assert_eq!(explain("E0402x").unwrap_err().near, Some("E0402"));
    }
}
