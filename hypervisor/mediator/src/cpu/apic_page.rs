//! The xAPIC register page: which of its writes the hypervisor must look at.
//!
//! The page is mapped read-only: reads cost nothing, writes come here, one of them for every timer tick and end
//! of interrupt. So the answer is one look at a constant for those.
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
/// halves and vanishes. So does a write to what no manual calls a writable register: what it does is the machine's
/// affair, and QEMU takes one at the page's start as a message interrupt, which may be an INIT. So do a new ID and
/// the extended control register (410h), which says how many bits of an ID count: the CPU would be known no longer.
#[inline]
#[must_use]
pub const fn apic_write(offset: u16, width: Width) -> ApicWrite {
    if !matches!(width, Width::Four) {
        return ApicWrite::Vanish;
    }
    // The register's number; what is not aligned becomes larger than any.
    let register = offset.rotate_right(4);
    if register < 64 && PLAIN >> register & 1 != 0 {
        return ApicWrite::Pass;
    }
    match offset {
        COMMAND_LOW => ApicWrite::Command,
        LOGICAL_DESTINATION => ApicWrite::LogicalDestination,
        DESTINATION_FORMAT => ApicWrite::DestinationFormat,
        // AMD: specific end of interrupt, interrupt enables, extended local vectors.
        _ if matches!(register, 0x42 | 0x48..=0x53) => ApicWrite::Pass,
        _ => ApicWrite::Vanish,
    }
}

/// One bit for each register below 400h that is written without further ado: the bit's number is offset / 16.
const PLAIN: u64 = bits(0x08, 0x08) // task priority
    | bits(0x0b, 0x0b) // end of interrupt
    | bits(0x0f, 0x0f) // spurious interrupt vector
    | bits(0x28, 0x28) // error status
    | bits(0x2f, 0x2f) // local vector of corrected machine checks (Intel)
    | bits(0x31, 0x31) // destination of a command
    | bits(0x32, 0x37) // local vectors
    | bits(0x38, 0x38) // timer, initial count
    | bits(0x3e, 0x3e); // timer, divider

const fn bits(first: u32, last: u32) -> u64 {
    u64::MAX >> (u64::BITS - 1 - (last - first)) << first
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

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
    fn only_registers_that_the_manuals_call_writable_are_reached() {
        let passed: Vec<u16> = (0..0x1000)
            .filter(|offset| apic_write(*offset, Width::Four) != ApicWrite::Vanish)
            .collect();
        let expected = [
            0x080, 0x0b0, 0x0d0, 0x0e0, 0x0f0, 0x280, 0x2f0, 0x300, 0x310, 0x320, 0x330, 0x340, 0x350, 0x360,
            0x370, 0x380, 0x3e0, 0x420, 0x480, 0x490, 0x4a0, 0x4b0, 0x4c0, 0x4d0, 0x4e0, 0x4f0, 0x500, 0x510,
            0x520, 0x530,
        ];
        assert_eq!(passed, expected);
    }

    #[test]
    fn a_store_to_the_pages_start_is_no_message_to_the_boot_cpu() {
        // QEMU takes 32 bits there as the data of an MSI whose address is the page: 0x500 is INIT for CPU 0.
        assert_eq!(apic_write(0, Width::Four), ApicWrite::Vanish);
    }

    #[test]
    fn timer_and_end_of_interrupt_pass() {
        for offset in [0x80, 0xb0, 0x320, 0x380, 0x3e0] {
            assert_eq!(apic_write(offset, Width::Four), ApicWrite::Pass);
        }
    }
}
