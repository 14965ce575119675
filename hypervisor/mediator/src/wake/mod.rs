//! Waking the hypervisor while the guest gives it no occasion: one comparator of the event timers sends an NMI.
//!
//! The comparator is ours, the others and the counter stay the guest's to read and use. Its writes are judged: the
//! counter keeps counting, our comparator keeps what we put there, and a message of another comparator's is an interrupt
//! that a device may send, nothing else.
//!
//! Source: IA-PC HPET Specification 1.0a, section 2.3 (registers), 2.4 (message interrupts).

use crate::cpu::registers::Width;
use crate::seam::Registers;
use core::mem;

/// Bytes of the register window.
pub const WINDOW: u32 = 0x400;

/// General capabilities: number of the last comparator in bits 12 to 8; the counter's period, in femtoseconds, in the
/// upper half.
const CAPABILITIES: u32 = 0x000;
const PERIOD: u32 = 0x004;
/// The longest period that the specification allows (2.3.4).
const LONGEST_PERIOD: u32 = 0x05f5_e100;
const CONFIGURATION: u32 = 0x010;
/// The counter counts and comparators interrupt.
const ENABLE: u32 = 1 << 0;
const COUNTER: u32 = 0x0f0;
const COUNTER_END: u32 = 0x0f8;
/// Comparators, of this size each.
const FIRST: u32 = 0x100;
const SIZE: u32 = 0x20;
/// Within a comparator: configuration, the compared value, the message's data and its address.
const TIMER: u32 = 0x00;
const VALUE: u32 = 0x08;
const MESSAGE_DATA: u32 = 0x10;
const MESSAGE_ADDRESS: u32 = 0x14;

/// Of a comparator's configuration (2.3.8): interrupts, the low half alone is compared, interrupts are messages, and
/// whether they can be.
const INTERRUPTS: u32 = 1 << 2;
const HALF: u32 = 1 << 8;
const MESSAGES: u32 = 1 << 14;
const CAN_MESSAGE: u32 = 1 << 15;

/// Messages go here; the destination is in bits 19 to 12 (AMD64 APM volume 2, 16.11).
const MESSAGE_BASE: u32 = 0xfee0_0000;
const MESSAGE_BASE_MASK: u32 = 0xfff0_0000;
const DELIVERY_MODE: u32 = 7 << 8;
const DELIVER_NMI: u32 = 4 << 8;
const LOWEST_PRIORITY: u32 = 1 << 8;

const FEMTOSECONDS: u64 = 1_000_000;
/// No comparison is set nearer than this, or it might have passed before it is set.
const NEAREST: u64 = 20_000;
/// Or further: the low half of the counter must not come round between two looks.
const FURTHEST: u64 = 1_000_000_000;
/// A comparison that has passed before it was set is set again so often, twice as far each time.
const TRIES: u32 = 8;

/// Our comparator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waker {
    /// Offset of its registers.
    comparator: u32,
    /// Femtoseconds of a tick.
    period: u32,
    /// What is compared, until its moment was seen.
    armed: Option<u32>,
    /// Messages that may come before the one of the moment that is set, or with it.
    early: u32,
    /// Messages that may still come of the moment before that.
    late: u32,
}

/// What else an NMI may have come for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// Nothing that is known.
    Unknown,
    /// Another CPU's call, or the guest's.
    Another,
}

/// Whose an NMI is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Ours: the moment of [`Waker::arm`] has come.
    Moment,
    /// Ours too, late: its moment is over.
    Stray,
    /// Not ours.
    Other,
}

impl Waker {
    /// Takes the last comparator that can send messages, silent until [`Self::arm`]; the counter counts from now on.
    /// `None` where there is no such comparator, or nothing that is an HPET.
    pub fn take(registers: &mut impl Registers) -> Option<Self> {
        let period = registers.read(PERIOD);
        if period == 0 || period > LONGEST_PERIOD {
            return None;
        }
        let last = registers.read(CAPABILITIES) >> 8 & 0x1f;
        let comparators = (0..=last).rev().map(|number| FIRST + number * SIZE);
        let comparator = comparators
            .into_iter()
            .find(|place| registers.read(place + TIMER) & CAN_MESSAGE != 0)?;
        registers.write(comparator + TIMER, 0);
        let configuration = registers.read(CONFIGURATION);
        registers.write(CONFIGURATION, configuration | ENABLE);
        Some(Self {
            comparator,
            period,
            armed: None,
            early: 0,
            late: 0,
        })
    }

