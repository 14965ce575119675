//! E0109: a name with other characters than names have.

use crate::findings::{Findings, Rule};
use crate::read::Malformed;
use crate::source::Located;

/// The syntax of names, for the JSON Schema.
pub(crate) const PATTERN: &str = "^[a-z0-9][a-z0-9-]{0,31}$";
const LONGEST: usize = 32;

pub(crate) static RULE: Rule = Rule {
    code: "E0109",
    title: "not a name",
    text: "Names of policies, rules, volumes, tunnels and keys are 1 to 32 lower-case letters, digits and \
           dashes, and do not begin with a dash. They become file names in the key store and words in the \
           log.",
    example: example!("bad-name"),
    repair: &[("Field Laptop", "field-laptop")],
    check: None,
};

/// Characters of a WireGuard key in base64.
const KEY_LENGTH: usize = 44;

pub(crate) fn check(text: &str) -> Result<(), Malformed> {
    if text.len() == KEY_LENGTH && text.ends_with('=') {
        return Err(Malformed::new(
            "this looks like a key",
            "write the name of a key, such as `hq`, and make a new one: this key is no longer secret",
        )
        .saying("a policy names keys and never contains them"));
    }
    let remark = if text.is_empty() {
        "this is empty".to_owned()
    } else if text.len() > LONGEST {
        format!("this is {} bytes long", text.len())
    } else if text.starts_with('-') {
        "this begins with a dash".to_owned()
    } else if let Some(other) = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        match other.is_uppercase() {
            true => "a name has no upper-case letters".to_owned(),
            false => format!("a name cannot hold `{}`", other.escape_debug()),
        }
    } else {
        return Ok(());
    };
    let help = "names are up to 32 lower-case letters, digits and dashes";
    let better = repaired(text);
    Err(Malformed::new(
        remark,
        if better.is_empty() {
            help.to_owned()
        } else {
            format!("{help}: `{better}`")
        },
    ))
}

/// Checks a name that stands as a key, such as that of `[volume.NAME]`.
pub(crate) fn check_key(name: &Located<String>, findings: &mut Findings) {
    if let Err(malformed) = check(&name.value) {
        findings.push(malformed.at(&RULE, name.span));
    }
}

fn repaired(text: &str) -> String {
    let dashed: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(LONGEST).collect()
}
