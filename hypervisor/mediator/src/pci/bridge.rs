//! Bridges: the bus numbers that give functions their addresses, and the windows that lead to them.
//!
//! A rule like `slot=03:00.0` means the function found there at boot. So a bridge that had numbers at boot keeps
//! them; writing them again is fine, as after a reset of the bus above. A bridge that had none may be numbered
//! by the guest, and renumbered as long as nothing behind it is hidden.

use super::access::{ConfigSpace, Width};
use super::function::{Found, Layout};
use super::range::MemoryRange;
use super::spec;
use sekisho_abi::pci::{Address, Identity};

/// The three bus numbers of a bridge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BusNumbers {
    /// The bus it is on.
    pub primary: u8,
    /// The bus right behind it; zero until it has one.
    pub secondary: u8,
    /// The last bus behind it.
    pub subordinate: u8,
}

/// Who gave a bridge its numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Numbered {
    /// The firmware, before the machine was taken over.
    AtBoot,
    /// The guest, or nobody yet.
    ByGuest,
}

/// What is kept of a bridge.
#[derive(Clone, Debug)]
pub(super) struct Bridge {
    numbers: BusNumbers,
    numbered: Numbered,
    /// The guest's value for [`spec::PREFETCHABLE_WINDOW`], kept from the hardware until the upper halves that
    /// belong to it are written.
    held: Option<u32>,
}

/// What writing bus numbers would do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Renumbering {
    /// The numbers recorded are written again.
    Same,
    /// Only the last bus behind a bridge numbered by the guest: no function gets another address.
    Extent(BusNumbers),
    /// Functions may get another address: allowed if nothing behind is hidden and no known bus is taken.
    Move(BusNumbers),
    /// Numbers of boot would change.
    Refused,
}

impl BusNumbers {
    /// The bytes at [`spec::BUS_NUMBERS`].
    const fn from_register(register: u32) -> Self {
        let [primary, secondary, subordinate, _] = register.to_le_bytes();
        Self {
            primary,
            secondary,
            subordinate,
        }
    }

    const fn to_register(self) -> u32 {
        u32::from_le_bytes([self.primary, self.secondary, self.subordinate, 0])
    }

    /// Whether accesses to `bus` go through this bridge.
    #[must_use]
    pub const fn lead_to(self, bus: u8) -> bool {
        self.secondary != 0 && self.secondary <= bus && bus <= self.subordinate
    }
}

impl Bridge {
    /// What to keep of the function, if its header has bus numbers.
    pub(super) fn examine<C: ConfigSpace>(
        hardware: &mut C,
        identity: &Identity,
        layout: Layout,
        found: Found,
    ) -> Option<Self> {
        if !matches!(layout, Layout::Bridge | Layout::CardBus) {
            return None;
        }
        let register = hardware.read(identity.address, spec::BUS_NUMBERS, Width::Dword);
        let numbers = BusNumbers::from_register(register);
        let numbered = match found {
            Found::AtBoot if numbers.secondary != 0 => Numbered::AtBoot,
            Found::AtBoot | Found::Later => Numbered::ByGuest,
        };
        Some(Self {
            numbers,
            numbered,
            held: None,
        })
    }

    pub(super) const fn numbers(&self) -> BusNumbers {
        self.numbers
    }

    /// What a write at `offset` within the dword at [`spec::BUS_NUMBERS`] would do. The latency timer beside the
    /// numbers is not looked at.
    pub(super) fn renumbering(&self, offset: u16, width: Width, value: u32) -> Renumbering {
        let wanted = BusNumbers::from_register(width.merge(self.numbers.to_register(), offset, value));
        if wanted == self.numbers {
            Renumbering::Same
        } else if self.numbered == Numbered::AtBoot {
            Renumbering::Refused
        } else if wanted.secondary == self.numbers.secondary {
            Renumbering::Extent(wanted)
        } else {
            Renumbering::Move(wanted)
        }
    }

    /// Keeps the lower half of a prefetchable window, in place of any kept before.
    pub(super) const fn hold(&mut self, low: Option<u32>) {
        self.held = low;
    }

    /// The lower half that waits.
    pub(super) const fn held(&self) -> Option<u32> {
        self.held
    }

    /// Keeps numbers that the guest was allowed to write.
    pub(super) const fn renumber(&mut self, numbers: BusNumbers) {
        self.numbers = numbers;
    }
}

