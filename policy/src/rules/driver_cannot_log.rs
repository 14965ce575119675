//! E0423: a NIC whose driver cannot carry the log.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use sekisho_abi::selection::Driver;

pub(crate) static RULE: Rule = Rule {
    code: "E0423",
    title: "this driver cannot carry the log",
    text: "Syslog leaves by NICs whose driver has the option `tty`; `pro100` has none.",
    example: example!("driver-cannot-log"),
    repair: &[
        ("\"pro100\"", "\"pro1000\""),
        ("driver = \"pro100\"", "driver = \"pro1000\""),
    ],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for device in context.document.devices() {
        let (Some(log), Some(driver)) = (&device.log, &device.driver) else {
            continue;
        };
        let carries = driver
            .value
            .driver
            .is_some_and(|driver: Driver| driver.options().contains(&"tty"));
        if log.value && driver.value.is_network() && !carries {
            findings.push(
                RULE.at(log.span, "not with this driver")
                    .saying(format!("driver `{}` cannot carry the log", driver.value.word()))
                    .also(driver.span, "the driver")
                    .help("log by a NIC with `driver = \"pro1000\"`"),
            );
        }
    }
}
