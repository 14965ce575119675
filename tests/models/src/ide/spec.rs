//! Registers of a channel (ATA/ATAPI-7 volume 2, section 6) and of its bus master (Programming Interface for Bus Master
//! IDE Controller 1.0, section 2).

/// Command block, by offset.
#[expect(missing_docs, reason = "each is the register's own name")]
pub mod register {
    pub const DATA: u16 = 0;
    pub const ERROR: u16 = 1;
    pub const COUNT: u16 = 2;
    pub const LBA_LOW: u16 = 3;
    pub const LBA_MID: u16 = 4;
    pub const LBA_HIGH: u16 = 5;
    pub const DEVICE: u16 = 6;
    pub const STATUS: u16 = 7;
}

/// Control block: alternate status and device control, by offset.
pub const CONTROL: u16 = 2;

/// Device control.
pub mod control {
    /// No interrupts.
    pub const NIEN: u8 = 1 << 1;
    /// Software reset.
    pub const SRST: u8 = 1 << 2;
    /// Registers read what was written before last.
    pub const HOB: u8 = 1 << 7;
    /// Bits that must be zero.
    pub const RESERVED: u8 = 0b0111_0001;
}

/// Device register: the second drive.
pub const SECOND_DRIVE: u8 = 1 << 4;

/// Bus master, by offset into a channel's eight ports.
pub mod bus_master {
    /// Command.
    pub const COMMAND: u16 = 0;
    /// Status.
    pub const STATUS: u16 = 2;
    /// Pointer to the region table.
    pub const TABLE: u16 = 4;
    /// Ports of a channel.
    pub const SIZE: u16 = 8;
    /// Command: go.
    pub const START: u8 = 1;
    /// Command: data goes to memory.
    pub const TO_MEMORY: u8 = 1 << 3;
    /// Status: going.
    pub const ACTIVE: u8 = 1;
    /// Status: memory could not be reached.
    pub const ERROR: u8 = 1 << 1;
    /// Status: the drive asked for an interrupt.
    pub const INTERRUPT: u8 = 1 << 2;
    /// Status: the drives can do it, as software says.
    pub const CAPABLE: u8 = 0b11 << 5;
    /// Last entry of a region table.
    pub const END: u32 = 1 << 31;
    /// Bytes that neither a region nor the table crosses.
    pub const BOUNDARY: u64 = 0x1_0000;
}
