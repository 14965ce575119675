//! IDENTIFY DEVICE of an SSD that offers everything (ACS-4, section 7.13): what a mediator hides must be there to be
//! hidden.

use super::disk::{Features, Geometry};
use crate::bytes;

/// Bytes of an IDENTIFY answer.
pub const IDENTIFY_SIZE: usize = 512;
const MODEL: &str = "SEKISHO MODEL SSD";
const FIRMWARE: &str = "1.0";
const SIGNATURE: u8 = 0xa5;

/// The 512 bytes, with their checksum.
#[must_use]
pub fn identify(geometry: &Geometry, features: &Features) -> Vec<u8> {
    let mut words = fixed();
    let mut set = |place: usize, value: u64, count: usize| {
        for index in 0..count {
            let word = bytes::low_word(value >> (16 * index));
            if let Some(slot) = words.get_mut(place + index) {
                *slot = word;
            }
        }
    };
    set(59, 0xf100 | u64::from(features.multiple), 1);
    set(60, geometry.sectors.min(0x0fff_ffff), 2);
    set(100, geometry.sectors, 4);
    set(230, geometry.sectors, 4);
    set(
        85,
        0x7469 & !(1 << 5) | u64::from(features.write_cache.is_on()) << 5,
        1,
    );
    if geometry.sector_size != 512 {
        set(106, 0x5000, 1);
        set(117, geometry.sector_size as u64 / 2, 2);
    }
    let mut answer: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    text(&mut answer, 10, 10, &geometry.serial);
    text(&mut answer, 23, 4, FIRMWARE);
    text(&mut answer, 27, 20, MODEL);
    seal(&mut answer);
    answer
}

/// Makes the sum of all bytes zero (word 255).
pub(super) fn seal(answer: &mut [u8]) {
    bytes::put(answer, 510, &[SIGNATURE, 0]);
    let sum = answer.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes::put(answer, 511, &[sum.wrapping_neg()]);
}

/// Text is padded with spaces, and its bytes are swapped in each word.
pub(super) fn text(answer: &mut [u8], word: usize, words: usize, text: &str) {
    let mut padded = text.as_bytes().to_vec();
    padded.resize(words * 2, b' ');
    for (index, pair) in padded.chunks_exact(2).enumerate() {
        let swapped: Vec<u8> = pair.iter().rev().copied().collect();
        bytes::put(answer, (word + index) * 2, &swapped);
    }
}

/// What does not depend on the disk's size or settings.
fn fixed() -> [u16; 256] {
    let mut words = [0; 256];
    let table: [(usize, u16); 56] = [
        (0, 0x0040),  // an ATA disk
        (1, 16_383),  // cylinders
        (3, 16),      // heads
        (6, 63),      // sectors a track
        (47, 0x8010), // 16 sectors a multiple
        (48, 0x4001), // trusted computing
        (49, 0x2f00), // LBA, DMA, IORDY
        (50, 0x4000),
        (53, 0x0007),
        (63, 0x0007), // multiword DMA 0 to 2
        (64, 0x0003), // PIO 3 and 4
        (65, 120),
        (66, 120),
        (67, 120),
        (68, 120),
        (69, 0x4d28), // zeros after TRIM, microcode and buffers by DMA, extended sectors
        (75, 31),     // queue depth 32
        (76, 0x970e), // all speeds, NCQ, its priority and unload, partial and slumber, counters, log by DMA
        (77, 0x0060), // NCQ NON-DATA, SEND and RECEIVE FPDMA QUEUED
        (78, 0x014c), // device-initiated power management, settings kept, device sleep
        (79, 0x0040),
        (80, 0x0ff0), // up to ACS-4
        (81, 0x0000),
        (82, 0x746b), // SMART, security, power, cache, look-ahead, host protected area, buffers, NOP
        (83, 0x7d49), // microcode, APM, spin-up, SET MAX security, LBA48, DCO, flushes
        (84, 0x4163), // SMART logs, general logs, FUA, WWN
        (85, 0x7469), // enabled: security is not
        (86, 0xbd09),
        (87, 0x4163),
        (88, 0x407f), // UDMA 0 to 6, 6 chosen
        (89, 1),      // minutes a secure erase takes
        (90, 1),
        (91, 0x00fe),  // advanced power management
        (92, 0xfffe),  // master password
        (105, 8),      // blocks a TRIM may have
        (106, 0x6003), // physical sectors of 4096 bytes
        (108, 0x5000), // WWN
        (109, 0xc500),
        (110, 0x1234),
        (111, 0x5678),
        (119, 0x41de), // write-read-verify, uncorrectable, log by DMA, segmented microcode, free-fall, DSM XL
        (120, 0x401c),
        (128, 0x0021), // security, with enhanced erase
        (160, 0x0000),
        (168, 0x0003), // 2.5 inch
        (169, 0x0001), // TRIM
        (176, 0x0000),
        (206, 0x003d), // SCT: write same, error recovery, features, tables
        (209, 0x4000),
        (217, 1),      // does not rotate
        (222, 0x10ff), // serial ATA
        (234, 1),
        (235, 0x0fff), // microcode blocks
        (248, 0x0000),
        (249, 0x0000),
        (250, 0x0000),
    ];
    for (place, value) in table {
        if let Some(word) = words.get_mut(place) {
            *word = value;
        }
    }
    words
}
