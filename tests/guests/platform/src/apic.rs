//! The local APIC by its memory page (xAPIC).

/// Where the page is unless somebody moved it.
pub const BASE: u64 = 0xfee0_0000;
/// Task priority.
pub const TASK_PRIORITY: u64 = 0x80;
/// End of interrupt.
pub const END_OF_INTERRUPT: u64 = 0xb0;
/// Spurious vector and software enable (bit 8).
pub const SPURIOUS: u64 = 0xf0;
/// Local APIC ID in bits 31..24.
pub const ID: u64 = 0x20;
/// Interrupt command, low half: writing sends.
pub const COMMAND_LOW: u64 = 0x300;
/// Interrupt command, high half: destination in bits 31..24.
pub const COMMAND_HIGH: u64 = 0x310;
/// Timer entry of the local vector table.
pub const TIMER: u64 = 0x320;
/// Initial count: writing starts the timer.
pub const INITIAL_COUNT: u64 = 0x380;
/// Divider of the timer.
pub const DIVIDER: u64 = 0x3e0;

/// Delivery modes of the interrupt command, bits 10..8, each edge-triggered and asserted (bit 14).
pub mod deliver {
    /// A vector in bits 7..0.
    pub const FIXED: u32 = 0x4000;
    /// A non-maskable interrupt.
    pub const NMI: u32 = 0x4400;
    /// INIT.
    pub const INIT: u32 = 0x4500;
    /// Start-up at the page in bits 7..0.
    pub const STARTUP: u32 = 0x4600;
    /// Destination shorthand: all, the sender too.
    pub const TO_ALL: u32 = 2 << 18;
    /// Destination shorthand: all but the sender.
    pub const TO_OTHERS: u32 = 3 << 18;
    /// The destination is a logical one.
    pub const LOGICAL: u32 = 1 << 11;
}

/// Reads a register.
#[must_use]
pub fn read(register: u64) -> u32 {
    // SAFETY: the page is mapped one to one by the firmware's tables; reading it has no side effect.
    unsafe { ((BASE + register) as *const u32).read_volatile() }
}

/// Writes a register.
pub fn write(register: u64, value: u32) {
    // SAFETY: as for `read`; what an interrupt does is the program's business.
    unsafe { ((BASE + register) as *mut u32).write_volatile(value) };
}

/// Sends `command` to the CPU whose APIC has this ID.
pub fn send(destination: u8, command: u32) {
    write(COMMAND_HIGH, u32::from(destination) << 24);
    write(COMMAND_LOW, command);
}

/// The ID of this CPU's APIC.
#[must_use]
pub fn id() -> u8 {
    (read(ID) >> 24) as u8
}
