//! E0103: the file is not UTF-8 text.

use crate::diagnostic::Diagnostic;
use crate::findings::Rule;

pub(crate) static RULE: Rule = Rule {
    code: "E0103",
    title: "this is not UTF-8 text",
    text: "TOML files are UTF-8. A byte that is not usually comes from an editor that saved the file in an \
           older encoding, or from a file that is no policy at all.",
    example: example!("not-utf8"),
    repair: &[("# Gr\u{fffd}\u{fffd}e\n", "")],
    check: None,
};

pub(crate) fn finding(offset: usize) -> Diagnostic {
    RULE.at((offset..offset).into(), "the first such byte")
        .help("save the file as UTF-8 without a byte order mark, or remove what cannot be read")
}
