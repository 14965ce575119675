//! A guest's driver for Intel's fast Ethernet NICs: a list of commands that ends suspended, a ring of receive descriptors.

use crate::bytes;
use crate::memory::Memory;
use crate::pro100::spec::{block, cause, command, register};
use sekisho_mediator::cpu::registers::Width;

/// A guest's way to the NIC's registers, with the access's width.
pub trait Pro100Window {
    /// Loads.
    fn read(&mut self, offset: u8, width: Width) -> u32;

    /// Stores.
    fn write(&mut self, offset: u8, width: Width, value: u32);
}

/// Blocks, and receive descriptors, of the driver's.
pub const BLOCKS: u32 = 16;
const STEP: u64 = 0x1000;
const RECEIVED: u64 = 0x10_0000;

/// How frames are given to the NIC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Buffers {
    /// Behind the block.
    Simplified,
    /// By a table of this many buffers, in the block where that is extended.
    Table(u32),
}

/// The driver.
#[derive(Clone, Debug)]
pub struct Pro100Driver {
    memory: Memory,
    base: u64,
    next: u32,
    is_started: bool,
    next_received: u32,
}

impl Pro100Driver {
    /// Resets the NIC, gives it its address and configuration, and starts receiving; the driver's things lie at `base`,
    /// which takes 2 MiB.
    pub fn start(
        window: &mut impl Pro100Window,
        memory: &Memory,
        base: u64,
        configuration: &[u8],
        address: [u8; 6],
    ) -> Self {
        let mut driver = Self {
            memory: memory.clone(),
            base,
            next: 0,
            is_started: false,
            next_received: 0,
        };
        window.write(register::PORT, Width::Four, 0);
        driver.set_up(window, configuration, address);
        driver
    }

    /// All that a reset takes away.
    pub fn set_up(&mut self, window: &mut impl Pro100Window, configuration: &[u8], address: [u8; 6]) {
        (self.next, self.is_started, self.next_received) = (0, false, 0);
        for order in [command::CU_BASE, command::RU_BASE] {
            self.order(window, order, 0);
        }
        self.run(window, block::CONFIGURE, configuration);
        self.run(window, block::ADDRESS, &address);
        for index in 0..BLOCKS {
            self.arm(index);
        }
        let first = bytes::low_dword(self.receive_place(0));
        self.order(window, command::RU_START, first);
    }

    /// Gives the NIC a command with its parameters; whether it is done at once.
    pub fn run(&mut self, window: &mut impl Pro100Window, opcode: u32, parameters: &[u8]) -> bool {
        let place = self.place(self.next);
        self.memory.ram().store(place + 8, parameters);
        self.begin(window, opcode)
    }

    /// Sends a frame; whether it is done at once.
    pub fn send(&mut self, window: &mut impl Pro100Window, frame: &[u8], buffers: Buffers) -> bool {
        let place = self.place(self.next);
        let ram = self.memory.ram();
        let length = bytes::low_dword(frame.len() as u64);
        match buffers {
            Buffers::Simplified => {
                ram.store(place + 16, frame);
                ram.store(place + 8, &u32::MAX.to_le_bytes());
                ram.store(place + 12, &(length | 1 << 15 | 0xe0 << 16).to_le_bytes());
                self.begin(window, block::TRANSMIT)
            }
            Buffers::Table(count) => {
                let data = place + 0x800;
                ram.store(data, frame);
                let size = length.div_ceil(count);
                let mut entries = Vec::new();
                for index in 0..count {
                    let at = bytes::low_dword(data) + index * size;
                    entries.extend(at.to_le_bytes());
                    entries.extend(size.min(length.saturating_sub(index * size)).to_le_bytes());
                }
                // The first two in the block, the others in a table.
                let (first, others) = entries.split_at(entries.len().min(16));
                ram.store(place + 16, first);
                ram.store(place + 0x400, others);
                ram.store(place + 8, &bytes::low_dword(place + 0x400).to_le_bytes());
                ram.store(place + 12, &(0xe0 << 16 | count << 24).to_le_bytes());
                self.begin(window, block::TRANSMIT | block::SF)
            }
        }
    }

    /// The interrupt handler: causes, and what was received.
    pub fn interrupt(&mut self, window: &mut impl Pro100Window) -> (u8, Vec<Vec<u8>>) {
        let causes = bytes::nth(window.read(register::STAT_ACK, Width::One).into(), 0);
        window.write(register::STAT_ACK, Width::One, causes.into());
        let frames = self.take();
        // The unit that ran out of descriptors is started again.
        if causes & cause::RNR != 0 {
            let next = bytes::low_dword(self.receive_place(self.next_received));
            self.order(window, command::RU_START, next);
        }
        (causes, frames)
    }

    /// Takes what lies in the ring.
    fn take(&mut self) -> Vec<Vec<u8>> {
        let mut frames = Vec::new();
        for _ in 0..BLOCKS {
            let place = self.receive_place(self.next_received);
            let header = self.memory.ram().bytes(place, 16);
            if u32::from(bytes::word(&header, 0)) & block::C == 0 {
                break;
            }
            let count = usize::from(bytes::word(&header, 12) & 0x3fff);
            frames.push(self.memory.ram().bytes(place + 16, count));
            self.arm(self.next_received);
            self.next_received = (self.next_received + 1) % BLOCKS;
        }
        frames
    }

    /// Where a block lies.
    #[must_use]
    pub fn place(&self, index: u32) -> u64 {
        self.base + u64::from(index) * STEP
    }

    /// Where a receive descriptor lies.
    #[must_use]
    pub fn receive_place(&self, index: u32) -> u64 {
        self.base + RECEIVED + u64::from(index) * STEP
    }

    /// The next block.
    #[must_use]
    pub const fn next(&self) -> u32 {
        self.next
    }

    /// Gives the command unit its next block, with suspension and an interrupt behind it.
    pub fn begin(&mut self, window: &mut impl Pro100Window, control: u32) -> bool {
        let index = self.next;
        self.next = (index + 1) % BLOCKS;
        let place = self.place(index);
        let link = bytes::low_dword(self.place(self.next));
        let ram = self.memory.ram();
        ram.store(place, &(control | block::S | block::I).to_le_bytes());
        ram.store(place + 4, &link.to_le_bytes());
        if self.is_started {
            self.order(window, command::CU_RESUME, 0);
        } else {
            self.is_started = true;
            self.order(window, command::CU_START, bytes::low_dword(place));
        }
        u32::from(bytes::word(&ram_header(&self.memory, place), 0)) & block::C != 0
    }

    /// Gives a unit a command.
    pub fn order(&self, window: &mut impl Pro100Window, order: u8, pointer: u32) {
        window.write(register::POINTER, Width::Four, pointer);
        window.write(register::COMMAND, Width::One, order.into());
    }

    /// Readies a receive descriptor: the last of the ring is its end.
    fn arm(&self, index: u32) {
        let end = if index + 1 == BLOCKS { block::EL } else { 0 };
        let next = bytes::low_dword(self.receive_place((index + 1) % BLOCKS));
        let words = [end, next, u32::MAX, 1520 << 16];
        self.memory.ram().store(
            self.receive_place(index),
            words.map(u32::to_le_bytes).as_flattened(),
        );
    }
}

fn ram_header(memory: &Memory, place: u64) -> Vec<u8> {
    memory.ram().bytes(place, 16)
}
