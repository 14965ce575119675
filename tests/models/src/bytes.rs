//! Little-endian fields in byte buffers. A field that is not wholly there reads as zero and is not written.

/// The 16 bits at `at`.
pub(crate) fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

/// The 32 bits at `at`.
pub(crate) fn dword(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

/// The 64 bits at `at`.
pub(crate) fn qword(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

/// The byte at `at`.
pub(crate) fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// Puts `field` at `at`.
pub(crate) fn put(bytes: &mut [u8], at: usize, field: &[u8]) {
    let place = at.checked_add(field.len()).and_then(|end| bytes.get_mut(at..end));
    if let Some(place) = place {
        place.copy_from_slice(field);
    }
}

/// Bits 8n to 8n + 7 of `value`.
pub(crate) fn nth(value: u64, n: usize) -> u8 {
    byte(&value.to_le_bytes(), n)
}

/// The low 16 bits.
pub(crate) fn low_word(value: u64) -> u16 {
    word(&value.to_le_bytes(), 0)
}

/// The low 32 bits.
pub(crate) fn low_dword(value: u64) -> u32 {
    dword(&value.to_le_bytes(), 0)
}

/// A number of bytes or sectors that fits into memory; the tests run on 64-bit machines.
pub(crate) fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}
