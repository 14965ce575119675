//! The model-specific registers that are ours: what becomes of each read and write.
//!
//! Only those in [`OURS`] exit; every other one inside the permission map's ranges is the guest's own, and one
//! outside the ranges does not exist. Ours are the registers of SVM (hidden, as on a CPU without it) and those
//! that would move memory, clocks or interrupt delivery from under the hypervisor. A value that a guest may not
//! set vanishes, and is counted, where an honest guest might write it (firmware's own start-up code runs as guest
//! too, and #GP would stop it); it faults where a CPU without SVM would fault.
//!
//! Sources: AMD APM volume 2, appendix A (MSRs), 15.11 (permission map); Intel SDM volume 3, section 11.4.4
//! (APIC_BASE), 11.12.5 (x2APIC states), 18.17.3 (IA32_TSC_ADJUST).

use super::efer::{self, Features};
use super::interrupt_command::ApicMode;
use super::mtrr::{MemoryTypes, Verdict};

/// Time stamp counter.
pub const TSC: u32 = 0x10;
/// IA32_APIC_BASE.
pub const APIC_BASE: u32 = 0x1b;
/// IA32_TSC_ADJUST.
pub const TSC_ADJUST: u32 = 0x3b;
/// The x2APIC interrupt command register.
pub const X2APIC_COMMAND: u32 = 0x830;
/// EFER.
pub const EFER: u32 = 0xc000_0080;
/// SYSCFG.
pub const SYSCFG: u32 = 0xc001_0010;

/// PATCH_LOADER: the address of a microcode patch to load. Microcode is beneath the hypervisor; firmware brings it.
pub const PATCH_LOADER: u32 = 0xc001_0020;

/// How accesses to one register of ours are met.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// No exit: the hardware answers.
    Through,
    /// #GP, as where the register does not exist.
    Fault,
    /// An exit, and a decision.
    Decide,
}

/// A register of ours, or a run of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ours {
    /// The first register's number.
    pub first: u32,
    /// The last one's.
    pub last: u32,
    /// Reads.
    pub read: Fate,
    /// Writes.
    pub write: Fate,
}

/// Every register that exits; the machine builds its permission map from this.
pub const OURS: &[Ours] = &[
    guarded(TSC, TSC),
    guarded(APIC_BASE, APIC_BASE),
    decided(TSC_ADJUST),
    guarded(0x200, 0x21f), // MTRRphysBase and MTRRphysMask
    guarded(0x2ff, 0x2ff), // MTRRdefType
    guarded(X2APIC_COMMAND, X2APIC_COMMAND),
    decided(EFER),
    hidden(0xc000_0104, 0xc000_0104), // TSC_RATIO
    guarded(SYSCFG, SYSCFG),
    guarded(0xc001_0016, 0xc001_0019), // IORRBase and IORRMask
    guarded(0xc001_001a, 0xc001_001a), // TOP_MEM
    guarded(0xc001_001d, 0xc001_001d), // TOP_MEM2
    guarded(PATCH_LOADER, PATCH_LOADER),
    guarded(0xc001_0058, 0xc001_0058), // MMIO configuration base address
    guarded(0xc001_0111, 0xc001_0113), // SMBASE, SMM_ADDR (TSEG base), SMM_MASK
    hidden(0xc001_0114, 0xc001_0119),  // VM_CR, IGNNE, SMM_CTL, VM_HSAVE_PA, SVM_KEY, SMM_KEY
    hidden(0xc001_011b, 0xc001_011b),  // AVIC doorbell
    hidden(0xc001_011e, 0xc001_011e),  // VMPAGE_FLUSH
    hidden(0xc001_0130, 0xc001_0133),  // GHCB, SEV_STATUS, RMP_BASE, RMP_END
];

const fn guarded(first: u32, last: u32) -> Ours {
    Ours {
        first,
        last,
        read: Fate::Through,
        write: Fate::Decide,
    }
}

