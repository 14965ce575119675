//! Registers of configuration space, named as in the specifications.
//!
//! Sources: PCI Local Bus Specification 3.0, sections 6.1 and 6.2 (header type 0); PCI-to-PCI Bridge Architecture
//! Specification 1.2, section 3.2.5 (header type 1); PCI Express Base Specification 3.0, section 7.2 (4 KiB space).

/// Bytes in one function's configuration space.
pub const SPACE_SIZE: u16 = 4096;
/// First byte behind the predefined header.
pub const HEADER_END: u16 = 0x40;

/// Vendor ID, word.
pub const VENDOR: u16 = 0x00;
/// Command, word.
pub const COMMAND: u16 = 0x04;
/// Status, word.
pub const STATUS: u16 = 0x06;
/// Revision ID, byte; the class code is the three bytes behind it.
pub const REVISION: u16 = 0x08;
/// Cache line size, byte; the latency timer is the next, header type and self-test follow.
pub const CACHE_LINE: u16 = 0x0c;
/// Header type, byte.
pub const HEADER_TYPE: u16 = 0x0e;
/// First base address register.
pub const BAR_0: u16 = 0x10;
/// Primary, secondary and subordinate bus number and secondary latency timer of a bridge, one byte each.
pub const BUS_NUMBERS: u16 = 0x18;
/// Memory base and limit of a bridge, one word each.
pub const MEMORY_WINDOW: u16 = 0x20;
/// Prefetchable memory base and limit of a bridge, one word each.
pub const PREFETCHABLE_WINDOW: u16 = 0x24;
/// Upper 32 bits of the prefetchable base.
pub const PREFETCHABLE_BASE_UPPER: u16 = 0x28;
/// Upper 32 bits of the prefetchable limit.
pub const PREFETCHABLE_LIMIT_UPPER: u16 = 0x2c;
/// Subsystem vendor ID of a type 0 header, word; the subsystem ID is the word behind it.
pub const SUBSYSTEM_VENDOR: u16 = 0x2c;
/// Expansion ROM base address of a type 0 header.
pub const ROM: u16 = 0x30;
/// Interrupt line, byte; pin, minimum grant and maximum latency follow.
pub const INTERRUPT_LINE: u16 = 0x3c;
/// Expansion ROM base address of a type 1 header.
pub const BRIDGE_ROM: u16 = 0x38;

/// Bits of [`COMMAND`].
pub mod command {
    /// The function answers I/O addresses.
    pub const IO: u32 = 1 << 0;
    /// The function answers memory addresses.
    pub const MEMORY: u32 = 1 << 1;
    /// The function may start transfers of its own; message interrupts are such transfers.
    pub const BUS_MASTER: u32 = 1 << 2;
    /// The function must not assert INTx#.
    pub const INTERRUPT_DISABLE: u32 = 1 << 10;
    /// Answering either address space.
    pub const DECODE: u32 = IO | MEMORY;
    /// What lets a function act: answering addresses, starting transfers.
    pub const ACTIVE: u32 = DECODE | BUS_MASTER;
}

/// Capabilities (PCI Local Bus Specification 3.0, 6.7 and appendix H; Power Management 1.2, 3.2).
pub mod capability {
    /// Bit of [`super::STATUS`]: there is a list.
    pub const LISTED: u32 = 1 << 4;
    /// Offset of the first, byte.
    pub const FIRST: u16 = 0x34;
    /// Power management.
    pub const POWER: u8 = 0x01;
    /// Message interrupts (MSI).
    pub const MESSAGE_INTERRUPTS: u8 = 0x05;
    /// A vendor's own.
    pub const VENDOR: u8 = 0x09;
    /// Message interrupts with a table in memory (MSI-X).
    pub const MESSAGE_INTERRUPTS_X: u8 = 0x11;
    /// Bit of the message control word: there are mask bits.
    pub const MESSAGE_MASKING: u32 = 1 << 8;
    /// Serial ATA: where the index and data ports are.
    pub const SERIAL_ATA: u8 = 0x12;
    /// Bit of the message control word: the address has 64 bits.
    pub const MESSAGE_ADDRESS_64: u32 = 1 << 7;
    /// The power state in the control register, four bytes behind the capability's start.
    pub const POWER_STATE: u32 = 3;
}

/// Timing of the IDE channels of Intel's controllers (PIIX4 datasheet 290562, section 4.1; ICH9 datasheet 316972,
/// 14.1): IDETIM of both channels, then SIDETIM, SDMAC, SDMATIM, up to IDE_CONFIG.
pub const IDE_TIMING: u16 = 0x40;
/// Behind the last of them.
pub const IDE_TIMING_END: u16 = 0x58;

/// Bit of [`HEADER_TYPE`]: other functions of the device exist.
pub const MULTI_FUNCTION: u8 = 0x80;

/// Vendor ID where no function answers.
pub const VENDOR_ABSENT: u16 = 0xffff;
/// Vendor ID of a function that asks to be read again later (PCI Express Base Specification 3.0, 2.3.2).
pub const VENDOR_NOT_READY: u16 = 0x0001;

/// Bit of a base address register: an I/O address.
pub const BAR_IO: u32 = 1;
/// Bits of a memory base address register that say its width.
pub const BAR_TYPE: u32 = 0b110;
/// [`BAR_TYPE`] of a 64-bit register pair.
pub const BAR_TYPE_64: u32 = 0b100;
/// Bit of an expansion ROM register: the ROM answers, if [`command::MEMORY`] is set too.
pub const ROM_ENABLE: u32 = 1;

/// Class 0600h: a host bridge.
pub const CLASS_HOST_BRIDGE: u16 = 0x0600;
/// Class 0601h: an ISA bridge, and what took its place (LPC, eSPI).
pub const CLASS_ISA_BRIDGE: u16 = 0x0601;
/// Class 0680h: a bridge of no other kind, PIIX4's power management among them.
pub const CLASS_OTHER_BRIDGE: u16 = 0x0680;
