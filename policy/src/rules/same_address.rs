//! E0408: one address for two NICs.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::schema::{Addressing, Device, Interface};
use crate::source::Located;

pub(crate) static RULE: Rule = Rule {
    code: "E0408",
    title: "two NICs have one address",
    text: "An address belongs to one NIC. Two NICs with the same one take each other's answers. Give each \
           its own table `[ip.NAME]` and name it with `ip`.",
    example: example!("same-address"),
    repair: &[
        (
            "number = 1 }\ndriver = \"pro1000\"\nnet = \"ip\"\n",
            "number = 1 }\ndriver = \"pro1000\"\nnet = \"ip\"\nip = \"second\"\n",
        ),
        (
            "gateway = \"192.0.2.254\"\n",
            "gateway = \"192.0.2.254\"\n\n[ip.second]\naddress = \"dhcp\"\n",
        ),
    ],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let document = context.document;
    let with_address: Vec<(&Device, &Located<Addressing>)> = document
        .devices()
        .iter()
        .filter(|device| device.has_stack() || device.logs())
        .filter_map(|device| Some((device, document.interface_of(device).and_then(fixed)?)))
        .collect();
    for (place, (device, address)) in with_address.iter().enumerate() {
        let earlier = with_address
            .iter()
            .take(place)
            .find(|(_, earlier)| earlier.value == address.value);
        if let Some((first, _)) = earlier {
            findings.push(
                RULE.at(device.place(), "second NIC")
                    .saying(format!(
                        "the NICs of rules `{}` and `{}` have one address",
                        first.title(),
                        device.title()
                    ))
                    .also(first.place(), "first NIC")
                    .also(address.span, "the address")
                    .help(format!(
                        "name an address of its own by `ip = \"{0}\"`, and add `[ip.{0}]` with \
                         `address = \"dhcp\"` or a fixed one",
                        device.title()
                    )),
            );
        }
    }
}

fn fixed(interface: &Interface) -> Option<&Located<Addressing>> {
    interface
        .address
        .as_ref()
        .filter(|address| address.value != Addressing::Dhcp)
}
