//! Registers and memory structures of an AHCI controller, named as in Serial ATA AHCI 1.3.1.

/// Ports at most (3.1.4).
pub(super) const MAX_PORTS: u8 = 32;
/// Command slots of a port at most (3.1.1, CAP.NCS).
pub(super) const MAX_SLOTS: usize = 32;

// Generic host control (3.1): offsets of registers.

/// Capabilities (3.1.1).
pub(super) const CAP: u32 = 0x00;
/// Global control (3.1.2).
pub(super) const GHC: u32 = 0x04;
/// Interrupt status, a bit a port (3.1.3).
pub(super) const IS: u32 = 0x08;
/// Ports implemented (3.1.4).
pub(super) const PI: u32 = 0x0c;
/// Version (3.1.5).
pub(super) const VS: u32 = 0x10;
/// Capabilities, extended (3.1.10).
pub(super) const CAP2: u32 = 0x24;
/// Handoff between firmware and system (3.1.11).
pub(super) const BOHC: u32 = 0x28;
/// The first port's registers (3.3).
pub(super) const PORTS: u32 = 0x100;
/// Bytes of a port's registers.
pub(super) const PORT_BYTES: u32 = 0x80;

// CAP (3.1.1).

/// 64-bit addresses.
pub(super) const CAP_S64A: u32 = 1 << 31;
/// Staggered spin-up: PxCMD.SUD can be written.
pub(super) const CAP_SSS: u32 = 1 << 27;
/// Aggressive link power management: PxCMD.ALPE and ASP can be written.
pub(super) const CAP_SALP: u32 = 1 << 26;
/// AHCI only: GHC.AE is always set.
pub(super) const CAP_SAM: u32 = 1 << 18;
/// Port multipliers.
pub(super) const CAP_SPM: u32 = 1 << 17;
/// FIS-based switching.
pub(super) const CAP_FBSS: u32 = 1 << 16;
/// Command completion coalescing.
pub(super) const CAP_CCCS: u32 = 1 << 7;
/// Enclosure management.
pub(super) const CAP_EMS: u32 = 1 << 6;
/// External ports.
pub(super) const CAP_SXS: u32 = 1 << 5;
/// Shift of the number of slots less one, five bits.
pub(super) const CAP_NCS_SHIFT: u32 = 8;

// CAP2 (3.1.10).

/// Device sleep: PxDEVSLP exists.
pub(super) const CAP2_SDS: u32 = 1 << 3;
/// Automatic partial to slumber: PxCMD.APSTE can be written.
pub(super) const CAP2_APST: u32 = 1 << 2;
/// NVMHCI.
pub(super) const CAP2_NVMP: u32 = 1 << 1;
/// Handoff: BOHC exists.
pub(super) const CAP2_BOH: u32 = 1 << 0;

// GHC (3.1.2).

/// AHCI enable.
pub(super) const GHC_AE: u32 = 1 << 31;
/// Interrupt enable.
pub(super) const GHC_IE: u32 = 1 << 1;
/// HBA reset; clears itself when it is done.
pub(super) const GHC_HR: u32 = 1 << 0;

// BOHC (3.1.11).

/// The firmware is cleaning up.
pub(super) const BOHC_BB: u32 = 1 << 4;
/// The system owns the controller, or asks to.
pub(super) const BOHC_OOS: u32 = 1 << 1;
/// The firmware owns it.
pub(super) const BOHC_BOS: u32 = 1 << 0;

// A port (3.3): offsets from the start of its registers.

