//! The one table of all 256 ATA opcodes: what each is, and what becomes of it.
//!
//! Sources: ACS-5 (and ACS-2 to ACS-4), command codes in numerical order, for what is current, reserved and vendor
//! specific; ATA-1 to ATA/ATAPI-7 for what is obsolete and may still be built in. An opcode that nobody has defined is
//! refused as well.

use super::verdict::{Protocol, Reason};
use Address::{Lba28, Lba48, Queued};
use Protocol::{DmaIn, DmaOut, NonData, PioIn, PioOut, QueuedIn, QueuedOut};

/// One opcode.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// As in the standard.
    pub name: &'static str,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of an opcode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It carries disk content: encrypted, decrypted or passed by sector.
    Content {
        /// How the content moves.
        protocol: Protocol,
        /// Where the range is said.
        address: Address,
        /// How much of it moves with PIO before the device is busy again.
        unit: Unit,
    },
    /// It carries nothing, and passes.
    Pass(Protocol),
    /// IDENTIFY DEVICE.
    Identify,
    /// IDENTIFY PACKET DEVICE.
    IdentifyPacket,
    /// SET MULTIPLE MODE.
    SetMultiple,
    /// SET FEATURES: by subcommand.
    SetFeatures,
    /// SMART: by subcommand.
    Smart,
    /// READ LOG: by log address.
    ReadLog(Protocol),
    /// DATA SET MANAGEMENT: TRIM where the policy says so.
    Trim,
    /// PACKET: by command descriptor block.
    Packet,
    /// Refused.
    Refuse(Reason),
}

/// Where a command says its range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Address {
    /// 28 bits: LBA and DEVICE bits 3:0; COUNT 0 is 256 blocks.
    Lba28,
    /// 48 bits; COUNT 0 is 65,536 blocks.
    Lba48,
    /// 48 bits; the count in FEATURES, 0 is 65,536 blocks, the tag in COUNT bits 7:3.
    Queued,
}

/// Blocks of a DRQ data block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// One.
    Block,
    /// As many as SET MULTIPLE MODE said.
    Multiple,
}

/// A code of a list, and what it is for readers.
pub(super) type Named = (u8, &'static str);

/// Whether a list has a code.
pub(super) fn lists(list: &[Named], code: u8) -> bool {
    list.iter().any(|(listed, _)| *listed == code)
}

/// Opcodes `first` to `last`.
struct Row {
    first: u8,
    last: u8,
    command: Command,
}

/// The command of an opcode.
#[must_use]
pub fn command(opcode: u8) -> &'static Command {
    // There are 256 opcodes and 256 entries.
    COMMANDS.get(usize::from(opcode)).unwrap_or(&NO_COMMAND)
}

static COMMANDS: [Command; 256] = spread(ROWS);

/// The rows by opcode. They lie in ascending order without a gap, which a test checks.
const fn spread(mut rows: &[Row]) -> [Command; 256] {
    let mut commands = [NO_COMMAND; 256];
    let mut rest: &mut [Command] = &mut commands;
    while let [row, others @ ..] = rows {
        let mut opcode = row.first as u16;
        while opcode <= row.last as u16 {
            let Some((entry, behind)) = rest.split_first_mut() else {
                return commands;
            };
            *entry = row.command;
            rest = behind;
            opcode += 1;
        }
        rows = others;
    }
    commands
}

/// What `spread` starts from.
const NO_COMMAND: Command = Command {
    name: "",
    fate: Fate::Refuse(Reason::Reserved),
};

const fn row(first: u8, last: u8, name: &'static str, fate: Fate) -> Row {
    let command = Command { name, fate };
    Row { first, last, command }
}

const fn content(opcode: u8, name: &'static str, protocol: Protocol, address: Address) -> Row {
    let fate = Fate::Content {
        protocol,
        address,
        unit: Unit::Block,
    };
    row(opcode, opcode, name, fate)
}

const fn multiple(opcode: u8, name: &'static str, protocol: Protocol, address: Address) -> Row {
    let fate = Fate::Content {
        protocol,
        address,
        unit: Unit::Multiple,
    };
    row(opcode, opcode, name, fate)
}

const fn pass(opcode: u8, name: &'static str) -> Row {
    row(opcode, opcode, name, Fate::Pass(NonData))
}

