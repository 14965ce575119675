//! Registers of Intel's gigabit Ethernet controllers, named as in the manuals.
//!
//! *SDM* is the "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual" (8254x, revision 4.0),
//! *82574* the "82574 GbE Controller Family Datasheet" (revision 3.4). Offsets are bytes into BAR0.

/// Bytes of the register window that are decoded (SDM 13.2, 82574 10.1).
pub(super) const WINDOW: u32 = 0x2_0000;

// General (SDM 13.4.1 to 13.4.8; 82574 10.2.2).
pub(super) const CTRL: u32 = 0x0000;
/// The same as CTRL.
pub(super) const CTRL_DUP: u32 = 0x0004;
pub(super) const STATUS: u32 = 0x0008;
pub(super) const EECD: u32 = 0x0010;
pub(super) const EERD: u32 = 0x0014;
pub(super) const CTRL_EXT: u32 = 0x0018;
pub(super) const MDIC: u32 = 0x0020;

// Interrupts (SDM 13.4.17 to 13.4.21; 82574 10.2.4).
pub(super) const ICR: u32 = 0x00c0;
pub(super) const ICS: u32 = 0x00c8;
pub(super) const IMS: u32 = 0x00d0;
pub(super) const IMC: u32 = 0x00d8;
pub(super) const IAM: u32 = 0x00e0;

// Receive and transmit (SDM 13.4.22 to 13.4.42; 82574 10.2.5, 10.2.6).
pub(super) const RCTL: u32 = 0x0100;
pub(super) const TCTL: u32 = 0x0400;
pub(super) const PSRCTL: u32 = 0x2170;
pub(super) const RDBAL: u32 = 0x2800;
pub(super) const RDBAH: u32 = 0x2804;
pub(super) const RDLEN: u32 = 0x2808;
pub(super) const RDH: u32 = 0x2810;
pub(super) const RDT: u32 = 0x2818;
pub(super) const RXDCTL: u32 = 0x2828;
pub(super) const TDBAL: u32 = 0x3800;
pub(super) const TDBAH: u32 = 0x3804;
pub(super) const TDLEN: u32 = 0x3808;
pub(super) const TDH: u32 = 0x3810;
pub(super) const TDT: u32 = 0x3818;
pub(super) const TXDCTL: u32 = 0x3828;
pub(super) const RXCSUM: u32 = 0x5000;
pub(super) const RFCTL: u32 = 0x5008;

// Counters that frames dropped here are added to (SDM 13.7.4, 13.7.29).
pub(super) const MPC: u32 = 0x4010;
pub(super) const RNBC: u32 = 0x40a0;

// Address filters (SDM 13.5; 82574 10.2.5.14 to 10.2.5.17).
/// Multicast table, 128 registers.
pub(super) const MTA: u32 = 0x5200;
pub(super) const MTA_LAST: u32 = 0x53fc;
/// Receive addresses, pairs of low and high.
pub(super) const RA: u32 = 0x5400;
pub(super) const RA_LAST: u32 = 0x547c;

// CTRL (SDM 13.4.1, 82574 10.2.2.1).
/// PCIe: no new requests as master.
pub(super) const CTRL_MASTER_DISABLE: u32 = 1 << 2;
/// Automatic detection of the speed.
pub(super) const CTRL_ASDE: u32 = 1 << 5;
/// Set link up.
pub(super) const CTRL_SLU: u32 = 1 << 6;
/// Global reset; clears itself.
pub(super) const CTRL_RST: u32 = 1 << 26;
/// Tags are taken out and inserted.
pub(super) const CTRL_VME: u32 = 1 << 30;
/// The PHY is reset too.
pub(super) const CTRL_PHY_RST: u32 = 1 << 31;
/// PAUSE frames are sent.
pub(super) const CTRL_TFCE: u32 = 1 << 28;

// STATUS (SDM 13.4.2, 82574 10.2.2.2).
/// Full duplex.
pub(super) const STATUS_FD: u32 = 1 << 0;
/// Link up.
pub(super) const STATUS_LU: u32 = 1 << 1;
/// 1000 Mbit/s, in bits 7 to 6.
pub(super) const STATUS_SPEED: u32 = 3 << 6;
pub(super) const STATUS_SPEED_1000: u32 = 2 << 6;
/// PCIe: requests as master are under way or allowed.
pub(super) const STATUS_MASTER: u32 = 1 << 19;

// EECD (SDM 13.4.3, 82574 10.2.2.3), besides the wires.
/// Flash cannot be written.
pub(super) const EECD_FLASH_OFF: u32 = 1 << 4;
/// Software asks for the wires.
pub(super) const EECD_REQUEST: u32 = 1 << 6;
/// The chip is a serial one (82541, 82547).
pub(super) const EECD_SERIAL: u32 = 1 << 13;

