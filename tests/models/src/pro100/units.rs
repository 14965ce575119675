//! The command unit and the receive unit.

use super::nic::{Pro100, Unit};
use super::spec::{block, cause};
use crate::breach::Breach;
use crate::bytes;
use crate::memory::Claim;
use crate::pro1000::crc;

/// Blocks and descriptors of a chain at most; one without an end is a breach.
const CHAIN: u32 = 256;
/// Blocks of a chain that the emulator's device carries out: behind them it stops, and says that it is active for ever.
const BLOCKS: u32 = 16;
/// How many descriptors before the end of its chain the device is near it.
const NEAR: u32 = 6;
/// Owners of claims, by place in the chain.
const COMMANDS: u32 = 0x2_0000;
const RECEIVED: u32 = 0x3_0000;
const HEADER: usize = 16;
/// Bits of the configuration that change blocks or descriptors, by byte: those that must be set, and clear.
const REQUIRED: [(usize, u8, u8); 4] = [(6, 0x10, 0x80), (7, 0, 0xa0), (9, 0, 3), (10, 8, 0xc0)];

impl Pro100 {
    /// Carries out one block; whether there was one.
    pub(super) fn step_command(&mut self) -> bool {
        if self.command_unit != Unit::Active {
            return false;
        }
        let place = u64::from(self.command_base.wrapping_add(self.next_command));
        let Some(header) = self.memory.device_read(place, HEADER) else {
            self.command_unit = Unit::Idle;
            return true;
        };
        let control = bytes::dword(&header, 0);
        let count = usize::from(bytes::word(&header, 12) & 0x3fff);
        match control & 7 << 16 {
            block::NOP => {}
            block::ADDRESS => {
                let address = self.memory.device_read(place + 8, 6).unwrap_or_default();
                bytes::put(&mut self.address, 0, &address);
            }
            block::CONFIGURE => self.configure(place),
            block::MULTICAST => {
                let length = usize::from(bytes::word(&header, 8) & 0x3fff);
                let list = self.memory.device_read(place + 10, length).unwrap_or_default();
                let (groups, _) = list.as_chunks::<6>();
                self.groups = groups.to_vec();
            }
            block::TRANSMIT => self.transmit(place, &header, count),
            _ => self.memory.breach(Breach::BadDescriptor(self.next_command)),
        }
        self.release_claim(COMMANDS, place);
        let status = block::C | block::OK;
        self.memory
            .device_write(place, &bytes::low_word(status.into()).to_le_bytes());
        self.next_command = bytes::dword(&header, 4);
        if control & block::I != 0 {
            self.cause(cause::CX);
        }
        if control & block::EL != 0 {
            self.command_unit = Unit::Idle;
            self.cause(cause::CNA);
        } else if control & block::S != 0 {
            self.command_unit = Unit::Suspended;
            self.cause(cause::CNA);
        }
        true
    }

    fn configure(&mut self, place: u64) {
        let content = self.memory.device_read(place + 8, 22).unwrap_or_default();
        let count = usize::from(bytes::byte(&content, 0) & 0x3f);
        let known = content.get(..count.min(22)).unwrap_or_default();
        bytes::put(&mut self.configuration, 0, known);
        for (at, set, clear) in REQUIRED {
            let byte = bytes::byte(&self.configuration, at);
            if byte & set != set || byte & clear != 0 {
                self.memory
                    .breach(Breach::ReservedBits(bytes::low_dword(at as u64), byte.into()));
            }
        }
    }

    fn transmit(&mut self, place: u64, header: &[u8], count: usize) {
        let control = bytes::dword(header, 0);
        let is_simple = control & (block::SF | 1 << 20) == 0 && bytes::dword(header, 8) == u32::MAX;
        let is_whole = bytes::byte(header, 13) & 0x80 != 0 && bytes::byte(header, 15) == 0;
        if !is_simple || !is_whole || !(14..=1518).contains(&count) {
            self.memory.breach(Breach::BadDescriptor(self.next_command));
            return;
        }
        if let Some(mut frame) = self.memory.device_read(place + HEADER as u64, count) {
            frame.resize(frame.len().max(60), 0);
            self.sent.push(frame);
        }
    }

