//! Interprocessor interrupts: which of them the hypervisor must carry out itself, and for which CPUs.
//!
//! INIT and startup IPIs would take a CPU away from the hypervisor, so they are decoded here and never reach the
//! interrupt controller. NMIs are carried out too, because the hypervisor's own arrive at the same CPUs, and a CPU cannot
//! tell whose one is. Everything else passes. The command and the destination registers are the guest's:
//! no combination of bits may let an INIT through, and one that names no CPU simply reaches none.
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
    /// These CPUs get an NMI from the hypervisor.
    NonMaskable(CpuSet),
    /// These CPUs get an INIT from the hypervisor.
    Init(CpuSet),
    /// These CPUs get a startup IPI from the hypervisor.
    Startup(CpuSet, u8),
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
            DELIVERY_NMI => Decision::NonMaskable(targets),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Four CPUs in xAPIC mode, flat: IDs 0 to 3, logical IDs 1, 2, 4, 8.
    fn flat() -> [CpuView; 4] {
        [0, 1, 2, 3].map(|id| CpuView {
            apic_id: id,
            logical_destination: 1 << (24 + id),
            destination_format: 0xffff_ffff,
            mode: ApicMode::XApic,
        })
    }

    /// Four CPUs in xAPIC mode, two clusters of two.
    fn clustered() -> [CpuView; 4] {
        let logical = [0x01, 0x02, 0x11, 0x12];
        let mut cpus = flat();
        for (cpu, logical) in cpus.iter_mut().zip(logical) {
            cpu.logical_destination = logical << 24;
            cpu.destination_format = 0x0fff_ffff;
        }
        cpus
    }

    /// Four CPUs in x2APIC mode, two in cluster 0, two in cluster 0x10.
    fn x2() -> [CpuView; 4] {
        [0x0, 0x1, 0x100, 0x10f].map(|apic_id| CpuView {
            apic_id,
            logical_destination: 0,
            destination_format: 0xffff_ffff,
            mode: ApicMode::X2Apic,
        })
    }

    fn cpus(bits: u64) -> CpuSet {
        let mut set = CpuSet::EMPTY;
        (0..MAX_CPUS)
            .filter(|index| bits >> index & 1 != 0)
            .for_each(|index| set.insert(index));
        set
    }

    fn xapic(low: u32, destination: u32) -> InterruptCommand {
        InterruptCommand::xapic(low, destination << 24)
    }

    fn x2apic(low: u32, destination: u32) -> InterruptCommand {
        InterruptCommand::x2apic(u64::from(destination) << 32 | u64::from(low))
    }

    /// INIT, assert, edge: as Linux and edk2 send it; INIT | level | assert is what older guests send.
    const INIT: u32 = 0x4500;
    const INIT_LEVEL_ASSERT: u32 = 0xc500;
    const INIT_DEASSERT: u32 = 0x8500;
    const STARTUP_9A: u32 = 0x469a;
    const NMI: u32 = 0x4400;
    const LOGICAL_MODE: u32 = 0x800;
    const TO_SELF: u32 = 0x4_0000;
    const TO_ALL: u32 = 0x8_0000;
    const TO_OTHERS: u32 = 0xc_0000;

    #[test]
    fn every_xapic_destination_reaches_the_cpus_of_the_manual() {
        let cases = [
            ("physical", flat(), INIT, 2, 0b0100),
            ("physical, nobody", flat(), INIT, 9, 0),
            ("physical broadcast", flat(), INIT, 0xff, 0b1111),
            ("flat, one", flat(), INIT | LOGICAL_MODE, 0x04, 0b0100),
            ("flat, several", flat(), INIT | LOGICAL_MODE, 0x0a, 0b1010),
            ("flat, broadcast", flat(), INIT | LOGICAL_MODE, 0xff, 0b1111),
            ("flat, nobody", flat(), INIT | LOGICAL_MODE, 0xf0, 0),
            ("cluster 0, both", clustered(), INIT | LOGICAL_MODE, 0x03, 0b0011),
            (
                "cluster 1, second",
                clustered(),
                INIT | LOGICAL_MODE,
                0x12,
                0b1000,
            ),
            ("cluster 2, nobody", clustered(), INIT | LOGICAL_MODE, 0x23, 0),
            (
                "all clusters, first of each",
                clustered(),
                INIT | LOGICAL_MODE,
                0xf1,
                0b0101,
            ),
            (
                "cluster broadcast",
                clustered(),
                INIT | LOGICAL_MODE,
                0xff,
                0b1111,
            ),
            ("self", flat(), INIT | TO_SELF, 0, 0b0010),
            ("all including self", flat(), INIT | TO_ALL, 0, 0b1111),
            ("all excluding self", flat(), INIT | TO_OTHERS, 0, 0b1101),
            (
                "shorthand before destination",
                flat(),
                INIT | TO_OTHERS | LOGICAL_MODE,
                0x02,
                0b1101,
            ),
        ];
        for (name, views, low, destination, expected) in cases {
            let decision = xapic(low, destination).decide(&views, 1);
            assert_eq!(decision, Decision::Init(cpus(expected)), "{name}");
        }
    }

    #[test]
    fn every_x2apic_destination_reaches_the_cpus_of_the_manual() {
        let cases = [
            ("physical", INIT, 0x100, 0b0100),
            ("physical, nobody", INIT, 0xff, 0),
            ("broadcast", INIT, 0xffff_ffff, 0b1111),
            ("logical, cluster 0", INIT | LOGICAL_MODE, 0x0000_0003, 0b0011),
            (
                "logical, cluster 0x10, last",
                INIT | LOGICAL_MODE,
                0x0010_8000,
                0b1000,
            ),
            (
                "logical, cluster 0x10, both",
                INIT | LOGICAL_MODE,
                0x0010_8001,
                0b1100,
            ),
            ("logical, nobody", INIT | LOGICAL_MODE, 0x0001_0001, 0),
            ("logical broadcast", INIT | LOGICAL_MODE, 0xffff_ffff, 0b1111),
            ("all including self", INIT | TO_ALL, 0, 0b1111),
            ("all excluding self", INIT | TO_OTHERS, 0, 0b0111),
        ];
        for (name, low, destination, expected) in cases {
            let decision = x2apic(low, destination).decide(&x2(), 3);
            assert_eq!(decision, Decision::Init(cpus(expected)), "{name}");
        }
    }

    #[test]
    fn startup_carries_its_vector() {
        let expected = Decision::Startup(cpus(0b0010), 0x9a);
        assert_eq!(xapic(STARTUP_9A, 1).decide(&flat(), 0), expected);
        assert_eq!(x2apic(STARTUP_9A, 1).decide(&x2(), 0), expected);
    }

    #[test]
    fn only_the_deassert_of_an_init_is_swallowed() {
        assert_eq!(xapic(INIT_DEASSERT, 1).decide(&flat(), 0), Decision::Swallow);
        assert_eq!(
            xapic(INIT_LEVEL_ASSERT, 1).decide(&flat(), 0),
            Decision::Init(cpus(2))
        );
        // Edge-triggered, the level bit does not count.
        assert_eq!(xapic(0x500, 1).decide(&flat(), 0), Decision::Init(cpus(2)));
    }

    #[test]
    fn an_nmi_is_carried_out_for_the_cpus_it_means() {
        assert_eq!(
            xapic(NMI | TO_OTHERS, 0).decide(&flat(), 0),
            Decision::NonMaskable(cpus(0b1110))
        );
        assert_eq!(
            x2apic(NMI, 0x10f).decide(&x2(), 0),
            Decision::NonMaskable(cpus(0b1000))
        );
    }

    #[test]
    fn no_bits_let_an_nmi_an_init_or_a_startup_through() {
        for low in 0..1_u32 << 20 {
            let passes = matches!(xapic(low, 1).decide(&flat(), 0), Decision::Pass);
            assert_eq!(passes, !matches!(low >> 8 & 7, 4..=6), "{low:x}");
        }
    }

    #[test]
    fn a_disabled_apic_takes_nothing() {
        let mut views = flat();
        views[2].mode = ApicMode::Disabled;
        assert_eq!(xapic(INIT, 0xff).decide(&views, 0), Decision::Init(cpus(0b1011)));
        assert_eq!(
            xapic(INIT, 0xff).decide(&[CpuView::ABSENT; 3], 0),
            Decision::Init(CpuSet::EMPTY)
        );
    }

    #[test]
    fn more_cpus_than_the_set_holds_are_not_reached() {
        let views = [flat()[0]; MAX_CPUS + 1];
        let Decision::Init(targets) = xapic(INIT, 0).decide(&views, 0) else {
            panic!("an INIT is an INIT");
        };
        assert_eq!(targets.iter().count(), MAX_CPUS);
    }

    #[test]
    fn the_logical_x2apic_id_is_derived_from_the_id() {
        assert_eq!(x2apic_logical_id(0x0), 0x0000_0001);
        assert_eq!(x2apic_logical_id(0x2f), 0x0002_8000);
    }
}
