//! Sizes and names of the "LUKS2 On-Disk Format Specification", version 1.1, and the bounds we set on foreign headers.

use core::ops::RangeInclusive;

/// First bytes of the primary copy (section "Binary Header").
pub(super) const PRIMARY_MAGIC: &[u8; 6] = b"LUKS\xba\xbe";
/// First bytes of the secondary copy.
pub(super) const SECONDARY_MAGIC: &[u8; 6] = b"SKUL\xba\xbe";
/// `version`.
pub(super) const VERSION: u16 = 2;
/// Bytes of a binary header; the JSON area follows.
pub(super) const BINARY_SIZE: usize = 4096;
/// Bytes of a binary header and its JSON area, and so where the secondary copy may begin.
pub(super) const AREA_SIZES: [usize; 9] = [
    16 << 10,
    32 << 10,
    64 << 10,
    128 << 10,
    256 << 10,
    512 << 10,
    1 << 20,
    2 << 20,
    4 << 20,
];
/// `csum_alg`. The specification allows others; nothing writes them.
pub(super) const CHECKSUM: &[u8; 32] = b"sha256\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// Where the fields of a binary header lie.
pub(super) mod at {
    pub(crate) const MAGIC: usize = 0;
    pub(crate) const VERSION: usize = 6;
    pub(crate) const HEADER_SIZE: usize = 8;
    pub(crate) const SEQUENCE: usize = 16;
    pub(crate) const LABEL: usize = 24;
    pub(crate) const CHECKSUM_NAME: usize = 72;
    pub(crate) const UUID: usize = 168;
    pub(crate) const SUBSYSTEM: usize = 208;
    pub(crate) const HEADER_OFFSET: usize = 256;
    pub(crate) const CHECKSUM: usize = 448;
}

/// Bytes of `csum`; SHA-256 fills the first 32.
pub(super) const CHECKSUM_ROOM: usize = 64;
/// Bytes of the `salt` of a binary header.
pub(super) const SALT_SIZE: usize = 64;
/// Areas of keyslots begin at multiples of this (section "Keyslots Area").
pub(super) const ALIGNMENT: u64 = 4096;
/// The keyslots area is not longer than this.
pub(super) const MAX_KEYSLOTS_SIZE: u64 = 128 << 20;
/// Keyslots of a header.
pub(super) const MAX_KEYSLOTS: usize = 32;
/// Keyslot areas are encrypted in sectors of this size, counted from 0.
pub(super) const SECTOR: usize = 512;
/// `stripes` of an anti-forensic splitter; the specification allows no other.
pub(super) const STRIPES: u32 = 4000;

/// Bytes of a keyslot's or a digest's salt.
pub(super) const SALT_LENGTHS: RangeInclusive<usize> = 8..=64;
/// KiB of Argon2: from what cryptsetup allows to what a laptop's firmware has to spare.
pub(super) const ARGON2_MEMORY: RangeInclusive<u32> = 32..=1 << 20;
/// Lanes of Argon2, as cryptsetup bounds them.
pub(super) const ARGON2_LANES: RangeInclusive<u32> = 1..=4;
/// Passes times KiB of Argon2: 64 GiB filled, about a minute.
pub(super) const ARGON2_WORK: u64 = 1 << 26;
/// Iterations of PBKDF2: about a minute. Below 1,000 the specification of PBKDF2 calls it no work at all.
pub(super) const PBKDF2_ITERATIONS: RangeInclusive<u32> = 1000..=1 << 26;

/// Our headers: bytes of each metadata copy.
pub(super) const OUR_AREA_SIZE: usize = 16 << 10;
/// Our headers: bytes of the keyslots area, or less where the volume's offset leaves no room for it.
pub(super) const OUR_KEYSLOTS_SIZE: u64 = 1 << 20;
/// Our headers: bytes of a keyslot's area, enough for a 64-byte key (63 times 4 KiB, as cryptsetup lays them out).
pub(super) const OUR_SLOT_SIZE: u64 = 252 << 10;
/// Our headers: bytes of salts.
pub(super) const OUR_SALT_SIZE: usize = 32;
/// Our headers: iterations of the digest. The volume key is random, so that nothing needs stretching.
pub(super) const OUR_DIGEST_ITERATIONS: u32 = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    /// Section "Binary Header": the fields follow each other without a gap.
    #[test]
    fn fields_lie_where_the_specification_puts_them() {
        assert_eq!(at::VERSION, at::MAGIC + 6);
        assert_eq!(at::HEADER_SIZE, at::VERSION + 2);
        assert_eq!(at::SEQUENCE, at::HEADER_SIZE + 8);
        assert_eq!(at::LABEL, at::SEQUENCE + 8);
        assert_eq!(at::CHECKSUM_NAME, at::LABEL + 48);
        assert_eq!(at::UUID, at::CHECKSUM_NAME + CHECKSUM.len() + SALT_SIZE);
        assert_eq!(at::SUBSYSTEM, at::UUID + 40);
        assert_eq!(at::HEADER_OFFSET, at::SUBSYSTEM + 48);
        assert_eq!(at::CHECKSUM, at::HEADER_OFFSET + 8 + 184);
        assert_eq!(BINARY_SIZE, at::CHECKSUM + CHECKSUM_ROOM + 7 * 512);
    }

    #[test]
    fn our_keyslots_area_has_room_for_four_slots() {
        assert_eq!(OUR_KEYSLOTS_SIZE / OUR_SLOT_SIZE, 4);
        assert!(OUR_SLOT_SIZE.is_multiple_of(ALIGNMENT));
        assert!(OUR_SLOT_SIZE >= 64 * u64::from(STRIPES));
    }
}
