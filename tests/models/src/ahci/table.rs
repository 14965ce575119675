//! A command as it lies in memory when its slot is issued: header, FIS, packet and regions, each checked.

use super::spec::{HEADER_SIZE, REGION_SIZE, TABLE_PACKET, TABLE_REGIONS, header};
use crate::ata::spec::command;
use crate::ata::{FIS_SIZE, TaskFile, packet::PACKET_SIZE};
use crate::breach::Breach;
use crate::bytes;
use crate::memory::{Claim, Memory};

/// Bytes of memory that data goes to or comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) address: u64,
    pub(super) length: usize,
    pub(super) interrupt: bool,
}

/// What the FIS says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// A command.
    Task(TaskFile),
    /// The device control register: a software reset begins or ends.
    Control(u8),
}

/// A command.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) order: Order,
    pub(super) packet: Vec<u8>,
    pub(super) regions: Vec<Region>,
    pub(super) is_write: bool,
    header_address: u64,
}

/// Whose command it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) port: u8,
    pub(super) number: u8,
}

impl Slot {
    /// Its name among the memory's claims.
    pub(super) fn owner(self) -> u32 {
        u32::from(self.port) << 8 | u32::from(self.number)
    }
}

impl Command {
    /// Reads the command in `slot` of the list at `list`, and claims what it needs.
    pub(super) fn fetch(memory: &Memory, list: u64, slot: Slot) -> Option<Self> {
        let header_address = list + u64::from(slot.number) * HEADER_SIZE as u64;
        let bytes = memory.device_read(header_address, HEADER_SIZE)?;
        let first = bytes::dword(&bytes, 0);
        let table = bytes::qword(&bytes, 8);
        check_header(memory, slot, &bytes);
        let count = usize::from(bytes::word(&bytes, 2));
        let length = bytes::size(TABLE_REGIONS) + count * REGION_SIZE;
        let content = memory.device_read(table & !0x7f, length)?;
        let regions: Vec<Region> = content
            .get(bytes::size(TABLE_REGIONS)..)
            .unwrap_or_default()
            .chunks_exact(REGION_SIZE)
            .map(|entry| region(memory, slot, entry))
            .collect();
        let command = Self {
            order: order(memory, slot, &content, first)?,
            packet: content
                .get(bytes::size(TABLE_PACKET)..)?
                .get(..PACKET_SIZE)?
                .to_vec(),
            regions,
            is_write: first & header::W != 0,
            header_address,
        };
        // The count of transferred bytes, second in the header, is the device's to write.
        memory.claim(slot.owner(), Claim::Instruction, header_address, 4);
        memory.claim(
            slot.owner(),
            Claim::Instruction,
            header_address + 8,
            HEADER_SIZE - 8,
        );
        memory.claim(slot.owner(), Claim::Instruction, table, length);
        for region in &command.regions {
            memory.claim(slot.owner(), Claim::Transfer, region.address, region.length);
        }
        Some(command)
    }

    /// Whether it is one for the device's queue.
    pub(super) const fn is_queued(&self) -> bool {
        matches!(
            self.order,
            Order::Task(TaskFile {
                command: command::READ_FPDMA_QUEUED
                    | command::WRITE_FPDMA_QUEUED
                    | command::SEND_FPDMA_QUEUED
                    | command::RECEIVE_FPDMA_QUEUED
                    | command::NCQ_NON_DATA,
                ..
            })
        )
    }

    /// Bytes that its regions hold.
    pub(super) fn capacity(&self) -> usize {
        self.regions.iter().map(|region| region.length).sum()
    }

    /// The data that its regions hold, at most `limit` bytes.
    pub(super) fn gather(&self, memory: &Memory, limit: usize) -> Option<Vec<u8>> {
        let mut data = Vec::new();
        for (region, length) in self.parts(limit) {
            data.extend(memory.device_read(region.address, length)?);
        }
        Some(data)
    }

    /// Puts data into its regions; what they do not hold is lost.
    pub(super) fn scatter(&self, memory: &Memory, data: &[u8]) -> Option<()> {
        let mut rest = data;
        for (region, length) in self.parts(data.len()) {
            let (part, behind) = rest.split_at(length.min(rest.len()));
            memory.device_write(region.address, part)?;
            rest = behind;
        }
        Some(())
    }

    /// Says in the header how many bytes were transferred.
    pub(super) fn report(&self, memory: &Memory, transferred: usize) {
        let count = bytes::low_dword(transferred as u64).to_le_bytes();
        memory.device_write(self.header_address + 4, &count);
    }

    /// Whether a region that the first `length` bytes fill asks for an interrupt.
    pub(super) fn interrupts_within(&self, length: usize) -> bool {
        self.parts(length)
            .any(|(region, used)| region.interrupt && used == region.length)
    }

    fn parts(&self, limit: usize) -> impl Iterator<Item = (&Region, usize)> {
        let mut rest = limit;
        self.regions.iter().map_while(move |region| {
            let length = region.length.min(rest);
            rest -= length;
            (length > 0).then_some((region, length))
        })
    }
}

/// A register FIS, in the header's unit.
const FIS_DWORDS: u32 = 5;

fn check_header(memory: &Memory, slot: Slot, bytes: &[u8]) {
    let first = bytes::dword(bytes, 0);
    let is_reserved_set = (16..HEADER_SIZE).any(|place| bytes::byte(bytes, place) != 0);
    let is_aligned = bytes::dword(bytes, 8) & 0x7f == 0;
    let is_length_right = first & header::CFL == FIS_DWORDS;
    if first & header::FORBIDDEN != 0 || is_reserved_set || !is_aligned || !is_length_right {
        memory.breach(Breach::BadHeader(slot.port, slot.number));
    }
}

fn order(memory: &Memory, slot: Slot, table: &[u8], first: u32) -> Option<Order> {
    let fis = table.get(..FIS_SIZE)?;
    let is_reset = first & header::R != 0;
    let Some(task) = TaskFile::from_fis(fis) else {
        let is_control = bytes::byte(fis, 0) == 0x27 && bytes::byte(fis, 1) == 0;
        let control = bytes::byte(fis, 15);
        if !is_control || is_reset != (control & SRST != 0) {
            memory.breach(Breach::BadFis(slot.port, slot.number));
        }
        return is_control.then_some(Order::Control(control));
    };
    let is_packet = task.command == command::PACKET;
    let is_port_zero = bytes::byte(fis, 1) & 0x0f == 0;
    if is_reset || !is_port_zero || is_packet != (first & header::A != 0) {
        memory.breach(Breach::BadFis(slot.port, slot.number));
    }
    Some(Order::Task(task))
}

/// Device control: software reset.
pub(super) const SRST: u8 = 1 << 2;

fn region(memory: &Memory, slot: Slot, entry: &[u8]) -> Region {
    const INTERRUPT: u32 = 1 << 31;
    const COUNT: u32 = 0x3f_ffff;
    let (address, count) = (bytes::qword(entry, 0), bytes::dword(entry, 12));
    let is_reserved_set = bytes::dword(entry, 8) != 0 || count & !(INTERRUPT | COUNT) != 0;
    if address & 1 != 0 || count & 1 == 0 || is_reserved_set {
        memory.breach(Breach::BadRegion(slot.port, slot.number));
    }
    Region {
        address: address & !1,
        length: bytes::size((count & COUNT | 1).into()) + 1,
        interrupt: count & INTERRUPT != 0,
    }
}
