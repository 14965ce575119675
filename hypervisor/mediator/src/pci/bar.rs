//! Base address registers: what they measure, where they lie.
//!
//! A device's answer to a sizing write is not trusted further than this: a size is a power of two taken from the
//! lowest bit that stuck, and a register without a believable size is bounded by its alignment instead, since
//! no base address can be set finer than its size.

use super::access::{ConfigSpace, Width};
use super::function::Layout;
use super::range::{MemoryRange, PortRange};
use super::spec::{self, BAR_0, BAR_IO, BAR_TYPE, BAR_TYPE_64, command};
use sekisho_abi::pci::{Address, Identity};

/// What a base address register decodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BarKind {
    /// Memory, one register.
    Memory32,
    /// Memory, this register and the next.
    Memory64,
    /// I/O ports.
    Io,
    /// The expansion ROM.
    Rom,
    /// Nothing, as far as the device said, or a host bridge's register, which is not measured.
    Unsized,
}

/// One base address register, or a pair of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bar {
    offset: u16,
    kind: BarKind,
    size: u64,
    address: u64,
}

/// Six base addresses and an expansion ROM at most.
const REGISTERS: usize = 7;

/// The base addresses of one function.
#[derive(Clone, Debug, Default)]
pub struct Bars([Option<Bar>; REGISTERS]);

impl Bar {
    /// Offset of its (low) register.
    #[must_use]
    pub const fn offset(&self) -> u16 {
        self.offset
    }

    /// What it decodes.
    #[must_use]
    pub const fn kind(&self) -> BarKind {
        self.kind
    }

    /// Bytes or ports it decodes; zero if [`BarKind::Unsized`].
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The address last written to it, whether or not it is decoded.
    #[must_use]
    pub const fn address(&self) -> u64 {
        self.address
    }

    /// The memory it answers when its registers hold `raw` and memory decoding is on.
    pub(super) const fn range(&self, raw: u64) -> Option<MemoryRange> {
        let base = raw & self.kind.address_bits();
        match self.kind {
            BarKind::Io => None,
            BarKind::Rom if raw & spec::ROM_ENABLE as u64 == 0 => None,
            BarKind::Unsized if raw & BAR_IO as u64 != 0 => None,
            BarKind::Unsized => MemoryRange::new(base, base & base.wrapping_neg()),
            BarKind::Memory32 | BarKind::Memory64 | BarKind::Rom => {
                MemoryRange::new(base & !(self.size.wrapping_sub(1)), self.size)
            }
        }
    }

    /// The ports it answers when its register holds `raw` and I/O decoding is on. A CPU has 64 Ki of them, and a device
    /// need not keep the address bits above.
    pub(super) fn ports(&self, raw: u64) -> Option<PortRange> {
        let base = raw & BarKind::Io.address_bits() & u64::from(u16::MAX);
        let size = match self.kind {
            BarKind::Io => self.size,
            BarKind::Unsized if raw & u64::from(BAR_IO) != 0 => base & base.wrapping_neg(),
            _ => return None,
        };
        let first = base & !size.wrapping_sub(1);
        let last = first.saturating_add(size.checked_sub(1)?).min(u16::MAX.into());
        PortRange::inclusive(u16::try_from(first).ok()?, u16::try_from(last).ok()?)
    }

    /// What its registers hold now.
    pub(super) fn raw<C: ConfigSpace>(&self, hardware: &mut C, function: Address) -> u64 {
        let low = u64::from(hardware.read(function, self.offset, Width::Dword));
        match self.kind {
            BarKind::Memory64 => {
                low | u64::from(hardware.read(function, self.offset + 4, Width::Dword)) << 32
            }
            _ => low,
        }
    }

    /// Whether the register at `dword` is part of it.
    const fn covers(&self, dword: u16) -> bool {
        dword == self.offset || matches!(self.kind, BarKind::Memory64) && dword == self.offset + 4
    }

