//! Descriptors, as four little-endian words (SDM 3.2.3, 3.3; 82574 7.1, 7.2).

/// Bytes of a descriptor, except those of packet split.
pub(super) const BYTES: usize = 16;
/// The same, as rings count.
pub(super) const UNIT: u32 = 16;
/// Bytes of a packet split descriptor (82574 7.1.5).
pub(super) const SPLIT_BYTES: usize = 32;

// Receive: status and errors (SDM 3.2.3.1, 3.2.3.2); the same bits in the extended form, errors from bit 24.

/// Descriptor done.
pub(super) const STATUS_DONE: u8 = 1 << 0;
/// The last of its frame.
pub(super) const STATUS_END: u8 = 1 << 1;
/// Checksums were not looked at.
pub(super) const STATUS_IGNORE: u8 = 1 << 2;
/// A tag was taken out.
pub(super) const STATUS_TAGGED: u8 = 1 << 3;
/// The frame is damaged: CRC, symbol, sequence, data.
pub(super) const ERRORS_FRAME: u8 = 0x87;
/// There was an error with the data itself.
pub(super) const ERRORS_DATA: u8 = 0x80;

// Transmit: commands (SDM 3.3.3.1, 3.3.7.1). The legacy form has them in bits 31 to 24 of word 2, as the others.

/// The last of its frame.
pub(super) const COMMAND_END: u8 = 1 << 0;
/// The frame check sequence is the NIC's to write.
pub(super) const COMMAND_CHECK: u8 = 1 << 1;
/// Legacy: a checksum is inserted. Data, context: the frame is segmented.
pub(super) const COMMAND_SUM: u8 = 1 << 2;
pub(super) const COMMAND_SEGMENT: u8 = 1 << 2;
/// Status is reported, with an interrupt cause.
pub(super) const COMMAND_REPORT: u8 = 1 << 3;
/// Not a legacy descriptor.
pub(super) const COMMAND_EXTENDED: u8 = 1 << 5;
/// A tag is inserted.
pub(super) const COMMAND_TAG: u8 = 1 << 6;
/// The cause may be delayed.
pub(super) const COMMAND_DELAY: u8 = 1 << 7;
/// Context: TCP, and IPv4.
pub(super) const COMMAND_TCP: u8 = 1 << 0;
pub(super) const COMMAND_IPV4: u8 = 1 << 1;
/// Type in bits 23 to 20 of word 2.
pub(super) const TYPE_SHIFT: u32 = 20;
pub(super) const TYPE_CONTEXT: u32 = 0;
pub(super) const TYPE_DATA: u32 = 1;
/// Bits of a length in word 2, and of a legacy one.
pub(super) const LENGTH: u32 = 0xf_ffff;
pub(super) const LEGACY_LENGTH: u32 = 0xffff;
/// Data: packet options in word 3, IPv4 and transport checksum.
pub(super) const OPTION_NETWORK: u8 = 1 << 0;
pub(super) const OPTION_TRANSPORT: u8 = 1 << 1;
/// Where a transmit descriptor's status lies, and "done" in it.
pub(super) const TRANSMIT_STATUS: u64 = 12;
pub(super) const TRANSMIT_DONE: u8 = 1 << 0;

/// Four words.
pub(super) type Words = [u32; 4];

/// The descriptor in sixteen bytes.
pub(super) fn words(bytes: [u8; BYTES]) -> Words {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
    [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_le_bytes)
}

/// An address in words 0 and 1.
pub(super) const fn address(words: Words) -> u64 {
    let [low, high, ..] = words;
    (high as u64) << 32 | low as u64
}

/// Bits 15 to 0.
pub(super) const fn low(word: u32) -> u16 {
    let [a, b, ..] = word.to_le_bytes();
    u16::from_le_bytes([a, b])
}

/// Bits 31 to 16.
pub(super) const fn high(word: u32) -> u16 {
    let [.., a, b] = word.to_le_bytes();
    u16::from_le_bytes([a, b])
}

/// Two halves of a word.
pub(super) const fn word(low: u16, high: u16) -> u32 {
    (high as u32) << 16 | low as u32
}
