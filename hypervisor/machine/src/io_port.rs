//! IN and OUT of the widths that configuration space has.
//!
//! Only for ports that cannot harm the hypervisor: configuration space behind the mediator, what shares its ports, and
//! disk controllers behind theirs. That is why these are not `unsafe`, and why nobody else may use them.

use sekisho_mediator::pci::Width;
use x86_64::instructions::port::Port;
use x86_64::structures::port::{PortRead, PortWrite};

/// Reads `width` from `port`.
#[inline]
pub(crate) fn read(port: u16, width: Width) -> u32 {
    match width {
        Width::Byte => u32::from(input::<u8>(port)),
        Width::Word => u32::from(input::<u16>(port)),
        Width::Dword => input::<u32>(port),
    }
}

/// Writes the low `width` of `value` to `port`.
#[inline]
pub(crate) fn write(port: u16, width: Width, value: u32) {
    match width {
        Width::Byte => output(port, value as u8),
        Width::Word => output(port, value as u16),
        Width::Dword => output(port, value),
    }
}

#[inline]
fn input<T: PortRead>(port: u16) -> T {
    // SAFETY: the callers name such ports; what a device does to memory, its mediator has decided.
    unsafe { Port::new(port).read() }
}

#[inline]
fn output<T: PortWrite>(port: u16, value: T) {
    // SAFETY: as above.
    unsafe { Port::new(port).write(value) };
}