/// Command list address, and its upper half (3.3.1, 3.3.2).
pub(super) const PX_CLB: u32 = 0x00;
pub(super) const PX_CLBU: u32 = 0x04;
/// Received FIS address, and its upper half (3.3.3, 3.3.4).
pub(super) const PX_FB: u32 = 0x08;
pub(super) const PX_FBU: u32 = 0x0c;
/// Interrupt status (3.3.5).
pub(super) const PX_IS: u32 = 0x10;
/// Interrupt enable (3.3.6).
pub(super) const PX_IE: u32 = 0x14;
/// Command and status (3.3.7).
pub(super) const PX_CMD: u32 = 0x18;
/// Task file data (3.3.8).
pub(super) const PX_TFD: u32 = 0x20;
/// Signature (3.3.9).
pub(super) const PX_SIG: u32 = 0x24;
/// SStatus, SControl, SError, SActive (3.3.10 to 3.3.13).
pub(super) const PX_SSTS: u32 = 0x28;
pub(super) const PX_SCTL: u32 = 0x2c;
pub(super) const PX_SERR: u32 = 0x30;
pub(super) const PX_SACT: u32 = 0x34;
/// Command issue (3.3.14).
pub(super) const PX_CI: u32 = 0x38;
/// SNotification (3.3.15).
pub(super) const PX_SNTF: u32 = 0x3c;
/// Device sleep (3.3.17).
pub(super) const PX_DEVSLP: u32 = 0x44;

// PxIS and PxIE (3.3.5, 3.3.6).

/// Task file error.
pub(super) const PX_IS_TFES: u32 = 1 << 30;
/// Errors after which the port carries nothing out until it is stopped (6.2.2): task file, bus fatal, bus data,
/// interface fatal.
pub(super) const PX_IS_FATAL: u32 = PX_IS_TFES | 1 << 29 | 1 << 28 | 1 << 27;
/// A device came, PxSERR.DIAG.X: cleared there.
pub(super) const PX_IS_PCS: u32 = 1 << 6;
/// What tells that a command may be done: descriptor, device bits, DMA setup, PIO setup, device to host.
pub(super) const PX_IS_COMPLETION: u32 = 0b10_1111;
/// Every bit that is not reserved.
pub(super) const PX_IS_ALL: u32 = 0xfdc0_00ff;

// PxCMD (3.3.7).

/// Interface communication control: 1 makes the link active.
pub(super) const PX_CMD_ICC: u32 = 0xf << 28;
pub(super) const PX_CMD_ICC_ACTIVE: u32 = 1 << 28;
/// Aggressive slumber or partial, and its enable.
pub(super) const PX_CMD_ASP: u32 = 1 << 27;
pub(super) const PX_CMD_ALPE: u32 = 1 << 26;
/// Drive LED on ATAPI, device is ATAPI: for the LED only.
pub(super) const PX_CMD_DLAE: u32 = 1 << 25;
pub(super) const PX_CMD_ATAPI: u32 = 1 << 24;
/// Automatic partial to slumber.
pub(super) const PX_CMD_APSTE: u32 = 1 << 23;
/// FIS-based switching, external port: not for the guest.
pub(super) const PX_CMD_FBSCP: u32 = 1 << 22;
pub(super) const PX_CMD_ESP: u32 = 1 << 21;
/// Cold presence detection: POD can be written.
pub(super) const PX_CMD_CPD: u32 = 1 << 20;
/// Port multiplier attached.
pub(super) const PX_CMD_PMA: u32 = 1 << 17;
/// Command list running, received FISes are written.
pub(super) const PX_CMD_CR: u32 = 1 << 15;
pub(super) const PX_CMD_FR: u32 = 1 << 14;
/// Take FISes.
pub(super) const PX_CMD_FRE: u32 = 1 << 4;
/// Command list override: clears BSY and DRQ.
pub(super) const PX_CMD_CLO: u32 = 1 << 3;
/// Power on.
pub(super) const PX_CMD_POD: u32 = 1 << 2;
/// Spin up.
pub(super) const PX_CMD_SUD: u32 = 1 << 1;
/// Start.
pub(super) const PX_CMD_ST: u32 = 1 << 0;

// PxTFD (3.3.8): error in bits 15:8, status in 7:0.

