//! The structures in memory, byte by byte as the specification has them: the guest's as they are read, ours as they are
//! written. What a controller does with them is for the scenarios.

use super::order::{Order, STRUCTURE_BYTES, Structures};
use super::port::set_bits;
use super::request::{Kind, Request};
use super::scatter::Scatter;
use super::slot::Way;
use crate::cpu::walk::{GuestMemory, Unreachable};
use crate::disk::command::TaskFile;
use crate::seam::{Buffer, DeviceAddress, Host, Instant, Shared};
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

/// Memory from address 0 on, the guest's or ours.
struct Bytes(RefCell<Vec<u8>>);

impl Bytes {
    fn new(length: usize) -> Self {
        Self(RefCell::new(vec![0; length]))
    }

    fn put(&self, address: u64, bytes: &[u8]) {
        self.write(address, bytes).unwrap();
    }

    fn word(&self, offset: usize) -> u32 {
        let mut word = [0; 4];
        self.read(offset as u64, &mut word).unwrap();
        u32::from_le_bytes(word)
    }

    fn region(&self, place: u64, address: u64, last_word: u32) {
        self.put(place, &address.to_le_bytes());
        self.put(place + 12, &last_word.to_le_bytes());
    }
}

impl GuestMemory for Bytes {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreachable> {
        let start = usize::try_from(address).map_err(|_| Unreachable)?;
        let end = start.checked_add(buffer.len()).ok_or(Unreachable)?;
        let bytes = self.0.borrow();
        buffer.copy_from_slice(bytes.get(start..end).ok_or(Unreachable)?);
        Ok(())
    }

    fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Unreachable> {
        let start = usize::try_from(address).map_err(|_| Unreachable)?;
        let end = start.checked_add(bytes.len()).ok_or(Unreachable)?;
        let mut memory = self.0.borrow_mut();
        memory
            .get_mut(start..end)
            .ok_or(Unreachable)?
            .copy_from_slice(bytes);
        Ok(())
    }
}

impl Host for Bytes {
    type Guest = Self;

    fn guest(&self) -> &Self {
        self
    }

    fn with<R>(&mut self, buffer: &mut Buffer, work: impl FnOnce(&mut [u8], &Self) -> R) -> R {
        work(&mut vec![0; buffer.length()], self)
    }

    fn load(&self, _: &Shared, offset: usize) -> u32 {
        self.word(offset)
    }

    fn store(&mut self, _: &Shared, offset: usize, word: u32) {
        self.put(offset as u64, &word.to_le_bytes());
    }

    fn now(&self) -> Instant {
        Instant(0)
    }
}

#[test]
fn a_request_is_read_where_the_specification_has_it() {
    let memory = Bytes::new(0x2000);
    // Slot 2 of the list at 400h: FIS of 5 words, to the device, 3 regions, table at 1080h.
    memory.put(
        0x440,
        &[0x45, 0x00, 0x03, 0x00, 9, 9, 9, 9, 0x80, 0x10, 0, 0, 0, 0, 0, 0],
    );
    let task = TaskFile {
        command: 0x35,
        lba: 0x1234,
        count: 1,
        device: 0x40,
        ..TaskFile::default()
    };
    memory.put(0x1080, &task.to_fis());
    memory.put(0x10c0, &[0xa5; 16]);
    let request = Request::copy(0x400, 2, &memory);
    assert_eq!(request.header, 0x440);
    assert_eq!(request.way, Way::Out);
    assert_eq!(request.packet, [0xa5; 16]);
    assert!(matches!(request.kind, Kind::Command(copied) if copied == task));
}

#[test]
fn what_a_controller_without_port_multipliers_does_not_take_is_malformed() {
    let fis = TaskFile::default().to_fis();
    // Too short a FIS, self test, a port multiplier's port in the header; then another FIS, and that port in it.
    let headers = [[0x04, 0x00], [0x05, 0x02], [0x05, 0x10]];
    for header in headers {
        let memory = Bytes::new(0x1000);
        memory.put(0, &header);
        memory.put(8, &0x800_u64.to_le_bytes());
        memory.put(0x800, &fis);
        assert!(
            matches!(Request::copy(0, 0, &memory).kind, Kind::Malformed),
            "{header:x?}"
        );
    }
    for (index, byte) in [(0, 0x46), (1, 0x81)] {
        let memory = Bytes::new(0x1000);
        memory.put(0, &[5]);
        memory.put(8, &0x800_u64.to_le_bytes());
        memory.put(0x800, &fis);
        memory.put(0x800 + index, &[byte]);
        assert!(
            matches!(Request::copy(0, 0, &memory).kind, Kind::Malformed),
            "byte {index}"
        );
    }
}

