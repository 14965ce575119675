//! E0428: the log goes to another IP version than the logging NIC's address has.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::Addressing;

pub(crate) static RULE: Rule = Rule {
    code: "E0428",
    title: "the collector and our address are of different IP versions",
    text: "A packet is IPv4 or IPv6 on both ends. The NIC that carries the log has one address, from `[ip]`, and it is \
           of the other version than `to`. DHCP gives an IPv4 address.",
    example: example!("log-version"),
    repair: &[("to = \"2001:db8::1\"", "to = \"192.0.2.1\"")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    let Some(to) = document.syslog.as_ref().and_then(|syslog| syslog.to.as_ref()) else {
        return;
    };
    for device in document.devices().iter().filter(|device| device.logs()) {
        let interface = document.interface_of(device);
        let Some(address) = interface.and_then(|interface| interface.address.as_ref()) else {
            continue;
        };
        let own_is_v4 = match address.value {
            Addressing::Dhcp => true,
            Addressing::Static(own) => own.0.addr().is_ipv4(),
        };
        if own_is_v4 != to.value.address.is_ipv4() {
            let version = |is_v4| if is_v4 { "IPv4" } else { "IPv6" };
            findings.push(
                RULE.at(to.span, version(to.value.address.is_ipv4()))
                    .also(address.span, version(own_is_v4))
                    .help(format!(
                        "name a collector by {}, such as `{}`, or give this NIC an address of the other version",
                        version(own_is_v4),
                        if own_is_v4 { "192.0.2.1" } else { "2001:db8::1" }
                    )),
            );
        }
    }
}