    /// Measures the register at `offset`. The function must not decode addresses meanwhile.
    ///
    /// The last base address of a header cannot be the lower half of a pair, whatever it says: what follows in a
    /// bridge are its bus numbers.
    fn measure<C: ConfigSpace>(hardware: &mut C, function: Address, offset: u16, last: u16) -> Self {
        let raw = hardware.read(function, offset, Width::Dword);
        let mask = sizing_mask(hardware, function, offset, raw);
        let mut bar = Self::unmeasured(offset, raw);
        if mask == 0 {
            return bar;
        }
        bar.kind = if mask & BAR_IO != 0 {
            BarKind::Io
        } else if mask & BAR_TYPE == BAR_TYPE_64 && offset < last {
            BarKind::Memory64
        } else {
            BarKind::Memory32
        };
        let mut whole = u64::from(raw);
        let mut settable = u64::from(mask);
        if bar.kind == BarKind::Memory64 {
            let high = hardware.read(function, offset + 4, Width::Dword);
            settable |= u64::from(sizing_mask(hardware, function, offset + 4, high)) << 32;
            whole |= u64::from(high) << 32;
        }
        bar.take_size(settable);
        bar.address = whole & bar.kind.address_bits();
        bar
    }

    /// Measures the expansion ROM register at `offset`.
    fn measure_rom<C: ConfigSpace>(hardware: &mut C, function: Address, offset: u16) -> Self {
        let raw = hardware.read(function, offset, Width::Dword);
        hardware.write(function, offset, Width::Dword, !spec::ROM_ENABLE);
        let mask = hardware.read(function, offset, Width::Dword);
        hardware.write(function, offset, Width::Dword, raw);
        let mut bar = Self::unmeasured(offset, raw);
        bar.kind = BarKind::Rom;
        bar.take_size(u64::from(mask));
        bar.address = u64::from(raw) & bar.kind.address_bits();
        bar
    }

    /// The register at `offset` holding `raw`, its size unknown.
    const fn unmeasured(offset: u16, raw: u32) -> Self {
        let kind = BarKind::Unsized;
        Self {
            offset,
            kind,
            size: 0,
            address: raw as u64 & kind.address_bits(),
        }
    }

    /// Takes the size from the lowest address bit that can be set; without one the register is unsized.
    const fn take_size(&mut self, settable: u64) {
        let address_bits = settable & self.kind.address_bits();
        self.size = address_bits & address_bits.wrapping_neg();
        if self.size == 0 {
            self.kind = BarKind::Unsized;
        }
    }
}

impl BarKind {
    /// The register bits that are address, not flags.
    const fn address_bits(self) -> u64 {
        match self {
            Self::Io => 0xffff_fffc,
            Self::Rom => 0xffff_f800,
            Self::Memory32 | Self::Unsized => 0xffff_fff0,
            Self::Memory64 => 0xffff_ffff_ffff_fff0,
        }
    }
}

impl Bars {
    /// Every register that the function has, ascending.
    pub fn iter(&self) -> impl Iterator<Item = &Bar> {
        self.0.iter().flatten()
    }

    /// The one that the register at `dword` is part of.
    pub(super) fn covering(&self, dword: u16) -> Option<Bar> {
        self.iter().find(|bar| bar.covers(dword)).copied()
    }

    /// Keeps where the base address at `offset` was moved to.
    pub(super) fn moved(&mut self, offset: u16, raw: u64) {
        if let Some(bar) = self.0.iter_mut().flatten().find(|bar| bar.offset == offset) {
            bar.address = raw & bar.kind.address_bits();
        }
    }

