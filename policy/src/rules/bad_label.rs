//! E0119: a label or serial number that no disk has.

use crate::findings::Rule;

pub(crate) static RULE: Rule = Rule {
    code: "E0119",
    title: "not a label or serial number",
    text: "A partition's label and a disk's serial number are text as the disk's tools show it, and not \
           empty.",
    example: example!("bad-label"),
    repair: &[("partition-label = \" \"", "partition-label = \"root\"")],
    check: None,
};
