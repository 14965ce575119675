//! Descriptor tables: the guest's, walked once from front to back, and ours over a shadow buffer.
//!
//! Each of the guest's descriptors is read when its memory is needed, and never again. What it says is an address that
//! guest memory refuses or not; nothing else is believed.

use super::spec::{BOUNDARY, DESCRIPTOR_BYTES, Descriptor};
use crate::cpu::walk::GuestMemory;
use crate::seam::DeviceAddress;

/// Why the guest's table did not serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScatterError {
    /// It ends before the transfer, or at a boundary.
    TooShort,
    /// The table or a region is not the guest's memory.
    Unreachable,
}

/// A place in the guest's table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scatter {
    /// The next descriptor, and how many there may be from there to the boundary; 0 after the last.
    table: u64,
    left: u64,
    /// What is left of the present region.
    address: u64,
    bytes: usize,
}

impl Scatter {
    /// The front of the table at `pointer`.
    pub(super) fn new(pointer: u32) -> Self {
        let table = u64::from(pointer & !3);
        Self {
            table,
            left: (BOUNDARY - table % BOUNDARY) / DESCRIPTOR_BYTES as u64,
            address: 0,
            bytes: 0,
        }
    }

    /// Whether every region is used up.
    pub(super) const fn exhausted(&self) -> bool {
        self.left == 0 && self.bytes == 0
    }

    /// Fills `bytes` from guest memory.
    pub(super) fn gather(&mut self, guest: &impl GuestMemory, bytes: &mut [u8]) -> Result<(), ScatterError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (address, length) = self.step(guest, rest.len())?;
            let (part, behind) = rest.split_at_mut_checked(length).ok_or(ScatterError::TooShort)?;
            guest.read(address, part).map_err(|_| ScatterError::Unreachable)?;
            rest = behind;
        }
        Ok(())
    }

    /// Puts `bytes` into guest memory.
    pub(super) fn spread(&mut self, guest: &impl GuestMemory, bytes: &[u8]) -> Result<(), ScatterError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (address, length) = self.step(guest, rest.len())?;
            let (part, behind) = rest.split_at_checked(length).ok_or(ScatterError::TooShort)?;
            guest
                .write(address, part)
                .map_err(|_| ScatterError::Unreachable)?;
            rest = behind;
        }
        Ok(())
    }

    /// At most `wanted` bytes of the present region, or of the next one.
    fn step(&mut self, guest: &impl GuestMemory, wanted: usize) -> Result<(u64, usize), ScatterError> {
        if self.bytes == 0 {
            self.next(guest)?;
        }
        let (address, length) = (self.address, self.bytes.min(wanted));
        self.address += length as u64;
        self.bytes -= length;
        Ok((address, length))
    }

    fn next(&mut self, guest: &impl GuestMemory) -> Result<(), ScatterError> {
        self.left = self.left.checked_sub(1).ok_or(ScatterError::TooShort)?;
        let mut raw = [0; DESCRIPTOR_BYTES];
        guest
            .read(self.table, &mut raw)
            .map_err(|_| ScatterError::Unreachable)?;
        let descriptor = Descriptor::decode(u64::from_le_bytes(raw));
        self.table += DESCRIPTOR_BYTES as u64;
        if descriptor.last {
            self.left = 0;
        }
        self.address = u64::from(descriptor.address);
        self.bytes = descriptor.bytes as usize;
        Ok(())
    }
}

