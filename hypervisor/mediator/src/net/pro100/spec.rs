//! Registers and structures of Intel's fast Ethernet controllers (8255x Open Source Software Developer Manual, 1.3).

// Control and status registers (6.3): byte offsets.

/// Status: states of the units in the first byte, causes of interrupts in the second.
pub(super) const STATUS: u8 = 0x00;
pub(super) const CAUSES: u8 = 0x01;
/// Command; zero when it was taken.
pub(super) const COMMAND: u8 = 0x02;
/// Masks of interrupts.
pub(super) const MASK: u8 = 0x03;
pub(super) const POINTER: u8 = 0x04;
/// Resets and the self-test.
pub(super) const PORT: u8 = 0x08;
pub(super) const EEPROM: u8 = 0x0e;
pub(super) const MDI: u8 = 0x10;
/// Early receive, flow control thresholds and commands.
pub(super) const FLOW: u8 = 0x18;
/// Power management and general registers.
pub(super) const POWER: u8 = 0x1b;
/// Bytes that there are.
pub(super) const BYTES: u8 = 0x40;

// Status (6.3.1).
pub(super) const COMMAND_UNIT_SHIFT: u8 = 6;
pub(super) const RECEIVE_UNIT_SHIFT: u8 = 2;
/// The receive unit is ready.
pub(super) const READY: u8 = 4;
/// The command unit is at work.
pub(super) const ACTIVE: u8 = 2;
/// A command with the interrupt bit is done.
pub(super) const CAUSE_DONE: u8 = 1 << 7;
/// A frame was received.
pub(super) const CAUSE_RECEIVED: u8 = 1 << 6;
/// The command unit is not active any more.
pub(super) const CAUSE_INACTIVE: u8 = 1 << 5;
/// The receive unit is not ready any more.
pub(super) const CAUSE_NOT_READY: u8 = 1 << 4;
/// Software's own.
pub(super) const CAUSE_SOFTWARE: u8 = 1 << 2;
/// Ask for an interrupt, in the mask.
pub(super) const MASK_SOFTWARE: u8 = 1 << 1;
/// The end of a receive chain is not told (82558 and later).
pub(super) const MASK_NOT_READY: u8 = 1 << 4;
/// All of them masked.
pub(super) const MASK_ALL: u8 = 1 << 0;

// Commands (6.3.2).
pub(super) const CU_START: u8 = 0x10;
pub(super) const CU_RESUME: u8 = 0x20;
pub(super) const CU_DUMP_ADDRESS: u8 = 0x40;
pub(super) const CU_DUMP: u8 = 0x50;
pub(super) const CU_BASE: u8 = 0x60;
pub(super) const CU_DUMP_RESET: u8 = 0x70;
pub(super) const CU_STATIC_RESUME: u8 = 0xa0;
pub(super) const RU_START: u8 = 0x01;
pub(super) const RU_RESUME: u8 = 0x02;
pub(super) const RU_ABORT: u8 = 0x04;
pub(super) const RU_BASE: u8 = 0x06;

// PORT (6.3.4).
pub(super) const PORT_RESET: u32 = 0;
pub(super) const PORT_SELF_TEST: u32 = 1;
pub(super) const PORT_SELECTIVE: u32 = 2;
pub(super) const PORT_FUNCTION: u32 = 15;

/// Command blocks (6.4.2): bits of the first word.
pub(super) const DONE: u32 = 1 << 15;
pub(super) const GOOD: u32 = 1 << 13;
pub(super) const LAST: u32 = 1 << 31;
pub(super) const SUSPEND: u32 = 1 << 30;
pub(super) const INTERRUPT: u32 = 1 << 29;
/// Transmit: the check sequence is in the frame.
pub(super) const HAS_CHECK: u32 = 1 << 20;
/// Transmit, receive: not the simplified mode.
pub(super) const FLEXIBLE: u32 = 1 << 19;
pub(super) const OPCODE_SHIFT: u32 = 16;
pub(super) const NOP: u32 = 0;
pub(super) const ADDRESS: u32 = 1;
pub(super) const CONFIGURE: u32 = 2;
pub(super) const MULTICAST: u32 = 3;
pub(super) const TRANSMIT: u32 = 4;
pub(super) const MICROCODE: u32 = 5;
pub(super) const DUMP: u32 = 6;
pub(super) const DIAGNOSE: u32 = 7;

/// No table of buffers (6.4.2.5).
pub(super) const NO_TABLE: u32 = u32::MAX;
/// The frame begins in its block, and is whole there.
pub(super) const WHOLE: u32 = 1 << 15;
/// The device begins to send when it has so many eights of bytes: all there can be.
pub(super) const THRESHOLD: u32 = 0xe0 << 16;
pub(super) const COUNT: u32 = 0x3fff;

/// Receive descriptors (6.4.3.1): the count is there, the buffer is full.
pub(super) const RECEIVED: u16 = 0xc000;
/// Bytes of a header of a block or receive descriptor.
pub(super) const HEADER: usize = 16;

// The configuration (6.4.2.3), by byte.
pub(super) const CONFIGURATION: usize = 22;
