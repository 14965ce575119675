//! The local APIC of the CPU this runs on: the few registers the hypervisor needs itself.
//!
//! Source: AMD64 APM volume 2, chapter 16; x2APIC registers are MSRs at 800h + offset / 16 (16.11).

use crate::address::HostPhys;
use crate::memory::DeviceRegister;
use x86_64::registers::model_specific::Msr;

const APIC_BASE: u32 = 0x1b;
const ENABLED: u64 = 1 << 11;
const X2APIC_ENABLED: u64 = 1 << 10;
const BASE_ADDRESS: u64 = 0x000f_ffff_ffff_f000;

const ID: u32 = 0x20;
const TASK_PRIORITY: u32 = 0x80;
const END_OF_INTERRUPT: u32 = 0xb0;
const LOGICAL_DESTINATION: u32 = 0xd0;
const DESTINATION_FORMAT: u32 = 0xe0;
const SPURIOUS: u32 = 0xf0;
const IN_SERVICE: u32 = 0x100;
const COMMAND: u32 = 0x300;
const COMMAND_HIGH: u32 = 0x310;
/// Timer, thermal, performance, LINT0, LINT1, error.
const LOCAL_VECTORS: [u32; 6] = [0x320, 0x330, 0x340, 0x350, 0x360, 0x370];
const TIMER_INITIAL: u32 = 0x380;

const MASKED: u32 = 1 << 16;
const NMI_TO: u32 = 4 << 8 | 1 << 14;
/// NMI, asserted, to all CPUs but this one.
const NMI_TO_OTHERS: u32 = NMI_TO | 3 << 18;
const DELIVERY_PENDING: u32 = 1 << 12;
/// Looks at the delivery status before going on: a command that is not taken after this will never be.
const PATIENCE: u32 = 100_000;
/// Interrupts that can be in service at once.
const PRIORITIES: u32 = 256;

/// How this CPU's interrupt controller is reached.
#[derive(Clone, Copy)]
pub(crate) enum LocalApic {
    /// xAPIC: a page of registers at this address.
    Page(HostPhys),
    /// x2APIC: MSRs.
    Registers,
    /// Globally disabled: no registers.
    Disabled,
}

/// Where the xAPIC page is, or would be.
pub(crate) fn page_address() -> u64 {
    crate::msr_access::read_known(APIC_BASE) & BASE_ADDRESS
}

/// The register at `offset` of the page.
#[inline]
fn register(base: HostPhys, offset: u32) -> DeviceRegister<u32> {
    // SAFETY: the APIC's page: its registers have no effect on memory. Commands that would take a CPU away are
    // decided before they come here.
    unsafe { DeviceRegister::new(HostPhys(base.0 + u64::from(offset))) }
}

impl LocalApic {
    /// As APIC_BASE says now.
    pub(crate) fn current() -> Self {
        let base = crate::msr_access::read_known(APIC_BASE);
        match (base & ENABLED != 0, base & X2APIC_ENABLED != 0) {
            (false, _) => Self::Disabled,
            (true, false) => Self::Page(HostPhys(base & BASE_ADDRESS)),
            (true, true) => Self::Registers,
        }
    }

    /// Reads the register at `offset` of the page, or its MSR.
    pub(crate) fn read(self, offset: u32) -> u32 {
        match self {
            Self::Page(base) => register(base, offset).read(),
            // SAFETY: x2APIC is enabled, and the callers name registers that it has.
            Self::Registers => unsafe { Msr::new(0x800 + (offset >> 4)).read() as u32 },
            Self::Disabled => u32::MAX,
        }
    }

    /// Writes the register at `offset` of the page, or its MSR.
    pub(crate) fn write(self, offset: u32, value: u32) {
        match self {
            Self::Page(base) => register(base, offset).write(value),
            // SAFETY: as in `read`; commands that would take a CPU away are decided before they come here.
            Self::Registers => unsafe { Msr::new(0x800 + (offset >> 4)).write(u64::from(value)) },
            Self::Disabled => {}
        }
    }

    /// Writes a register by the page, as the guest did; without a page, nothing answers there.
    #[inline]
    pub(crate) fn write_page(self, offset: u32, value: u32) {
        if let Self::Page(base) = self {
            register(base, offset).write(value);
        }
    }

    /// Reads a register by the page, as the guest did.
    pub(crate) fn read_page(self, offset: u32) -> u32 {
        if let Self::Page(base) = self {
            register(base, offset).read()
        } else {
            u32::MAX
        }
    }

    /// This CPU's ID.
    pub(crate) fn id(self) -> u32 {
        match self {
            Self::Page(_) => self.read(ID) >> 24,
            Self::Registers => self.read(ID),
            Self::Disabled => u32::MAX,
        }
    }

    /// The logical destination register, as it reads.
    pub(crate) fn logical_destination(self) -> u32 {
        self.read(LOGICAL_DESTINATION)
    }

    /// The destination format register; x2APIC has none.
    pub(crate) fn destination_format(self) -> u32 {
        match self {
            Self::Page(_) => self.read(DESTINATION_FORMAT),
            Self::Registers | Self::Disabled => u32::MAX,
        }
    }

    /// Sends an NMI to the CPU with this ID.
    pub(crate) fn wake(self, id: u32) {
        match self {
            Self::Page(_) => self.send(NMI_TO, id << 24),
            // SAFETY: an NMI is handled by every CPU inside.
            Self::Registers => unsafe { Msr::new(0x830).write(u64::from(id) << 32 | u64::from(NMI_TO)) },
            Self::Disabled => {}
        }
    }

    /// Sends an NMI to every other CPU.
    pub(crate) fn wake_others(self) {
        match self {
            Self::Page(_) => self.send(NMI_TO_OTHERS, 0),
            // SAFETY: as in `wake`.
            Self::Registers => unsafe { Msr::new(0x830).write(u64::from(NMI_TO_OTHERS)) },
            Self::Disabled => {}
        }
    }

    /// Sends a command by the page, and leaves the destination half as the guest had it.
    fn send(self, low: u32, high: u32) {
        self.wait_delivered();
        let guest = self.read(COMMAND_HIGH);
        self.write(COMMAND_HIGH, high);
        self.write(COMMAND, low);
        self.wait_delivered();
        self.write(COMMAND_HIGH, guest);
    }

    fn wait_delivered(self) {
        for _ in 0..PATIENCE {
            if self.read(COMMAND) & DELIVERY_PENDING == 0 {
                return;
            }
            core::hint::spin_loop();
        }
    }

    /// What INIT does to the controller: all sources masked, the timer stopped, nothing in service, software-disabled.
    ///
    /// Source: APM volume 2, 16.3.2 and table 16-2 (reset values).
    pub(crate) fn reset(self) {
        for vector in LOCAL_VECTORS {
            self.write(vector, MASKED);
        }
        self.write(TIMER_INITIAL, 0);
        self.write(TASK_PRIORITY, 0);
        for _ in 0..PRIORITIES {
            let in_service = (0..8).any(|word| self.read(IN_SERVICE + word * 0x10) != 0);
            if !in_service {
                break;
            }
            self.write(END_OF_INTERRUPT, 0);
        }
        self.write(SPURIOUS, 0xff);
        if let Self::Page(_) = self {
            self.write(DESTINATION_FORMAT, u32::MAX);
            self.write(LOGICAL_DESTINATION, 0);
        }
    }
}
