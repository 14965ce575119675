//! E0202: a driver that does not exist.

use crate::diagnostic::Diagnostic;
use crate::findings::{Rule, choices};
use crate::repair;
use crate::schema::DriverName;
use crate::source::Span;

pub(crate) static RULE: Rule = Rule {
    code: "E0202",
    title: "there is no such driver",
    text: "`driver` says what takes the device: `ahci` and `ata` encrypt disks, `pro1000` and `pro100` \
           mediate NICs, `conceal` makes the device not exist for the guest, `none` leaves it to the guest \
           as it is.",
    example: example!("unknown-driver"),
    repair: &[("\"acpi\"", "\"ahci\"")],
    check: None,
};

pub(crate) fn finding(span: Span, written: &str, near: Option<&str>) -> Diagnostic {
    let known = choices(DriverName::words());
    let help = match near {
        Some(near) => format!("did you mean `{near}`? The drivers are {known}"),
        None => format!("the drivers are {known}"),
    };
    RULE.at(span, "unknown driver")
        .saying(format!("there is no driver `{written}`"))
        .help(help)
        .repaired_by(repair::word(span, written, DriverName::words()))
}
