//! ATA command codes and register bits (ATA/ATAPI Command Set 4, ACS-4), named as there.

/// Status register (ACS-4, section 6.2).
pub mod status {
    /// Busy.
    pub const BSY: u8 = 0x80;
    /// Device ready.
    pub const DRDY: u8 = 0x40;
    /// Device fault.
    pub const DF: u8 = 0x20;
    /// Seek complete; set by devices out of habit.
    pub const DSC: u8 = 0x10;
    /// Data request.
    pub const DRQ: u8 = 0x08;
    /// Error; check condition on a packet device.
    pub const ERR: u8 = 0x01;
}

/// Error register (ACS-4, section 6.3).
pub mod error {
    /// Interface CRC error.
    pub const ICRC: u8 = 0x80;
    /// Uncorrectable.
    pub const UNC: u8 = 0x40;
    /// Address beyond the device's.
    pub const IDNF: u8 = 0x10;
    /// Aborted.
    pub const ABRT: u8 = 0x04;
}

/// Device register.
pub mod device {
    /// The address is a logical block's.
    pub const LBA: u8 = 0x40;
    /// Forced unit access, in queued writes.
    pub const FUA: u8 = 0x80;
}

/// Command register.
#[expect(missing_docs, reason = "each is the command's own name")]
pub mod command {
    pub const NOP: u8 = 0x00;
    pub const DATA_SET_MANAGEMENT: u8 = 0x06;
    pub const DATA_SET_MANAGEMENT_XL: u8 = 0x07;
    pub const READ_SECTORS: u8 = 0x20;
    pub const READ_SECTORS_EXT: u8 = 0x24;
    pub const READ_DMA_EXT: u8 = 0x25;
    pub const READ_NATIVE_MAX_EXT: u8 = 0x27;
    pub const READ_MULTIPLE_EXT: u8 = 0x29;
    pub const READ_LOG_EXT: u8 = 0x2f;
    pub const WRITE_SECTORS: u8 = 0x30;
    pub const WRITE_SECTORS_EXT: u8 = 0x34;
    pub const WRITE_DMA_EXT: u8 = 0x35;
    pub const SET_MAX_EXT: u8 = 0x37;
    pub const CFA_WRITE_WITHOUT_ERASE: u8 = 0x38;
    pub const WRITE_MULTIPLE_EXT: u8 = 0x39;
    pub const WRITE_DMA_FUA_EXT: u8 = 0x3d;
    pub const WRITE_LOG_EXT: u8 = 0x3f;
    pub const READ_VERIFY: u8 = 0x40;
    pub const READ_VERIFY_EXT: u8 = 0x42;
    pub const WRITE_UNCORRECTABLE_EXT: u8 = 0x45;
    pub const READ_LOG_DMA_EXT: u8 = 0x47;
    pub const WRITE_LOG_DMA_EXT: u8 = 0x57;
    pub const TRUSTED_RECEIVE: u8 = 0x5c;
    pub const TRUSTED_RECEIVE_DMA: u8 = 0x5d;
    pub const TRUSTED_SEND: u8 = 0x5e;
    pub const TRUSTED_SEND_DMA: u8 = 0x5f;
    pub const READ_FPDMA_QUEUED: u8 = 0x60;
    pub const WRITE_FPDMA_QUEUED: u8 = 0x61;
    pub const NCQ_NON_DATA: u8 = 0x63;
    pub const SEND_FPDMA_QUEUED: u8 = 0x64;
    pub const RECEIVE_FPDMA_QUEUED: u8 = 0x65;
    pub const SET_DATE_AND_TIME: u8 = 0x77;
    pub const ACCESSIBLE_MAX: u8 = 0x78;
    pub const EXECUTE_DEVICE_DIAGNOSTIC: u8 = 0x90;
    pub const DOWNLOAD_MICROCODE: u8 = 0x92;
    pub const DOWNLOAD_MICROCODE_DMA: u8 = 0x93;
    pub const PACKET: u8 = 0xa0;
    pub const IDENTIFY_PACKET_DEVICE: u8 = 0xa1;
    pub const SMART: u8 = 0xb0;
    pub const DEVICE_CONFIGURATION_OVERLAY: u8 = 0xb1;
    pub const SANITIZE: u8 = 0xb4;
    pub const CFA_ERASE: u8 = 0xc0;
    pub const READ_MULTIPLE: u8 = 0xc4;
    pub const WRITE_MULTIPLE: u8 = 0xc5;
    pub const SET_MULTIPLE: u8 = 0xc6;
    pub const READ_DMA: u8 = 0xc8;
    pub const WRITE_DMA: u8 = 0xca;
    pub const CFA_WRITE_MULTIPLE_WITHOUT_ERASE: u8 = 0xcd;
    pub const WRITE_MULTIPLE_FUA_EXT: u8 = 0xce;
    pub const STANDBY_IMMEDIATE: u8 = 0xe0;
    pub const IDLE_IMMEDIATE: u8 = 0xe1;
    pub const STANDBY: u8 = 0xe2;
    pub const IDLE: u8 = 0xe3;
    pub const READ_BUFFER: u8 = 0xe4;
    pub const CHECK_POWER_MODE: u8 = 0xe5;
    pub const SLEEP: u8 = 0xe6;
    pub const FLUSH_CACHE: u8 = 0xe7;
    pub const WRITE_BUFFER: u8 = 0xe8;
    pub const READ_BUFFER_DMA: u8 = 0xe9;
    pub const FLUSH_CACHE_EXT: u8 = 0xea;
    pub const WRITE_BUFFER_DMA: u8 = 0xeb;
    pub const IDENTIFY_DEVICE: u8 = 0xec;
    pub const SET_FEATURES: u8 = 0xef;
    pub const SECURITY_SET_PASSWORD: u8 = 0xf1;
    pub const SECURITY_UNLOCK: u8 = 0xf2;
    pub const SECURITY_ERASE_PREPARE: u8 = 0xf3;
    pub const SECURITY_ERASE_UNIT: u8 = 0xf4;
    pub const SECURITY_FREEZE_LOCK: u8 = 0xf5;
    pub const SECURITY_DISABLE_PASSWORD: u8 = 0xf6;
    pub const READ_NATIVE_MAX: u8 = 0xf8;
    pub const SET_MAX: u8 = 0xf9;
}
