//! Long names: directory entries before the one they name, last part first.
//!
//! Source: Microsoft FAT specification (2005), section 7.

use super::read::{ENTRY, word};

/// `LDIR_Ord` bit of the part that stands first and ends the name.
const LAST: u8 = 0x40;
/// Parts of the longest name, 255 characters.
const PARTS: u8 = 20;
/// Where an entry holds its thirteen characters.
const CHARACTERS: [usize; 13] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

/// The parts read so far.
#[derive(Default)]
pub(super) struct LongName {
    /// From the end of the name to its start.
    characters: Vec<u16>,
    /// The part that has to come next, counted down to 1; 0 when the name is whole or there is none.
    awaited: u8,
    /// `LDIR_Chksum`: the short name that it belongs to.
    checksum: u8,
}

impl LongName {
    /// Takes one part; `None` if it does not follow the one before.
    pub(super) fn take_part(&mut self, raw: &[u8; ENTRY]) -> Option<()> {
        let (order, checksum) = (*raw.first()?, *raw.get(13)?);
        if order & LAST != 0 {
            *self = Self {
                characters: Vec::new(),
                awaited: order & !LAST,
                checksum,
            };
        }
        let follows = (1..=PARTS).contains(&self.awaited) && order & !LAST == self.awaited;
        if !follows || checksum != self.checksum {
            return None;
        }
        self.awaited -= 1;
        let characters = CHARACTERS.iter().rev().filter_map(|offset| word(raw, *offset));
        self.characters.extend(characters);
        Some(())
    }

    /// The name of the short entry `raw`, which follows the parts: nothing where there are none, `None` where they
    /// are not its own or not printable.
    pub(super) fn finish(self, raw: &[u8; ENTRY]) -> Option<Option<String>> {
        if self.characters.is_empty() {
            return Some(None);
        }
        if self.awaited != 0 || self.checksum != checksum_of(raw) {
            return None;
        }
        let characters = self.characters.into_iter().rev();
        let name: String = characters
            .take_while(|character| *character != 0)
            .map(|character| u8::try_from(character).ok().map(char::from))
            .collect::<Option<_>>()?;
        Some(Some(name))
    }
}

/// Section 7.2, `ChkSum`: of the eleven characters of a short name.
fn checksum_of(raw: &[u8; ENTRY]) -> u8 {
    raw.iter()
        .take(11)
        .fold(0u8, |sum, character| sum.rotate_right(1).wrapping_add(*character))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::File;
    use crate::fat::{ReadError, read, write};

    const NAME: &str = "a-name-of-32-characters-is-here.luks2";
    /// Where the root directory lies in a partition of 8 MiB: behind one reserved sector and two tables of 32.
    const ROOT: usize = 65 * 512;

    /// A partition with one file of three parts of a long name: entries 1 to 3 of the root, then the short one.
    fn volume() -> Vec<u8> {
        let mut partition = vec![0; 8 << 20];
        let file = File {
            path: NAME,
            bytes: b"x",
        };
        write(&mut partition, "test", 1, &[file]).unwrap();
        partition
    }

    #[test]
    fn a_long_name_is_read_as_it_was_written() {
        assert_eq!(read(&volume()).unwrap(), [(format!("/{NAME}"), b"x".to_vec())]);
    }

    #[test]
    fn a_part_that_is_missing_or_of_another_name_is_refused() {
        // Order, checksum, a character that is not ASCII; a character of the short name.
        for (entry, offset, byte) in [
            (1, 0, 3),
            (2, 0, 0x43),
            (3, 0, 2),
            (2, 13, 0),
            (3, 2, 1),
            (4, 0, b'Z'),
        ] {
            let mut partition = volume();
            partition[ROOT + entry * ENTRY + offset] = byte;
            assert_eq!(
                read(&partition),
                Err(ReadError::Folder { path: String::new() }),
                "entry {entry}, offset {offset}"
            );
        }
    }
}
