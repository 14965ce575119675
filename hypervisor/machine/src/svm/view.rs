//! The guest's CPU as far as carrying out one of its instructions needs it, read from the save area.

use super::spec::Vmcb;
use sekisho_mediator::cpu::decode::Mode;
use sekisho_mediator::cpu::emulate::Segment;
use sekisho_mediator::cpu::walk::{Paging, Privilege};

/// Read-only, beside the registers, which change meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct View<'a>(pub(super) &'a Vmcb);

impl<'a> View<'a> {
    /// The instruction bytes that the CPU fetched for a nested page fault, if it tells (decode assists).
    #[inline]
    pub(crate) fn fetched(&self) -> &'a [u8] {
        let control = &self.0.control;
        control
            .instruction_bytes
            .get(..usize::from(control.fetched & 0xf))
            .unwrap_or_default()
    }

    /// How the guest translates addresses now.
    #[inline]
    pub(crate) fn paging(&self) -> Paging {
        let save = &self.0.save;
        Paging {
            cr0: save.cr0,
            cr3: save.cr3,
            cr4: save.cr4,
            efer: save.efer,
        }
    }

    /// What the running code may reach.
    #[inline]
    pub(crate) fn privilege(&self) -> Privilege {
        if self.0.save.cpl == 3 {
            Privilege::User
        } else {
            Privilege::Supervisor
        }
    }

    /// The sizes that the code segment implies (APM volume 2, 4.8: CS.L and CS.D).
    #[inline]
    pub(crate) fn mode(&self) -> Mode {
        const LONG: u16 = 1 << 9;
        const DEFAULT_32: u16 = 1 << 10;
        const LONG_MODE_ACTIVE: u64 = 1 << 10;
        let save = &self.0.save;
        if save.efer & LONG_MODE_ACTIVE != 0 && save.cs.attributes & LONG != 0 {
            Mode::Bits64
        } else if save.cs.attributes & DEFAULT_32 != 0 {
            Mode::Bits32
        } else {
            Mode::Bits16
        }
    }

    /// Whether the code is 64-bit under four levels of tables, as `recall` wants it.
    #[inline]
    pub(crate) fn is_recallable(&self) -> bool {
        const CR4_LA57: u64 = 1 << 12;
        self.mode() == Mode::Bits64 && self.0.save.cr4 & CR4_LA57 == 0
    }

    /// The linear address of the next instruction.
    #[inline]
    pub(crate) fn code_address(&self) -> u64 {
        let save = &self.0.save;
        match self.mode() {
            Mode::Bits64 => save.rip,
            Mode::Bits32 | Mode::Bits16 => save.cs.base.wrapping_add(save.rip) & 0xffff_ffff,
        }
    }

    /// The base of a segment, as instructions add it: in 64-bit mode only those of FS and GS count.
    pub(crate) fn segment_base(&self, segment: Segment) -> u64 {
        let save = &self.0.save;
        let flat = self.mode() == Mode::Bits64;
        match segment {
            Segment::Fs => save.fs.base,
            Segment::Gs => save.gs.base,
            _ if flat => 0,
            Segment::Es => save.es.base,
            Segment::Cs => save.cs.base,
            Segment::Ss => save.ss.base,
            Segment::Ds => save.ds.base,
        }
    }
}