    /// Sends an NMI to the CPU with this APIC ID in so many nanoseconds, once; 20 µs at least, a second at most.
    pub fn arm(&mut self, registers: &mut impl Registers, apic_id: u8, nanoseconds: u64) {
        registers.write(self.comparator + TIMER, 0);
        registers.write(self.comparator + MESSAGE_DATA, DELIVER_NMI);
        registers.write(
            self.comparator + MESSAGE_ADDRESS,
            MESSAGE_BASE | u32::from(apic_id) << 12,
        );
        let mut delay = nanoseconds.clamp(NEAREST, FURTHEST);
        for _ in 0..TRIES {
            let now = registers.read(COUNTER);
            let value = now.wrapping_add(self.ticks(delay));
            if value < now {
                // A comparator of 32 bits interrupts when the counter comes round, too (2.3.9.2.1).
                self.early = self.early.saturating_add(1);
            }
            // Value first: enabled on the old one, it could fire at once.
            registers.write(self.comparator + VALUE, value);
            registers.write(self.comparator + TIMER, INTERRUPTS | HALF | MESSAGES);
            self.armed = Some(value);
            if !self.is_due(registers) {
                return;
            }
            // Whether the passed one was still seen by the comparator is not known.
            self.early = self.early.saturating_add(1);
            delay = delay.saturating_mul(2);
        }
    }

    /// Whose the NMI is that was just taken. A moment is told once; [`Self::arm`] sets the next.
    ///
    /// The counter may pass the moment before the message is here, and another NMI come in between: then the message,
    /// which may as well be one with that NMI, is still awaited. Messages come in the order of their moments, so the wait
    /// ends with the next.
    pub fn judge(&mut self, registers: &mut impl Registers, cause: Cause) -> Owner {
        if self.is_due(registers) {
            self.armed = None;
            self.late = mem::take(&mut self.early);
            self.late += u32::from(cause == Cause::Another);
            return Owner::Moment;
        }
        let awaited = [&mut self.early, &mut self.late];
        match awaited.into_iter().find(|count| **count > 0) {
            Some(count) if cause == Cause::Unknown => {
                *count -= 1;
                Owner::Stray
            }
            _ => Owner::Other,
        }
    }

    fn is_due(&self, registers: &mut impl Registers) -> bool {
        self.armed.is_some_and(|value| {
            let passed = registers.read(COUNTER).wrapping_sub(value);
            passed < 1 << 31
        })
    }

    /// The guest writes at `offset`. Registers have 32 bits, and may be written in pairs.
    pub fn guest_writes(&self, registers: &mut impl Registers, offset: u64, width: Width, value: u64) {
        let Some(offset) = u32::try_from(offset)
            .ok()
            .filter(|offset| offset.is_multiple_of(u32::from(width.bytes())))
        else {
            return;
        };
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        let (low, high) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        match width {
            Width::One | Width::Two => {}
            Width::Four => self.guest_writes_register(registers, offset, low),
            Width::Eight => {
                self.guest_writes_register(registers, offset, low);
                self.guest_writes_register(registers, offset.saturating_add(4), high);
            }
        }
    }

    fn guest_writes_register(&self, registers: &mut impl Registers, offset: u32, value: u32) {
        let ours = self.comparator..self.comparator + SIZE;
        if ours.contains(&offset) || (COUNTER..COUNTER_END).contains(&offset) || offset >= WINDOW {
            return;
        }
        let value = match offset {
            CONFIGURATION => value | ENABLE,
            FIRST.. if offset % SIZE == MESSAGE_DATA && value & DELIVERY_MODE > LOWEST_PRIORITY => return,
            FIRST..
                if offset % SIZE == MESSAGE_ADDRESS
                    && value != 0
                    && value & MESSAGE_BASE_MASK != MESSAGE_BASE =>
            {
                return;
            }
            _ => value,
        };
        registers.write(offset, value);
    }

    /// As many ticks of the counter as last so long, one at least.
    fn ticks(&self, nanoseconds: u64) -> u32 {
        let ticks = nanoseconds.saturating_mul(FEMTOSECONDS) / u64::from(self.period.max(1));
        u32::try_from(ticks).map_or(u32::MAX >> 1, |ticks| ticks.clamp(1, u32::MAX >> 1))
    }
}

#[cfg(test)]
mod tests;
