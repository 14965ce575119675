//! E0107: a word that is none of the choices.

use crate::findings::{Rule, choices, nearest};
use crate::read::Malformed;

pub(crate) static RULE: Rule = Rule {
    code: "E0107",
    title: "not one of the choices",
    text: "This key takes one of a few words, in lower case and exactly as written in the help.",
    example: example!("unknown-word"),
    repair: &[("\"hide\"", "\"conceal\"")],
    check: None,
};

pub(crate) fn malformed(written: &str, known: &'static [&'static str]) -> Malformed {
    let choices = choices(known.iter().copied());
    let help = match nearest(written, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? The choices are {choices}"),
        None => format!("write {choices}"),
    };
    Malformed::new("unknown here", help)
        .saying(format!("`{}` is not one of the choices", written.escape_debug()))
        .one_of(written, known)
}

/// `` `"a"` or `"b"` ``, as the file has them.
pub(crate) fn quoted(known: &[&'static str]) -> String {
    let quoted: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
    choices(quoted.iter().map(String::as_str))
}
