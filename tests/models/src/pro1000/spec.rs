//! Registers and descriptors as the manuals have them (8254x SDM 4.0; 82574 datasheet 3.4), written down for the models
//! apart from what a mediator goes by.

/// Registers: byte offsets.
pub mod register {
    #![expect(missing_docs, reason = "the names are the manuals'")]
    pub const CTRL: u32 = 0x0000;
    pub const STATUS: u32 = 0x0008;
    pub const EECD: u32 = 0x0010;
    pub const EERD: u32 = 0x0014;
    pub const CTRL_EXT: u32 = 0x0018;
    pub const MDIC: u32 = 0x0020;
    pub const ICR: u32 = 0x00c0;
    pub const ICS: u32 = 0x00c8;
    pub const IMS: u32 = 0x00d0;
    pub const IMC: u32 = 0x00d8;
    pub const RCTL: u32 = 0x0100;
    pub const TCTL: u32 = 0x0400;
    pub const PSRCTL: u32 = 0x2170;
    pub const RDBAL: u32 = 0x2800;
    pub const RDBAH: u32 = 0x2804;
    pub const RDLEN: u32 = 0x2808;
    pub const RDH: u32 = 0x2810;
    pub const RDT: u32 = 0x2818;
    pub const TDBAL: u32 = 0x3800;
    pub const TDBAH: u32 = 0x3804;
    pub const TDLEN: u32 = 0x3808;
    pub const TDH: u32 = 0x3810;
    pub const TDT: u32 = 0x3818;
    pub const MPC: u32 = 0x4010;
    pub const RXCSUM: u32 = 0x5000;
    pub const RFCTL: u32 = 0x5008;
    pub const MTA: u32 = 0x5200;
    pub const RAL: u32 = 0x5400;
    pub const RAH: u32 = 0x5404;
}

/// Bits of CTRL.
pub mod ctrl {
    #![expect(missing_docs, reason = "the names are the manuals'")]
    pub const GIO_MASTER_DISABLE: u32 = 1 << 2;
    pub const SLU: u32 = 1 << 6;
    pub const RST: u32 = 1 << 26;
    pub const VME: u32 = 1 << 30;
}

/// Bits of STATUS.
pub mod status {
    #![expect(missing_docs, reason = "the names are the manuals'")]
    pub const LU: u32 = 1 << 1;
    pub const GIO_MASTER: u32 = 1 << 19;
}

/// Interrupt causes.
pub mod cause {
    #![expect(missing_docs, reason = "the names are the manuals'")]
    pub const TXDW: u32 = 1 << 0;
    pub const TXQE: u32 = 1 << 1;
    pub const LSC: u32 = 1 << 2;
    pub const RXO: u32 = 1 << 6;
    pub const RXT0: u32 = 1 << 7;
    pub const ASSERTED: u32 = 1 << 31;
}

/// Bits of RCTL and TCTL.
pub mod control {
    #![expect(missing_docs, reason = "the names are the manuals'")]
    pub const EN: u32 = 1 << 1;
    pub const UPE: u32 = 1 << 3;
    pub const MPE: u32 = 1 << 4;
    pub const LPE: u32 = 1 << 5;
    pub const DTYP: u32 = 3 << 10;
    pub const BAM: u32 = 1 << 15;
    pub const BSIZE: u32 = 3 << 16;
    pub const BSEX: u32 = 1 << 25;
    pub const SECRC: u32 = 1 << 26;
    pub const PSP: u32 = 1 << 3;
}

/// Extended descriptors are used (RFCTL).
pub const EXSTEN: u32 = 1 << 15;
/// Bytes of a descriptor.
pub const DESCRIPTOR: usize = 16;

/// Status and errors of a receive descriptor.
pub mod received {
    #![expect(missing_docs, reason = "the names are the manuals'")]
    pub const DD: u8 = 1 << 0;
    pub const EOP: u8 = 1 << 1;
    pub const IXSM: u8 = 1 << 2;
    pub const VP: u8 = 1 << 3;
    pub const TCPCS: u8 = 1 << 5;
    pub const IPCS: u8 = 1 << 6;
    pub const TCPE: u8 = 1 << 5;
    pub const IPE: u8 = 1 << 6;
}

/// Commands of a transmit descriptor.
pub mod command {
    #![expect(missing_docs, reason = "the names are the manuals'")]
    pub const EOP: u8 = 1 << 0;
    pub const IFCS: u8 = 1 << 1;
    /// Of a legacy descriptor.
    pub const IC: u8 = 1 << 2;
    /// Of a data or context descriptor.
    pub const TSE: u8 = 1 << 2;
    pub const RS: u8 = 1 << 3;
    pub const DEXT: u8 = 1 << 5;
    pub const VLE: u8 = 1 << 6;
    pub const IDE: u8 = 1 << 7;
    /// Of a context descriptor.
    pub const TCP: u8 = 1 << 0;
    /// Of a context descriptor.
    pub const IP: u8 = 1 << 1;
}
