//! E0211: a network module on something that is not a mediated NIC.

use crate::context::Context;
use crate::findings::{Findings, Rule};

pub(crate) static RULE: Rule = Rule {
    code: "E0211",
    title: "`net` needs a NIC's driver",
    text: "`net` says which way the guest reaches the network through a NIC that a driver of ours mediates: \
           `pro1000` or `pro100`. A concealed device has no way, and with `none` the guest has the NIC \
           itself.",
    example: example!("net-without-nic"),
    repair: &[("net = \"null\"\n", "")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for device in context.document.devices() {
        let (Some(net), Some(driver)) = (&device.net, &device.driver) else {
            continue;
        };
        if !driver.value.is_network() {
            let word = driver.value.word();
            findings.push(
                RULE.at(net.span, format!("`{word}` has no network"))
                    .saying(format!("`net` has no meaning with driver `{word}`"))
                    .also(driver.span, "the driver")
                    .help("remove `net`, or let a NIC's driver take the device: `driver = \"pro1000\"`"),
            );
        }
    }
}
