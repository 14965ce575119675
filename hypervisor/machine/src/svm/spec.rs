//! The virtual machine control block and its codes, as the manual lays them out.
//!
//! Source: AMD64 Architecture Programmer's Manual, volume 2 (24593, rev. 3.42): appendix B (VMCB layout),
//! appendix C (exit codes), section 15.20 (event injection), 15.10 and 15.11 (permission maps).

/// Intercepts of the first misc vector (VMCB offset 00Ch).
pub(crate) mod intercept1 {
    pub(crate) const NMI: u32 = 1 << 1;
    pub(crate) const CPUID: u32 = 1 << 18;
    pub(crate) const IRET: u32 = 1 << 20;
    pub(crate) const INVD: u32 = 1 << 22;
    pub(crate) const PAUSE: u32 = 1 << 23;
    pub(crate) const INVLPGA: u32 = 1 << 26;
    pub(crate) const IOIO_PROT: u32 = 1 << 27;
    pub(crate) const MSR_PROT: u32 = 1 << 28;
    pub(crate) const SHUTDOWN: u32 = 1 << 31;
}

/// Intercepts of the second misc vector (VMCB offset 010h). VMRUN must be set for VMRUN to succeed (15.5.1).
pub(crate) mod intercept2 {
    pub(crate) const VMRUN: u32 = 1 << 0;
    pub(crate) const VMMCALL: u32 = 1 << 1;
    pub(crate) const VMLOAD: u32 = 1 << 2;
    pub(crate) const VMSAVE: u32 = 1 << 3;
    pub(crate) const STGI: u32 = 1 << 4;
    pub(crate) const CLGI: u32 = 1 << 5;
    pub(crate) const SKINIT: u32 = 1 << 6;
}

/// Exit codes (appendix C) of what is intercepted.
pub(crate) mod exit_code {
    pub(crate) const DB: u64 = 0x41;
    pub(crate) const NMI: u64 = 0x61;
    pub(crate) const CPUID: u64 = 0x72;
    pub(crate) const IRET: u64 = 0x74;
    pub(crate) const INVD: u64 = 0x76;
    pub(crate) const PAUSE: u64 = 0x77;
    pub(crate) const INVLPGA: u64 = 0x7a;
    pub(crate) const IOIO: u64 = 0x7b;
    pub(crate) const MSR: u64 = 0x7c;
    pub(crate) const SHUTDOWN: u64 = 0x7f;
    pub(crate) const VMRUN: u64 = 0x80;
    pub(crate) const VMMCALL: u64 = 0x81;
    pub(crate) const VMLOAD: u64 = 0x82;
    pub(crate) const SKINIT: u64 = 0x86;
    pub(crate) const NPF: u64 = 0x400;
    /// VMEXIT_INVALID, the low half: VMRUN found state that no CPU can be in.
    pub(crate) const INVALID: u32 = u32::MAX;
}

/// EXITINFO1 of an IOIO exit (15.10.2).
pub(crate) mod io_info {
    pub(crate) const IN: u64 = 1 << 0;
    pub(crate) const STRING: u64 = 1 << 2;
    pub(crate) const WIDTH_SHIFT: u32 = 4;
    pub(crate) const PORT_SHIFT: u32 = 16;
}

/// EXITINFO1 of a nested page fault (15.25.6).
pub(crate) mod npf_info {
    pub(crate) const WRITE: u64 = 1 << 1;
    /// The fault was met while walking the guest's page tables, not at the final address.
    pub(crate) const GUEST_TABLE: u64 = 1 << 33;
}

/// EVENTINJ and EXITINTINFO (15.7.2, 15.20).
pub(crate) mod event {
    pub(crate) const TYPE: u64 = 7 << 8;
    pub(crate) const TYPE_NMI: u64 = 2 << 8;
    pub(crate) const TYPE_EXCEPTION: u64 = 3 << 8;
    pub(crate) const TYPE_SOFTWARE: u64 = 4 << 8;
    pub(crate) const ERROR_CODE_VALID: u64 = 1 << 11;
    pub(crate) const VALID: u64 = 1 << 31;
}

/// NP_ENABLE (offset 090h).
pub(crate) const NESTED_PAGING: u64 = 1;
/// INTERRUPT_SHADOW, bit 0 of offset 068h.
pub(crate) const INTERRUPT_SHADOW: u64 = 1;
/// TLB_CONTROL: flush the entries of all ASIDs, the one kind of flush that every SVM CPU has (15.16.1).
pub(crate) const TLB_FLUSH_ALL: u8 = 1;

/// A segment register in the state save area. `attributes` packs descriptor bits 40-47 and 52-55.
#[repr(C)]
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) selector: u16,
    pub(crate) attributes: u16,
    pub(crate) limit: u32,
    pub(crate) base: u64,
}