#[test]
fn a_list_at_the_end_of_everything_is_unreachable() {
    let memory = Bytes::new(0x1000);
    for list in [0x1000, !0x3ff_u64] {
        assert!(matches!(Request::copy(list, 31, &memory).kind, Kind::Unreachable));
    }
}

#[test]
fn bytes_go_through_regions_in_their_order_across_calls() {
    let memory = Bytes::new(0x1000);
    // 2, 4 and 2 bytes; bit 0 of address and count is none, bit 31 asks for an interrupt.
    memory.region(0x100, 0x801, 1 << 31);
    memory.region(0x110, 0x900, 3);
    memory.region(0x120, 0xa00, 1);
    let mut scatter = Scatter::new(0x100, 3);
    assert_eq!(scatter.length(usize::MAX, &memory), Ok(8));
    assert_eq!(scatter.length(7, &memory), Ok(7));
    scatter.spread(&[1, 2, 3], &memory).unwrap();
    assert_eq!(scatter.length(usize::MAX, &memory), Ok(5));
    scatter.spread(&[4, 5, 6, 7], &memory).unwrap();
    assert_eq!(memory.word(0x800), 0x0201);
    assert_eq!(memory.word(0x900), 0x0605_0403);
    assert_eq!(memory.word(0xa00), 0x07);
    let mut back = [0; 8];
    Scatter::new(0x100, 3).gather(&mut back, &memory).unwrap();
    assert_eq!(back, [1, 2, 3, 4, 5, 6, 7, 0]);
}

#[test]
fn regions_that_end_or_wrap_are_unreachable() {
    let memory = Bytes::new(0x1000);
    memory.region(0x100, 0x800, 1);
    memory.region(0x110, u64::MAX, 0x3f_ffff);
    let mut four = [0; 4];
    assert_eq!(
        Scatter::new(0x100, 1).gather(&mut four, &memory),
        Err(Unreachable)
    );
    assert_eq!(
        Scatter::new(0x100, 2).gather(&mut four, &memory),
        Err(Unreachable)
    );
    assert_eq!(
        Scatter::new(u64::MAX - 7, 9).spread(&four, &memory),
        Err(Unreachable)
    );
    assert_eq!(Scatter::new(0x110, 1).length(usize::MAX, &memory), Ok(4 << 20));
}

#[test]
fn an_order_is_written_where_the_specification_has_it() {
    const BASE: u64 = 0x1_0000_0000;
    let mut memory = Bytes::new(STRUCTURE_BYTES);
    let shared = Buffer::new(DeviceAddress(BASE), STRUCTURE_BYTES).share();
    let structures = Structures::new(shared);
    let chunk = |address| Buffer::new(DeviceAddress(address), 0x1_0000).lend();
    let order = Order {
        fis: core::array::from_fn(|index| u8::try_from(index).unwrap()),
        packet: Some([0xee; 16]),
        flags: 1 << 6,
        chunks: &VecDeque::from([chunk(0x2_0003_0000), chunk(0x4_0000)]),
        bytes: 0x1_0200,
    };
    structures.write(3, &order, &mut memory);
    let header: Vec<u32> = (0..4).map(|index| memory.word(3 * 32 + 4 * index)).collect();
    let table = usize::try_from(header[2]).unwrap();
    assert_eq!(header, [2 << 16 | 1 << 6 | 1 << 5 | 5, 0, 2048 + 3 * 512, 1]);
    assert_eq!(memory.word(table + 4), 0x0706_0504);
    assert_eq!(memory.word(table + 0x40), 0xeeee_eeee);
    let regions: Vec<u32> = (0..8)
        .map(|index| memory.word(table + 0x80 + 4 * index))
        .collect();
    assert_eq!(regions, [0x3_0000, 2, 0, 0xffff, 0x4_0000, 0, 0, 0x1ff]);
    structures.clear(3, &mut memory);
    assert_eq!((memory.word(3 * 32), memory.word(table)), (0, 0));
}

#[test]
fn the_set_bits_are_counted_from_the_lowest() {
    assert!(set_bits(0).next().is_none());
    assert_eq!(set_bits(1 << 31 | 0b101).collect::<Vec<_>>(), [0, 2, 31]);
}
