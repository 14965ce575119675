//! What a device says of itself, with what is refused hidden.
//!
//! Words are cleared, never set, so that the guest's tools show what the device is, less what it may not do with it.

use super::identity::{Known, has_checksum};
use super::judge::{LONGEST_ANSWER, PAGE};
use super::words::{PAGE_BYTES, keep, seal, set, word};

/// Words 78 and 79 less the features that SET FEATURES 10h refuses.
const SERIAL_ATA: u16 = 0x01cc;
/// Words 82 and 85.
const FIRST: u16 = !0x3586;
/// Words 83 and 86.
const SECOND: u16 = !0x0997;
/// Words 84 and 87.
const THIRD: u16 = 0xe163;
/// Words 119 and 120.
const FOURTH: u16 = 0xc0e8;
/// Trusted computing, where bits 15:14 are 01b; in ATA-1, double word transfers.
const TRUSTED: usize = 48;
/// Blocks of ranges that one DATA SET MANAGEMENT may carry.
const TRIM_BLOCKS: usize = 105;
/// What DATA SET MANAGEMENT can do; bit 0: TRIM.
const TRIM_SUPPORT: usize = 169;

/// Words of IDENTIFY DEVICE data and the bits of them that stay (ACS-4 and, for what is obsolete, ATA/ATAPI-7, IDENTIFY
/// DEVICE; Serial ATA 3.1, 13.2.1). Words that are not named stay whole.
const KEPT: &[(usize, u16)] = &[
    // Bits 8:0 are MULTIPLE; above is SANITIZE.
    (59, 0x01ff),
    // Stays: optional 28-bit commands, encrypts on its own, more than 2^28 sectors, non-volatile write cache. Goes:
    // CompactFlash, what TRIM reads as (deterministic, zeros), misalignment errors, buffers and microcode by DMA, IEEE
    // 1667, zones.
    (69, 0x005c),
    // Goes: queued streaming, NCQ NON-DATA, SEND and RECEIVE FPDMA, and what was defined since.
    (77, 0x018f),
    // Goes: non-zero buffer offsets, in-order delivery, hybrid information, rebuild assist, power disable.
    (78, SERIAL_ATA),
    (79, SERIAL_ATA),
    // Goes: passwords, overlap (release and service interrupts), host protected area, buffers.
    (82, FIRST),
    (85, FIRST),
    // Goes: microcode, legacy queue, CompactFlash, media status, address offset, SET MAX passwords, overlay.
    (83, SECOND),
    (86, SECOND),
    // Goes: media serial number and card, streaming, queued FUA, urgent streams, time limits.
    (84, THIRD),
    (87, THIRD),
    // Passwords: times to erase, revision of the master password, state.
    (89, 0),
    (90, 0),
    (92, 0),
    (128, 0),
    // Streaming.
    (95, 0),
    (96, 0),
    (97, 0),
    (98, 0),
    (99, 0),
    (104, 0),
    (116, 0),
    // Goes: write-read-verify, WRITE UNCORRECTABLE, microcode, accessible maximum address, notifications.
    (119, FOURTH),
    (120, FOURTH),
    // SCT.
    (206, 0),
    // Write-read-verify.
    (210, 0),
    (211, 0),
    (212, 0),
    (213, 0),
    (220, 0),
    // Non-volatile cache.
    (214, 0),
    (215, 0),
    (216, 0),
    (219, 0),
    // Microcode.
    (234, 0),
    (235, 0),
];

/// Words of IDENTIFY PACKET DEVICE data and the bits of them that stay.
const PACKET_KEPT: &[(usize, u16)] = &[
    // Goes: interleaved DMA, command queuing, overlap.
    (49, 0x1fff),
    (82, FIRST),
    (85, FIRST),
    (83, SECOND),
    (86, SECOND),
    (128, 0),
];

/// Hides in IDENTIFY DEVICE data what is refused.
pub fn amend_identify(page: &mut [u8; PAGE_BYTES], disk: &Known) {
    let checked = has_checksum(page);
    for &(index, mask) in KEPT {
        keep(page, index, mask);
    }
    if word(page, TRUSTED) & 0xc000 == 0x4000 {
        keep(page, TRUSTED, !1);
    }
    let blocks = if disk.discard {
        keep(page, TRIM_SUPPORT, 1);
        // A mediator holds no more at once.
        let most = u16::try_from(LONGEST_ANSWER / PAGE).unwrap_or(u16::MAX);
        word(page, TRIM_BLOCKS).min(most)
    } else {
        keep(page, TRIM_SUPPORT, 0);
        0
    };
    set(page, TRIM_BLOCKS, blocks);
    if checked {
        seal(page);
    }
}

/// Hides in IDENTIFY PACKET DEVICE data what is refused.
pub fn amend_identify_packet(page: &mut [u8; PAGE_BYTES]) {
    let checked = has_checksum(page);
    for &(index, mask) in PACKET_KEPT {
        keep(page, index, mask);
    }
    if checked {
        seal(page);
    }
}
