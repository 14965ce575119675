//! E0115: not a network.

use crate::findings::Rule;
use crate::read::Malformed;
use ipnet::IpNet;
use std::net::IpAddr;

pub(crate) static RULE: Rule = Rule {
    code: "E0115",
    title: "not a network",
    text: "A network is its first address and the number of leading bits that are the same for all its \
           hosts, such as `10.66.0.0/16`; one host is a network of all bits. Bits behind the prefix are \
           refused, because they show that either the address or the prefix is a mistake.",
    example: example!("bad-network"),
    repair: &[("10.66.7.0/16", "10.66.0.0/16")],
    check: None,
};

pub(crate) fn parse(text: &str) -> Result<IpNet, Malformed> {
    match text.parse::<IpNet>() {
        Ok(net) if net.trunc() == net => Ok(net),
        Ok(net) => Err(Malformed::new(
            format!("there are bits behind the first {}", net.prefix_len()),
            format!(
                "write the network `{}`, or the host `{}`",
                net.trunc(),
                IpNet::from(net.addr())
            ),
        )),
        Err(_) => Err(match text.parse::<IpAddr>() {
            Ok(host) => Malformed::new(
                "the prefix length is missing",
                format!("one host is the network `{}`", IpNet::from(host)),
            ),
            Err(_) => Malformed::new(
                "this is not a network",
                "write a network such as `10.66.0.0/16` or `::/0`",
            ),
        }),
    }
}