const fn judged(opcode: u8, name: &'static str, fate: Fate) -> Row {
    row(opcode, opcode, name, fate)
}

const fn refuse(opcode: u8, name: &'static str, reason: Reason) -> Row {
    row(opcode, opcode, name, Fate::Refuse(reason))
}

const fn reserved(first: u8, last: u8) -> Row {
    row(first, last, "reserved", Fate::Refuse(Reason::Reserved))
}

const fn vendor(first: u8, last: u8) -> Row {
    row(
        first,
        last,
        "vendor specific",
        Fate::Refuse(Reason::VendorSpecific),
    )
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    pass(0x00, "NOP"),
    reserved(0x01, 0x02),
    refuse(0x03, "CFA REQUEST EXTENDED ERROR", Reason::CompactFlash),
    reserved(0x04, 0x05),
    judged(0x06, "DATA SET MANAGEMENT", Fate::Trim),
    refuse(0x07, "DATA SET MANAGEMENT XL", Reason::Erases),
    row(0x08, 0x08, "DEVICE RESET", Fate::Pass(Protocol::DeviceReset)),
    reserved(0x09, 0x0a),
    pass(0x0b, "REQUEST SENSE DATA EXT"),
    reserved(0x0c, 0x0f),
    pass(0x10, "RECALIBRATE"),
    reserved(0x11, 0x11),
    refuse(0x12, "GET PHYSICAL ELEMENT STATUS", Reason::Capacity),
    reserved(0x13, 0x1f),
    content(0x20, "READ SECTORS", PioIn, Lba28),
    content(0x21, "READ SECTORS without retries", PioIn, Lba28),
    refuse(0x22, "READ LONG", Reason::Raw),
    refuse(0x23, "READ LONG without retries", Reason::Raw),
    content(0x24, "READ SECTORS EXT", PioIn, Lba48),
    content(0x25, "READ DMA EXT", DmaIn, Lba48),
    refuse(0x26, "READ DMA QUEUED EXT", Reason::LegacyQueue),
    pass(0x27, "READ NATIVE MAX ADDRESS EXT"),
    reserved(0x28, 0x28),
    multiple(0x29, "READ MULTIPLE EXT", PioIn, Lba48),
    refuse(0x2a, "READ STREAM DMA EXT", Reason::Stream),
    refuse(0x2b, "READ STREAM EXT", Reason::Stream),
    reserved(0x2c, 0x2e),
    judged(0x2f, "READ LOG EXT", Fate::ReadLog(PioIn)),
    content(0x30, "WRITE SECTORS", PioOut, Lba28),
    content(0x31, "WRITE SECTORS without retries", PioOut, Lba28),
    refuse(0x32, "WRITE LONG", Reason::Raw),
    refuse(0x33, "WRITE LONG without retries", Reason::Raw),
    content(0x34, "WRITE SECTORS EXT", PioOut, Lba48),
    content(0x35, "WRITE DMA EXT", DmaOut, Lba48),
    refuse(0x36, "WRITE DMA QUEUED EXT", Reason::LegacyQueue),
    refuse(0x37, "SET MAX ADDRESS EXT", Reason::Capacity),
    refuse(0x38, "CFA WRITE SECTORS WITHOUT ERASE", Reason::CompactFlash),
    multiple(0x39, "WRITE MULTIPLE EXT", PioOut, Lba48),
    refuse(0x3a, "WRITE STREAM DMA EXT", Reason::Stream),
    refuse(0x3b, "WRITE STREAM EXT", Reason::Stream),
    refuse(0x3c, "WRITE VERIFY", Reason::Unused),
    content(0x3d, "WRITE DMA FUA EXT", DmaOut, Lba48),
    refuse(0x3e, "WRITE DMA QUEUED FUA EXT", Reason::LegacyQueue),
    refuse(0x3f, "WRITE LOG EXT", Reason::WritesLog),
    pass(0x40, "READ VERIFY SECTORS"),
    pass(0x41, "READ VERIFY SECTORS without retries"),
    pass(0x42, "READ VERIFY SECTORS EXT"),
    reserved(0x43, 0x43),
    refuse(0x44, "ZERO EXT", Reason::Erases),
    refuse(0x45, "WRITE UNCORRECTABLE EXT", Reason::Erases),
    reserved(0x46, 0x46),
    judged(0x47, "READ LOG DMA EXT", Fate::ReadLog(DmaIn)),
    reserved(0x48, 0x49),
    refuse(0x4a, "ZAC MANAGEMENT IN", Reason::Zones),
    reserved(0x4b, 0x4f),
    refuse(0x50, "FORMAT TRACK", Reason::Raw),
    refuse(0x51, "CONFIGURE STREAM", Reason::Stream),
    reserved(0x52, 0x56),
    refuse(0x57, "WRITE LOG DMA EXT", Reason::WritesLog),
    reserved(0x58, 0x5a),
    refuse(0x5b, "TRUSTED NON-DATA", Reason::Trusted),
    refuse(0x5c, "TRUSTED RECEIVE", Reason::Trusted),
    refuse(0x5d, "TRUSTED RECEIVE DMA", Reason::Trusted),
    refuse(0x5e, "TRUSTED SEND", Reason::Trusted),
    refuse(0x5f, "TRUSTED SEND DMA", Reason::Trusted),
    content(0x60, "READ FPDMA QUEUED", QueuedIn, Queued),
    content(0x61, "WRITE FPDMA QUEUED", QueuedOut, Queued),
    reserved(0x62, 0x62),
    refuse(0x63, "NCQ NON-DATA", Reason::QueuedOther),
    refuse(0x64, "SEND FPDMA QUEUED", Reason::QueuedOther),
    refuse(0x65, "RECEIVE FPDMA QUEUED", Reason::QueuedOther),
    reserved(0x66, 0x6f),
    pass(0x70, "SEEK"),
    reserved(0x71, 0x76),
    refuse(0x77, "SET DATE & TIME EXT", Reason::Unused),
    refuse(0x78, "ACCESSIBLE MAX ADDRESS CONFIGURATION", Reason::Capacity),
    reserved(0x79, 0x7b),
    refuse(0x7c, "REMOVE ELEMENT AND TRUNCATE", Reason::Capacity),
    refuse(0x7d, "RESTORE ELEMENTS AND REBUILD", Reason::Capacity),
    refuse(0x7e, "REMOVE ELEMENT AND MODIFY ZONES", Reason::Capacity),
    reserved(0x7f, 0x7f),
    vendor(0x80, 0x86),
    refuse(0x87, "CFA TRANSLATE SECTOR", Reason::CompactFlash),
    vendor(0x88, 0x8f),
    row(0x90, 0x90, "EXECUTE DEVICE DIAGNOSTIC", Fate::Pass(Protocol::Diagnostic)),
    pass(0x91, "INITIALIZE DEVICE PARAMETERS"),
    refuse(0x92, "DOWNLOAD MICROCODE", Reason::Firmware),
    refuse(0x93, "DOWNLOAD MICROCODE DMA", Reason::Firmware),
    pass(0x94, "STANDBY IMMEDIATE (old)"),
    pass(0x95, "IDLE IMMEDIATE (old)"),
    pass(0x96, "STANDBY (old)"),
    pass(0x97, "IDLE (old)"),
    pass(0x98, "CHECK POWER MODE (old)"),
    pass(0x99, "SLEEP (old)"),
    vendor(0x9a, 0x9a),
    reserved(0x9b, 0x9e),
    refuse(0x9f, "ZAC MANAGEMENT OUT", Reason::Zones),
    judged(0xa0, "PACKET", Fate::Packet),
    judged(0xa1, "IDENTIFY PACKET DEVICE", Fate::IdentifyPacket),
    refuse(0xa2, "SERVICE", Reason::LegacyQueue),
    reserved(0xa3, 0xaf),
    judged(0xb0, "SMART", Fate::Smart),
    refuse(0xb1, "DEVICE CONFIGURATION OVERLAY", Reason::Capacity),
    refuse(0xb2, "SET SECTOR CONFIGURATION EXT", Reason::Capacity),
    reserved(0xb3, 0xb3),
    refuse(0xb4, "SANITIZE DEVICE", Reason::Erases),
    reserved(0xb5, 0xb5),
    refuse(0xb6, "NV CACHE", Reason::NonVolatileCache),
    refuse(0xb7, "reserved for CompactFlash", Reason::CompactFlash),
    reserved(0xb8, 0xb9),
    refuse(0xba, "reserved for CompactFlash", Reason::CompactFlash),
    refuse(0xbb, "reserved for CompactFlash", Reason::CompactFlash),
    reserved(0xbc, 0xbf),
    refuse(0xc0, "CFA ERASE SECTORS", Reason::CompactFlash),
    vendor(0xc1, 0xc3),
    multiple(0xc4, "READ MULTIPLE", PioIn, Lba28),
    multiple(0xc5, "WRITE MULTIPLE", PioOut, Lba28),
    judged(0xc6, "SET MULTIPLE MODE", Fate::SetMultiple),
    refuse(0xc7, "READ DMA QUEUED", Reason::LegacyQueue),
    content(0xc8, "READ DMA", DmaIn, Lba28),
    content(0xc9, "READ DMA without retries", DmaIn, Lba28),
    content(0xca, "WRITE DMA", DmaOut, Lba28),
    content(0xcb, "WRITE DMA without retries", DmaOut, Lba28),
    refuse(0xcc, "WRITE DMA QUEUED", Reason::LegacyQueue),
    refuse(0xcd, "CFA WRITE MULTIPLE WITHOUT ERASE", Reason::CompactFlash),
    multiple(0xce, "WRITE MULTIPLE FUA EXT", PioOut, Lba48),
    reserved(0xcf, 0xd0),
    refuse(0xd1, "CHECK MEDIA CARD TYPE", Reason::Unused),
    reserved(0xd2, 0xd9),
    refuse(0xda, "GET MEDIA STATUS", Reason::Unused),
    refuse(0xdb, "ACKNOWLEDGE MEDIA CHANGE", Reason::Unused),
    refuse(0xdc, "BOOT - POST-BOOT", Reason::Unused),
    refuse(0xdd, "BOOT - PRE-BOOT", Reason::Unused),
    refuse(0xde, "MEDIA LOCK", Reason::Unused),
    refuse(0xdf, "MEDIA UNLOCK", Reason::Unused),
    pass(0xe0, "STANDBY IMMEDIATE"),
    pass(0xe1, "IDLE IMMEDIATE"),
    pass(0xe2, "STANDBY"),
    pass(0xe3, "IDLE"),
    refuse(0xe4, "READ BUFFER", Reason::Buffer),
    pass(0xe5, "CHECK POWER MODE"),
    pass(0xe6, "SLEEP"),
    pass(0xe7, "FLUSH CACHE"),
    refuse(0xe8, "WRITE BUFFER", Reason::Buffer),
    refuse(0xe9, "READ BUFFER DMA", Reason::Buffer),
    pass(0xea, "FLUSH CACHE EXT"),
    refuse(0xeb, "WRITE BUFFER DMA", Reason::Buffer),
    judged(0xec, "IDENTIFY DEVICE", Fate::Identify),
    refuse(0xed, "MEDIA EJECT", Reason::Unused),
    refuse(0xee, "IDENTIFY DEVICE DMA", Reason::Unused),
    judged(0xef, "SET FEATURES", Fate::SetFeatures),
    vendor(0xf0, 0xf0),
    refuse(0xf1, "SECURITY SET PASSWORD", Reason::Password),
    refuse(0xf2, "SECURITY UNLOCK", Reason::Password),
    refuse(0xf3, "SECURITY ERASE PREPARE", Reason::Password),
    refuse(0xf4, "SECURITY ERASE UNIT", Reason::Password),
    pass(0xf5, "SECURITY FREEZE LOCK"),
    refuse(0xf6, "SECURITY DISABLE PASSWORD", Reason::Password),
    vendor(0xf7, 0xf7),
    pass(0xf8, "READ NATIVE MAX ADDRESS"),
    refuse(0xf9, "SET MAX ADDRESS", Reason::Capacity),
    vendor(0xfa, 0xff),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_cover_every_opcode_once_in_order() {
        let mut next = 0u16;
        for row in ROWS {
            assert_eq!(u16::from(row.first), next, "{}", row.command.name);
            assert!(row.first <= row.last, "{}", row.command.name);
            next = u16::from(row.last) + 1;
        }
        assert_eq!(next, 256);
    }

    #[test]
    fn an_opcode_finds_its_own_row() {
        for row in ROWS {
            for opcode in row.first..=row.last {
                assert_eq!(command(opcode).name, row.command.name);
                assert_eq!(command(opcode).fate, row.command.fate);
            }
        }
    }
}
