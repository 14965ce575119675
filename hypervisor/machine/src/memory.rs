//! The hypervisor's view of memory: where physical addresses appear, and copying from and to the guest.
//!
//! The hypervisor runs at its physical address. All other physical memory appears twice in the upper half: once
//! write-back for the guest's RAM and once uncached for device registers. The hypervisor's own region is in
//! neither, so a guest address can never lead into it, even by a mistake here.

use crate::address::{GuestPhys, HostPhys, PhysRange};
use core::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use sekisho_mediator::cpu::walk::{GuestMemory, Unreachable};

/// Where physical address 0 appears, write-back.
pub(crate) const RAM_WINDOW: u64 = 0xffff_8000_0000_0000;
/// Where physical address 0 appears, uncached.
pub(crate) const DEVICE_WINDOW: u64 = 0xffff_c000_0000_0000;
/// No physical address at or above this appears: 64 TiB.
pub(crate) const WINDOW_LIMIT: u64 = 1 << 46;

/// What of the guest's physical memory the hypervisor may copy.
#[derive(Clone, Copy)]
pub(crate) struct GuestRam {
    /// The hypervisor's region.
    pub(crate) refused: PhysRange,
    /// End of the windows on this machine, at most [`WINDOW_LIMIT`].
    pub(crate) limit: u64,
}

impl GuestRam {
    /// The linear address in the RAM window of `length` bytes at `address`.
    fn window(&self, address: GuestPhys, length: usize) -> Result<usize, Unreachable> {
        let end = address.0.checked_add(length as u64).ok_or(Unreachable)?;
        if end > self.limit || self.refused.touches(address.0, length as u64) {
            return Err(Unreachable);
        }
        usize::try_from(RAM_WINDOW + address.0).map_err(|_| Unreachable)
    }
}

impl GuestMemory for GuestRam {
    #[inline]
    fn read(&self, guest_physical: u64, buffer: &mut [u8]) -> Result<(), Unreachable> {
        let from = self.window(GuestPhys(guest_physical), buffer.len())?;
        let from = with_exposed_provenance::<u8>(from);
        // SAFETY: the window maps every physical address below `limit` outside of the region; the guest may
        // write these bytes at any time, so they are copied as bytes and no reference to them is made.
        unsafe { core::ptr::copy_nonoverlapping(from, buffer.as_mut_ptr(), buffer.len()) };
        Ok(())
    }

    #[inline(always)]
    fn read_word(&self, guest_physical: u64) -> Result<u64, Unreachable> {
        // An aligned word lies within or without: the bounds are multiples of pages.
        let address = guest_physical & !7;
        if address >= self.limit || self.refused.contains(address) {
            return Err(Unreachable);
        }
        let from = (RAM_WINDOW + address) as usize;
        // SAFETY: as in `read`; one volatile load, because the guest may change the word meanwhile.
        Ok(unsafe { with_exposed_provenance::<u64>(from).read_volatile() })
    }

    fn write(&self, guest_physical: u64, bytes: &[u8]) -> Result<(), Unreachable> {
        let to = self.window(GuestPhys(guest_physical), bytes.len())?;
        let to = with_exposed_provenance_mut::<u8>(to);
        // SAFETY: as in `read`; nothing of the hypervisor's lies there.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
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
