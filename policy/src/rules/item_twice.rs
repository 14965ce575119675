//! E0206: one item under both of its names.

use crate::findings::{Findings, Rule};
use crate::schema::MatchTable;

pub(crate) static RULE: Rule = Rule {
    code: "E0206",
    title: "one item under both of its names",
    text: "`rev` is short for `revision`, and `if` for `programming_interface`. A table holds each item \
           once; where both patterns must match, use the string form.",
    example: example!("item-twice"),
    repair: &[(", rev = \"02\"", "")],
    check: None,
};

/// Whether something was found.
pub(crate) fn check(table: &MatchTable, findings: &mut Findings) -> bool {
    let pairs = [
        (&table.revision, &table.rev, "rev", "revision"),
        (
            &table.interface,
            &table.programming_interface,
            "if",
            "programming_interface",
        ),
    ];
    let mut found = false;
    for (one, other, short, long) in pairs {
        if let (Some(one), Some(other)) = (one, other) {
            let (first, second) = if one.span < other.span {
                (one, other)
            } else {
                (other, one)
            };
            findings.push(
                RULE.at(second.span, "second time")
                    .also(first.span, "first time")
                    .help(format!("`{short}` is short for `{long}`: keep one of the two")),
            );
            found = true;
        }
    }
    found
}
