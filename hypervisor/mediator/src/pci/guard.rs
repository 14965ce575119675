//! Writes to the standard header of a passed function: what could move memory or functions is judged first.
//!
//! The rule for base addresses and windows: what is not decoded is harmless, so while memory decoding is off the
//! guest may write there what it likes, sizing and half-written 64-bit addresses included. The judgement falls
//! when decoding is turned on, by what the hardware then holds, and on each write while it is on. So no passed
//! function ever decodes a protected range, whatever resets happened in between.

use super::access::{ConfigSpace, Width, dword_of};
use super::attempt::Attempt;
use super::bar::Bar;
use super::bridge::{Bridge, BusNumbers, Renumbering, Windows};
use super::change::Admission;
use super::function::{Found, Function, Layout};
use super::mediator::Mediator;
use super::range::MemoryRange;
use super::spec::{self, command};
use sekisho_abi::pci::Address;

impl Mediator<'_> {
    /// A write below [`spec::HEADER_END`] of a passed function.
    #[inline(never)]
    pub(super) fn write_header<C: ConfigSpace>(
        &mut self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
        value: u32,
    ) {
        let Some(function) = self.functions.at(address) else {
            return;
        };
        let dword = dword_of(offset);
        let refused = if dword == spec::COMMAND {
            self.judge_command(hardware, address, offset, width, value)
        } else if dword < spec::BAR_0 {
            Ok(())
        } else if function.bars().covering(dword).is_some() {
            self.judge_bar(hardware, address, offset, width, value)
        } else {
            match function.layout() {
                Layout::Unknown => Err(Attempt::UnknownHeader),
                Layout::Bridge | Layout::CardBus if dword == spec::BUS_NUMBERS => {
                    self.judge_bus_numbers(address, offset, width, value)
                }
                Layout::Bridge => self.judge_window(hardware, address, offset, width, value),
                Layout::Endpoint | Layout::CardBus => Ok(()),
            }
        };
        match refused {
            Ok(()) => {
                hardware.write(address, offset, width, value);
                self.track(hardware, address, offset);
            }
            Err(attempt) => self.attempts.refuse(attempt, address),
        }
    }

    /// Turning a function on: it must still be the one decided, and decode nothing that is protected.
    fn judge_command<C: ConfigSpace>(
        &mut self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
        value: u32,
    ) -> Result<(), Attempt> {
        let before = hardware.read(address, spec::COMMAND, Width::Word);
        let gained = width.merge(before, offset, value) & !before & command::ACTIVE;
        if gained == 0 {
            return Ok(());
        }
        if !self.is_still_that_kind(hardware, address) {
            match self.decide_again(hardware, address) {
                Admission::Known => {}
                Admission::NotReady(_) | Admission::Refused => return Err(Attempt::ChangedIdentity),
            }
        }
        let function = self.functions.at(address).ok_or(Attempt::ConcealedWrite)?;
        if function.fate().hides() {
            return Err(Attempt::ConcealedWrite);
        }
        if function.layout() == Layout::Unknown {
            return Err(Attempt::UnknownHeader);
        }
        for bar in function.bars().iter() {
            let raw = bar.raw(hardware, address);
            self.free_bar(bar, raw, gained)?;
        }
        if gained & command::MEMORY != 0 && function.layout() == Layout::Bridge {
            self.free_windows(&Windows::read(hardware, address))?;
        }
        Ok(())
    }

    /// Moving a base address.
    fn judge_bar<C: ConfigSpace>(
        &self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
        value: u32,
    ) -> Result<(), Attempt> {
        let decoded = hardware.read(address, spec::COMMAND, Width::Word) & command::DECODE;
        if decoded == 0 {
            return Ok(());
        }
        let dword = dword_of(offset);
        let function = self.functions.at(address).ok_or(Attempt::ConcealedWrite)?;
        let bar = function.bars().covering(dword).ok_or(Attempt::UnknownHeader)?;
        let raw = bar.raw(hardware, address);
        let [low, high] = [raw, raw >> 32].map(low_dword);
        let after = if dword == bar.offset() {
            u64::from(high) << 32 | u64::from(width.merge(low, offset, value))
        } else {
            u64::from(width.merge(high, offset, value)) << 32 | u64::from(low)
        };
        self.free_bar(&bar, after, decoded)
    }

    /// Moving a bridge's memory window.
    ///
    /// A 64-bit window moves by several writes, lower halves first, and Linux does not close it meanwhile: what
    /// will lie at 0x8_7e00_0000 passes 0x7e00_0000 on its way. Such a lower half is held back from the hardware
    /// until an upper half makes it harmless.
    fn judge_window<C: ConfigSpace>(
        &mut self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
        value: u32,
    ) -> Result<(), Attempt> {
        let dword = dword_of(offset);
        if !(spec::MEMORY_WINDOW..=spec::PREFETCHABLE_LIMIT_UPPER).contains(&dword) {
            return Ok(());
        }
        let mut verdict = Ok(());
        let mut held = None;
        if decodes_memory(hardware, address) {
            let mut windows = Windows::read(hardware, address);
            windows.write(offset, width, value);
            verdict = self.free_windows(&windows);
            if verdict.is_err() {
                held = windows.prefetchable_low();
            }
        }
        if dword == spec::PREFETCHABLE_WINDOW
            && let Some(bridge) = self.functions.at_mut(address).and_then(Function::bridge_mut)
        {
            bridge.hold(held);
        }
        verdict
    }

    /// After an upper half was written: gives the hardware the lower half that waited for it, if the two are
    /// harmless together.
    fn release_window<C: ConfigSpace>(&mut self, hardware: &mut C, address: Address) {
        let held = self
            .functions
            .at(address)
            .and_then(Function::bridge)
            .and_then(Bridge::held);
        let Some(low) = held else {
            return;
        };
        let mut windows = Windows::read(hardware, address);
        windows.write(spec::PREFETCHABLE_WINDOW, Width::Dword, low);
        if self.free_windows(&windows).is_err() {
            return;
        }
        hardware.write(address, spec::PREFETCHABLE_WINDOW, Width::Dword, low);
        if let Some(bridge) = self.functions.at_mut(address).and_then(Function::bridge_mut) {
            bridge.hold(None);
        }
    }

    fn free_windows(&self, windows: &Windows) -> Result<(), Attempt> {
        for range in windows.ranges() {
            self.free(range, Attempt::ProtectedWindow)?;
        }
        Ok(())
    }

    /// Giving a bridge bus numbers; keeps those that are allowed.
    fn judge_bus_numbers(
        &mut self,
        address: Address,
        offset: u16,
        width: Width,
        value: u32,
    ) -> Result<(), Attempt> {
        let bridge = self.functions.at(address).and_then(Function::bridge);
        let bridge = bridge.ok_or(Attempt::UnknownHeader)?;
        let numbers = match bridge.renumbering(offset, width, value) {
            Renumbering::Same => return Ok(()),
            Renumbering::Extent(numbers) => numbers,
            Renumbering::Move(numbers)
                if !self.hides_behind(bridge.numbers()) && self.is_free_bus(address, numbers) =>
            {
                numbers
            }
            Renumbering::Move(_) | Renumbering::Refused => return Err(Attempt::BusNumber),
        };
        if let Some(bridge) = self.functions.at_mut(address).and_then(Function::bridge_mut) {
            bridge.renumber(numbers);
        }
        Ok(())
    }

    /// Whether a function reached through these numbers is hidden: moved, it would be decided under another name.
    fn hides_behind(&self, numbers: BusNumbers) -> bool {
        let mut hidden = self.functions.iter().filter(|function| function.fate().hides());
        hidden.any(|function| numbers.lead_to(function.address().bus()))
    }

    /// Whether the bus right behind the bridge would be one that no function of boot and no other bridge has.
    fn is_free_bus(&self, bridge: Address, numbers: BusNumbers) -> bool {
        let bus = numbers.secondary;
        // Zero takes its number away: then it leads nowhere.
        bus == 0
            || bus > bridge.bus()
                && !self.functions.iter().any(|function| {
                    let elsewhere = function.address() != bridge;
                    let leads_there = function.bus_numbers().is_some_and(|other| other.secondary == bus);
                    let lives_there = function.found() == Found::AtBoot && function.address().bus() == bus;
                    elsewhere && leads_there || lives_there
                })
    }

    /// What a function of the guest's may answer behind a base address that holds `raw`, where it decodes what `decoded`
    /// says: nothing protected, and nothing that a mediated function answers.
    fn free_bar(&self, bar: &Bar, raw: u64, decoded: u32) -> Result<(), Attempt> {
        let range = bar.range(raw).filter(|_| decoded & command::MEMORY != 0);
        self.free(range, Attempt::ProtectedBar)?;
        let memory = range.is_some_and(|range| self.mediated.iter().any(|other| other.overlaps(range)));
        let ports = bar.ports(raw).filter(|_| decoded & command::IO != 0);
        let ports = ports.is_some_and(|ports| self.mediated_ports.iter().any(|other| other.overlaps(ports)));
        if memory || ports {
            return Err(Attempt::ProtectedBar);
        }
        Ok(())
    }

    /// `Err(attempt)` if the range touches a protected one.
    fn free(&self, range: Option<MemoryRange>, attempt: Attempt) -> Result<(), Attempt> {
        match range {
            Some(range) if self.protected.iter().any(|other| other.overlaps(range)) => Err(attempt),
            _ => Ok(()),
        }
    }

    /// After a write that passed: where the base address is now, and what waited for this write.
    fn track<C: ConfigSpace>(&mut self, hardware: &mut C, address: Address, offset: u16) {
        let dword = dword_of(offset);
        if matches!(
            dword,
            spec::PREFETCHABLE_BASE_UPPER | spec::PREFETCHABLE_LIMIT_UPPER
        ) {
            self.release_window(hardware, address);
        }
        let Some(function) = self.functions.at_mut(address) else {
            return;
        };
        if let Some(bar) = function.bars().covering(dword) {
            let raw = bar.raw(hardware, address);
            function.bars_mut().moved(bar.offset(), raw);
        }
    }
}

fn decodes_memory<C: ConfigSpace>(hardware: &mut C, address: Address) -> bool {
    hardware.read(address, spec::COMMAND, Width::Word) & command::MEMORY != 0
}

/// The low 32 bits.
const fn low_dword(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
