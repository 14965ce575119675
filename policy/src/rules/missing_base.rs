//! E0121: the file that a policy extends is not there, or leads back.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;
use crate::schema::BasePath;
use crate::source::{LONGEST_CHAIN, Located, MissingBase, Source};

pub(crate) static RULE: Rule = Rule {
    code: "E0121",
    title: "the policy that this one extends cannot be read",
    text: "`extends` names another policy file, relative to the file that says it; what this file does not say \
           is taken from there. The file must be there, and the chain of files must end: one that leads back \
           into itself, or that is longer than eight files, is refused.",
    example: example!("missing-base"),
    repair: &[("extends = \"not-there.toml\"\n", "")],
    check: None,
};

pub(crate) fn finding(source: &Source, extended: &Located<BasePath>) -> Diagnostic {
    let base = &extended.value.0;
    let (remark, help) = match source.missing_base() {
        MissingBase::Unasked => (
            "it was not looked for".to_owned(),
            "remove `extends`, or check the policy as a file".to_owned(),
        ),
        MissingBase::Unreadable(error) => (
            error.clone(),
            "remove `extends`, or name a file relative to the folder of this one".to_owned(),
        ),
        MissingBase::Cycle => (
            "this leads back into the chain".to_owned(),
            format!(
                "the chain is {} -> {base}: remove one `extends` of it",
                source.chain()
            ),
        ),
        MissingBase::TooDeep => (
            format!("this would be more than {LONGEST_CHAIN} files"),
            format!("the chain is {} -> {base}: make one file of two", source.chain()),
        ),
    };
    let problem = format!("the policy `{base}` that this one extends cannot be read");
    RULE.at(extended.span, remark).saying(problem).help(help)
}
