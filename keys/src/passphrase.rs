//! Passphrases: what may be one, and what a person should be warned of before it is too late.
//!
//! The loader reads keys through the firmware, whose keyboard is US everywhere. So a passphrase is printable ASCII, and keys
//! that lie elsewhere on a person's own keyboard are worth a warning.

use crate::recovery::{RecoveryError, RecoveryKey};
use alloc::string::String;
use core::fmt;
use sekisho_crypto::secret::SecretBytes;

/// Characters of the longest passphrase; the loader reads no more.
pub const MAX_LENGTH: usize = 128;

/// Letters that are not where the US keyboard has them on a German (QWERTZ) or a French one (AZERTY).
const MOVING_LETTERS: &[u8] = b"aqwzym";

/// Why text cannot be a passphrase.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PassphraseError {
    /// Nothing was given.
    Empty,
    /// More than [`MAX_LENGTH`].
    TooLong {
        /// Bytes given.
        length: usize,
    },
    /// A byte is no printable ASCII: the loader's keyboard has no such key.
    NotPrintable {
        /// Its place, counted from 1.
        place: usize,
    },
    /// It looks like a recovery key, as which the loader would read it.
    LooksLikeRecoveryKey,
}

/// Checks a passphrase that is to be set.
///
/// # Errors
/// [`PassphraseError`].
pub fn check(passphrase: &[u8]) -> Result<(), PassphraseError> {
    let length = passphrase.len();
    if length == 0 {
        return Err(PassphraseError::Empty);
    }
    if length > MAX_LENGTH {
        return Err(PassphraseError::TooLong { length });
    }
    let printable = |byte: &u8| (b' '..=b'~').contains(byte);
    if let Some(at) = passphrase.iter().position(|byte| !printable(byte)) {
        return Err(PassphraseError::NotPrintable { place: at + 1 });
    }
    match RecoveryKey::read(passphrase) {
        Err(RecoveryError::NotOne) => Ok(()),
        _ => Err(PassphraseError::LooksLikeRecoveryKey),
    }
}

/// The keys of a passphrase that lie elsewhere on other keyboards than the US one, each once, in a fixed order, so that
/// telling them tells little.
#[must_use]
pub fn moving_keys(passphrase: &[u8]) -> String {
    let moves = |byte: u8| {
        let letter = byte.to_ascii_lowercase();
        MOVING_LETTERS.contains(&letter) || byte.is_ascii_punctuation()
    };
    let used = |byte: &u8| passphrase.iter().any(|it| it.eq_ignore_ascii_case(byte));
    (b'!'..=b'~')
        .filter(|byte| moves(*byte) && !byte.is_ascii_uppercase() && used(byte))
        .map(char::from)
        .collect()
}

/// The bytes that open keyslots, from what a person typed: a recovery key as it was written, whatever its spacing;
/// anything else as it is.
///
/// # Errors
/// [`RecoveryError`], but never [`RecoveryError::NotOne`]: it is a recovery key, and mistyped.
pub fn typed(text: &[u8]) -> Result<SecretBytes, RecoveryError> {
    match RecoveryKey::read(text) {
        Ok(key) => Ok(SecretBytes::from_slice(key.text())),
        Err(RecoveryError::NotOne) => Ok(SecretBytes::from_slice(text)),
        Err(mistyped) => Err(mistyped),
    }
}

impl fmt::Display for PassphraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the passphrase is empty"),
            Self::TooLong { length } => {
                write!(
                    f,
                    "the passphrase has {length} characters; the loader reads {MAX_LENGTH}"
                )
            }
            Self::NotPrintable { place } => write!(
                f,
                "character {place} of the passphrase is no printable ASCII, and cannot be typed at boot"
            ),
            Self::LooksLikeRecoveryKey => f.write_str(
                "the passphrase has about as many digits as a recovery key, and would be read as one",
            ),
        }
    }
}

impl core::error::Error for PassphraseError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Counting;

    #[test]
    fn printable_ascii_is_a_passphrase_and_nothing_else() {
        assert_eq!(check(b"correct horse ~!"), Ok(()));
        assert_eq!(check(b""), Err(PassphraseError::Empty));
        assert_eq!(
            check("caf\u{e9}".as_bytes()),
            Err(PassphraseError::NotPrintable { place: 4 })
        );
        assert_eq!(check(b"a\tb"), Err(PassphraseError::NotPrintable { place: 2 }));
        assert_eq!(check(&[b'x'; 128]), Ok(()));
        assert_eq!(check(&[b'x'; 129]), Err(PassphraseError::TooLong { length: 129 }));
    }

    #[test]
    fn what_the_loader_would_read_as_a_recovery_key_is_no_passphrase() {
        let key = RecoveryKey::generate(&mut Counting::new(1)).unwrap();
        assert_eq!(check(key.text()), Err(PassphraseError::LooksLikeRecoveryKey));
        assert_eq!(check(&[b'7'; 48]), Err(PassphraseError::LooksLikeRecoveryKey));
    }

    #[test]
    fn keys_that_move_are_named_once_in_order() {
        assert_eq!(moving_keys(b"Zebra-Zoo! maybe"), "!-amyz");
        assert_eq!(moving_keys(b"cold brick 729"), "");
    }

    #[test]
    fn a_recovery_key_is_typed_with_any_spacing_and_a_passphrase_exactly() {
        let key = RecoveryKey::generate(&mut Counting::new(1)).unwrap();
        let spaced: std::vec::Vec<u8> = key
            .text()
            .iter()
            .map(|it| if *it == b'-' { b' ' } else { *it })
            .collect();
        assert!(typed(&spaced).unwrap().expose() == key.text());
        assert!(typed(b" two  words ").unwrap().expose() == b" two  words ");
        let mut wrong = spaced;
        wrong[0] = if wrong[0] == b'0' { b'1' } else { b'0' };
        assert_eq!(typed(&wrong).err(), Some(RecoveryError::Group { number: 1 }));
    }
}
