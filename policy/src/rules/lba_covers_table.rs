//! W0311: a region that covers the partition table.

use crate::context::Context;
use crate::findings::{Findings, Rule};

/// Blocks of the protective MBR, the GPT header and its table with 512-byte blocks (UEFI 2.10, section 5.3).
const TABLE_BLOCKS: u64 = 34;

pub(crate) static RULE: Rule = Rule {
    code: "W0311",
    title: "the region covers the place of the partition table",
    text: "The first 34 blocks of a disk hold its partition table, which the guest can read but not write. A \
           region that begins there is right only for a disk without partitions.",
    example: example!("lba-covers-table"),
    repair: &[("[0, 165887]", "[34, 165887]")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for lba in context
        .document
        .volumes()
        .iter()
        .filter_map(|volume| volume.table.lba.as_ref())
    {
        if lba.value.first < TABLE_BLOCKS && lba.value.first <= lba.value.last {
            findings.push(
                RULE.at(lba.span, format!("begins at block {}", lba.value.first))
                    .help("begin at block 34 or later, or keep it if the disk has no partition table"),
            );
        }
    }
}
