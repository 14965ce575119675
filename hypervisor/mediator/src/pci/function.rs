//! One PCI function: what was found, what becomes of it, what of it is tracked.

use super::access::{ConfigSpace, Width};
use super::bar::Bars;
use super::bridge::Bridge;
use super::fate::{Fate, Taken};
use super::fixed::FixedRegisters;
use super::mediated::{IndexData, Mediated};
use super::range::{MemoryRange, PortRange};
use super::{BusNumbers, spec};
use sekisho_abi::pci::{Address, Identity};

/// When a function was first seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// While the machine was taken over.
    AtBoot,
    /// When the guest reached for it later: plugged in, or brought into reach by a bus number.
    Later,
}

/// How the header behind offset 0x10 is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layout {
    /// Header type 0: six base addresses, an expansion ROM.
    Endpoint,
    /// Header type 1: two base addresses, bus numbers, windows, an expansion ROM.
    Bridge,
    /// Header type 2: one base address, bus numbers.
    CardBus,
    /// None of these: nothing is known of its registers below 0x40.
    Unknown,
}

/// One function and its fate.
#[derive(Clone, Debug)]
pub struct Function {
    identity: Identity,
    found: Found,
    fate: Fate,
    taken: Option<Taken>,
    bars: Bars,
    bridge: Option<Bridge>,
    fixed: Option<FixedRegisters>,
    mediated: Option<Mediated>,
}

impl Function {
    /// The function identified as `identity`, its registers looked at and left as they were. Passed until told
    /// otherwise.
    pub(super) fn examine<C: ConfigSpace>(hardware: &mut C, identity: Identity, found: Found) -> Self {
        let layout = Layout::of(identity.header_type);
        Self {
            bars: Bars::measure(hardware, &identity, layout),
            bridge: Bridge::examine(hardware, &identity, layout, found),
            fixed: FixedRegisters::of(&identity),
            identity,
            found,
            fate: Fate::Pass,
            taken: None,
            mediated: None,
        }
    }

    /// Where it answers.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.identity.address
    }

    /// What it said it is when it was decided.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// When it was first seen.
    #[must_use]
    pub const fn found(&self) -> Found {
        self.found
    }

    /// What the guest gets of it.
    #[inline]
    #[must_use]
    pub const fn fate(&self) -> Fate {
        self.fate
    }

    /// What took it; `None` if no driver did.
    #[must_use]
    pub const fn taken(&self) -> Option<Taken> {
        self.taken
    }

    /// The memory ranges that it answers, as its registers say.
    pub(super) fn memory<C: ConfigSpace>(&self, hardware: &mut C) -> impl Iterator<Item = MemoryRange> {
        self.bars()
            .iter()
            .filter_map(|bar| bar.range(bar.raw(hardware, self.address())))
    }

    /// The I/O ports that it answers, as its registers say.
    pub(super) fn ports<C: ConfigSpace>(&self, hardware: &mut C) -> impl Iterator<Item = PortRange> {
        self.bars()
            .iter()
            .filter_map(|bar| bar.ports(bar.raw(hardware, self.address())))
    }

    /// Its base addresses, as last written.
    #[must_use]
    pub const fn bars(&self) -> &Bars {
        &self.bars
    }

    /// Where its index and data ports are, if it is a mediated AHCI controller that has them.
    #[must_use]
    pub fn index_data(&self) -> Option<IndexData> {
        self.mediated.as_ref().and_then(Mediated::index_data)
    }

    /// Its bus numbers, if it is a bridge.
    #[must_use]
    pub fn bus_numbers(&self) -> Option<BusNumbers> {
        self.bridge.as_ref().map(Bridge::numbers)
    }

    /// Whether other functions of its device may exist.
    pub(super) const fn is_multi_function(&self) -> bool {
        self.identity.header_type & spec::MULTI_FUNCTION != 0
    }

    pub(super) const fn layout(&self) -> Layout {
        Layout::of(self.identity.header_type)
    }

    pub(super) const fn fixed(&self) -> Option<FixedRegisters> {
        self.fixed
    }

    pub(super) const fn bridge(&self) -> Option<&Bridge> {
        self.bridge.as_ref()
    }

    pub(super) const fn bridge_mut(&mut self) -> Option<&mut Bridge> {
        self.bridge.as_mut()
    }

    pub(super) const fn bars_mut(&mut self) -> &mut Bars {
        &mut self.bars
    }

    pub(super) const fn settle(&mut self, fate: Fate, taken: Option<Taken>) {
        self.fate = fate;
        self.taken = taken;
    }

    pub(super) fn mediate(&mut self, mediated: Mediated) {
        self.mediated = Some(mediated);
    }

    pub(super) const fn mediated(&self) -> Option<&Mediated> {
        self.mediated.as_ref()
    }

    pub(super) const fn mediated_mut(&mut self) -> Option<&mut Mediated> {
        self.mediated.as_mut()
    }

    pub(super) const fn change_fate(&mut self, fate: Fate) {
        self.fate = fate;
    }
}

impl Layout {
    const fn of(header_type: u8) -> Self {
        match header_type & !spec::MULTI_FUNCTION {
            0 => Self::Endpoint,
            1 => Self::Bridge,
            2 => Self::CardBus,
            _ => Self::Unknown,
        }
    }
}

/// Stops a function: it answers no address, starts no transfer (so raises no message interrupt), and asserts no
/// interrupt line. What its command register says before is not asked: it may lie.
///
/// A reset of the bus above it, which the guest can cause, clears the first two again to the same effect; the
/// line stays quiet then because a reset function has nothing to say.
pub(super) fn quiet<C: ConfigSpace>(hardware: &mut C, address: Address) {
    hardware.write(
        address,
        spec::COMMAND,
        Width::Word,
        spec::command::INTERRUPT_DISABLE,
    );
}
