//! I/O ports, in all three widths.

use core::arch::asm;

/// The emulator's exit port (isa-debug-exit).
const EXIT: u16 = 0xf4;

/// Reads a byte.
#[must_use]
pub fn read8(port: u16) -> u8 {
    let value: u8;
    // SAFETY: port input changes no memory.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nostack, nomem)) };
    value
}

/// Reads a word.
#[must_use]
pub fn read16(port: u16) -> u16 {
    let value: u16;
    // SAFETY: port input changes no memory.
    unsafe { asm!("in ax, dx", in("dx") port, out("ax") value, options(nostack, nomem)) };
    value
}

/// Reads a double word.
#[must_use]
pub fn read32(port: u16) -> u32 {
    let value: u32;
    // SAFETY: port input changes no memory.
    unsafe { asm!("in eax, dx", in("dx") port, out("eax") value, options(nostack, nomem)) };
    value
}

/// Writes a byte.
pub fn write8(port: u16, value: u8) {
    // SAFETY: the callers write to ports of devices that have no DMA under way.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nostack)) };
}

/// Writes a word.
pub fn write16(port: u16, value: u16) {
    // SAFETY: as for `write8`.
    unsafe { asm!("out dx, ax", in("dx") port, in("ax") value, options(nostack)) };
}

/// Writes a double word.
pub fn write32(port: u16, value: u32) {
    // SAFETY: as for `write8`.
    unsafe { asm!("out dx, eax", in("dx") port, in("eax") value, options(nostack)) };
}

/// Ends the emulator with status `2 * value + 1`.
pub fn exit(value: u8) -> ! {
    loop {
        write32(EXIT, value.into());
    }
}
