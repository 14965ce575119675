//! `[[device]]`: which devices a rule is about, and what takes them.

use super::value::Name;
use crate::findings::{Findings, Rule, nearest};
use crate::read::{FromText, FromToml, Malformed, Value, from_text, span_of, table, words};
use crate::rules::{driver_not_built, unknown_driver, wrong_type};
use crate::source::{Located, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use sekisho_abi::selection::{Driver, Property};
use std::borrow::Cow;
use toml::de::DeValue;

table! {
    /// A rule: the devices it is about, and what takes them. The first rule that matches a device decides.
    "[[device]]"
    pub struct Device {
        /// The rule's name, shown in plans and in the log.
        required name: Located<Name> = "name",
        /// Which devices: a table of selection items, or one selection string without `driver=`.
        required matching: Located<Match> = "match",
        /// What takes the device.
        required driver: Located<DriverName> = "driver",
        /// The volumes on disks of this storage controller.
        optional volumes: Located<Vec<Located<Name>>> = "volumes",
        /// What the guest may do with CD and DVD drives of this storage controller; `refuse` unless said.
        optional atapi: Located<AtapiAccess> = "atapi",
        /// Which way the guest reaches the network; left out, the NIC is the appliance's alone.
        optional net: Located<NetModule> = "net",
        /// The tunnel of `net = "vpn"`.
        optional tunnel: Located<Name> = "tunnel",
        /// The table `[ip.NAME]` this NIC uses, where NICs differ.
        optional ip: Located<Name> = "ip",
        /// Syslog leaves by this NIC.
        optional log: Located<bool> = "log",
    }
}

words! {
    /// What the guest may do with an ATAPI drive.
    pub enum AtapiAccess {
        /// Everything: the drive is the guest's.
        Pass = "pass",
        /// Read media.
        Read = "read",
        /// Nothing.
        Refuse = "refuse",
    }
}

words! {
    /// Which way the guest reaches the network.
    pub enum NetModule {
        /// As it is: frames pass unchanged.
        Pass = "pass",
        /// Not at all; the guest keeps the NIC with its link down.
        Null = "null",
        /// Not at all; the appliance's own stack has the NIC.
        Ip = "ip",
        /// As it is, shared with the appliance's own stack.
        IpPass = "ippass",
        /// Through a tunnel only.
        Vpn = "vpn",
    }
}

impl NetModule {
    /// Whether the appliance's own stack is on the NIC, so that it needs an address.
    pub(crate) const fn has_stack(self) -> bool {
        matches!(self, Self::Ip | Self::IpPass | Self::Vpn)
    }
}

/// What takes a device: `none`, or a driver that this build has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DriverName {
    /// `None` is `none`: the guest has the device as it is.
    pub driver: Option<Driver>,
}

impl DriverName {
    /// Every driver that a policy may name; the others of the grammar are refused by name.
    pub const KNOWN: [Option<Driver>; 6] = [
        Some(Driver::Ahci),
        Some(Driver::Ata),
        Some(Driver::Pro1000),
        Some(Driver::Pro100),
        Some(Driver::Conceal),
        None,
    ];

    /// As the file writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.driver.map_or("none", Driver::name)
    }

    pub(crate) fn words() -> impl Iterator<Item = &'static str> {
        Self::KNOWN.into_iter().map(|driver| Self { driver }.word())
    }

    /// Whether it mediates disks.
    pub(crate) const fn is_storage(self) -> bool {
        matches!(self.driver, Some(Driver::Ahci | Driver::Ata))
    }

    /// Whether it mediates a NIC.
    pub(crate) const fn is_network(self) -> bool {
        matches!(self.driver, Some(Driver::Pro1000 | Driver::Pro100))
    }
}

impl FromToml for DriverName {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let Some(text) = value.get_ref().as_str() else {
            findings.push(wrong_type::finding(value, "a driver's name in quotes"));
            return None;
        };
        if let Some(known) = Self::KNOWN
            .into_iter()
            .map(|driver| Self { driver })
            .find(|it| it.word() == text)
        {
            return Some(known);
        }
        findings.push(match Driver::from_name(text) {
            Some(other) => driver_not_built::finding(span_of(value), other),
            None => unknown_driver::finding(span_of(value), text, nearest(text, Self::words())),
        });
        None
    }
}

impl JsonSchema for DriverName {
    fn schema_name() -> Cow<'static, str> {
        "Driver".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "enum": Self::words().collect::<Vec<_>>() })
    }
}

/// Which devices a rule is about.
#[derive(Clone, Debug)]
pub enum Match {
    /// `match = { class = "02*" }`.
    Table(Box<MatchTable>),
    /// `match = "class=02*"`: a selection string's items.
    Text(String),
}

impl FromToml for Match {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) => Some(Self::Text(text.clone().into_owned())),
            DeValue::Table(_) => {
                MatchTable::from_toml(value, findings).map(|table| Self::Table(Box::new(table)))
            }
            _ => {
                findings.push(wrong_type::finding(
                    value,
                    "a table such as `{ class = \"02*\" }`, or a string",
                ));
                None
            }
        }
    }
}

