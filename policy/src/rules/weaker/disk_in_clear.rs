//! E0801: what was encrypted is in clear.

use crate::diagnostic::Diagnostic;
use crate::findings::{FleetRule, Rule, Scene};
use crate::source::Span;

pub(crate) static RULE: FleetRule = FleetRule {
    rule: Rule {
        code: "E0801",
        title: "what was encrypted is in clear",
        text: "A volume, or a disk controller whose disks were encrypted, is not in the new policy: what the guest writes there reaches the disk in clear, or the disk is handed to the guest as it is. What is said to be repaired below is the policy as it was.",
        example: change!("disk-in-clear"),
        repair: &[(
            "driver = \"none\"\n",
            "driver = \"ahci\"\nvolumes = [\"system\"]\n\n[volume.system]\npartition = 3\ncipher = \"aes-xts-plain64\"\nkey-size = 512\nsector-size = 512\n\n[clear]\npartitions = [\"esp\"]\n",
        )],
        check: None,
    },
    scene: Scene::Change,
};

pub(crate) fn finding(span: Span, what: &str) -> Diagnostic {
    RULE.rule.at(span, what).help("keep the rule and its volume; a disk that is to be given up is decrypted first, by `sekisho disk decrypt`")
}
