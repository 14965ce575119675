//! The hypervisor's view of memory: where physical addresses appear, and copying from and to the guest.
//!
//! The hypervisor runs at its physical address. All other physical memory appears twice in the upper half: once
//! write-back for the guest's RAM and once uncached for device registers. The hypervisor's own region is in
//! neither, so a guest address can never lead into it, even by a mistake here.

use crate::address::{GuestPhys, HostPhys, PhysRange};
use alloc::boxed::Box;
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use sekisho_mediator::cpu::recall::WordMemory;
use sekisho_mediator::cpu::walk::{GuestMemory, Unreachable};

/// Where physical address 0 appears, write-back.
pub(crate) const RAM_WINDOW: u64 = 0xffff_8000_0000_0000;
/// Where physical address 0 appears, uncached.
pub(crate) const DEVICE_WINDOW: u64 = 0xffff_c000_0000_0000;
/// No physical address at or above this appears: 64 TiB.
pub(crate) const WINDOW_LIMIT: u64 = 1 << 46;

/// Where stores are interrupt messages (APM volume 2, 16.11); the xAPIC page is its first.
pub(crate) const MESSAGES: PhysRange = PhysRange {
    start: 0xfee0_0000,
    end: 0xfef0_0000,
};

/// What of the guest's physical memory the hypervisor may copy: nothing of its own, and nothing that the nested tables
/// keep from the guest, or an emulated copy would reach what a plain one does not.
pub(crate) struct GuestRam {
    /// The hypervisor's region.
    own: PhysRange,
    own_length: u64,
    /// The interrupt addresses, the configuration window, and the registers that a mediator has.
    devices: Box<[PhysRange]>,
    /// Everything below this and outside of `own` is allowed: nearly all accesses.
    surely: u64,
    /// End of the windows on this machine, at most [`WINDOW_LIMIT`].
    pub(crate) limit: u64,
}

impl GuestRam {
    /// For a machine where the guest's accesses to `trapped` are not plain ones, and windows up to `limit`.
    pub(crate) fn new(own: PhysRange, trapped: impl IntoIterator<Item = PhysRange>, limit: u64) -> Self {
        let devices: Box<[PhysRange]> = [MESSAGES].into_iter().chain(trapped).collect();
        let surely = devices.iter().fold(limit, |least, range| least.min(range.start));
        Self {
            own,
            own_length: own.length(),
            devices,
            surely,
            limit,
        }
    }

    /// The linear address in the RAM window of `length` bytes at `address`.
    #[inline]
    fn window(&self, address: GuestPhys, length: usize) -> Result<usize, Unreachable> {
        let end = address.0.checked_add(length as u64).ok_or(Unreachable)?;
        let forbidden = self.own.touches(address.0, length as u64);
        if forbidden || end > self.surely && !self.is_high_memory(address, length) {
            return Err(Unreachable);
        }
        usize::try_from(RAM_WINDOW + address.0).map_err(|_| Unreachable)
    }

    /// Whether `length` bytes at `address` are within the windows and touch no device range.
    #[cold]
    fn is_high_memory(&self, address: GuestPhys, length: usize) -> bool {
        let end = address.0.saturating_add(length as u64);
        end <= self.limit
            && !self
                .devices
                .iter()
                .any(|range| range.touches(address.0, length as u64))
    }
}

impl GuestMemory for GuestRam {
    #[inline]
    fn read(&self, guest_physical: u64, buffer: &mut [u8]) -> Result<(), Unreachable> {
        let from = self.window(GuestPhys(guest_physical), buffer.len())?;
        let from = with_exposed_provenance::<u8>(from);
        // SAFETY: the window maps every physical address that `window` lets through; the guest may
        // write these bytes at any time, so they are copied as bytes and no reference to them is made.
        unsafe { core::ptr::copy_nonoverlapping(from, buffer.as_mut_ptr(), buffer.len()) };
        Ok(())
    }

