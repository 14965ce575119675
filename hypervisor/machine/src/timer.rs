//! The event timers' page, of which one comparator wakes the hypervisor.

use crate::address::{HostPhys, PhysRange};
use crate::device::MemoryRegisters;
use core::sync::atomic::{AtomicU8, Ordering};
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::wake::{Cause, Owner, WINDOW, Waker};
use spin::Mutex;

/// Bytes of the page that the guest's stores to the timers are trapped in.
const PAGE: u64 = 4096;

/// The timer.
pub(crate) struct Timer {
    page: PhysRange,
    /// The CPU that is woken.
    apic_id: AtomicU8,
    inner: Mutex<(Waker, MemoryRegisters)>,
}

impl Timer {
    /// The timers at `address`, as the firmware's tables map them; `None` where none of them can wake.
    ///
    /// # Safety
    /// It is a page of the machine's event timers that the firmware maps at its physical address, and nothing is waited
    /// for before the hypervisor's own tables are used.
    pub(crate) unsafe fn take(address: u64) -> Option<Self> {
        let page = PhysRange::new(address, PAGE)?;
        // SAFETY: the caller vouches; event timers have no effect on memory but by messages, which `Waker` judges.
        let mut registers = unsafe { MemoryRegisters::in_firmware(HostPhys(address), WINDOW) };
        let waker = Waker::take(&mut registers)?;
        // SAFETY: the next access is from an exit, or on the way to the guest, under the hypervisor's own tables.
        unsafe { registers.leave_firmware() };
        Some(Self {
            page,
            apic_id: AtomicU8::new(0),
            inner: Mutex::new((waker, registers)),
        })
    }

    /// The page that the guest may only read.
    pub(crate) const fn page(&self) -> PhysRange {
        self.page
    }

    /// From now on the CPU with this APIC ID is woken.
    pub(crate) fn wakes(&self, apic_id: u8) {
        self.apic_id.store(apic_id, Ordering::Relaxed);
    }

    /// Wakes it in so many nanoseconds.
    pub(crate) fn arm(&self, nanoseconds: u64) {
        let (waker, registers) = &mut *self.inner.lock();
        waker.arm(registers, self.apic_id.load(Ordering::Relaxed), nanoseconds);
    }

    /// Whose the NMI is that this CPU, which is the one that is woken, has just taken.
    pub(crate) fn judge(&self, cause: Cause) -> Owner {
        let (waker, registers) = &mut *self.inner.lock();
        waker.judge(registers, cause)
    }

    /// The guest's store at `offset` of the page.
    pub(crate) fn guest_writes(&self, offset: u64, width: Width, value: u64) {
        let (waker, registers) = &mut *self.inner.lock();
        waker.guest_writes(registers, offset, width, value);
    }
}
