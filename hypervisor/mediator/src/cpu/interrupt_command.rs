//! Interprocessor interrupts: which of them the hypervisor must carry out itself, and for which CPUs.
//!
//! INIT and startup IPIs would take a CPU away from the hypervisor, so they are decoded here and never reach the
//! interrupt controller. NMIs pass, but are remembered, so that the machine can tell a guest's NMI from its own.
//! Everything else passes. The command and the destination registers are the guest's: no combination of bits may
//! let an INIT through, and one that names no CPU simply reaches none.
//!
//! Sources: AMD APM volume 2, section 16.5 (figure 16-18, ICR), 16.6 (destinations), 16.14 (x2APIC ICR, logical
//! x2APIC ID); Intel SDM volume 3, 11.6.1 (ICR), 11.6.2 (destinations), 11.12.9 and 11.12.10 (x2APIC).

/// Most CPUs that one machine may have: one bit each in a [`CpuSet`].
pub const MAX_CPUS: usize = 64;

/// CPUs by their number in the hypervisor's list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CpuSet(u64);

impl CpuSet {
    /// No CPU.
    pub const EMPTY: Self = Self(0);

    /// True if no CPU is in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True if CPU number `index` is in it.
    #[must_use]
    pub const fn contains(self, index: usize) -> bool {
        index < MAX_CPUS && self.0 & 1 << index != 0
    }

    /// Adds CPU number `index`; numbers from [`MAX_CPUS`] on cannot be added.
    pub const fn insert(&mut self, index: usize) {
        if index < MAX_CPUS {
            self.0 |= 1 << index;
        }
    }

    /// The numbers in it, ascending.
    pub fn iter(self) -> impl Iterator<Item = usize> {
        (0..MAX_CPUS).filter(move |index| self.contains(*index))
    }
}

/// How a CPU's local APIC is set (APIC_BASE bits 11 and 10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApicMode {
    /// Takes no interrupt from the bus.
    Disabled,
    /// Registers in a page, 8-bit destinations.
    XApic,
    /// Registers as MSRs, 32-bit destinations.
    X2Apic,
}

/// What decides whether a CPU is meant by a destination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CpuView {
    /// The APIC ID: 8 bits in xAPIC mode, 32 in x2APIC mode.
    pub apic_id: u32,
    /// Logical destination register (offset 0xD0), as written; not used in x2APIC mode, where it follows the ID.
    pub logical_destination: u32,
    /// Destination format register (offset 0xE0), as written.
    pub destination_format: u32,
    /// Its mode.
    pub mode: ApicMode,
}

impl CpuView {
    /// No CPU: no destination means it.
    pub const ABSENT: Self = Self {
        apic_id: u32::MAX,
        logical_destination: 0,
        destination_format: u32::MAX,
        mode: ApicMode::Disabled,
    };
}

/// A command written to an interrupt command register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InterruptCommand {
    /// Bits 31..0: the same in both modes.
    low: u32,
    destination: Destination,
}

/// Where the destination field was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Destination {
    /// 8 bits, from bits 63..56.
    XApic(u8),
    /// 32 bits, from bits 63..32.
    X2Apic(u32),
}

/// What becomes of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Decision {
    /// The real interrupt controller gets it unchanged.
    Pass,
    /// It has no effect.
    Swallow,
    /// These CPUs get an INIT from the hypervisor.
    Init(CpuSet),
    /// These CPUs get a startup IPI from the hypervisor.
    Startup(CpuSet, u8),
    /// The real interrupt controller gets it, and these CPUs will see a guest's NMI.
    Nmi(CpuSet),
}

const LOGICAL: u32 = 1 << 11;
const LEVEL_ASSERT: u32 = 1 << 14;
const TRIGGER_LEVEL: u32 = 1 << 15;

const DELIVERY_NMI: u32 = 4;
const DELIVERY_INIT: u32 = 5;
const DELIVERY_STARTUP: u32 = 6;

const SHORTHAND_NONE: u32 = 0;
const SHORTHAND_SELF: u32 = 1;
const SHORTHAND_ALL: u32 = 2;