/// The regions of the first `length` bytes at `start`, none of which crosses a boundary. They lie below 4 GiB.
pub(super) fn describe(start: DeviceAddress, length: usize) -> impl Iterator<Item = Descriptor> {
    let (mut address, mut left) = (start.0, length as u64);
    core::iter::from_fn(move || {
        let bytes = left.min(BOUNDARY - address % BOUNDARY);
        let descriptor = Descriptor {
            address: u32::try_from(address).ok()?,
            bytes: u32::try_from(bytes).ok().filter(|bytes| *bytes > 0)?,
            last: bytes == left,
        };
        address += bytes;
        left -= bytes;
        Some(descriptor)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::walk::Unreachable;
    use alloc::vec;
    use alloc::vec::Vec;
    use core::cell::{Cell, RefCell};

    /// Memory from address 0, and how often its first 64 KiB, where the tables lie, were read.
    struct Ram {
        bytes: RefCell<Vec<u8>>,
        table_reads: Cell<usize>,
    }

    impl Ram {
        fn new(table: usize, descriptors: &[Descriptor]) -> Self {
            let mut bytes = vec![0; 0x4_0000];
            for (place, descriptor) in bytes[table..].chunks_exact_mut(8).zip(descriptors) {
                place.copy_from_slice(&descriptor.encode());
            }
            Self {
                bytes: RefCell::new(bytes),
                table_reads: Cell::new(0),
            }
        }
    }

    impl GuestMemory for Ram {
        fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreachable> {
            if address < 0x1_0000 {
                self.table_reads.set(self.table_reads.get() + 1);
            }
            let at = usize::try_from(address).map_err(|_| Unreachable)?;
            let bytes = self.bytes.borrow();
            buffer.copy_from_slice(bytes.get(at..at + buffer.len()).ok_or(Unreachable)?);
            Ok(())
        }

        fn write(&self, address: u64, source: &[u8]) -> Result<(), Unreachable> {
            let at = usize::try_from(address).map_err(|_| Unreachable)?;
            let mut bytes = self.bytes.borrow_mut();
            let place = bytes.get_mut(at..at + source.len()).ok_or(Unreachable)?;
            place.copy_from_slice(source);
            Ok(())
        }
    }

    fn region(address: u32, bytes: u32) -> Descriptor {
        Descriptor {
            address,
            bytes,
            last: false,
        }
    }

    fn last(address: u32, bytes: u32) -> Descriptor {
        Descriptor {
            last: true,
            ..region(address, bytes)
        }
    }

    #[test]
    fn regions_are_filled_in_their_order_and_each_descriptor_is_read_once() {
        let ram = Ram::new(
            0x100,
            &[region(0x2_0000, 4), region(0x3_0000, 2), last(0x2_1000, 6)],
        );
        let mut scatter = Scatter::new(0x100);
        scatter.spread(&ram, &[1, 2, 3]).unwrap();
        scatter.spread(&ram, &[4, 5, 6, 7, 8]).unwrap();
        assert!(!scatter.exhausted());
        scatter.spread(&ram, &[9, 10, 11, 12]).unwrap();
        assert!(scatter.exhausted());
        assert_eq!(ram.table_reads.get(), 3);
        let bytes = ram.bytes.borrow();
        assert_eq!(bytes[0x2_0000..0x2_0005], [1, 2, 3, 4, 0]);
        assert_eq!(bytes[0x3_0000..0x3_0003], [5, 6, 0]);
        assert_eq!(bytes[0x2_1000..0x2_1006], [7, 8, 9, 10, 11, 12]);
    }

    #[test]
    fn what_is_spread_is_gathered() {
        let ram = Ram::new(0, &[region(0x2_0000, 2), last(0x3_0000, 6)]);
        Scatter::new(0).spread(&ram, b"checkpnt").unwrap();
        let mut back = [0; 8];
        Scatter::new(0).gather(&ram, &mut back).unwrap();
        assert_eq!(&back, b"checkpnt");
    }

    #[test]
    fn nothing_is_read_behind_the_last_descriptor() {
        let ram = Ram::new(0, &[last(0x2_0000, 2), region(0x3_0000, 2)]);
        let mut scatter = Scatter::new(0);
        assert_eq!(scatter.spread(&ram, &[1, 2, 3]), Err(ScatterError::TooShort));
        assert_eq!(ram.bytes.borrow()[0x3_0000], 0);
    }

    #[test]
    fn a_table_ends_at_the_boundary() {
        let ram = Ram::new(0xfff8, &[region(0x2_0000, 2)]);
        let mut scatter = Scatter::new(0xfff8);
        scatter.spread(&ram, &[1, 2]).unwrap();
        assert_eq!(scatter.spread(&ram, &[3]), Err(ScatterError::TooShort));
    }

    #[test]
    fn memory_that_is_not_the_guests_stays_out_of_reach() {
        let ram = Ram::new(0, &[last(0xffff_0000, 2)]);
        assert_eq!(Scatter::new(0).spread(&ram, &[1]), Err(ScatterError::Unreachable));
        assert_eq!(
            Scatter::new(0xffff_0000).gather(&ram, &mut [0]),
            Err(ScatterError::Unreachable)
        );
    }

    #[test]
    fn no_region_of_ours_crosses_a_boundary() {
        let regions: Vec<_> = describe(DeviceAddress(0x1_f000), 0x2_0000).collect();
        assert_eq!(
            regions,
            [
                region(0x1_f000, 0x1000),
                region(0x2_0000, 0x1_0000),
                last(0x3_0000, 0xf000)
            ]
        );
    }
}