/// Bits of the prefetchable base that say how wide the window's addresses are.
const PREFETCHABLE_TYPE: u32 = 0xf;
/// [`PREFETCHABLE_TYPE`] of base and limit: read-only.
const PREFETCHABLE_TYPES: u32 = PREFETCHABLE_TYPE << 16 | PREFETCHABLE_TYPE;
/// [`PREFETCHABLE_TYPE`] of a window with upper halves.
const PREFETCHABLE_TYPE_64: u32 = 1;

/// The memory windows of a type 1 header (PCI-to-PCI Bridge Architecture Specification 1.2, 3.2.5.6 and 3.2.5.8).
pub(super) struct Windows {
    memory: u32,
    prefetchable: u32,
    base_upper: u32,
    limit_upper: u32,
}

impl Windows {
    /// As the bridge has them.
    pub(super) fn read<C: ConfigSpace>(hardware: &mut C, bridge: Address) -> Self {
        let mut register = |offset| hardware.read(bridge, offset, Width::Dword);
        Self {
            memory: register(spec::MEMORY_WINDOW),
            prefetchable: register(spec::PREFETCHABLE_WINDOW),
            base_upper: register(spec::PREFETCHABLE_BASE_UPPER),
            limit_upper: register(spec::PREFETCHABLE_LIMIT_UPPER),
        }
    }

    /// As they would be after a write at `offset`.
    pub(super) const fn write(&mut self, offset: u16, width: Width, value: u32) {
        let register = match super::access::dword_of(offset) {
            spec::MEMORY_WINDOW => &mut self.memory,
            spec::PREFETCHABLE_WINDOW => &mut self.prefetchable,
            spec::PREFETCHABLE_BASE_UPPER => &mut self.base_upper,
            spec::PREFETCHABLE_LIMIT_UPPER => &mut self.limit_upper,
            _ => return,
        };
        let written = width.merge(*register, offset, value);
        *register = match super::access::dword_of(offset) {
            // The type is the bridge's to say; guests write zeros there.
            spec::PREFETCHABLE_WINDOW => written & !PREFETCHABLE_TYPES | *register & PREFETCHABLE_TYPES,
            _ => written,
        };
    }

    /// The register of the prefetchable window, if its halves make a 64-bit one.
    pub(super) const fn prefetchable_low(&self) -> Option<u32> {
        if self.prefetchable & PREFETCHABLE_TYPE == PREFETCHABLE_TYPE_64 {
            return Some(self.prefetchable);
        }
        None
    }

    /// What they lead to while memory decoding is on.
    pub(super) fn ranges(&self) -> [Option<MemoryRange>; 2] {
        [
            window(self.memory, 0, 0),
            window(self.prefetchable, self.base_upper, self.limit_upper),
        ]
    }
}

/// Base in the low word, limit in the high one, both in units of 1 MiB with four bits of flags below.
fn window(register: u32, base_upper: u32, limit_upper: u32) -> Option<MemoryRange> {
    let base = u64::from(base_upper) << 32 | u64::from(register & 0xfff0) << 16;
    let limit = u64::from(limit_upper) << 32 | u64::from(register & 0xfff0_0000) | 0xf_ffff;
    MemoryRange::inclusive(base, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_spans_whole_mebibytes() {
        let range = window(0xfe90_fe80, 0, 0).unwrap();
        assert_eq!((range.first(), range.last()), (0xfe80_0000, 0xfe9f_ffff));
        assert_eq!(window(0x0000_fff0, 0, 0), None, "limit below base: closed");
        let range = window(0x0011_0001, 8, 8).unwrap();
        assert_eq!((range.first(), range.last()), (0x8_0000_0000, 0x8_001f_ffff));
    }

    #[test]
    fn numbers_of_boot_may_be_written_again_but_not_changed() {
        let numbers = BusNumbers {
            primary: 0,
            secondary: 3,
            subordinate: 5,
        };
        let bridge = Bridge {
            numbers,
            numbered: Numbered::AtBoot,
            held: None,
        };
        assert_eq!(
            bridge.renumbering(0x18, Width::Dword, 0x4005_0300),
            Renumbering::Same
        );
        assert_eq!(bridge.renumbering(0x19, Width::Byte, 3), Renumbering::Same);
        assert_eq!(bridge.renumbering(0x1a, Width::Byte, 6), Renumbering::Refused);
        assert_eq!(bridge.renumbering(0x18, Width::Dword, 0), Renumbering::Refused);
    }
}
