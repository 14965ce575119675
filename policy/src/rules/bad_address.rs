//! E0112: not an Internet address.

use crate::findings::Rule;
use crate::read::Malformed;
use ipnet::IpNet;
use std::net::IpAddr;

pub(crate) static RULE: Rule = Rule {
    code: "E0112",
    title: "not an Internet address",
    text: "An address is four decimal numbers from 0 to 255 (IPv4) or hexadecimal groups with colons (IPv6). \
           An address of our own also says how many leading bits are the network: `192.0.2.11/24`, where a \
           netmask 255.255.255.0 is /24.",
    example: example!("bad-address"),
    repair: &[("192.0.2.11\"", "192.0.2.11/24\"")],
    check: None,
};

/// `192.0.2.1`.
pub(crate) fn parse(text: &str) -> Result<IpAddr, Malformed> {
    text.parse().map_err(|_| {
        if let Ok(net) = text.parse::<IpNet>() {
            return Malformed::new(
                "this has a prefix length",
                format!("write the address alone: `{}`", net.addr()),
            );
        }
        if let Some((_, rest)) = text.split_once("://") {
            let authority = rest.split('/').next().unwrap_or_default();
            return Malformed::new("this is a URL", format!("write the address alone: `{authority}`"));
        }
        let is_name = !text.contains(':') && text.chars().any(|c| c.is_ascii_alphabetic());
        if is_name {
            return Malformed::new(
                "this is a name",
                "write the address itself: what is needed before there is a name server cannot depend on one",
            );
        }
        Malformed::new(
            "this is not an address",
            "write an address such as `192.0.2.1` or `2001:db8::1`",
        )
    })
}

/// `192.0.2.11/24`.
pub(crate) fn parse_with_prefix(text: &str) -> Result<IpNet, Malformed> {
    if let Ok(net) = text.parse() {
        return Ok(net);
    }
    Err(match text.split_once('/') {
        None if text.parse::<IpAddr>().is_ok() => Malformed::new(
            "the prefix length is missing",
            format!(
                "say how many bits are the network: `{text}/{}`",
                usual_prefix(text)
            ),
        ),
        Some((address, mask)) if address.parse::<IpAddr>().is_ok() => Malformed::new(
            format!("`{mask}` is not a prefix length"),
            format!(
                "write the number of network bits, 255.255.255.0 is 24: `{address}/{}`",
                usual_prefix(address)
            ),
        ),
        _ => Malformed::new(
            "this is not an address",
            "write an address with its prefix length: `192.0.2.11/24`",
        ),
    })
}

fn usual_prefix(address: &str) -> u8 {
    if address.contains(':') { 64 } else { 24 }
}
