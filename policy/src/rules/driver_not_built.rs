//! E0203: a driver of the ancestor that this build does not have.

use crate::diagnostic::Diagnostic;
use crate::findings::{Rule, choices};
use crate::schema::DriverName;
use crate::source::Span;
use sekisho_abi::selection::Driver;

pub(crate) static RULE: Rule = Rule {
    code: "E0203",
    title: "the driver is not in this build",
    text: "The selection language knows this driver, so that old strings can be read, but Sekisho does not \
           have it. A device without a driver of ours can be concealed from the guest or left to it.",
    example: example!("driver-not-built"),
    repair: &[("driver = \"rtl8169\"\nnet = \"pass\"", "driver = \"none\"")],
    check: None,
};

pub(crate) fn finding(span: Span, driver: Driver) -> Diagnostic {
    let known = choices(DriverName::words());
    RULE.at(span, "known, but not in this build")
        .saying(format!("driver `{driver}` is not in this build"))
        .help(format!(
            "`conceal` hides the device, `none` leaves it to the guest; the drivers are {known}"
        ))
}
