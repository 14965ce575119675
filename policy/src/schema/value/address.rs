//! Hardware and network addresses.

use super::string_schema;
use crate::findings::Rule;
use crate::read::{FromText, Malformed, from_text};
use crate::rules::{bad_address, bad_endpoint, bad_mac, bad_network};
use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A unicast hardware address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MacAddress(pub [u8; 6]);

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromText for MacAddress {
    const RULE: &'static Rule = &bad_mac::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        bad_mac::parse(text).map(Self)
    }
}

/// A host's address and the prefix length of its network.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cidr(pub IpNet);

impl FromText for Cidr {
    const RULE: &'static Rule = &bad_address::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        bad_address::parse_with_prefix(text).map(Self)
    }
}

/// A network: no bits behind the prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Network(pub IpNet);

impl FromText for Network {
    const RULE: &'static Rule = &bad_network::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        bad_network::parse(text).map(Self)
    }
}

/// A host, or a network: who may reach a service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HostOrNet(pub IpNet);

impl FromText for HostOrNet {
    const RULE: &'static Rule = &bad_network::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        match text.parse::<IpAddr>() {
            Ok(host) => Ok(Self(host.into())),
            Err(_) => bad_network::parse(text).map(Self),
        }
    }
}

/// An address or host name, and a port.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Endpoint {
    /// The address or name.
    pub host: Host,
    /// The UDP port.
    pub port: u16,
}

/// Who is at an [`Endpoint`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Host {
    /// By address.
    Address(IpAddr),
    /// By name, resolved when the tunnel is set up.
    Name(String),
}

impl FromText for Endpoint {
    const RULE: &'static Rule = &bad_endpoint::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        bad_endpoint::parse(text)
    }
}

/// An address and a port that has a default.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// The address.
    pub address: IpAddr,
    /// The UDP port, 514 unless said.
    pub port: u16,
}

impl Target {
    /// The port of syslog over UDP (RFC 5426, section 3.3).
    pub const SYSLOG_PORT: u16 = 514;
}

impl FromText for Target {
    const RULE: &'static Rule = &bad_address::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Ok(Self {
                address: socket.ip(),
                port: socket.port(),
            });
        }
        let address = bad_address::parse(text)?;
        Ok(Self {
            address,
            port: Self::SYSLOG_PORT,
        })
    }
}

/// A server of the echo service.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct EchoPeer(pub SocketAddr);

impl EchoPeer {
    /// The service's port (RFC 862).
    pub const ECHO_PORT: u16 = 7;
}

impl FromText for EchoPeer {
    const RULE: &'static Rule = &bad_address::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        if let Ok(socket) = text.parse() {
            return Ok(Self(socket));
        }
        let address = bad_address::parse(text)?;
        Ok(Self(SocketAddr::new(address, Self::ECHO_PORT)))
    }
}

impl FromText for IpAddr {
    const RULE: &'static Rule = &bad_address::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        bad_address::parse(text)
    }
}

from_text!(
    MacAddress, Cidr, Network, HostOrNet, Endpoint, Target, EchoPeer, IpAddr
);

impl JsonSchema for Cidr {
    fn schema_name() -> Cow<'static, str> {
        "AddressWithPrefix".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": "^[0-9A-Fa-f.:]+/[0-9]{1,3}$",
            "examples": ["192.0.2.7/24"],
        })
    }
}

string_schema! {
    MacAddress: { "type": "string", "pattern": "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$" },
    Network: {
        "type": "string",
        "pattern": "^[0-9A-Fa-f.:]+/[0-9]{1,3}$",
        "examples": ["10.0.0.0/8", "::/0"],
    },
    EchoPeer: { "type": "string", "examples": ["192.0.2.1", "192.0.2.1:7", "[2001:db8::1]:7"] },
    HostOrNet: { "type": "string", "pattern": "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$" },
    Endpoint: { "type": "string", "examples": ["vpn.example.org:51820", "[2001:db8::1]:51820"] },
}