// CTRL_EXT (SDM 13.4.6, 82574 10.2.2.5).
/// The EEPROM is read anew, as after a reset.
pub(super) const CTRL_EXT_EE_RST: u32 = 1 << 13;
/// MSI-X: automatic masks.
pub(super) const CTRL_EXT_EIAME: u32 = 1 << 24;
/// A read of the causes masks what IAM says.
pub(super) const CTRL_EXT_IAME: u32 = 1 << 27;
/// MSI-X: pending bits.
pub(super) const CTRL_EXT_PBA: u32 = 1 << 31;

// Causes of interrupts (SDM 13.4.17, 82574 10.2.4.1).
/// A descriptor with RS has been written back.
pub(super) const CAUSE_TXDW: u32 = 1 << 0;
/// The transmit ring is empty.
pub(super) const CAUSE_TXQE: u32 = 1 << 1;
/// The interrupt line is the device's (PCI Express).
pub(super) const CAUSE_ASSERTED: u32 = 1 << 31;
/// The link changed.
pub(super) const CAUSE_LSC: u32 = 1 << 2;
/// A frame was received.
pub(super) const CAUSE_RXT0: u32 = 1 << 7;

// RCTL (SDM 13.4.22, 82574 10.2.5.1).
pub(super) const RCTL_EN: u32 = 1 << 1;
/// Every unicast frame.
pub(super) const RCTL_UPE: u32 = 1 << 3;
/// Every multicast frame.
pub(super) const RCTL_MPE: u32 = 1 << 4;
/// Frames longer than 1522 bytes.
pub(super) const RCTL_LPE: u32 = 1 << 5;
/// Loopback.
pub(super) const RCTL_LBM: u32 = 3 << 6;
/// Descriptor type: packet split is the first.
pub(super) const RCTL_DTYP: u32 = 3 << 10;
pub(super) const RCTL_DTYP_SPLIT: u32 = 1 << 10;
/// Which bits of a multicast address select a bit of the table.
pub(super) const RCTL_MO_SHIFT: u32 = 12;
/// Broadcast frames.
pub(super) const RCTL_BAM: u32 = 1 << 15;
/// Size of buffers, two bits.
pub(super) const RCTL_BSIZE: u32 = 3 << 16;
pub(super) const RCTL_BSIZE_SHIFT: u32 = 16;
/// That size is sixteenfold.
pub(super) const RCTL_BSEX: u32 = 1 << 25;
/// The frame check sequence is not stored.
pub(super) const RCTL_SECRC: u32 = 1 << 26;
/// Size of buffers in KiB, where it is not zero (82574).
pub(super) const RCTL_FLXBUF: u32 = 15 << 27;
pub(super) const RCTL_FLXBUF_SHIFT: u32 = 27;
/// What of RCTL the guest decides in hardware: besides these, MO, VFE, CFIEN, CFI, DPF, PMCF, RDMTS.
pub(super) const RCTL_GUEST: u32 = RCTL_UPE
    | RCTL_MPE
    | RCTL_LPE
    | RCTL_LBM
    | 3 << 8
    | 3 << RCTL_MO_SHIFT
    | RCTL_BAM
    | 7 << 18
    | 3 << 22
    | RCTL_SECRC;

// TCTL (SDM 13.4.33, 82574 10.2.6.1).
pub(super) const TCTL_EN: u32 = 1 << 1;
/// Short frames are padded.
pub(super) const TCTL_PSP: u32 = 1 << 3;
/// Collision threshold and distance as the manuals recommend.
pub(super) const TCTL_COLLISIONS: u32 = 15 << 4 | 0x3f << 12;
/// What of TCTL is the guest's in hardware: not SWXOFF, which sends a PAUSE frame, and no reserved bits.
pub(super) const TCTL_GUEST: u32 = 0x7fbf_fffa;

// RFCTL (82574 10.2.5.19).
/// Extended receive descriptors.
pub(super) const RFCTL_EXSTEN: u32 = 1 << 15;
/// What of RFCTL is the guest's in hardware: filters of NFS, acknowledgements and IPv6 headers.
pub(super) const RFCTL_GUEST: u32 = 0x1_1fc0;

// RXCSUM (SDM 13.4.43, 82574 10.2.5.20).
/// What of RXCSUM is the guest's in hardware: where the sum begins, IPv4, TCP and UDP.
pub(super) const RXCSUM_GUEST: u32 = 0x3ff;

// RAH (SDM 13.5.3).
/// The entry is valid.
pub(super) const RAH_VALID: u32 = 1 << 31;
/// What it is compared with: zero is the destination.
pub(super) const RAH_SELECT: u32 = 3 << 16;

/// Bits of RDLEN and TDLEN that can be set: a multiple of 128 bytes below 1 MiB (SDM 13.4.27).
pub(super) const LENGTH_MASK: u32 = 0xf_ff80;
/// Bits of RDBAL and TDBAL that can be set (SDM 13.4.25).
pub(super) const BASE_MASK: u32 = 0xffff_fff0;
/// Bits of heads and tails (SDM 13.4.28).
pub(super) const INDEX_MASK: u32 = 0xffff;
