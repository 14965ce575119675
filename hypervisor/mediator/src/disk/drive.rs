//! One drive behind a controller: what it is, what becomes of its commands, and whether it is still the one that was
//! found.
//!
//! A reset may be the moment in which another drive takes its place. From then on no command reaches content until
//! the drive has answered IDENTIFY, the guest's or one of ours, as the one that is known.

use super::command::{
    After, Content, Direction, Identity, Known, PAGE_BYTES, Reason, TaskFile, Verdict, amend_identify,
    amend_identify_packet, amend_log, judge,
};
use super::filter::{Refused, SectorFilter};
use sekisho_abi::disk::{BlockSize, Shape};

/// A drive.
pub struct Drive {
    identity: Identity,
    known: Known,
    filter: SectorFilter,
    presence: Presence,
}

/// Whether the drive that answers is the one that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Presence {
    Confirmed,
    Unconfirmed,
}

/// Why a command is not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// For what it is.
    Command(Reason),
    /// For the blocks it would write.
    Blocks(Refused),
    /// The drive was reset, and has not said since who it is.
    Unconfirmed,
}

impl Drive {
    /// A drive about whose sectors nothing is said yet: it reads as zeros and takes no writes.
    ///
    /// # Errors
    /// [`Reason::Absent`] where its blocks are of a size that no filter has.
    pub fn new(identity: Identity) -> Result<Self, Reason> {
        let known = identity.known();
        let shape = Shape {
            block_size: BlockSize::from_bytes(known.block_bytes).ok_or(Reason::Absent)?,
            blocks: known.blocks,
        };
        Ok(Self {
            identity,
            known,
            filter: SectorFilter::closed(shape),
            presence: Presence::Confirmed,
        })
    }

    /// From now on `filter` says what becomes of its sectors.
    pub fn bind(&mut self, filter: SectorFilter) {
        self.known.discard = filter.passes_trim();
        self.filter = filter;
    }

    /// What it said of itself when it was found.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What decides its commands.
    #[must_use]
    pub const fn known(&self) -> &Known {
        &self.known
    }

    /// What becomes of its sectors.
    #[must_use]
    pub const fn filter(&self) -> &SectorFilter {
        &self.filter
    }

    /// What becomes of a command, its blocks included.
    ///
    /// # Errors
    /// [`Refusal`]: it does not reach the drive. A verdict is never [`Verdict::Refuse`].
    pub fn decide(&self, task: &TaskFile) -> Result<Verdict, Refusal> {
        let verdict = judge(task, &self.known);
        match verdict {
            Verdict::Refuse(reason) => Err(Refusal::Command(reason)),
            Verdict::Content(_) | Verdict::Trim { .. } if self.presence == Presence::Unconfirmed => {
                Err(Refusal::Unconfirmed)
            }
            Verdict::Content(content) => self.may_carry(content).map(|()| verdict),
            Verdict::Trim { .. } | Verdict::Pass { .. } | Verdict::Packet => Ok(verdict),
        }
    }

    fn may_carry(&self, content: Content) -> Result<(), Refusal> {
        match content.direction {
            Direction::Read => Ok(()),
            Direction::Write => {
                let allowed = self.filter.may_write(content.first, content.blocks);
                allowed.map_err(Refusal::Blocks)
            }
        }
    }

    /// It was reset, or may have been replaced.
    pub fn reset(&mut self) {
        self.presence = Presence::Unconfirmed;
    }

    /// A passed command succeeded. `data` is what the drive answered, from its page `skipped` on; what is refused is
    /// hidden in it.
    pub fn answered(&mut self, after: After, skipped: u16, data: &mut [u8]) {
        match (after, data.first_chunk_mut::<PAGE_BYTES>()) {
            (After::Identify, Some(page)) => {
                self.recognise(page);
                amend_identify(page, &self.known);
            }
            (After::IdentifyPacket, Some(page)) => amend_identify_packet(page),
            (After::Log { address, page }, _) => {
                amend_log(address, page.saturating_add(skipped), data, &self.known);
            }
            (After::Multiple(blocks), _) => self.known.multiple = blocks,
            (After::Identify | After::IdentifyPacket | After::Nothing, _) => {}
        }
    }

