//! `[volume.NAME]` and `[clear]`: what is encrypted, and what is not.

use super::value::{BlockSize, DiskPort, KeySize, PartitionNumber, Uuid};
use crate::findings::Findings;
use crate::read::{FromText, FromToml, Value, span_of, table, words};
use crate::rules::{number_range, wrong_type};
use crate::source::Located;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;
use toml::de::DeValue;

words! {
    /// How a volume's sectors are encrypted.
    pub enum Cipher {
        /// AES in XTS mode, as dm-crypt names it.
        AesXtsPlain64 = "aes-xts-plain64",
    }
}

words! {
    /// What the guest may do with the partition tables.
    pub enum GptAccess {
        /// Read them.
        ReadOnly = "read-only",
        /// Write them as well.
        Write = "write",
    }
}

table! {
    /// One region of one disk with one key and one LUKS2 header.
    "[volume.NAME]"
    pub struct Volume {
        /// The disk; may be left out only if exactly one disk fits.
        optional disk: Disk = "disk",
        /// The partition, by number.
        optional partition: Located<PartitionNumber> = "partition",
        /// The partition, by its GPT label.
        optional partition_label: Located<String> = "partition-label",
        /// The partition, by its GPT unique GUID.
        optional partition_uuid: Located<Uuid> = "partition-uuid",
        /// The first and last logical block of the region, for disks without partitions.
        optional lba: Located<LbaRange> = "lba",
        /// How sectors are encrypted.
        required cipher: Located<Cipher> = "cipher",
        /// Bits of key: 512 is AES-256, 256 is AES-128.
        required key_size: Located<KeySize> = "key-size",
        /// Bytes a sector is encrypted in: 4096 only on disks whose logical sectors are 4096 bytes.
        required sector_size: Located<BlockSize> = "sector-size",
        /// Let TRIM through, which shows which sectors are free; `false` unless said.
        optional discard: Located<bool> = "discard",
    }
}

table! {
    /// Which disk: one of these.
    "disk = { … }"
    pub struct Disk {
        /// Its serial number.
        optional serial: Located<String> = "serial",
        /// Its port on the controller, counted from 0.
        optional port: Located<DiskPort> = "port",
        /// The GUID of its GPT.
        optional uuid: Located<Uuid> = "disk-uuid",
    }
}

table! {
    /// Sectors that stay in clear.
    "[clear]"
    pub struct Clear {
        /// Partitions: `"esp"` is the EFI system partition; a number, a GUID, or a label.
        optional partitions: Located<Vec<Located<ClearPartition>>> = "partitions",
        /// What the guest may do with the partition tables; `read-only` unless said.
        optional gpt: Located<GptAccess> = "gpt",
    }
}

impl Volume {
    /// The keys that say where it is, with their names.
    pub(crate) fn places(&self) -> Vec<(&'static str, crate::source::Span)> {
        [
            ("partition", self.partition.as_ref().map(|place| place.span)),
            (
                "partition-label",
                self.partition_label.as_ref().map(|place| place.span),
            ),
            (
                "partition-uuid",
                self.partition_uuid.as_ref().map(|place| place.span),
            ),
            ("lba", self.lba.as_ref().map(|place| place.span)),
        ]
        .into_iter()
        .filter_map(|(name, span)| Some((name, span?)))
        .collect()
    }
}

impl Disk {
    /// The selectors that are given, with their names and values.
    pub(crate) fn selectors(&self) -> Vec<(&'static str, String, crate::source::Span)> {
        let serial = self
            .serial
            .as_ref()
            .map(|it| ("serial", it.value.clone(), it.span));
        let port = self
            .port
            .as_ref()
            .map(|it| ("port", it.value.0.to_string(), it.span));
        let uuid = self
            .uuid
            .as_ref()
            .map(|it| ("disk-uuid", it.value.to_string(), it.span));
        [serial, port, uuid].into_iter().flatten().collect()
    }
}

/// `[first, last]` in the disk's logical blocks, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LbaRange {
    /// The first block.
    pub first: u64,
    /// The last block; the rule on empty ranges sees that it is not before the first.
    pub last: u64,
}

impl FromToml for LbaRange {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        let DeValue::Array(numbers) = value.get_ref() else {
            findings.push(wrong_type::finding(value, "two block numbers, `[first, last]`"));
            return None;
        };
        let (Some(first), Some(last), 2) = (numbers.first(), numbers.get(1), numbers.len()) else {
            findings.push(number_range::finding(
                span_of(value),
                "two block numbers, `[first, last]`",
            ));
            return None;
        };
        let first = u64::from_toml(first, findings);
        let last = u64::from_toml(last, findings);
        Some(Self {
            first: first?,
            last: last?,
        })
    }
}

impl JsonSchema for LbaRange {
    fn schema_name() -> Cow<'static, str> {
        "LbaRange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let block = json_schema!({ "type": "integer", "minimum": 0 });
        json_schema!({ "type": "array", "items": block, "minItems": 2, "maxItems": 2 })
    }
}

/// A partition in clear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClearPartition {
    /// The EFI system partition, by its type.
    Esp,
    /// By number.
    Number(PartitionNumber),
    /// By the GPT unique GUID.
    Uuid(Uuid),
    /// By label.
    Label(String),
}

impl std::fmt::Display for ClearPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Esp => f.write_str("esp"),
            Self::Number(number) => write!(f, "{}", number.0),
            Self::Uuid(uuid) => uuid.fmt(f),
            Self::Label(label) => write!(f, "{label:?}"),
        }
    }
}

impl FromToml for ClearPartition {
    fn from_toml(value: &Value<'_>, findings: &mut Findings) -> Option<Self> {
        match value.get_ref() {
            DeValue::Integer(_) => PartitionNumber::from_toml(value, findings).map(Self::Number),
            DeValue::String(text) if text == "esp" => Some(Self::Esp),
            DeValue::String(text) => match Uuid::from_text(text) {
                Ok(uuid) => Some(Self::Uuid(uuid)),
                Err(_) => String::from_toml(value, findings).map(Self::Label),
            },
            _ => {
                findings.push(wrong_type::finding(
                    value,
                    "`\"esp\"`, a partition number, a GUID or a label",
                ));
                None
            }
        }
    }
}

impl JsonSchema for ClearPartition {
    fn schema_name() -> Cow<'static, str> {
        "ClearPartition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}
