//! A guest's physical region descriptors (AHCI 1.3.1, 4.2.3.3), walked as their bytes move.
//!
//! They are not copied ahead: a command may have 65,535 of them. Each is read once, in order, at the moment its bytes
//! are copied, and where it points is judged at each copy, so a guest that changes one after submission changes where
//! in its own memory the bytes lie and nothing else. As on hardware, which fetches them when it needs them.

use super::spec::{REGION_BYTES, REGION_COUNT};
use crate::cpu::walk::{GuestMemory, Unreachable};

/// What is left of a command's regions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scatter {
    /// Where the next descriptor lies.
    next: u64,
    /// How many are left.
    descriptors: u16,
    /// What is left of the present region.
    region: Region,
}

#[derive(Clone, Copy, Debug)]
struct Region {
    address: u64,
    bytes: u32,
}

impl Scatter {
    /// `descriptors` of them in guest memory at `address`.
    pub(super) const fn new(address: u64, descriptors: u16) -> Self {
        Self {
            next: address,
            descriptors,
            region: Region { address: 0, bytes: 0 },
        }
    }

    /// Bytes of the regions that are left, at most `most`.
    pub(super) fn length<G: GuestMemory>(mut self, most: usize, guest: &G) -> Result<usize, Unreachable> {
        let mut length = 0_usize;
        while length < most && (self.region.bytes != 0 || self.descriptors != 0) {
            length = length.saturating_add(self.region(guest)?.bytes as usize);
            self.region.bytes = 0;
        }
        Ok(length.min(most))
    }

    /// Fills `bytes` from the regions.
    ///
    /// # Errors
    /// They end too early, or lead to where the guest has no memory.
    pub(super) fn gather<G: GuestMemory>(
        &mut self,
        mut bytes: &mut [u8],
        guest: &G,
    ) -> Result<(), Unreachable> {
        while !bytes.is_empty() {
            let (address, length) = self.next_part(bytes.len(), guest)?;
            guest.read(address, bytes.split_off_mut(..length).ok_or(Unreachable)?)?;
        }
        Ok(())
    }

    /// Writes `bytes` to the regions.
    ///
    /// # Errors
    /// As [`Self::gather`].
    pub(super) fn spread<G: GuestMemory>(&mut self, mut bytes: &[u8], guest: &G) -> Result<(), Unreachable> {
        while !bytes.is_empty() {
            let (address, length) = self.next_part(bytes.len(), guest)?;
            guest.write(address, bytes.split_off(..length).ok_or(Unreachable)?)?;
        }
        Ok(())
    }

    /// The next bytes that lie together, at most `most`: where, and how many.
    fn next_part<G: GuestMemory>(&mut self, most: usize, guest: &G) -> Result<(u64, usize), Unreachable> {
        let Region { address, bytes } = self.region(guest)?;
        let part = u32::try_from(most).unwrap_or(u32::MAX).min(bytes);
        self.region = Region {
            address: address.checked_add(u64::from(part)).ok_or(Unreachable)?,
            bytes: bytes - part,
        };
        Ok((address, part as usize))
    }

    /// The present region; the next one where it is used up.
    fn region<G: GuestMemory>(&mut self, guest: &G) -> Result<Region, Unreachable> {
        if self.region.bytes == 0 {
            self.descriptors = self.descriptors.checked_sub(1).ok_or(Unreachable)?;
            let mut descriptor = [0; REGION_BYTES];
            guest.read(self.next, &mut descriptor)?;
            self.next = self.next.checked_add(REGION_BYTES as u64).ok_or(Unreachable)?;
            let [a0, a1, a2, a3, a4, a5, a6, a7, _, _, _, _, c0, c1, c2, c3] = descriptor;
            self.region = Region {
                // Bit 0 of both is reserved: addresses and counts are even.
                address: u64::from_le_bytes([a0, a1, a2, a3, a4, a5, a6, a7]) & !1,
                bytes: (u32::from_le_bytes([c0, c1, c2, c3]) & REGION_COUNT | 1) + 1,
            };
        }
        Ok(self.region)
    }
}
