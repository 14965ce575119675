//! What a mediator sees of the machine, met with the hardware.

use crate::address::{HostPhys, PhysRange};
use crate::clock::Clock;
use crate::memory::{DEVICE_WINDOW, GuestRam};
use core::ptr::{self, with_exposed_provenance_mut};
use core::slice;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::pro100::Ports;
use sekisho_mediator::seam::{Buffer, Host, Instant, Registers, Shared};

/// Guest memory, buffers in the hypervisor's region, and the clock.
pub(crate) struct DeviceHost {
    ram: &'static GuestRam,
    clock: &'static Clock,
    /// Where the buffers lie.
    buffers: PhysRange,
}

impl DeviceHost {
    /// `buffers` is memory that nothing but [`Buffer`]s made for this host refers to.
    ///
    /// # Safety
    /// That memory is mapped at its physical address and writable, for ever.
    pub(crate) unsafe fn new(ram: &'static GuestRam, clock: &'static Clock, buffers: PhysRange) -> Self {
        Self { ram, clock, buffers }
    }

    /// The word at `offset` of `shared`, if both are what they should be.
    fn word(&self, shared: &Shared, offset: usize) -> Option<*mut u32> {
        let inside = offset.is_multiple_of(4) && offset.checked_add(4)? <= shared.length();
        let address = shared.address().0.checked_add(offset as u64)?;
        let ours = self.buffers.contains(address) && address.is_multiple_of(4);
        (inside && ours).then(|| with_exposed_provenance_mut(address as usize))
    }
}

impl Host for DeviceHost {
    type Guest = GuestRam;

    fn guest(&self) -> &GuestRam {
        self.ram
    }

    fn with<R>(&mut self, buffer: &mut Buffer, work: impl FnOnce(&mut [u8], &GuestRam) -> R) -> R {
        let (start, length) = (buffer.address().0, buffer.length());
        let within = start >= self.buffers.start
            && start
                .checked_add(length as u64)
                .is_some_and(|end| end <= self.buffers.end);
        // A buffer that is not one of ours has no bytes here: the mediators index nothing unchecked.
        let (start, length) = if within {
            (start, length)
        } else {
            (self.buffers.start, 0)
        };
        let first = with_exposed_provenance_mut::<u8>(start as usize);
        // SAFETY: `new`'s caller vouches for the memory; each `Buffer` is made once, is not lent to a device while it
        // can be named here, and is borrowed mutably for as long as the slice lives.
        let bytes = unsafe { slice::from_raw_parts_mut(first, length) };
        work(bytes, self.ram)
    }

    fn load(&self, shared: &Shared, offset: usize) -> u32 {
        // SAFETY: `word` checks that it is one of ours; volatile, since the device may be using it.
        self.word(shared, offset)
            .map_or(u32::MAX, |word| unsafe { ptr::read_volatile(word) })
    }

    fn store(&mut self, shared: &Shared, offset: usize, value: u32) {
        if let Some(word) = self.word(shared, offset) {
            // SAFETY: as above; stores to memory come before later ones to uncached registers (APM volume 2, 7.4.2).
            unsafe { ptr::write_volatile(word, value) };
        }
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }
}

/// A controller's register window in memory.
pub(crate) struct MemoryRegisters {
    /// Linear address of the first.
    start: u64,
    length: u32,
}

impl MemoryRegisters {
    /// The window of `length` bytes at `address`, as the firmware's tables map it, for the time before the hypervisor
    /// has its own.
    ///
    /// # Safety
    /// The firmware maps it at its physical address; it is a device's, and what the device does to memory when they
    /// are written is for the mediator to decide.
    pub(crate) unsafe fn in_firmware(address: HostPhys, length: u32) -> Self {
        Self {
            start: address.0,
            length,
        }
    }

    /// From now on by the hypervisor's own tables.
    ///
    /// # Safety
    /// Only the hypervisor's tables are used from now on.
    pub(crate) unsafe fn leave_firmware(&mut self) {
        self.start += DEVICE_WINDOW;
    }

    /// The register of type `T` at `offset`, if all of it is one.
    fn register<T>(&self, offset: u32) -> Option<*mut T> {
        let size = size_of::<T>() as u32;
        let inside = offset.is_multiple_of(size) && offset < self.length && size <= self.length - offset;
        inside.then(|| with_exposed_provenance_mut((self.start + u64::from(offset)) as usize))
    }

    fn load<T: Copy>(&self, offset: u32) -> Option<T> {
        // SAFETY: within the window that the constructor's caller vouches for, aligned.
        self.register(offset)
            .map(|register| unsafe { ptr::read_volatile(register) })
    }

    fn store<T>(&mut self, offset: u32, value: T) {
        if let Some(register) = self.register(offset) {
            // SAFETY: as above.
            unsafe { ptr::write_volatile(register, value) };
        }
    }
}

impl Registers for MemoryRegisters {
    fn read(&mut self, offset: u32) -> u32 {
        self.load(offset).unwrap_or(u32::MAX)
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.store(offset, value);
    }
}

impl Ports for MemoryRegisters {
    fn read(&mut self, offset: u8, width: Width) -> u32 {
        let value = match width {
            Width::One => self.load::<u8>(offset.into()).map(u32::from),
            Width::Two => self.load::<u16>(offset.into()).map(u32::from),
            Width::Four => self.load(offset.into()),
            Width::Eight => None,
        };
        value.unwrap_or(u32::MAX)
    }

    fn write(&mut self, offset: u8, width: Width, value: u32) {
        match width {
            Width::One => self.store(offset.into(), value as u8),
            Width::Two => self.store(offset.into(), value as u16),
            Width::Four => self.store(offset.into(), value),
            Width::Eight => {}
        }
    }
}
