//! What a mediator of a device sees of the machine: the registers, buffers a device may use, guest memory, time.
//!
//! A buffer is either [`Buffer`], whose bytes the hypervisor may touch, or [`Lent`], which a device may be using and
//! which has no bytes until it is reclaimed: to encrypt memory under a transfer does not compile. What both sides use
//! at once (a controller's command lists and tables) is [`Shared`]: single words, no bytes.

use crate::cpu::walk::GuestMemory;

/// An address as a device puts it on the bus. Without an IOMMU of ours it is the physical one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DeviceAddress(pub u64);

/// Nanoseconds since some moment before the guest ran; never goes back, wraps after 584 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Instant(pub u64);

/// 32-bit registers of the real device, by byte offset into its register window, aligned to four.
pub trait Registers {
    /// Reads one.
    fn read(&mut self, offset: u32) -> u32;

    /// Writes one.
    fn write(&mut self, offset: u32, value: u32);
}

/// Bytes of the hypervisor's that a device can reach, while no device does.
#[derive(Debug)]
pub struct Buffer {
    address: DeviceAddress,
    length: usize,
}

/// A [`Buffer`] that a device may be reading or writing.
#[derive(Debug)]
pub struct Lent(Buffer);

impl Buffer {
    /// For the machine, which owns the memory: `length` bytes at `address`, each in one buffer only.
    #[must_use]
    pub const fn new(address: DeviceAddress, length: usize) -> Self {
        Self { address, length }
    }

    /// Where a device finds it.
    #[must_use]
    pub const fn address(&self) -> DeviceAddress {
        self.address
    }

    /// Bytes.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// The first `bytes` of it, and the rest, which is empty where there is none.
    #[must_use]
    pub fn split_at(self, bytes: usize) -> (Self, Self) {
        let first = bytes.min(self.length);
        let behind = DeviceAddress(self.address.0.saturating_add(first as u64));
        (
            Self::new(self.address, first),
            Self::new(behind, self.length - first),
        )
    }

    /// From now on a device may use it.
    #[must_use]
    pub const fn lend(self) -> Lent {
        Lent(self)
    }

    /// From now on, and for ever, both sides use it.
    #[must_use]
    pub const fn share(self) -> Shared {
        Shared(self)
    }
}

/// Memory that the mediator and a device use at the same time, for ever: structures, never content.
#[derive(Debug)]
pub struct Shared(Buffer);

impl Shared {
    /// Where a device finds it.
    #[must_use]
    pub const fn address(&self) -> DeviceAddress {
        self.0.address
    }

    /// Bytes.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.0.length
    }
}

impl Lent {
    /// Where the device finds it.
    #[must_use]
    pub const fn address(&self) -> DeviceAddress {
        self.0.address
    }

    /// Bytes.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.0.length
    }

    /// The device has done with it: its command is complete, or its engine stopped.
    #[must_use]
    pub fn reclaim(self) -> Buffer {
        self.0
    }
}

/// The machine below a mediator.
pub trait Host {
    /// Guest memory; the hypervisor's own does not exist in it.
    type Guest: GuestMemory;

    /// Guest memory, to copy from and to.
    fn guest(&self) -> &Self::Guest;

    /// Works on a buffer's bytes, with guest memory at hand.
    fn with<R>(&mut self, buffer: &mut Buffer, work: impl FnOnce(&mut [u8], &Self::Guest) -> R) -> R;

    /// The 32-bit little-endian word at byte `offset`, a multiple of four, read once. Ones beyond the end.
    fn load(&self, shared: &Shared, offset: usize) -> u32;

    /// Writes that word, before any register that is written later. Nothing beyond the end.
    fn store(&mut self, shared: &Shared, offset: usize, word: u32);

    /// Now.
    fn now(&self) -> Instant;
}
