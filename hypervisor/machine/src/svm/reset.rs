//! A CPU's state after INIT or a startup IPI, put into the VMCB. What the state is, the mediator says.

use super::spec::{Save, Segment};
use super::{Vcpu, Watch};
use core::arch::asm;
use sekisho_mediator::cpu::startup::{ResetState, SegmentState};

impl Vcpu {
    /// Replaces the guest's registers by `state`; FPU and SSE state stay, as INIT leaves them.
    pub(crate) fn reset(&mut self, state: &ResetState) {
        self.registers.general = [state.general; 16];
        self.registers.general[2] = state.rdx;
        self.set_efer(state.efer);
        self.watch_interrupt_return(Watch::Off);
        self.watch_single_step(Watch::Off);
        self.flush_translations();
        clear_breakpoints();
        let vmcb = self.vmcb_mut();
        let control = &mut vmcb.control;
        control.event_injection = 0;
        control.exit_interrupt_info = 0;
        control.interrupt_shadow = 0;
        fill(&mut vmcb.save, state);
    }
}

/// DR0-3 are not switched: the running CPU holds the guest's.
fn clear_breakpoints() {
    // SAFETY: the host sets no breakpoint, and its DR7 is off (15.6.1: #VMEXIT disables all).
    unsafe {
        asm!(
            "mov dr0, {zero}",
            "mov dr1, {zero}",
            "mov dr2, {zero}",
            "mov dr3, {zero}",
            zero = in(reg) 0u64,
            options(nomem, nostack, preserves_flags),
        );
    }
}

fn fill(save: &mut Save, state: &ResetState) {
    let data = segment(&state.data);
    (save.ds, save.es, save.ss, save.fs, save.gs) = (data, data, data, data, data);
    save.cs = segment(&state.code);
    let table = Segment {
        limit: u32::from(state.descriptor_table_limit),
        ..Segment::default()
    };
    (save.gdtr, save.idtr) = (table, table);
    save.ldtr = segment(&state.local_descriptor_table);
    save.tr = segment(&state.task);
    save.cpl = 0;
    save.cr0 = state.cr0_after_init(save.cr0);
    (save.cr2, save.cr3, save.cr4) = (state.cr2, state.cr3, state.cr4);
    (save.dr6, save.dr7) = (state.dr6, state.dr7);
    save.rflags = state.rflags;
    save.rip = state.rip;
    (save.rsp, save.rax) = (state.general, state.general);
}

fn segment(state: &SegmentState) -> Segment {
    Segment {
        selector: state.selector,
        attributes: u16::from(state.access),
        limit: state.limit,
        base: state.base,
    }
}
