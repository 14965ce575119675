//! E0306: a region that ends before it begins.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::LbaRange;

pub(crate) static RULE: Rule = Rule {
    code: "E0306",
    title: "the region ends before it begins",
    text: "`lba` is the first and the last logical block of the region, both included; it is not a length.",
    example: example!("lba-order"),
    repair: &[("[165887, 67584]", "[67584, 165887]")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for lba in context
        .document
        .volumes()
        .iter()
        .filter_map(|volume| volume.table.lba.as_ref())
    {
        let LbaRange { first, last } = lba.value;
        if first > last {
            findings.push(RULE.at(lba.span, "last is before first").help(format!(
                "write the first and the last block: `lba = [{last}, {first}]`"
            )));
        }
    }
}
