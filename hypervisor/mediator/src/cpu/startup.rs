//! The register state in which INIT and startup IPIs leave the guest's CPUs.
//!
//! Both are emulated, never delivered: a real INIT would take a CPU away from the hypervisor. The state is plain
//! data without a vendor's layout; the machine copies it into the VMCB or VMCS.
//!
//! Sources: AMD APM volume 2, table 14-1 (state after INIT), section 14.1.5 (startup vector); Intel SDM volume 3,
//! table 9-1 (table 10-1 in newer editions).

/// A segment register with its hidden part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentState {
    /// The visible selector.
    pub selector: u16,
    /// Linear base.
    pub base: u64,
    /// Limit in bytes, expanded.
    pub limit: u32,
    /// Access byte: type in bits 3..0, S in bit 4, DPL in 6..5, P in 7; no flags of the upper nibble are set.
    pub access: u8,
}

/// Everything INIT sets. What is not here keeps its value: x87, SSE and extended state, XCR0, MTRRs, the TSC and
/// the other model-specific registers, the local APIC's ID, and CR0.CD and CR0.NW.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResetState {
    /// CR0 with CD and NW as after RESET; keep the old ones (see [`ResetState::cr0_after_init`]).
    pub cr0: u64,
    /// CR2.
    pub cr2: u64,
    /// CR3.
    pub cr3: u64,
    /// CR4.
    pub cr4: u64,
    /// EFER as the guest sees it.
    pub efer: u64,
    /// Flags.
    pub rflags: u64,
    /// Instruction pointer.
    pub rip: u64,
    /// RDX: family, model and stepping as CPUID leaf 1 EAX tells them.
    pub rdx: u64,
    /// Every other general register.
    pub general: u64,
    /// CS.
    pub code: SegmentState,
    /// DS, ES, FS, GS and SS.
    pub data: SegmentState,
    /// GDTR and IDTR: base zero, this limit.
    pub descriptor_table_limit: u16,
    /// LDTR.
    pub local_descriptor_table: SegmentState,
    /// TR.
    pub task: SegmentState,
    /// DR6.
    pub dr6: u64,
    /// DR7; DR0 to DR3 are zero.
    pub dr7: u64,
}

/// CR0.NW and CR0.CD, which INIT leaves alone.
const CACHE_BITS: u64 = 3 << 29;

impl ResetState {
    /// The state after INIT. `signature` is CPUID leaf 1 EAX.
    #[must_use]
    pub const fn init(signature: u32) -> Self {
        Self {
            cr0: 0x6000_0010,
            cr2: 0,
            cr3: 0,
            cr4: 0,
            efer: 0,
            rflags: 2,
            rip: 0xfff0,
            rdx: signature as u64,
            general: 0,
            code: segment(0xf000, 0xffff_0000, 0x9b),
            data: segment(0, 0, 0x93),
            descriptor_table_limit: 0xffff,
            local_descriptor_table: segment(0, 0, 0x82),
            task: segment(0, 0, 0x8b),
            dr6: 0xffff_0ff0,
            dr7: 0x400,
        }
    }

    /// The state in which a CPU starts at a startup IPI with `vector`: INIT's, at address `vector` * 4096.
    #[must_use]
    pub const fn startup(signature: u32, vector: u8) -> Self {
        let mut state = Self::init(signature);
        state.code = segment((vector as u16) << 8, (vector as u64) << 12, 0x9b);
        state.rip = 0;
        state
    }

    /// CR0 for a CPU whose CR0 was `before`.
    #[must_use]
    pub const fn cr0_after_init(&self, before: u64) -> u64 {
        self.cr0 & !CACHE_BITS | before & CACHE_BITS
    }
}

const fn segment(selector: u16, base: u64, access: u8) -> SegmentState {
    SegmentState {
        selector,
        base,
        limit: 0xffff,
        access,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_init_the_cpu_is_at_the_reset_vector() {
        let state = ResetState::init(0x0080_0f12);
        assert_eq!(state.code.base + state.rip, 0xffff_fff0);
        assert_eq!(state.code.selector, 0xf000);
        assert_eq!(state.rdx, 0x0080_0f12);
        assert_eq!((state.rflags, state.dr6, state.dr7), (2, 0xffff_0ff0, 0x400));
    }

    #[test]
    fn a_startup_vector_names_a_page() {
        let state = ResetState::startup(0, 0x9a);
        assert_eq!(
            (state.code.selector, state.code.base, state.rip),
            (0x9a00, 0x9a000, 0)
        );
    }

    #[test]
    fn init_keeps_the_cache_bits_of_cr0_only() {
        let state = ResetState::init(0);
        assert_eq!(state.cr0_after_init(0x8005_0033), 0x10);
        assert_eq!(state.cr0_after_init(0xc005_0033), 0x4000_0010);
    }
}
