//! The receiver: filters, legacy descriptors, one buffer after the other.

use super::nic::{Flavour, Pro1000};
use super::offload::{crc, internet_sum};
use super::spec::{DESCRIPTOR, cause, control, ctrl, received, register};
use crate::bytes;
use crate::memory::Claim;

/// Owners of claims: receive descriptors from zero on, transmit descriptors from here on.
pub(super) const TRANSMIT_OWNER: u32 = 0x1_0000;

impl Pro1000 {
    /// Receives one frame; whether there was one.
    pub(super) fn step_receive(&mut self) -> bool {
        let Some(frame) = self.arriving.pop_front() else {
            return false;
        };
        let control = self.value(register::RCTL);
        let is_on = control & control::EN != 0 && self.is_linked();
        let longest = if control & control::LPE == 0 { 1518 } else { 16380 };
        if !is_on || frame.len() > longest || !self.accepts(&frame, control) {
            return true;
        }
        if self.receive(frame, control).is_none() {
            self.set(register::MPC, self.value(register::MPC) + 1);
            self.cause(cause::RXO);
        }
        true
    }

    fn accepts(&self, frame: &[u8], control: u32) -> bool {
        let Some(destination) = frame.first_chunk::<6>() else {
            return false;
        };
        let has = (0..16).any(|entry| {
            let low = self.value(register::RAL + 8 * entry).to_le_bytes();
            let high = self.value(register::RAH + 8 * entry);
            let [e, f, ..] = high.to_le_bytes();
            let [a, b, c, d] = low;
            high >> 31 != 0 && *destination == [a, b, c, d, e, f]
        });
        let is_group = bytes::byte(frame, 0) & 1 != 0;
        let hash = u32::from(bytes::byte(frame, 4)) >> 4 | u32::from(bytes::byte(frame, 5)) << 4;
        let table = self.value(register::MTA + 4 * (hash >> 5 & 127)) >> (hash & 31) & 1 != 0;
        has || !is_group && control & control::UPE != 0
            || is_group && (control & control::MPE != 0 || table)
            || *destination == [0xff; 6] && control & control::BAM != 0
    }

    fn receive(&mut self, mut frame: Vec<u8>, control: u32) -> Option<()> {
        frame.resize(frame.len().max(60), 0);
        let sums = self.judge_sums(&frame);
        let mut tag = None;
        let is_tagged = frame.get(12..14) == Some(&[0x81, 0]);
        if is_tagged && self.value(register::CTRL) & ctrl::VME != 0 {
            tag = Some(bytes::word(&frame, 14).swap_bytes());
            frame.drain(12..16);
        }
        if control & control::SECRC == 0 {
            let check = crc(&frame).to_le_bytes();
            frame.extend_from_slice(&check);
        }
        let size = buffer_size(control);
        let needed = frame.len().div_ceil(size);
        if bytes::size(self.free().into()) < needed {
            return None;
        }
        let last = frame.chunks(size).count();
        for (index, part) in frame.chunks(size).enumerate() {
            let end = if index + 1 == last {
                Some((sums, tag))
            } else {
                None
            };
            self.fill(part, end);
        }
        self.cause(cause::RXT0);
        Some(())
    }

    /// Descriptors that are the device's.
    fn free(&self) -> u32 {
        let count = self.value(register::RDLEN) / 16;
        let (head, tail) = (self.value(register::RDH), self.value(register::RDT));
        (tail + count)
            .saturating_sub(head)
            .checked_rem(count)
            .unwrap_or(0)
    }

    fn fill(&mut self, part: &[u8], end: Option<([u8; 2], Option<u16>)>) {
        let head = self.value(register::RDH);
        let place = self.base(register::RDBAL) + u64::from(head) * DESCRIPTOR as u64;
        let count = self.value(register::RDLEN) / 16;
        self.set(register::RDH, (head + 1) % count.max(1));
        self.memory.release(head);
        let Some(descriptor) = self.memory.device_read(place, DESCRIPTOR) else {
            return;
        };
        self.memory.device_write(bytes::qword(&descriptor, 0), part);
        let mut back = [0; 8];
        bytes::put(&mut back, 0, &bytes::low_word(part.len() as u64).to_le_bytes());
        let mut status = received::DD;
        if let Some(([sums, errors], tag)) = end {
            status |= received::EOP | sums;
            if let Some(tag) = tag {
                status |= received::VP;
                bytes::put(&mut back, 6, &tag.to_le_bytes());
            }
            bytes::put(&mut back, 5, &[errors]);
        }
        bytes::put(&mut back, 4, &[status]);
        self.memory.device_write(place + 8, &back);
    }

    /// Status and errors of the checksums, where the device looks at them.
    fn judge_sums(&self, frame: &[u8]) -> [u8; 2] {
        let is_four = frame.get(12..14) == Some(&[8, 0]) && bytes::byte(frame, 14) == 0x45;
        if self.flavour == Flavour::E82540 || !is_four || self.value(register::RXCSUM) & 0x300 == 0 {
            return [received::IXSM, 0];
        }
        let header = frame.get(14..34).unwrap_or_default();
        if internet_sum(header) == 0xffff {
            [received::IPCS, 0]
        } else {
            [received::IPCS, received::IPE]
        }
    }

    pub(super) fn base(&self, low: u32) -> u64 {
        u64::from(self.value(low + 4)) << 32 | u64::from(self.value(low))
    }

    /// The engine was switched on: what lies between head and tail is the device's.
    pub(super) fn claim_new(&mut self, is_receive: bool) {
        let (head, tail) = if is_receive {
            (register::RDH, register::RDT)
        } else {
            (register::TDH, register::TDT)
        };
        self.claim_range(is_receive, self.value(head), self.value(tail));
    }

    /// Descriptors from one index up to another are the device's now, with what they point to.
    pub(super) fn claim_range(&mut self, is_receive: bool, from: u32, to: u32) {
        let (base, length, owner) = if is_receive {
            (register::RDBAL, register::RDLEN, 0)
        } else {
            (register::TDBAL, register::TDLEN, TRANSMIT_OWNER)
        };
        let count = self.value(length) / 16;
        let start = self.base(base);
        let mut index = from;
        while index != to && index < count {
            let place = start + u64::from(index) * DESCRIPTOR as u64;
            self.memory
                .claim(owner + index, Claim::Instruction, place, DESCRIPTOR);
            if is_receive && let Some(descriptor) = self.memory.device_read(place, DESCRIPTOR) {
                let size = buffer_size(self.value(register::RCTL));
                self.memory
                    .claim(index, Claim::Transfer, bytes::qword(&descriptor, 0), size);
            } else if !is_receive {
                self.claim_data(owner + index, place);
            }
            index = (index + 1) % count;
        }
    }

    pub(super) fn release_all(&mut self) {
        for index in 0..4096 {
            self.memory.release(index);
            self.memory.release(TRANSMIT_OWNER + index);
        }
    }
}

fn buffer_size(control: u32) -> usize {
    let size = 2048 >> ((control & control::BSIZE) >> 16);
    if control & control::BSEX == 0 {
        size
    } else {
        size * 16
    }
}