    /// Receives one frame; whether there was one.
    pub(super) fn step_receive(&mut self) -> bool {
        let Some(frame) = self.arriving.pop_front() else {
            return false;
        };
        if self.receive_unit == Unit::Active && self.accepts(&frame) {
            self.receive(frame);
        }
        true
    }

    fn accepts(&self, frame: &[u8]) -> bool {
        let Some(destination) = frame.first_chunk::<6>() else {
            return false;
        };
        let has = |at: usize, bit: u8| bytes::byte(&self.configuration, at) & bit != 0;
        has(15, 1)
            || *destination == self.address
            || *destination == [0xff; 6] && !has(15, 2)
            || bytes::byte(frame, 0) & 1 != 0 && (has(21, 8) || self.groups.contains(destination))
    }

    fn receive(&mut self, mut frame: Vec<u8>) {
        frame.resize(frame.len().max(60), 0);
        if bytes::byte(&self.configuration, 18) & 4 != 0 {
            let check = crc(&frame).to_le_bytes();
            frame.extend_from_slice(&check);
        }
        let place = u64::from(self.receive_base.wrapping_add(self.next_received));
        let Some(header) = self.memory.device_read(place, HEADER) else {
            return;
        };
        let control = bytes::dword(&header, 0);
        let size = usize::from(bytes::word(&header, 14));
        if control & block::SF != 0 || size < 1518 || size & 1 != 0 {
            self.memory.breach(Breach::BadDescriptor(self.next_received));
        }
        self.release_claim(RECEIVED, place);
        let is_whole = frame.len() <= size;
        frame.truncate(size);
        self.memory.device_write(place + HEADER as u64, &frame);
        let count = bytes::low_word(frame.len() as u64) | 0xc000;
        self.memory.device_write(place + 12, &count.to_le_bytes());
        let status = if is_whole { block::C | block::OK } else { block::C };
        self.memory
            .device_write(place, &bytes::low_word(status.into()).to_le_bytes());
        self.next_received = bytes::dword(&header, 4);
        self.cause(cause::FR);
        if control & block::EL != 0 {
            self.receive_unit = Unit::NoResources;
            self.cause(cause::RNR);
        } else {
            self.claim_received();
        }
    }

    /// The chain that begins at the next block is the device's.
    pub(super) fn claim_commands(&mut self) {
        self.claim(COMMANDS, self.command_base, self.next_command);
    }

    /// The chain that begins at the next descriptor is the device's.
    pub(super) fn claim_received(&mut self) {
        self.claim(RECEIVED, self.receive_base, self.next_received);
    }

    fn claim(&mut self, owner: u32, base: u32, first: u32) {
        let mut next = first;
        let most = if owner == COMMANDS { BLOCKS } else { CHAIN };
        for distance in 0..most {
            let place = u64::from(base.wrapping_add(next));
            let Some(header) = self.memory.device_read(place, HEADER) else {
                return;
            };
            let number = owner_of(owner, place);
            let is_end = bytes::dword(&header, 0) & block::EL != 0;
            self.memory.release(number);
            // The end of a receive chain may be moved while the device is far from it.
            if owner == COMMANDS || !is_end || distance < NEAR {
                self.memory.claim(number, Claim::Instruction, place, HEADER);
            }
            let size = usize::from(bytes::word(&header, if owner == COMMANDS { 12 } else { 14 }) & 0x3fff);
            let is_frame = owner == RECEIVED || bytes::dword(&header, 0) & 7 << 16 == block::TRANSMIT;
            if is_frame && size > 0 {
                self.memory
                    .claim(number, Claim::Transfer, place + HEADER as u64, size);
            }
            if bytes::dword(&header, 0) & (block::EL | block::S) != 0 {
                return;
            }
            next = bytes::dword(&header, 4);
        }
        self.memory.breach(Breach::BadDescriptor(first));
    }

    fn release_claim(&self, owner: u32, place: u64) {
        self.memory.release(owner_of(owner, place));
    }

    pub(super) fn release_all(&self) {
        (0..0x1_0000).for_each(|slot| self.memory.release(COMMANDS + slot));
        self.release_all_received();
    }

    pub(super) fn release_all_received(&self) {
        (0..0x1_0000).for_each(|slot| self.memory.release(RECEIVED + slot));
    }
}

/// One owner for each place where a block may lie.
fn owner_of(owner: u32, place: u64) -> u32 {
    owner + bytes::low_dword(place >> 4 & 0xffff)
}
