//! `[ip]`, `[tunnel.NAME]`, `[syslog]` and the services: the appliance's own network.

use super::value::{
    Cidr, EchoPeer, Endpoint, HostOrNet, Keepalive, MacAddress, Mtu, Name, Network, PublicKey, Target,
};
use crate::findings::{Findings, Rule};
use crate::read::{
    Family, FromText, FromToml, Malformed, Named, Need, Shape, Value, from_text, table, table_schema, words,
};
use crate::source::Located;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value as Json, json};
use std::borrow::Cow;
use std::net::IpAddr;
use toml::Spanned;
use toml::de::DeValue;

table! {
    /// An address of the appliance's own.
    "[ip]"
    pub struct Interface {
        /// `"dhcp"`, or an address with its prefix length.
        required address: Located<Addressing> = "address",
        /// The router to other networks; it must be on this one.
        optional gateway: Located<IpAddr> = "gateway",
        /// Name servers.
        optional dns: Located<Vec<Located<IpAddr>>> = "dns",
        /// The own hardware address; the NIC's unless said.
        optional mac: Located<MacAddress> = "mac",
    }
}

/// `[ip]` and every `[ip.NAME]`.
#[derive(Clone, Debug)]
pub struct Interfaces {
    /// `[ip]`: for every NIC that names none.
    pub unnamed: Option<Interface>,
    /// `[ip.NAME]`.
    pub named: Family<Interface>,
}

impl Interfaces {
    /// The table `[ip.NAME]`.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Interface> {
        let found: &Named<Interface> = self
            .named
            .members
            .iter()
            .find(|member| member.name.value == name)?;
        Some(&found.table)
    }

    /// `[ip.NAME]`, in file order.
    pub(crate) fn members(&self) -> &[Named<Interface>] {
        &self.named.members
    }

    /// Every one, the unnamed first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Interface> {
        self.unnamed
            .iter()
            .chain(self.named.members.iter().map(|member| &member.table))
    }
}

impl FromToml for Interfaces {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            findings.push(crate::rules::wrong_type::finding(value, "the table `[ip]`"));
            return None;
        };
        let (members, keys) = table
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .partition(|(_, value): &(_, Value<'_>)| value.get_ref().is_table());
        let part = |table| Spanned::new(value.span(), DeValue::Table(table));
        let (members, keys): (Value<'_>, Value<'_>) = (part(members), part(keys));
        let alone = members
            .get_ref()
            .as_table()
            .is_some_and(|members| members.is_empty());
        let has_keys = keys.get_ref().as_table().is_some_and(|keys| !keys.is_empty());
        let unnamed = if has_keys || alone {
            Interface::from_toml(&keys, findings)
        } else {
            None
        };
        let named = Family::from_toml(&members, findings)?;
        Some(Self { unnamed, named })
    }
}

impl JsonSchema for Interfaces {
    fn schema_name() -> Cow<'static, str> {
        "Interfaces".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = table_schema("The appliance's own addresses.", Interface::KEYS, generator);
        schema.remove("required");
        // Where a key of `[ip]` itself is said, the address must be. Draft 4 has another word for it.
        let others = Interface::KEYS.iter().filter(|key| key.need == Need::Optional);
        let needs: Map<String, Json> = others
            .map(|key| (key.name.to_owned(), json!(["address"])))
            .collect();
        schema.insert("dependencies".into(), Json::Object(needs.clone()));
        schema.insert("dependentRequired".into(), Json::Object(needs));
        schema.insert(
            "additionalProperties".into(),
            generator.subschema_for::<Interface>().to_value(),
        );
        schema
    }
}

/// How an address is come by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Addressing {
    /// Asked of the network.
    Dhcp,
    /// Said here.
    Static(Cidr),
}

impl FromText for Addressing {
    const RULE: &'static Rule = Cidr::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        if text == "dhcp" {
            Ok(Self::Dhcp)
        } else {
            Cidr::from_text(text).map(Self::Static)
        }
    }
}

from_text!(Addressing);

impl JsonSchema for Addressing {
    fn schema_name() -> Cow<'static, str> {
        "Addressing".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "enum": ["dhcp"] }, generator.subschema_for::<Cidr>()] })
    }
}

table! {
    /// A WireGuard tunnel.
    "[tunnel.NAME]"
    pub struct Tunnel {
        /// Our addresses inside the tunnel.
        required address: Located<Vec<Located<Cidr>>> = "address",
        /// Name servers inside the tunnel, told to the guest.
        optional dns: Located<Vec<Located<IpAddr>>> = "dns",
        /// Bytes of the largest packet inside the tunnel; 1420 unless said.
        optional mtu: Located<Mtu> = "mtu",
        /// The name of our private key in the key store.
        required private_key: Located<Name> = "private-key",
        /// The other ends.
        required peer: Vec<Peer> = "peer",
    }
}

table! {
    /// The other end of a tunnel.
    "[[tunnel.NAME.peer]]"
    pub struct Peer {
        /// Its public key, in base64.
        required public_key: Located<PublicKey> = "public-key",
        /// The name of a preshared key in the key store.
        optional preshared_key: Located<Name> = "preshared-key",
        /// Where it is reached: an address or host name, and a port.
        required endpoint: Located<Endpoint> = "endpoint",
        /// The networks behind it.
        required allowed_ips: Located<Vec<Located<Network>>> = "allowed-ips",
        /// Seconds between packets that keep the way open; off unless said.
        optional persistent_keepalive: Located<Keepalive> = "persistent-keepalive",
    }
}

impl Tunnel {
    /// The other ends.
    pub(crate) fn peers(&self) -> &[Peer] {
        self.peer.as_deref().unwrap_or_default()
    }
}

words! {
    /// The form of syslog messages.
    pub enum SyslogFormat {
        /// The syslog protocol of today.
        Rfc5424 = "rfc5424",
        /// The BSD syslog protocol.
        Rfc3164 = "rfc3164",
    }
}

table! {
    /// Where the log goes by UDP.
    "[syslog]"
    pub struct Syslog {
        /// The collector's address, with `:port` where it is not 514.
        required to: Located<Target> = "to",
        /// `"outside"`, or a tunnel's name; the tunnel of the logging NIC unless said.
        optional via: Located<Name> = "via",
        /// The form of messages; `rfc5424` unless said.
        optional format: Located<SyslogFormat> = "format",
        /// Our address in messages; that of `[ip]` unless said.
        optional source: Located<IpAddr> = "source",
        /// The collector's (or the router's) hardware address; asked by ARP unless said.
        optional mac: Located<MacAddress> = "mac",
    }
}

table! {
    /// A service of the appliance, off unless said.
    "a service"
    pub struct Service {
        /// The addresses and networks that may reach it.
        required allow: Located<Vec<Located<HostOrNet>>> = "allow",
    }
}

table! {
    /// The echo service of the appliance, by TCP and UDP at port 7.
    "[echo]"
    pub struct Echo {
        /// The addresses and networks that may reach it.
        required allow: Located<Vec<Located<HostOrNet>>> = "allow",
        /// A server of this service that the appliance sends to; port 7 unless said.
        optional client: Located<EchoPeer> = "client",
    }
}

impl JsonSchema for Target {
    fn schema_name() -> Cow<'static, str> {
        "SyslogTarget".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["192.0.2.1", "192.0.2.1:1514", "[2001:db8::1]:1514"] })
    }
}
