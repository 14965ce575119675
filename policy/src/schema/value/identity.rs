//! Names, identifiers, keys and paths.

use super::string_schema;
use crate::findings::Rule;
use crate::read::{FromText, Malformed, from_text};
use crate::rules::{bad_key, bad_name, bad_path, bad_uuid, missing_base, nothing_dropped};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A name: `[a-z0-9][a-z0-9-]{0,31}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name(String);

impl Name {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromText for Name {
    const RULE: &'static Rule = &bad_name::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        bad_name::check(text).map(|()| Self(text.to_owned()))
    }
}

/// A path to the policy that this one extends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BasePath(pub String);

impl FromText for BasePath {
    const RULE: &'static Rule = &missing_base::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        present(text, "write a path such as `extends = \"base.toml\"`").map(Self)
    }
}

/// The path of a table, key or rule that a policy does not take from its base: `syslog`, `device.usb`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped(pub String);

impl FromText for Dropped {
    const RULE: &'static Rule = &nothing_dropped::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        present(
            text,
            "name a table, key or rule, for example `drop = [\"syslog\", \"device.usb\"]`",
        )
        .map(Self)
    }
}

fn present(text: &str, help: &str) -> Result<String, Malformed> {
    if text.is_empty() || text.contains('\0') {
        return Err(Malformed::new("nothing is named here", help));
    }
    Ok(text.to_owned())
}

/// A GUID.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Uuid(uuid::Uuid);

impl Uuid {
    /// As a disk has it: the first three groups little-endian (UEFI 2.10, appendix A).
    #[must_use]
    pub fn disk_bytes(self) -> [u8; 16] {
        self.0.to_bytes_le()
    }
}

impl std::fmt::Display for Uuid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromText for Uuid {
    const RULE: &'static Rule = &bad_uuid::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        let groups: Vec<usize> = text.split('-').map(str::len).collect();
        // The crate reads other forms too; one that another tool would not take is refused.
        let read = (groups == [8, 4, 4, 4, 12]).then(|| uuid::Uuid::try_parse(text).ok());
        read.flatten().map(Self).ok_or_else(|| {
            Malformed::new(
                "this is not a GUID",
                "write the 32 hexadecimal digits with dashes as `lsblk -o PARTUUID,PTUUID` shows them, \
                 for example `0fc63daf-8483-4772-8e79-3d69d8477de4`",
            )
        })
    }
}

/// A WireGuard public key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PublicKey(pub [u8; 32]);

impl FromText for PublicKey {
    const RULE: &'static Rule = &bad_key::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        let help = "paste the 44 characters that `wg show` or `sekisho keys show` print for the other end";
        let bytes = STANDARD.decode(text).map_err(|error| {
            Malformed::new(format!("this is not base64: {}", lower(&error.to_string())), help)
        })?;
        let key = <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| Malformed::new(format!("this is {} bytes, a key is 32", bytes.len()), help))?;
        if key == [0; 32] {
            return Err(Malformed::new(
                "this key is all zeros: anyone has its private half",
                help,
            ));
        }
        Ok(Self(key))
    }
}

fn lower(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// A path on an EFI system partition, with backslashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EspPath(pub String);

impl FromText for EspPath {
    const RULE: &'static Rule = &bad_path::RULE;

    fn from_text(text: &str) -> Result<Self, Malformed> {
        bad_path::check(text).map(|()| Self(text.to_owned()))
    }
}

from_text!(Name, BasePath, Dropped, Uuid, PublicKey, EspPath);

string_schema! {
    Name: { "type": "string", "pattern": bad_name::PATTERN },
    BasePath: { "type": "string", "minLength": 1 },
    Dropped: { "type": "string", "minLength": 1 },
    Uuid: {
        "type": "string",
        "pattern": "^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$",
    },
    PublicKey: { "type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$" },
    EspPath: { "type": "string", "pattern": r"^(\\[^\\/]+)+\.[Ee][Ff][Ii]$" },
}