impl InterruptCommand {
    /// From the two registers of the xAPIC page: `low` at offset 0x300, `high` at 0x310.
    #[inline]
    #[must_use]
    pub const fn xapic(low: u32, high: u32) -> Self {
        Self {
            low,
            destination: Destination::XApic(high.to_le_bytes()[3]),
        }
    }

    /// From the MSR 0x830.
    #[inline]
    #[must_use]
    pub const fn x2apic(value: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
        Self {
            low: u32::from_le_bytes([a, b, c, d]),
            destination: Destination::X2Apic(u32::from_le_bytes([e, f, g, h])),
        }
    }

    /// Whether [`Self::decide`] could say anything but [`Decision::Pass`]; if not, no list of CPUs is needed.
    #[inline]
    #[must_use]
    pub const fn is_special(self) -> bool {
        matches!(self.low >> 8 & 7, DELIVERY_NMI | DELIVERY_INIT | DELIVERY_STARTUP)
    }

    /// Decides what becomes of this command when the CPU with number `sender` in `cpus` gives it.
    #[inline]
    pub fn decide(self, cpus: &[CpuView], sender: usize) -> Decision {
        if !self.is_special() {
            return Decision::Pass;
        }
        self.decide_special(self.low >> 8 & 7, cpus, sender)
    }

    #[cold]
    fn decide_special(self, delivery: u32, cpus: &[CpuView], sender: usize) -> Decision {
        let targets = self.targets(cpus, sender);
        match delivery {
            DELIVERY_NMI => Decision::Nmi(targets),
            DELIVERY_STARTUP => Decision::Startup(targets, self.low.to_le_bytes()[0]),
            // A level-triggered de-assert only synchronised arbitration IDs, and does nothing on CPUs with SVM or
            // VMX (Intel SDM volume 3, table 11-3).
            _ if self.low & (TRIGGER_LEVEL | LEVEL_ASSERT) == TRIGGER_LEVEL => Decision::Swallow,
            _ => Decision::Init(targets),
        }
    }

    /// Every CPU that the command means. "Self" and "all including self" are not valid with these deliveries, yet
    /// they are taken at their word: no CPU is ever left to the real interrupt controller.
    fn targets(self, cpus: &[CpuView], sender: usize) -> CpuSet {
        let shorthand = self.low >> 18 & 3;
        let mut targets = CpuSet::EMPTY;
        for (index, cpu) in cpus.iter().enumerate().take(MAX_CPUS) {
            let meant = match shorthand {
                SHORTHAND_NONE => self.names(cpu),
                SHORTHAND_SELF => index == sender,
                SHORTHAND_ALL => true,
                _ => index != sender,
            };
            if meant && cpu.mode != ApicMode::Disabled {
                targets.insert(index);
            }
        }
        targets
    }

    fn names(self, cpu: &CpuView) -> bool {
        match self.destination {
            Destination::XApic(0xff) | Destination::X2Apic(0xffff_ffff) => true,
            Destination::XApic(id) if self.low & LOGICAL == 0 => u32::from(id) == cpu.apic_id,
            Destination::X2Apic(id) if self.low & LOGICAL == 0 => id == cpu.apic_id,
            Destination::XApic(message) => logically(u32::from(message), cpu),
            Destination::X2Apic(message) => logically(message, cpu),
        }
    }
}

/// True if the logical destination `message` means `cpu`; each CPU compares in the manner of its own mode.
fn logically(message: u32, cpu: &CpuView) -> bool {
    match cpu.mode {
        ApicMode::Disabled => false,
        ApicMode::X2Apic => {
            let own = x2apic_logical_id(cpu.apic_id);
            message >> 16 == own >> 16 && message & own & 0xffff != 0
        }
        ApicMode::XApic => {
            let own = cpu.logical_destination >> 24;
            let flat = cpu.destination_format >> 28 == 0xf;
            if flat {
                return message <= 0xff && message & own != 0;
            }
            let all_clusters = message >> 4 == 0xf;
            (all_clusters || message >> 4 == own >> 4) && message & own & 0xf != 0
        }
    }
}

/// The logical ID of x2APIC mode: the cluster in bits 31..16, one bit in 15..0.
#[must_use]
pub const fn x2apic_logical_id(apic_id: u32) -> u32 {
    (apic_id >> 4) << 16 | 1 << (apic_id & 0xf)
}