    #[inline(always)]
    fn read_word(&self, guest_physical: u64) -> Result<u64, Unreachable> {
        self.word(guest_physical).map(|word| self.load(word))
    }

    fn write(&self, guest_physical: u64, bytes: &[u8]) -> Result<(), Unreachable> {
        let to = self.window(GuestPhys(guest_physical), bytes.len())?;
        let to = with_exposed_provenance_mut::<u8>(to);
        // SAFETY: as in `read`; nothing of the hypervisor's lies there.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }
}

/// An aligned word of the guest's memory: holding one proves that the windows map it and that it is not ours.
#[derive(Clone, Copy)]
pub(crate) struct RamWord(*const u64);

impl WordMemory for GuestRam {
    type Word = RamWord;

    #[inline(always)]
    fn word(&self, guest_physical: u64) -> Result<RamWord, Unreachable> {
        // An aligned word lies within or without: the bounds are multiples of pages.
        let address = guest_physical & !7;
        let high = address >= self.surely;
        let own = address.wrapping_sub(self.own.start) < self.own_length;
        if own || high && !self.is_high_memory(GuestPhys(address), 8) {
            return Err(Unreachable);
        }
        Ok(RamWord(with_exposed_provenance((RAM_WINDOW + address) as usize)))
    }

    #[inline(always)]
    fn load(&self, word: RamWord) -> u64 {
        // SAFETY: `word` made it; one volatile load, because the guest may change the word meanwhile.
        unsafe { word.0.read_volatile() }
    }
}

/// A device register of `T`'s width at a physical address, by the uncached window.
#[derive(Clone, Copy)]
pub(crate) struct DeviceRegister<T>(*mut T);

impl<T: Copy> DeviceRegister<T> {
    /// # Safety
    /// `address` is below the windows' end, aligned for `T`, outside of the region, and reading or writing the
    /// register has no effect on memory the hypervisor uses.
    #[inline]
    pub(crate) unsafe fn new(address: HostPhys) -> Self {
        Self(with_exposed_provenance_mut((DEVICE_WINDOW + address.0) as usize))
    }

    /// Reads it.
    #[inline]
    pub(crate) fn read(self) -> T {
        // SAFETY: `new`'s caller vouches for the register.
        unsafe { self.0.read_volatile() }
    }

    /// Writes it.
    #[inline]
    pub(crate) fn write(self, value: T) {
        // SAFETY: `new`'s caller vouches for the register.
        unsafe { self.0.write_volatile(value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ram() -> GuestRam {
        let own = PhysRange {
            start: 0x3c60_0000,
            end: 0x3d60_0000,
        };
        let window = PhysRange {
            start: 0xb000_0000,
            end: 0xc000_0000,
        };
        GuestRam::new(own, [window], 1 << 40)
    }

    #[test]
    fn memory_beside_the_region_and_the_devices_is_reachable() {
        for address in [
            0,
            0x3c60_0000 - 8,
            0x3d60_0000,
            0xafff_fff8,
            0xc000_0000,
            1 << 32,
            (1 << 40) - 8,
        ] {
            assert!(ram().window(GuestPhys(address), 8).is_ok(), "{address:x}");
        }
    }

    #[test]
    fn what_the_nested_tables_keep_from_the_guest_is_not_copied_for_it() {
        for address in [
            0x3c60_0000 - 7,
            0x3d5f_fff8,
            0xafff_fff9,
            0xb000_0000,
            0xbfff_ffff,
            0xfee0_0300,
            0xfeef_ffff,
        ] {
            assert_eq!(
                ram().window(GuestPhys(address), 8),
                Err(Unreachable),
                "{address:x}"
            );
        }
        for address in [(1 << 40) - 7, 1 << 40, u64::MAX - 3, u64::MAX] {
            assert_eq!(
                ram().window(GuestPhys(address), 8),
                Err(Unreachable),
                "{address:x}"
            );
        }
    }
}