const fn decided(msr: u32) -> Ours {
    Ours {
        first: msr,
        last: msr,
        read: Fate::Decide,
        write: Fate::Decide,
    }
}

const fn hidden(first: u32, last: u32) -> Ours {
    Ours {
        first,
        last,
        read: Fate::Fault,
        write: Fate::Fault,
    }
}

/// The real registers of the CPU that exited.
pub trait Hardware {
    /// The present value of a register in [`OURS`] that is not hidden.
    fn msr(&self, msr: u32) -> u64;
    /// The real time stamp counter.
    fn timestamp(&self) -> u64;
}

/// What the decisions need to know of the guest's CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// EFER as the guest sees it, without SVME.
    pub efer: u64,
    /// CR0.
    pub cr0: u64,
    /// What the guest's time stamp counter is ahead of the real one.
    pub tsc_offset: u64,
    /// IA32_TSC_ADJUST as the guest sees it.
    pub tsc_adjust: u64,
    /// What the CPU has.
    pub features: Features,
    /// How its local APIC is set.
    pub apic_mode: ApicMode,
}

/// What becomes of a read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum ReadDecision {
    /// The guest gets this.
    Value(u64),
    /// #GP(0).
    Fault,
}

/// What becomes of a write. Wherever it is not a fault, the instruction completes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum WriteDecision {
    /// #GP(0).
    Fault,
    /// The hardware gets this value.
    Hardware(u64),
    /// It is what the register holds, or will soon hold again: nothing happens.
    Unchanged,
    /// It may not happen: nothing happens, and it is counted.
    Vanish,
    /// The guest's EFER becomes this; the machine adds SVME where its save area must have it.
    Efer(u64),
    /// The guest's clock moves: the new offset to the real counter, and IA32_TSC_ADJUST as it then reads.
    Clock {
        /// For [`State::tsc_offset`].
        offset: u64,
        /// For [`State::tsc_adjust`].
        adjust: u64,
    },
    /// The hardware's APIC_BASE gets this value, and the local APIC is then in this mode.
    Apic(u64, ApicMode),
    /// An x2APIC interrupt command; [`super::interrupt_command::InterruptCommand::x2apic`] decides.
    Command(u64),
}

/// What a read of `msr` gives. Registers outside of [`OURS`] that exit do not exist.
pub fn read(msr: u32, state: &State) -> ReadDecision {
    match msr {
        EFER => ReadDecision::Value(state.efer),
        TSC_ADJUST if state.features.contains(Features::TSC_ADJUST) => ReadDecision::Value(state.tsc_adjust),
        _ => ReadDecision::Fault,
    }
}

/// What a write of `value` to `msr` does. Registers outside of [`OURS`] that exit do not exist.
#[inline]
pub fn write<H: Hardware>(
    msr: u32,
    value: u64,
    state: &State,
    memory_types: &mut MemoryTypes,
    hardware: &H,
) -> WriteDecision {
    match msr {
        X2APIC_COMMAND if state.apic_mode == ApicMode::X2Apic && value & COMMAND_RESERVED == 0 => {
            WriteDecision::Command(value)
        }
        EFER => match efer::compose(value, state.efer, state.cr0, state.features) {
            Ok(composed) => WriteDecision::Efer(composed),
            Err(efer::Refused) => WriteDecision::Fault,
        },
        TSC => set_clock(value, state, hardware),
        TSC_ADJUST if state.features.contains(Features::TSC_ADJUST) => adjust_clock(value, state),
        APIC_BASE => apic_base(value, hardware.msr(APIC_BASE), state.features),
        0x200..=0x21f | 0x2ff => memory_type(msr, value, memory_types, hardware),
        PATCH_LOADER => WriteDecision::Vanish,
        SYSCFG => fixed_except(SYSCFG_OPEN, value, hardware.msr(SYSCFG)),
        0xc001_0016..=0xc001_001a | 0xc001_001d | 0xc001_0058 | 0xc001_0111..=0xc001_0113 => {
            fixed_except(0, value, hardware.msr(msr))
        }
        _ => WriteDecision::Fault,
    }
}

