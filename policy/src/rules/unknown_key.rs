//! E0104: a key that the schema does not have.

use crate::diagnostic::Diagnostic;
use crate::findings::{Rule, choices};
use crate::read::Shape;
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0104",
    title: "unknown key",
    text: "The schema has no such key at this place. Unknown keys are refused, because one that is ignored \
           would be protection that somebody believes in. `sekisho schema` prints the JSON Schema of every \
           table, for editors that complete and check keys.",
    example: example!("unknown-key"),
    repair: &[("netwrok", "network")],
    check: None,
};

pub(crate) fn finding<S: Shape>(span: Span, key: &str, suggestion: Option<&str>) -> Diagnostic {
    let help = match suggestion {
        Some(known) => format!("did you mean `{known}`?"),
        None => {
            let mut known: Vec<_> = S::KEYS.iter().map(|key| key.name).collect();
            known.sort_unstable();
            format!("the keys here are {}", choices(known).replace(" or ", " and "))
        }
    };
    RULE.at(span, "unknown key")
        .saying(format!("there is no key `{key}` in {}", S::quoted()))
        .help(help)
}
