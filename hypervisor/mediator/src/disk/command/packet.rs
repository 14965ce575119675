//! Packet commands (ATAPI): the command descriptor blocks that read media.
//!
//! What an optical drive needs to be mounted and read, by allow-list: nothing that writes, erases, formats, loads
//! firmware or changes a setting that outlives the medium. The drive's data is never encrypted, and never a volume.
//!
//! Source: MMC-6 (table of commands for multi-media devices) and SPC-4; in an ATAPI drive, A1h is BLANK and 85h is
//! reserved.

use super::table::{Named, lists};
use sekisho_abi::storage::Atapi;

/// Bytes of a command descriptor block; one of 12 is padded with zeros.
pub const PACKET_BYTES: usize = 16;

/// What becomes of a packet command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PacketVerdict {
    /// It is given to the drive as it is.
    Pass,
    /// The drive is given [`refused`] in its place.
    Refuse,
}

/// Operation codes that read: of the medium, or of what the drive says.
pub(super) const READS: &[Named] = &[
    (0x00, "TEST UNIT READY"),
    (0x03, "REQUEST SENSE"),
    (0x12, "INQUIRY"),
    (0x1a, "MODE SENSE(6)"),
    (0x1b, "START STOP UNIT: the tray, and power"),
    (0x1e, "PREVENT ALLOW MEDIUM REMOVAL"),
    (0x23, "READ FORMAT CAPACITIES"),
    (0x25, "READ CAPACITY"),
    (0x28, "READ(10)"),
    (0x2b, "SEEK(10)"),
    (0x42, "READ SUB-CHANNEL"),
    (0x43, "READ TOC/PMA/ATIP"),
    (0x44, "READ HEADER"),
    (0x46, "GET CONFIGURATION"),
    (0x4a, "GET EVENT STATUS NOTIFICATION"),
    (0x51, "READ DISC INFORMATION"),
    (0x52, "READ TRACK INFORMATION"),
    (0x5a, "MODE SENSE(10)"),
    (0x5c, "READ BUFFER CAPACITY"),
    (0xa0, "REPORT LUNS"),
    (0xa8, "READ(12)"),
    (0xac, "GET PERFORMANCE"),
    (0xad, "READ DISC STRUCTURE"),
    (0xb9, "READ CD MSF"),
    (0xbb, "SET CD SPEED"),
    (0xbd, "MECHANISM STATUS"),
    (0xbe, "READ CD"),
];

/// What becomes of a command descriptor block.
#[must_use]
pub fn judge(packet: &[u8; PACKET_BYTES], allowed: Atapi) -> PacketVerdict {
    let [operation, ..] = packet;
    match allowed {
        Atapi::Pass => PacketVerdict::Pass,
        Atapi::Read if lists(READS, *operation) => PacketVerdict::Pass,
        Atapi::Read | Atapi::Refuse => PacketVerdict::Refuse,
    }
}

/// A command that every drive refuses as one it does not know, with sense data that the guest can ask for: operation
/// code 1Fh, which no device type has.
#[must_use]
pub const fn refused() -> [u8; PACKET_BYTES] {
    let mut packet = [0; PACKET_BYTES];
    let [operation, ..] = &mut packet;
    *operation = 0x1f;
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(operation: u8, allowed: Atapi) -> PacketVerdict {
        let mut packet = [0xff; PACKET_BYTES];
        packet[0] = operation;
        judge(&packet, allowed)
    }

    #[test]
    fn media_are_read_and_nothing_else_where_the_policy_says_read() {
        let passed = |operation: &u8| verdict(*operation, Atapi::Read) == PacketVerdict::Pass;
        assert!(
            (0..=u8::MAX)
                .filter(passed)
                .eq(READS.iter().map(|(operation, _)| *operation))
        );
    }

    #[test]
    fn what_writes_erases_loads_or_sets_does_not_read() {
        // FORMAT UNIT, WRITE(10), VERIFY(10), SYNCHRONIZE CACHE, WRITE BUFFER, READ BUFFER, MODE SELECT, CLOSE TRACK,
        // SEND CUE SHEET, BLANK, SEND KEY, WRITE(12), SET READ AHEAD, SEND DISC STRUCTURE, vendor specific.
        let others = [
            0x04, 0x2a, 0x2f, 0x35, 0x3b, 0x3c, 0x15, 0x55, 0x5b, 0x5d, 0xa1, 0xa3, 0xaa, 0xa7, 0xbf, 0xd8,
        ];
        for operation in others {
            assert_eq!(
                verdict(operation, Atapi::Read),
                PacketVerdict::Refuse,
                "{operation:#x}"
            );
        }
    }

    #[test]
    fn all_pass_or_none_where_the_policy_says_so() {
        for operation in 0..=u8::MAX {
            assert_eq!(verdict(operation, Atapi::Pass), PacketVerdict::Pass);
            assert_eq!(verdict(operation, Atapi::Refuse), PacketVerdict::Refuse);
        }
    }

    #[test]
    fn the_packet_given_in_place_of_a_refused_one_is_not_one_that_passes() {
        assert_eq!(judge(&refused(), Atapi::Read), PacketVerdict::Refuse);
    }
}
