//! Recovery keys: 128 random bits as eight groups of six digits, for paper and telephone.
//!
//! Digits sound alike in no language we know, have no case, and lie on the same keys of every keyboard. Each group is 16 bits
//! times eleven plus the group's number: a wrong digit, two neighbours swapped and two groups swapped all leave another
//! remainder, so that the group can be named. [`RecoveryKey::text`] is a passphrase as it is written.

use crate::random::{NoRandomness, Random};
use core::fmt;
use sekisho_crypto::secret::SecretBytes;

/// Groups of a key.
const GROUPS: usize = 8;
/// Digits of a group.
const DIGITS: usize = 6;
/// A group's remainder by this is its number, counted from 1.
const CHECK: u32 = 11;
/// Between groups.
const SEPARATOR: u8 = b'-';
/// Bytes of a key as it is written.
const LENGTH: usize = GROUPS * (DIGITS + 1) - 1;

/// A recovery key as it is written: `000001-…`.
pub struct RecoveryKey(SecretBytes);

/// Why text is no recovery key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecoveryError {
    /// It does not look like one, and may be a passphrase.
    NotOne,
    /// There are digits too many or too few, and no groups that would tell where.
    Length {
        /// Digits found, where 48 belong.
        found: usize,
    },
    /// A group is mistyped, or in another's place.
    Group {
        /// Its number, counted from 1.
        number: usize,
    },
}

impl RecoveryKey {
    /// A new one.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn generate(random: &mut dyn Random) -> Result<Self, NoRandomness> {
        let mut bits = SecretBytes::zeroed(2 * GROUPS);
        random.fill(bits.expose_mut())?;
        let (pairs, _) = bits.expose().as_chunks();
        let mut text = SecretBytes::zeroed(LENGTH);
        let places = text.expose_mut().chunks_mut(DIGITS + 1);
        for (place, (pair, number)) in places.zip(pairs.iter().zip(1..)) {
            let group = u32::from(u16::from_le_bytes(*pair)) * CHECK + number;
            write_group(place, group);
        }
        Ok(Self(text))
    }

    /// Reads what a person typed, with dashes and spaces wherever they like.
    ///
    /// # Errors
    /// [`RecoveryError`].
    pub fn read(typed: &[u8]) -> Result<Self, RecoveryError> {
        let mut digits = SecretBytes::with_capacity(GROUPS * DIGITS);
        let mut found = 0;
        for byte in typed.iter().filter(|byte| !is_separator(**byte)) {
            if !byte.is_ascii_digit() {
                return Err(RecoveryError::NotOne);
            }
            found += 1;
            // What does not fit is counted and refused below.
            let _ = digits.push(*byte);
        }
        if let Some(number) = group_of_wrong_length(typed) {
            return Err(RecoveryError::Group { number });
        }
        let nearly = (GROUPS - 1) * DIGITS..=(GROUPS + 1) * DIGITS;
        match found {
            found if found == GROUPS * DIGITS => Self::from_digits(&digits),
            found if nearly.contains(&found) => Err(RecoveryError::Length { found }),
            _ => Err(RecoveryError::NotOne),
        }
    }

    fn from_digits(digits: &SecretBytes) -> Result<Self, RecoveryError> {
        let mut text = SecretBytes::zeroed(LENGTH);
        let places = text.expose_mut().chunks_mut(DIGITS + 1);
        for ((place, group), number) in places.zip(digits.expose().chunks(DIGITS)).zip(1..) {
            let value = group
                .iter()
                .fold(0, |value: u32, digit| value * 10 + u32::from(digit - b'0'));
            let in_range = value / CHECK <= u32::from(u16::MAX);
            if !in_range || u32::try_from(number) != Ok(value % CHECK) {
                return Err(RecoveryError::Group { number });
            }
            write_group(place, value);
        }
        Ok(Self(text))
    }

    /// As it is written, and as it is a passphrase: groups with dashes between, no newline.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        self.0.expose()
    }
}

/// Six digits of `value`, and a separator where there is room for one.
fn write_group(place: &mut [u8], value: u32) {
    let mut rest = value;
    if let Some((digits, separator)) = place.split_at_mut_checked(DIGITS) {
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
            rest /= 10;
        }
        separator.fill(SEPARATOR);
    }
}

const fn is_separator(byte: u8) -> bool {
    byte == SEPARATOR || byte == b' '
}