pub(super) const PX_TFD_BSY: u32 = 1 << 7;
pub(super) const PX_TFD_DRQ: u32 = 1 << 3;
/// Ready, with ERR, and ABRT as the error: what a device says of a command that it does not know.
pub(super) const PX_TFD_ABORTED: u32 = 0x0451;

/// PxSIG of a disk and of a packet device (Serial ATA 3.x, 11.3).
pub(super) const PX_SIG_DISK: u32 = 0x0000_0101;
pub(super) const PX_SIG_PACKET: u32 = 0xeb14_0101;
/// PxSSTS.DET (3.3.10): a device is there and the link works.
pub(super) const PX_SSTS_DET: u32 = 0xf;
pub(super) const PX_SSTS_LINKED: u32 = 3;
/// PxSERR.DIAG.X (3.3.12): a device came since this was cleared. Until then its first FIS is not taken.
pub(super) const PX_SERR_EXCHANGED: u32 = 1 << 26;
/// PxSCTL.DET (3.3.11): resets the link, as long as it stands there.
pub(super) const PX_SCTL_RESET: u32 = 1;
/// What of PxSCTL the guest may write (3.3.11): DET, SPD, IPM. The other fields are for port multipliers.
pub(super) const PX_SCTL_WRITABLE: u32 = 0xfff;

/// Bytes of a command header, 32 of which are a command list (4.2.2).
pub(super) const HEADER_BYTES: usize = 32;
/// What of PxCLB and PxFB, and of a header's table address, is the address.
pub(super) const LIST_ADDRESS: u64 = !0x3ff;
pub(super) const RECEIVED_ADDRESS: u64 = !0xff;
pub(super) const TABLE_ADDRESS: u64 = !0x7f;

// A command header's first word (4.2.2); its upper half is the number of region descriptors.

/// Words of the command FIS, bits 4:0.
pub(super) const HEADER_CFL: u32 = 0x1f;
/// As many as a Register Host to Device FIS has.
pub(super) const HEADER_CFL_REGISTER: u32 = 5;
/// Packet command.
pub(super) const HEADER_A: u32 = 1 << 5;
/// To the device.
pub(super) const HEADER_W: u32 = 1 << 6;
/// Reset: the device may be in the middle of something.
pub(super) const HEADER_R: u32 = 1 << 8;
/// Built-in self test.
pub(super) const HEADER_B: u32 = 1 << 9;
/// Clear BSY when the FIS is sent.
pub(super) const HEADER_C: u32 = 1 << 10;
/// Port multiplier port.
pub(super) const HEADER_PMP: u32 = 0xf << 12;

/// Where a command header has PRDBC, the bytes that moved.
pub(super) const HEADER_PRDBC: u64 = 4;
/// A command table (4.2.3): offset of the packet, its bytes; offset of the region descriptors.
pub(super) const TABLE_PACKET: usize = 0x40;
pub(super) const PACKET_BYTES: usize = 16;
pub(super) const TABLE_REGIONS: usize = 0x80;
/// Bytes of a region descriptor (4.2.3.3).
pub(super) const REGION_BYTES: usize = 16;
/// Its last word: bytes less one, bit 0 always set.
pub(super) const REGION_COUNT: u32 = 0x3f_ffff;

/// The received FIS area (4.2.1): bytes, and where a Register Device to Host FIS lies.
pub(super) const RECEIVED_BYTES: usize = 256;
pub(super) const RECEIVED_REGISTER: usize = 0x40;
/// How much of it the controller ever writes.
pub(super) const RECEIVED_USED: usize = 0xa0;
/// The first word of a Register Device to Host FIS that says aborted: status 51h, error 04h, with interrupt.
pub(super) const RECEIVED_ABORTED: u32 = 0x0451_4034;

/// Control register of a Register Host to Device FIS, byte 15: software reset.
pub(super) const CONTROL_SRST: u8 = 1 << 2;
/// What of PxDEVSLP the guest may write (3.3.17): ADSE, and the three times.
pub(super) const PX_DEVSLP_WRITABLE: u32 = 0x01ff_fffd;
