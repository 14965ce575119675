//! Registers and memory structures of Serial ATA AHCI 1.3.1, named as there.

/// Generic host control (section 3.1), by offset.
pub mod generic {
    /// Capabilities.
    pub const CAP: u32 = 0x00;
    /// Global control.
    pub const GHC: u32 = 0x04;
    /// Interrupt status, a bit a port.
    pub const IS: u32 = 0x08;
    /// Ports implemented.
    pub const PI: u32 = 0x0c;
    /// Version.
    pub const VS: u32 = 0x10;
    /// Extended capabilities.
    pub const CAP2: u32 = 0x24;
    /// BIOS hand-off.
    pub const BOHC: u32 = 0x28;
}

/// GHC (section 3.1.2).
pub mod ghc {
    /// HBA reset.
    pub const HR: u32 = 1;
    /// Interrupt enable.
    pub const IE: u32 = 1 << 1;
    /// AHCI enable.
    pub const AE: u32 = 1 << 31;
}

/// BOHC (section 3.1.11).
pub mod bohc {
    /// Owned by the firmware.
    pub const BOS: u32 = 1;
    /// Owned by the operating system.
    pub const OOS: u32 = 1 << 1;
}

/// Where port registers begin, and bytes of each port's.
pub const PORTS: u32 = 0x100;
/// Bytes of a port's registers.
pub const PORT_SIZE: u32 = 0x80;

/// Port registers (section 3.3), by offset into the port's.
#[expect(missing_docs, reason = "each is the register's own name")]
pub mod port {
    pub const CLB: u32 = 0x00;
    pub const CLBU: u32 = 0x04;
    pub const FB: u32 = 0x08;
    pub const FBU: u32 = 0x0c;
    pub const IS: u32 = 0x10;
    pub const IE: u32 = 0x14;
    pub const CMD: u32 = 0x18;
    pub const TFD: u32 = 0x20;
    pub const SIG: u32 = 0x24;
    pub const SSTS: u32 = 0x28;
    pub const SCTL: u32 = 0x2c;
    pub const SERR: u32 = 0x30;
    pub const SACT: u32 = 0x34;
    pub const CI: u32 = 0x38;
    pub const SNTF: u32 = 0x3c;
    pub const FBS: u32 = 0x40;
    pub const DEVSLP: u32 = 0x44;
}

/// PxIS and PxIE (section 3.3.5).
#[expect(missing_docs, reason = "each is the bit's own name")]
pub mod interrupt {
    pub const DHRS: u32 = 1;
    pub const PSS: u32 = 1 << 1;
    pub const DSS: u32 = 1 << 2;
    pub const SDBS: u32 = 1 << 3;
    pub const DPS: u32 = 1 << 5;
    /// Follows PxSERR.DIAG.X.
    pub const PCS: u32 = 1 << 6;
    /// Follows PxSERR.DIAG.N.
    pub const PRCS: u32 = 1 << 22;
    pub const OFS: u32 = 1 << 24;
    pub const IFS: u32 = 1 << 27;
    pub const HBFS: u32 = 1 << 29;
    pub const TFES: u32 = 1 << 30;
    /// Every bit that exists.
    pub const ALL: u32 = 0xfdc0_00ff;
}

/// PxCMD (section 3.3.7).
#[expect(missing_docs, reason = "each is the bit's own name")]
pub mod cmd {
    pub const ST: u32 = 1;
    pub const SUD: u32 = 1 << 1;
    pub const POD: u32 = 1 << 2;
    pub const CLO: u32 = 1 << 3;
    pub const FRE: u32 = 1 << 4;
    pub const CCS_SHIFT: u32 = 8;
    pub const FR: u32 = 1 << 14;
    pub const CR: u32 = 1 << 15;
    /// A port multiplier is attached.
    pub const PMA: u32 = 1 << 17;
    /// ATAPI, which lights the activity light; aggressive power management; interface control.
    pub const SETTINGS: u32 = 1 << 24 | 1 << 25 | 1 << 26 | 1 << 27 | 0xf << 28;
    pub const RESERVED: u32 = 0b111 << 5;
}

/// PxSERR.DIAG (section 3.3.12).
pub mod serr {
    /// PhyRdy changed.
    pub const N: u32 = 1 << 16;
    /// Exchanged: a device came.
    pub const X: u32 = 1 << 26;
}

/// PxSSTS of a running link: device there, generation 3, active.
pub const SSTS_UP: u32 = 0x133;
/// PxTFD without a device, and while one is getting ready.
pub const TFD_ABSENT: u32 = 0x7f;
/// PxTFD while a device has not said anything.
pub const TFD_WAITING: u32 = 0x80;

/// Bytes of a command header (section 4.2.2).
pub const HEADER_SIZE: usize = 32;
/// Bytes of the command list.
pub const LIST_SIZE: usize = 32 * HEADER_SIZE;
/// Bytes of the received FIS area (section 4.2.1).
pub const FIS_AREA_SIZE: usize = 256;
/// Where the ATAPI packet lies in a command table (section 4.2.3).
pub const TABLE_PACKET: u64 = 0x40;
/// Where the region descriptors begin in a command table.
pub const TABLE_REGIONS: u64 = 0x80;
/// Bytes of a region descriptor.
pub const REGION_SIZE: usize = 16;

/// Command header, first double word.
pub mod header {
    /// Length of the command FIS in double words.
    pub const CFL: u32 = 0x1f;
    /// ATAPI: a packet is in the table.
    pub const A: u32 = 1 << 5;
    /// Data goes to the device.
    pub const W: u32 = 1 << 6;
    /// Prefetchable.
    pub const P: u32 = 1 << 7;
    /// Part of a software reset.
    pub const R: u32 = 1 << 8;
    /// Clear BSY when sent.
    pub const C: u32 = 1 << 10;
    /// Built-in self test, reserved, and the port multiplier's port: nothing of that is here.
    pub const FORBIDDEN: u32 = 1 << 9 | 1 << 11 | 0xf000;
}

/// Received FIS types, and where each is put.
pub mod received {
    /// DMA setup: type and place.
    pub const DMA_SETUP: (u8, u64) = (0x41, 0x00);
    /// PIO setup.
    pub const PIO_SETUP: (u8, u64) = (0x5f, 0x20);
    /// Device to host register.
    pub const REGISTER: (u8, u64) = (0x34, 0x40);
    /// Set device bits.
    pub const SET_DEVICE_BITS: (u8, u64) = (0xa1, 0x58);
}
