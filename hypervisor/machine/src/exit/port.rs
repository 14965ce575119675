//! IN and OUT at ports of ours: configuration space and disk controllers.

use super::{PortAccess, device};
use crate::counters::Counter;
use crate::cpu::Cpu;
use crate::machine::RESET_CONTROL;
use crate::svm::Exception;
use core::ops::RangeInclusive;
use sekisho_mediator::pci::ports::{CONFIG_ADDRESS, CONFIG_DATA};

/// Configuration space, and the reset control that shares its ports.
const CONFIG_PORTS: RangeInclusive<u16> = CONFIG_ADDRESS..=CONFIG_DATA + 3;

/// Bit of the reset control register: its rising edge resets (Intel ICH9 datasheet, 13.7.5).
const RESET_CPU: u8 = 1 << 2;

/// An access to a port of ours.
#[inline(never)]
pub(crate) fn handle(cpu: &mut Cpu) {
    let access = cpu.vcpu.port_access();
    if !is_configuration(access.port, access.width) {
        if let Some(trap) = cpu.machine.devices.at_port(access.port) {
            if access.string {
                device::port_string(cpu, access.port, trap);
            } else {
                device::port(cpu, access, trap);
            }
            return;
        }
        if cpu.machine.devices.are_touched(access.port, access.width) {
            return across(cpu, access);
        }
    }
    cpu.count(Counter::ConfigPort);
    if access.string {
        // No driver configures devices from memory; refused rather than half emulated.
        return cpu.raise(Exception::GeneralProtection);
    }
    let machine = cpu.machine;
    let old = cpu.vcpu.rax();
    if access.read {
        let value = machine.configure(|pci| pci.port_read(access.port, access.width));
        cpu.vcpu.set_rax(merge(old, value, access.width));
    } else {
        if resets(access.port, access.width, old) {
            machine.devices.close();
            machine.say_last();
        }
        machine.configure(|pci| pci.port_write(access.port, access.width, old as u32));
    }
    cpu.vcpu.retire(access.next_rip);
}

/// Whether an access lies in configuration space's ports whole: no device's are looked at then.
fn is_configuration(port: u16, width: u8) -> bool {
    let last = port.saturating_add(u16::from(width.saturating_sub(1)));
    CONFIG_PORTS.contains(&port) && CONFIG_PORTS.contains(&last)
}

/// An access that begins before a device's ports and ends in them. The hardware would split it, and the device get a part
/// that its mediator has not seen: a word of plaintext for the data port. Nobody answers.
#[cold]
fn across(cpu: &mut Cpu, access: PortAccess) {
    cpu.count(Counter::DiskPort);
    if access.string {
        return cpu.raise(Exception::GeneralProtection);
    }
    if access.read {
        let old = cpu.vcpu.rax();
        cpu.vcpu.set_rax(merge(old, u32::MAX, access.width));
    }
    cpu.vcpu.retire(access.next_rip);
}

/// Whether an OUT of `width` bytes of `value` at `port` writes the reset control with the bit that resets. It may begin
/// before it; but four bytes at CF8h are the configuration address (PCI Local Bus Specification 3.0, 3.2.2.3.2).
fn resets(port: u16, width: u8, value: u64) -> bool {
    if port == CONFIG_ADDRESS && width == 4 {
        return false;
    }
    let byte = RESET_CONTROL
        .checked_sub(port)
        .filter(|place| *place < u16::from(width));
    byte.is_some_and(|byte| value >> (8 * byte) & u64::from(RESET_CPU) != 0)
}

/// IN to AL and AX keeps the rest of RAX; IN to EAX clears the upper half (APM volume 1, 3.1.2).
#[inline]
pub(super) const fn merge(old: u64, value: u32, width: u8) -> u64 {
    match width {
        1 => old & !0xff | value as u64 & 0xff,
        2 => old & !0xffff | value as u64 & 0xffff,
        _ => value as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_in_the_configuration_ports_whole_is_configuration() {
        assert!(is_configuration(0xcf8, 4) && is_configuration(0xcff, 1));
        assert!(!is_configuration(0xcf7, 4) && !is_configuration(0xcff, 2) && !is_configuration(0xcfd, 4));
    }

    #[test]
    fn a_reset_is_seen_in_whatever_access_writes_it() {
        for (port, width, value) in [(0xcf9, 1, 0x06), (0xcf8, 2, 0x0600), (0xcf6, 4, 0x0600_0000)] {
            assert!(resets(port, width, value), "{port:#x}");
        }
        for (port, width, value) in [
            (0xcf9, 1, 0x02),
            (0xcf8, 1, 0x0606),
            (0xcf8, 4, 0x8000_0604),
            (0xcf5, 4, !0),
            (0xcfa, 4, !0),
        ] {
            assert!(!resets(port, width, value), "{port:#x}");
        }
    }

    #[test]
    fn in_writes_its_part_of_rax() {
        let old = 0x1122_3344_5566_7788;
        assert_eq!(merge(old, 0xffff_ffab, 1), 0x1122_3344_5566_77ab);
        assert_eq!(merge(old, 0xffff_abcd, 2), 0x1122_3344_5566_abcd);
        assert_eq!(merge(old, 0xdead_beef, 4), 0xdead_beef);
    }
}