    /// IDENTIFY DEVICE data of the drive that answers now.
    fn recognise(&mut self, page: &[u8; PAGE_BYTES]) {
        self.presence = Presence::Unconfirmed;
        if let Ok(now) = Identity::of_disk(page)
            && self.is_same(&now)
        {
            // A reset may have changed it.
            self.known.multiple = now.known().multiple;
            self.presence = Presence::Confirmed;
        }
    }

    fn is_same(&self, other: &Identity) -> bool {
        let (was, is) = (self.identity.known(), other.known());
        self.identity.serial() == other.serial()
            && self.identity.model() == other.model()
            && (was.kind, was.blocks, was.block_bytes) == (is.kind, is.blocks, is.block_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use sekisho_abi::disk::{BlockRange, DiskMap, Fate, Region};
    use sekisho_abi::storage::Storage;

    const BLOCKS: u32 = 1000;

    /// IDENTIFY DEVICE data of a disk with 28-bit commands.
    fn page(serial: u8, multiple: u8) -> [u8; PAGE_BYTES] {
        let mut page = [0; PAGE_BYTES];
        page[2 * 10..2 * 20].fill(serial);
        // LBA supported; MULTIPLE valid; TRUSTED SEND and RECEIVE supported.
        page[2 * 49 + 1] = 1 << 1;
        page[2 * 59] = multiple;
        page[2 * 59 + 1] = 1;
        page[2 * 48..2 * 49].copy_from_slice(&0x4001_u16.to_le_bytes());
        page[2 * 60..2 * 62].copy_from_slice(&BLOCKS.to_le_bytes());
        page
    }

    /// Its first hundred blocks are in clear.
    fn drive() -> Drive {
        let mut drive = Drive::new(Identity::of_disk(&page(b'A', 16)).unwrap()).unwrap();
        let region = Region {
            blocks: BlockRange::new(0, 99).unwrap(),
            fate: Fate::Clear(0),
        };
        let map = DiskMap::new(drive.filter().shape(), vec![region]).unwrap();
        drive.bind(SectorFilter::new(&Storage::default(), &map, |_| None).unwrap());
        drive
    }

    fn write(lba: u64) -> TaskFile {
        TaskFile {
            command: 0x30,
            lba,
            count: 1,
            device: 0x40,
            ..TaskFile::default()
        }
    }

    #[test]
    fn a_write_is_decided_by_the_blocks_it_names() {
        assert!(matches!(drive().decide(&write(99)), Ok(Verdict::Content(_))));
        let refused = drive().decide(&write(100));
        assert!(matches!(
            refused,
            Err(Refusal::Blocks(Refused { block: 100, .. }))
        ));
    }

    #[test]
    fn a_drive_about_which_nothing_is_said_takes_no_writes() {
        let drive = Drive::new(Identity::of_disk(&page(b'A', 16)).unwrap()).unwrap();
        assert!(matches!(drive.decide(&write(0)), Err(Refusal::Blocks(_))));
    }

    #[test]
    fn after_a_reset_no_content_moves_until_the_same_drive_says_who_it_is() {
        let mut drive = drive();
        drive.reset();
        assert_eq!(drive.decide(&write(0)), Err(Refusal::Unconfirmed));
        drive.answered(After::Identify, 0, &mut page(b'A', 16));
        assert!(drive.decide(&write(0)).is_ok());
    }

    #[test]
    fn another_drive_gets_no_content() {
        let mut drive = drive();
        drive.reset();
        drive.answered(After::Identify, 0, &mut page(b'B', 16));
        assert_eq!(drive.decide(&write(0)), Err(Refusal::Unconfirmed));
    }

    #[test]
    fn what_moves_at_once_follows_the_command_that_sets_it_and_the_drive_after_a_reset() {
        let mut drive = drive();
        drive.answered(After::Multiple(8), 0, &mut []);
        assert_eq!(drive.known().multiple, 8);
        drive.reset();
        drive.answered(After::Identify, 0, &mut page(b'A', 16));
        assert_eq!(drive.known().multiple, 16);
    }

    #[test]
    fn what_is_refused_is_hidden_in_the_answer() {
        let mut answer = page(b'A', 16);
        drive().answered(After::Identify, 0, &mut answer);
        assert_eq!(answer[2 * 48] & 1, 0);
    }
}
