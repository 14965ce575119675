//! W0215: USB reaches the guest where nothing else does.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Fate;

pub(crate) static RULE: Rule = Rule {
    code: "W0215",
    title: "USB reaches the guest",
    text: "The policy conceals what it does not name, but passes USB controllers. Disks and NICs on USB then \
           reach the guest without any rule: data can leave and networks be joined past the appliance.",
    example: example!("usb-passed"),
    repair: &[("usb = \"pass\"", "usb = \"conceal\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(defaults) = &context.document.defaults else {
        return;
    };
    let (Some(usb), Some(other)) = (&defaults.usb, &defaults.other) else {
        return;
    };
    if usb.value == Fate::Pass && other.value == Fate::Conceal {
        findings.push(
            RULE.at(usb.span, "disks and NICs on USB reach the guest")
                .also(other.span, "although everything else is concealed")
                .help("write `usb = \"conceal\"` if the keyboard is not on USB, or keep it knowingly"),
        );
    }
}