/// MtrrFixDramEn and MtrrFixDramModEn: they act on fixed ranges only, below 1 MiB. Firmware and Linux set and clear
/// them around their MTRR set-up (AMD APM volume 2, section 7.9.1).
const SYSCFG_OPEN: u64 = 1 << 18 | 1 << 19;

/// Bits 12, 13, 16, 17 and 31..20 (Intel SDM volume 3, figure 11-28).
const COMMAND_RESERVED: u64 = 0xfff3_3000;

#[cold]
fn memory_type<H: Hardware>(msr: u32, value: u64, types: &mut MemoryTypes, hardware: &H) -> WriteDecision {
    types.refresh(|msr| hardware.msr(msr));
    match types.write(msr, value) {
        Verdict::Harmless => WriteDecision::Hardware(value),
        Verdict::Harmful => WriteDecision::Vanish,
        Verdict::Paused => WriteDecision::Unchanged,
        Verdict::Fault => WriteDecision::Fault,
    }
}

fn fixed_except(open: u64, value: u64, present: u64) -> WriteDecision {
    if value == present {
        WriteDecision::Unchanged
    } else if (value ^ present) & !open == 0 {
        WriteDecision::Hardware(value)
    } else {
        WriteDecision::Vanish
    }
}

/// Writing the counter adds the step to IA32_TSC_ADJUST too.
fn set_clock<H: Hardware>(value: u64, state: &State, hardware: &H) -> WriteDecision {
    let offset = value.wrapping_sub(hardware.timestamp());
    let step = offset.wrapping_sub(state.tsc_offset);
    WriteDecision::Clock {
        offset,
        adjust: state.tsc_adjust.wrapping_add(step),
    }
}

/// Writing IA32_TSC_ADJUST adds the step to the counter.
const fn adjust_clock(value: u64, state: &State) -> WriteDecision {
    let step = value.wrapping_sub(state.tsc_adjust);
    WriteDecision::Clock {
        offset: state.tsc_offset.wrapping_add(step),
        adjust: value,
    }
}

const APIC_BOOT_CPU: u64 = 1 << 8;
const APIC_X2: u64 = 1 << 10;
const APIC_ENABLED: u64 = 1 << 11;
const APIC_ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// The mode that a value of APIC_BASE means; `None` for the invalid combination.
#[must_use]
pub const fn apic_mode(apic_base: u64) -> Option<ApicMode> {
    match (apic_base & APIC_ENABLED != 0, apic_base & APIC_X2 != 0) {
        (false, false) => Some(ApicMode::Disabled),
        (true, false) => Some(ApicMode::XApic),
        (true, true) => Some(ApicMode::X2Apic),
        (false, true) => None,
    }
}

/// The page may not move: the hypervisor watches it where it is. Modes change as the manuals' state diagram allows.
fn apic_base(value: u64, present: u64, features: Features) -> WriteDecision {
    let known = APIC_BOOT_CPU | APIC_X2 | APIC_ENABLED | APIC_ADDRESS;
    let (Some(before), Some(after)) = (apic_mode(present), apic_mode(value)) else {
        return WriteDecision::Fault;
    };
    let legal = match (before, after) {
        (ApicMode::X2Apic, ApicMode::XApic) | (ApicMode::Disabled, ApicMode::X2Apic) => false,
        (_, ApicMode::X2Apic) => features.contains(Features::X2APIC),
        _ => true,
    };
    if value & !known != 0 || !legal {
        return WriteDecision::Fault;
    }
    if (value ^ present) & APIC_ADDRESS != 0 {
        return WriteDecision::Vanish;
    }
    WriteDecision::Apic(value & !APIC_BOOT_CPU | present & APIC_BOOT_CPU, after)
}
