//! The xAPIC register page: which of its writes the hypervisor must look at.
//!
//! The page is mapped read-only: reads cost nothing, writes come here, one of them for every timer tick and end
//! of interrupt. So the answer is one small comparison for those.
//!
//! Source: AMD APM volume 2, table 16-2 (APIC registers); Intel SDM volume 3, table 11-1.

use super::registers::Width;

/// What becomes of a write to the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApicWrite {
    /// It goes to the real register.
    Pass,
    /// It has no effect.
    Vanish,
    /// It goes to the real register; note the value as [`super::interrupt_command::CpuView::logical_destination`].
    LogicalDestination,
    /// It goes to the real register; note the value as [`super::interrupt_command::CpuView::destination_format`].
    DestinationFormat,
    /// An interrupt command; [`super::interrupt_command::InterruptCommand`] decides.
    Command,
}

/// Offset of the APIC ID register.
pub const ID: u16 = 0x20;
/// Offset of the logical destination register.
pub const LOGICAL_DESTINATION: u16 = 0xd0;
/// Offset of the destination format register.
pub const DESTINATION_FORMAT: u16 = 0xe0;
/// Offset of the interrupt command register's low half, whose write sends the command.
pub const COMMAND_LOW: u16 = 0x300;
/// Offset of the interrupt command register's high half: the destination.
pub const COMMAND_HIGH: u16 = 0x310;

/// What becomes of a write of `width` at `offset` into the page.
///
/// Only aligned 32-bit writes are defined (AMD APM volume 2, section 16.3.2); any other could reach a register in
/// halves and vanishes. So does a new ID, by which the CPU would be known no longer.
#[inline]
#[must_use]
pub const fn apic_write(offset: u16, width: Width) -> ApicWrite {
    if offset & 0xf != 0 || !matches!(width, Width::Four) {
        return ApicWrite::Vanish;
    }
    match offset {
        COMMAND_LOW => ApicWrite::Command,
        ID => ApicWrite::Vanish,
        LOGICAL_DESTINATION => ApicWrite::LogicalDestination,
        DESTINATION_FORMAT => ApicWrite::DestinationFormat,
        _ => ApicWrite::Pass,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_decided_and_its_destination_passes() {
        assert_eq!(apic_write(0x300, Width::Four), ApicWrite::Command);
        assert_eq!(apic_write(0x310, Width::Four), ApicWrite::Pass);
    }

    #[test]
    fn a_cpu_cannot_change_its_id() {
        assert_eq!(apic_write(0x20, Width::Four), ApicWrite::Vanish);
    }

    #[test]
    fn logical_destinations_are_noted() {
        assert_eq!(apic_write(0xd0, Width::Four), ApicWrite::LogicalDestination);
        assert_eq!(apic_write(0xe0, Width::Four), ApicWrite::DestinationFormat);
    }

    #[test]
    fn undefined_accesses_have_no_effect() {
        for width in [Width::One, Width::Two, Width::Eight] {
            assert_eq!(apic_write(0x300, width), ApicWrite::Vanish);
        }
        for offset in [0x2fc, 0x301, 0x304, 0xffc] {
            assert_eq!(apic_write(offset, Width::Four), ApicWrite::Vanish);
        }
    }

    #[test]
    fn timer_and_end_of_interrupt_pass() {
        for offset in [0x80, 0xb0, 0x320, 0x380, 0x3e0] {
            assert_eq!(apic_write(offset, Width::Four), ApicWrite::Pass);
        }
    }
}