/// The control area (appendix B, table B-1), as far as it is used.
#[repr(C)]
pub(crate) struct Control {
    pub(crate) intercept_cr: u32,
    pub(crate) intercept_dr: u32,
    pub(crate) intercept_exceptions: u32,
    pub(crate) intercept1: u32,
    pub(crate) intercept2: u32,
    pub(crate) intercept3: u32,
    reserved_018: [u8; 0x24],
    pub(crate) pause_filter: u32,
    pub(crate) io_permissions: u64,
    pub(crate) msr_permissions: u64,
    pub(crate) tsc_offset: u64,
    pub(crate) asid: u32,
    pub(crate) tlb_control: u8,
    reserved_05d: [u8; 3],
    pub(crate) virtual_interrupt: u64,
    pub(crate) interrupt_shadow: u64,
    pub(crate) exit_code: u64,
    pub(crate) exit_info1: u64,
    pub(crate) exit_info2: u64,
    pub(crate) exit_interrupt_info: u64,
    pub(crate) nested_paging: u64,
    reserved_098: [u8; 0x10],
    pub(crate) event_injection: u64,
    pub(crate) nested_cr3: u64,
    pub(crate) lbr_virtualization: u64,
    pub(crate) clean: u64,
    pub(crate) next_rip: u64,
    pub(crate) fetched: u8,
    pub(crate) instruction_bytes: [u8; 15],
    reserved_0e0: [u8; 0x320],
}

/// The state save area (appendix B, table B-2), as far as it is used.
#[repr(C)]
pub(crate) struct Save {
    pub(crate) es: Segment,
    pub(crate) cs: Segment,
    pub(crate) ss: Segment,
    pub(crate) ds: Segment,
    pub(crate) fs: Segment,
    pub(crate) gs: Segment,
    pub(crate) gdtr: Segment,
    pub(crate) ldtr: Segment,
    pub(crate) idtr: Segment,
    pub(crate) tr: Segment,
    reserved_0a0: [u8; 0x2b],
    pub(crate) cpl: u8,
    reserved_0cc: u32,
    pub(crate) efer: u64,
    reserved_0d8: [u8; 0x70],
    pub(crate) cr4: u64,
    pub(crate) cr3: u64,
    pub(crate) cr0: u64,
    pub(crate) dr7: u64,
    pub(crate) dr6: u64,
    pub(crate) rflags: u64,
    pub(crate) rip: u64,
    reserved_180: [u8; 0x58],
    pub(crate) rsp: u64,
    reserved_1e0: [u8; 0x18],
    pub(crate) rax: u64,
    pub(crate) star: u64,
    pub(crate) lstar: u64,
    pub(crate) cstar: u64,
    pub(crate) sfmask: u64,
    pub(crate) kernel_gs_base: u64,
    pub(crate) sysenter_cs: u64,
    pub(crate) sysenter_esp: u64,
    pub(crate) sysenter_eip: u64,
    pub(crate) cr2: u64,
    reserved_248: [u8; 0x20],
    pub(crate) pat: u64,
    reserved_270: [u8; 0x990],
}

/// One VMCB: a 4 KiB page.
#[repr(C, align(4096))]
pub(crate) struct Vmcb {
    pub(crate) control: Control,
    pub(crate) save: Save,
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::{offset_of, size_of};

    #[test]
    fn the_vmcb_is_laid_out_as_appendix_b_says() {
        assert_eq!(size_of::<Vmcb>(), 0x1000);
        assert_eq!(offset_of!(Control, intercept2), 0x010);
        assert_eq!(offset_of!(Control, pause_filter), 0x03c);
        assert_eq!(offset_of!(Control, io_permissions), 0x040);
        assert_eq!(offset_of!(Control, asid), 0x058);
        assert_eq!(offset_of!(Control, virtual_interrupt), 0x060);
        assert_eq!(offset_of!(Control, exit_code), 0x070);
        assert_eq!(offset_of!(Control, nested_paging), 0x090);
        assert_eq!(offset_of!(Control, event_injection), 0x0a8);
        assert_eq!(offset_of!(Control, nested_cr3), 0x0b0);
        assert_eq!(offset_of!(Control, next_rip), 0x0c8);
        assert_eq!(offset_of!(Control, fetched), 0x0d0);
        assert_eq!(offset_of!(Vmcb, save), 0x400);
        assert_eq!(offset_of!(Save, tr), 0x090);
        assert_eq!(offset_of!(Save, cpl), 0x0cb);
        assert_eq!(offset_of!(Save, efer), 0x0d0);
        assert_eq!(offset_of!(Save, cr4), 0x148);
        assert_eq!(offset_of!(Save, rflags), 0x170);
        assert_eq!(offset_of!(Save, rsp), 0x1d8);
        assert_eq!(offset_of!(Save, rax), 0x1f8);
        assert_eq!(offset_of!(Save, cr2), 0x240);
        assert_eq!(offset_of!(Save, pat), 0x268);
    }
}
