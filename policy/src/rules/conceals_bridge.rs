//! E0210: a bridge or system device that would be concealed.

use crate::classes::ClassSet;
use crate::context::Context;
use crate::findings::{Findings, Rule};
use sekisho_abi::selection::Driver;

pub(crate) static RULE: Rule = Rule {
    code: "E0210",
    title: "bridges and system devices cannot be concealed",
    text: "Bridges (class 06xx) carry every device behind them, and system devices (08xx) are interrupt \
           controllers, timers and the IOMMU. Without them no machine boots, so no rule may conceal them.",
    example: example!("conceals-bridge"),
    repair: &[("class = \"0*\"", "class = \"02*|0d*\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let untouchable = ClassSet::of(|class| matches!(class >> 8, 0x06 | 0x08));
    for (device, entry) in context.rules() {
        let (Some(matching), Some(entry)) = (&device.matching, entry) else {
            continue;
        };
        let classes = ClassSet::of_entry(entry);
        // Without an item on classes the inventory decides, when `plan` looks at one.
        if entry.driver() != Some(Driver::Conceal) || (classes.is_all() && !names_class(entry)) {
            continue;
        }
        if let Some(class) = classes.common(&untouchable) {
            let kind = if class >> 8 == 0x06 {
                "bridges"
            } else {
                "system devices"
            };
            findings.push(
                RULE.at(matching.span, format!("this matches class {class:04x}, {kind}"))
                    .saying(format!("rule `{}` would conceal {kind}", device.title()))
                    .help("name the classes that are meant, for example `class = \"02*|0d*\"`"),
            );
        }
    }
}

fn names_class(entry: &sekisho_abi::selection::Entry) -> bool {
    use sekisho_abi::selection::{Item, Property};
    entry
        .items()
        .iter()
        .any(|item| matches!(item, Item::Property(Property::Class | Property::ClassCode, _)))
}
