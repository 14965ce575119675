//! E0214: a key of NICs on another device.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0214",
    title: "a key of NICs on another device",
    text: "`tunnel`, `ip` and `log` are about a NIC that a driver of ours mediates. On a disk, a concealed \
           device or one that is left to the guest they would promise something that nobody does.",
    example: example!("nic-key-elsewhere"),
    repair: &[(
        "driver = \"conceal\"\nlog = true",
        "driver = \"pro1000\"\nlog = true",
    )],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for device in context.document.devices() {
        let Some(driver) = &device.driver else { continue };
        let keys = [
            ("tunnel", device.tunnel.as_ref().map(|key| key.span)),
            ("ip", device.ip.as_ref().map(|key| key.span)),
            (
                "log",
                device.log.as_ref().filter(|log| log.value).map(|key| key.span),
            ),
        ];
        for (key, span) in keys {
            let Some(span) = span.filter(|_| !driver.value.is_network()) else {
                continue;
            };
            let word = driver.value.word();
            findings.push(
                RULE.at(span, format!("`{word}` has no network"))
                    .saying(format!("`{key}` has no meaning with driver `{word}`"))
                    .also(driver.span, "the driver")
                    .help(format!(
                        "move `{key}` to the rule of a NIC, `driver = \"pro1000\"`, or remove it"
                    )),
            );
        }
    }
}