    /// Measures every base address of a function and leaves all as they were.
    ///
    /// All ones in a base address is an address too: a function that decodes would answer there, over whatever
    /// lies at the end of the 4 GiB. So its decoding is off for those few writes. Nothing else runs on this
    /// machine meanwhile; its transfers go on, as bus mastering stays. Firmware in SMM that reaches for the
    /// device in that moment reads ones: it has no say here, as with any operating system that sizes.
    ///
    /// Host bridges are not measured: some lose memory or graphics aperture when their decoding goes off, some
    /// ignore that it should.
    pub(super) fn measure<C: ConfigSpace>(hardware: &mut C, identity: &Identity, layout: Layout) -> Self {
        let function = identity.address;
        let mut bars = Self::default();
        if identity.class() == spec::CLASS_HOST_BRIDGE {
            bars.fill(layout, |offset, _| {
                Bar::unmeasured(offset, hardware.read(function, offset, Width::Dword))
            });
            return bars;
        }
        let before = hardware.read(function, spec::COMMAND, Width::Word);
        if before & command::DECODE != 0 {
            hardware.write(function, spec::COMMAND, Width::Word, before & !command::DECODE);
        }
        bars.fill(layout, |offset, role| match role {
            Role::Base { last } => Bar::measure(hardware, function, offset, last),
            Role::Rom => Bar::measure_rom(hardware, function, offset),
        });
        if before & command::DECODE != 0 {
            hardware.write(function, spec::COMMAND, Width::Word, before);
        }
        bars
    }

    /// Asks `examine` for each register that the layout has, skipping upper halves.
    fn fill(&mut self, layout: Layout, mut examine: impl FnMut(u16, Role) -> Bar) {
        let (bases, rom) = match layout {
            Layout::Endpoint => (6, Some(spec::ROM)),
            Layout::Bridge => (2, Some(spec::BRIDGE_ROM)),
            Layout::CardBus => (1, None),
            Layout::Unknown => (0, None),
        };
        let end = BAR_0 + bases * 4;
        let mut offset = BAR_0;
        for place in &mut self.0 {
            if offset < end {
                let bar = examine(offset, Role::Base { last: end - 4 });
                offset += if bar.kind == BarKind::Memory64 { 8 } else { 4 };
                *place = Some(bar);
            } else if let Some(rom) = rom {
                *place = Some(examine(rom, Role::Rom));
                break;
            }
        }
    }
}

/// What a register of [`Bars`] is for.
enum Role {
    /// A base address; `last` is the header's last one.
    Base { last: u16 },
    /// The expansion ROM.
    Rom,
}

/// What sticks of all ones in a register that held `raw`, which it holds again afterwards.
fn sizing_mask<C: ConfigSpace>(hardware: &mut C, function: Address, offset: u16, raw: u32) -> u32 {
    hardware.write(function, offset, Width::Dword, u32::MAX);
    let mask = hardware.read(function, offset, Width::Dword);
    hardware.write(function, offset, Width::Dword, raw);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(kind: BarKind, size: u64) -> Bar {
        Bar {
            offset: BAR_0,
            kind,
            size,
            address: 0,
        }
    }

    #[test]
    fn a_range_is_as_large_as_the_size_and_aligned_to_it() {
        let range = bar(BarKind::Memory32, 0x2_0000).range(0xfebd_1234).unwrap();
        assert_eq!((range.first(), range.last()), (0xfebc_0000, 0xfebd_ffff));
        let range = bar(BarKind::Memory64, 0x4000).range(0x8_0000_400c).unwrap();
        assert_eq!((range.first(), range.last()), (0x8_0000_4000, 0x8_0000_7fff));
    }

    #[test]
    fn a_rom_answers_only_with_its_enable_bit() {
        assert_eq!(bar(BarKind::Rom, 0x800).range(0xc000_0000), None);
        assert_eq!(
            bar(BarKind::Rom, 0x800).range(0xc000_0001).unwrap().last(),
            0xc000_07ff
        );
    }

    #[test]
    fn an_unsized_register_is_bounded_by_its_alignment() {
        let range = bar(BarKind::Unsized, 0).range(0xfe30_0000).unwrap();
        assert_eq!((range.first(), range.last()), (0xfe30_0000, 0xfe3f_ffff));
        assert_eq!(bar(BarKind::Unsized, 0).range(0), None);
        assert_eq!(bar(BarKind::Unsized, 0).range(0xc001), None);
    }
}
