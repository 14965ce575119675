//! Registers and structures, written down for the models apart from what a mediator goes by.

/// Byte offsets of registers.
pub mod register {
    #![expect(missing_docs, reason = "the names are the manual's")]
    pub const STATUS: u8 = 0;
    pub const STAT_ACK: u8 = 1;
    pub const COMMAND: u8 = 2;
    pub const MASK: u8 = 3;
    pub const POINTER: u8 = 4;
    pub const PORT: u8 = 8;
    pub const EEPROM: u8 = 0x0e;
    pub const MDI: u8 = 0x10;
}

/// Causes of interrupts.
pub mod cause {
    #![expect(missing_docs, reason = "the names are the manual's")]
    pub const CX: u8 = 1 << 7;
    pub const FR: u8 = 1 << 6;
    pub const CNA: u8 = 1 << 5;
    pub const RNR: u8 = 1 << 4;
    pub const SWI: u8 = 1 << 2;
}

/// The first word of a command block or receive descriptor.
pub mod block {
    #![expect(missing_docs, reason = "the names are the manual's")]
    pub const C: u32 = 1 << 15;
    pub const OK: u32 = 1 << 13;
    pub const EL: u32 = 1 << 31;
    pub const S: u32 = 1 << 30;
    pub const I: u32 = 1 << 29;
    pub const SF: u32 = 1 << 19;
    pub const NOP: u32 = 0 << 16;
    pub const ADDRESS: u32 = 1 << 16;
    pub const CONFIGURE: u32 = 2 << 16;
    pub const MULTICAST: u32 = 3 << 16;
    pub const TRANSMIT: u32 = 4 << 16;
    pub const MICROCODE: u32 = 5 << 16;
}

/// Commands of the two units.
pub mod command {
    #![expect(missing_docs, reason = "the names are the manual's")]
    pub const CU_START: u8 = 0x10;
    pub const CU_RESUME: u8 = 0x20;
    pub const CU_DUMP_ADDRESS: u8 = 0x40;
    pub const CU_DUMP: u8 = 0x50;
    pub const CU_BASE: u8 = 0x60;
    pub const CU_DUMP_RESET: u8 = 0x70;
    pub const RU_START: u8 = 1;
    pub const RU_ABORT: u8 = 4;
    pub const RU_BASE: u8 = 6;
}
