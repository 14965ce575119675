//! E0118: not a GUID.

use crate::findings::Rule;

pub(crate) static RULE: Rule = Rule {
    code: "E0118",
    title: "not a GUID",
    text: "GPT partitions and disks have GUIDs: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12. The \
           UUID of a file system (`lsblk -o UUID`) is another thing; take PARTUUID for a partition and \
           PTUUID for a disk.",
    example: example!("bad-uuid"),
    repair: &[("1A2B-3C4D", "0fc63daf-8483-4772-8e79-3d69d8477de4")],
    check: None,
};
