//! W0503: a key store that only a passphrase opens.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::UnlockMethod;

pub(crate) static RULE: Rule = Rule {
    code: "W0503",
    title: "a forgotten passphrase loses the data",
    text: "The prompt takes only the passphrase. Where it is forgotten, the recovery key still opens the \
           volumes with cryptsetup, but the laptop itself cannot be started in the field.",
    example: example!("no-recovery"),
    repair: &[("[\"passphrase\"]", "[\"passphrase\", \"recovery\"]")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let unlock = context
        .document
        .unlock
        .as_ref()
        .filter(|unlock| !unlock.is_unclear("methods"));
    let methods = unlock.and_then(|unlock| unlock.methods.as_ref());
    let Some(methods) = methods.filter(|methods| !methods.value.is_empty()) else {
        return;
    };
    if !methods
        .value
        .iter()
        .any(|method| method.value == UnlockMethod::Recovery)
    {
        findings.push(
            RULE.at(methods.span, "no recovery key")
                .help("write `methods = [\"passphrase\", \"recovery\"]`, or keep it knowingly"),
        );
    }
}