impl JsonSchema for Match {
    fn schema_name() -> Cow<'static, str> {
        "Match".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                generator.subschema_for::<MatchTable>(),
                { "type": "string", "description": "The items of a selection string: device=ahci, number=0" },
            ],
        })
    }
}

/// A pattern of one item.
#[derive(Clone, Debug)]
pub struct MatchItem(pub String);

impl FromText for MatchItem {
    const RULE: &'static Rule = &crate::rules::bad_selection::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        Ok(Self(text.to_owned()))
    }
}

from_text!(MatchItem);

impl JsonSchema for MatchItem {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// `number = 0`, or a pattern in a string.
#[derive(Clone, Debug)]
pub struct MatchNumber(pub String);

impl FromToml for MatchNumber {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::Integer(_) => u64::from_toml(value, findings).map(|number| Self(number.to_string())),
            DeValue::String(text) => Some(Self(text.clone().into_owned())),
            _ => {
                findings.push(wrong_type::finding(
                    value,
                    "a number such as `0`, or a pattern in quotes",
                ));
                None
            }
        }
    }
}

impl JsonSchema for MatchNumber {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Number".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["integer", "string"] })
    }
}

table! {
    /// Selection items; all must match. `*` is any run of characters, `?` any one, `|` separates
    /// alternatives.
    "match = { … }"
    pub struct MatchTable {
        /// Bus, device and function: `00:1f.2`.
        optional slot: Located<MatchItem> = "slot",
        /// Base class and sub-class, four hexadecimal digits: `0106`.
        optional class: Located<MatchItem> = "class",
        /// Vendor and device: `8086:100e`.
        optional id: Located<MatchItem> = "id",
        /// Subsystem vendor and subsystem: `1af4:1100`.
        optional subsystem: Located<MatchItem> = "subsystem",
        /// Revision, two hexadecimal digits.
        optional revision: Located<MatchItem> = "revision",
        /// Short for `revision`.
        optional rev: Located<MatchItem> = "rev",
        /// Programming interface, two hexadecimal digits.
        optional programming_interface: Located<MatchItem> = "programming_interface",
        /// Short for `programming_interface`.
        optional interface: Located<MatchItem> = "if",
        /// Base class, sub-class and programming interface, six hexadecimal digits: `010601`.
        optional class_code: Located<MatchItem> = "class_code",
        /// Header type, two hexadecimal digits.
        optional header_type: Located<MatchItem> = "header_type",
        /// The devices that this driver is made for.
        optional device: Located<MatchItem> = "device",
        /// Which of the devices that the other items match, counted from 0 in ascending bus order.
        optional number: Located<MatchNumber> = "number",
    }
}

impl MatchTable {
    /// The property items in the order in which a selection string gets them.
    pub(crate) fn properties(&self) -> impl Iterator<Item = (Property, &Located<MatchItem>)> {
        [
            (Property::Slot, &self.slot),
            (Property::Class, &self.class),
            (Property::Id, &self.id),
            (Property::Subsystem, &self.subsystem),
            (Property::Revision, &self.revision),
            (Property::Revision, &self.rev),
            (Property::ProgrammingInterface, &self.programming_interface),
            (Property::ProgrammingInterface, &self.interface),
            (Property::ClassCode, &self.class_code),
            (Property::HeaderType, &self.header_type),
        ]
        .into_iter()
        .filter_map(|(property, item)| Some((property, item.as_ref()?)))
    }
}

impl Device {
    /// The rule's name, or a stand-in where it is missing or malformed.
    pub(crate) fn title(&self) -> &str {
        self.name.as_ref().map_or("this rule", |name| name.value.as_str())
    }

    /// Where the rule is named.
    pub(crate) fn place(&self) -> Span {
        self.name.as_ref().map_or(self.span, |name| name.span)
    }

    /// The volumes it names.
    pub(crate) fn volume_names(&self) -> &[Located<Name>] {
        self.volumes.as_ref().map_or(&[], |volumes| &volumes.value)
    }

    /// Whether this module is chosen for a NIC.
    pub(crate) fn uses(&self, module: NetModule) -> bool {
        self.may_be_nic() && self.net.as_ref().is_some_and(|net| net.value == module)
    }

    /// Whether the appliance's own stack is on this NIC.
    pub(crate) fn has_stack(&self) -> bool {
        self.may_be_nic() && self.net.as_ref().is_some_and(|net| net.value.has_stack())
    }

    /// Whether syslog leaves by this NIC.
    pub(crate) fn logs(&self) -> bool {
        self.may_be_nic() && self.log.as_ref().is_some_and(|log| log.value)
    }

    /// Keys of NICs on other devices are refused by rules of their own, once.
    fn may_be_nic(&self) -> bool {
        self.driver
            .as_ref()
            .is_none_or(|driver| driver.value.is_network())
    }
}
