//! What LUKS2 metadata writes as a JSON string and is something else: 64-bit numbers, sizes, names of hashes, bytes.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sekisho_crypto::Hash;
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is a string in JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Word<T>(pub(super) T);

/// A value with exactly one spelling.
pub(super) trait Spelt: Sized {
    /// What a reader is told to expect.
    const EXPECTED: &'static str;
    fn read(text: &str) -> Option<Self>;
    fn write(&self) -> String;
}

impl<T: Spelt> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.write())
    }
}

impl<'de, T: Spelt> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::read(&text)
            .map(Self)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &T::EXPECTED))
    }
}

impl Spelt for u64 {
    const EXPECTED: &'static str = "a decimal number";

    fn read(text: &str) -> Option<Self> {
        // No sign and no leading zeros: what is read is written back the same.
        text.parse()
            .ok()
            .filter(|number: &Self| number.to_string() == text)
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

/// How long a segment is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// To the end of the device.
    Dynamic,
    /// Bytes.
    Fixed(u64),
}

impl Spelt for Extent {
    const EXPECTED: &'static str = "`dynamic` or a decimal number";

    fn read(text: &str) -> Option<Self> {
        match text {
            "dynamic" => Some(Self::Dynamic),
            number => u64::read(number).map(Self::Fixed),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Dynamic => "dynamic".to_string(),
            Self::Fixed(bytes) => bytes.write(),
        }
    }
}

impl Spelt for Hash {
    const EXPECTED: &'static str = "`sha1`, `sha256` or `sha512`";

    fn read(text: &str) -> Option<Self> {
        Self::named(text)
    }

    fn write(&self) -> String {
        self.name().to_string()
    }
}

impl Spelt for Vec<u8> {
    const EXPECTED: &'static str = "base64";

    fn read(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()
    }

    fn write(&self) -> String {
        STANDARD.encode(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_spelling() {
        assert_eq!(u64::read("18446744073709551615"), Some(u64::MAX));
        for wrong in [
            "",
            "+1",
            "-1",
            "01",
            " 1",
            "1 ",
            "0x1",
            "1.0",
            "18446744073709551616",
        ] {
            assert_eq!(u64::read(wrong), None, "{wrong}");
            assert_eq!(Extent::read(wrong), None, "{wrong}");
        }
        assert_eq!(Extent::read("dynamic"), Some(Extent::Dynamic));
        assert_eq!(Extent::read("4096"), Some(Extent::Fixed(4096)));
    }

    #[test]
    fn a_word_survives_json() {
        let text = serde_json::to_string(&Word(Extent::Fixed(512))).unwrap();
        assert_eq!(text, "\"512\"");
        assert_eq!(
            serde_json::from_str::<Word<Extent>>(&text).unwrap(),
            Word(Extent::Fixed(512))
        );
        assert!(serde_json::from_str::<Word<u64>>("512").is_err());
    }
}
