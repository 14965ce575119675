//! E0116: not an endpoint.

use crate::findings::Rule;
use crate::read::Malformed;
use crate::schema::{Endpoint, Host};
use std::net::{IpAddr, SocketAddr};

/// The longest label and the longest name of a host (RFC 1035, section 2.3.4).
const LONGEST_LABEL: usize = 63;
const LONGEST_NAME: usize = 253;

pub(crate) static RULE: Rule = Rule {
    code: "E0116",
    title: "not an endpoint",
    text: "An endpoint is where the other end of a tunnel is reached: an address or host name, a colon, and \
           a UDP port. The address of IPv6 stands in brackets: `[2001:db8::1]:51820`.",
    example: example!("bad-endpoint"),
    repair: &[("vpn.example.org\"", "vpn.example.org:51820\"")],
    check: None,
};

pub(crate) fn parse(text: &str) -> Result<Endpoint, Malformed> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return checked(Host::Address(socket.ip()), socket.port());
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        let host = if address.is_ipv6() {
            format!("[{address}]")
        } else {
            text.to_owned()
        };
        return Err(Malformed::new(
            "the port is missing",
            format!("WireGuard's usual port: `{host}:51820`"),
        ));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(Malformed::new(
            "the port is missing",
            format!("WireGuard's usual port: `{text}:51820`"),
        ));
    };
    let Ok(port) = port.parse::<u16>() else {
        return Err(Malformed::new(
            format!("`{port}` is not a port"),
            format!("write a number from 1 to 65535: `{host}:51820`"),
        ));
    };
    if let Some((_, rest)) = text.split_once("://") {
        let authority = rest.split('/').next().unwrap_or_default();
        return Err(Malformed::new(
            "this is a URL",
            format!("leave out the scheme and the path: `{authority}`"),
        ));
    }
    if !is_host_name(host) {
        return Err(Malformed::new(
            format!("`{host}` is neither an address nor a host name"),
            "write an address or host name and a port: `vpn.example.org:51820`",
        ));
    }
    checked(Host::Name(host.to_owned()), port)
}

fn checked(host: Host, port: u16) -> Result<Endpoint, Malformed> {
    if port == 0 {
        return Err(Malformed::new(
            "port 0 cannot be reached",
            "WireGuard's usual port is 51820",
        ));
    }
    Ok(Endpoint { host, port })
}

fn is_host_name(text: &str) -> bool {
    let labels_fit = text.split('.').all(|label| {
        let inner = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (1..=LONGEST_LABEL).contains(&label.len())
            && inner
            && !label.starts_with('-')
            && !label.ends_with('-')
    });
    // A name of digits and dots only is an address with a slip.
    labels_fit && text.len() <= LONGEST_NAME && text.chars().any(|c| c.is_ascii_alphabetic())
}