/// The first of eight groups that has not six digits; `None` where `typed` is not in eight groups.
fn group_of_wrong_length(typed: &[u8]) -> Option<usize> {
    let groups = || {
        typed
            .split(|byte| is_separator(*byte))
            .filter(|group| !group.is_empty())
    };
    if groups().count() != GROUPS {
        return None;
    }
    groups()
        .zip(1..)
        .find_map(|(group, number)| (group.len() != DIGITS).then_some(number))
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOne => f.write_str("this is no recovery key: eight groups of six digits"),
            Self::Length { found } => write!(f, "a recovery key has 48 digits, and these are {found}"),
            Self::Group { number } => write!(f, "group {number} of the recovery key is mistyped"),
        }
    }
}

impl core::error::Error for RecoveryError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Counting;
    use std::string::String;
    use std::vec::Vec;

    fn key(seed: u64) -> String {
        let key = RecoveryKey::generate(&mut Counting::new(seed)).unwrap();
        String::from_utf8(key.text().to_vec()).unwrap()
    }

    fn read(text: &str) -> Result<String, RecoveryError> {
        RecoveryKey::read(text.as_bytes()).map(|key| String::from_utf8(key.text().to_vec()).unwrap())
    }

    /// Counted by hand: group n of a key of zeros is n, of a key of ones 65535 times 11 plus n.
    #[test]
    fn groups_are_sixteen_bits_times_eleven_plus_their_number() {
        struct All(u8);
        impl Random for All {
            fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
                bytes.fill(self.0);
                Ok(())
            }
        }
        let text = |byte| RecoveryKey::generate(&mut All(byte)).unwrap().text().to_vec();
        assert_eq!(
            text(0),
            b"000001-000002-000003-000004-000005-000006-000007-000008"
        );
        assert_eq!(
            text(255),
            b"720886-720887-720888-720889-720890-720891-720892-720893"
        );
    }

    #[test]
    fn a_key_is_read_however_it_is_spaced_and_becomes_what_was_written() {
        let written = key(1);
        assert_eq!(written.len(), 55);
        let bare = written.replace('-', "");
        let spaced = written.replace('-', " - ");
        let odd = std::format!(" {}-{} ", &bare[..5], &bare[5..]);
        for typed in [&written, &bare, &spaced, &odd] {
            assert_eq!(read(typed).as_ref(), Ok(&written), "{typed}");
        }
    }

    #[test]
    fn every_wrong_digit_names_its_group() {
        let written = key(2);
        for (at, was) in written.char_indices().filter(|(_, was)| *was != '-') {
            for digit in ('0'..='9').filter(|digit| *digit != was) {
                let mut typed: Vec<char> = written.chars().collect();
                typed[at] = digit;
                let typed: String = typed.into_iter().collect();
                assert_eq!(read(&typed), Err(RecoveryError::Group { number: at / 7 + 1 }));
            }
        }
    }

    #[test]
    fn every_swap_of_neighbours_is_noticed_across_groups_too() {
        for seed in 1..50 {
            let bare: Vec<char> = key(seed).replace('-', "").chars().collect();
            for at in 0..47 {
                let mut typed = bare.clone();
                typed.swap(at, at + 1);
                let number = at / 6 + 1;
                let expected = if typed == bare {
                    Ok(key(seed))
                } else {
                    Err(RecoveryError::Group { number })
                };
                assert_eq!(read(&typed.into_iter().collect::<String>()), expected);
            }
        }
    }

    #[test]
    fn swapped_groups_are_noticed() {
        let written = key(3);
        let groups: Vec<&str> = written.split('-').collect();
        for one in 0..8 {
            for other in one + 1..8 {
                let mut typed = groups.clone();
                typed.swap(one, other);
                assert_eq!(
                    read(&typed.join("-")),
                    Err(RecoveryError::Group { number: one + 1 })
                );
            }
        }
    }

    #[test]
    fn a_missing_digit_names_its_group_where_groups_were_typed() {
        let written = key(4);
        let mut short = written.clone();
        short.remove(15);
        assert_eq!(read(&short), Err(RecoveryError::Group { number: 3 }));
        assert_eq!(
            read(&short.replace('-', "")),
            Err(RecoveryError::Length { found: 47 })
        );
    }

    #[test]
    fn a_passphrase_is_not_taken_for_one() {
        for passphrase in [
            "",
            "correct horse battery",
            "123456",
            "1234-5678",
            &"7".repeat(60),
        ] {
            assert_eq!(read(passphrase), Err(RecoveryError::NotOne), "{passphrase}");
        }
        assert_eq!(read(&key(5).replace('-', "x")), Err(RecoveryError::NotOne));
    }

    #[test]
    fn digits_beyond_sixteen_bits_are_refused() {
        let high = "720897-000002-000003-000004-000005-000006-000007-000008";
        assert_eq!(720_897 % 11, 1);
        assert_eq!(read(high), Err(RecoveryError::Group { number: 1 }));
    }
}
