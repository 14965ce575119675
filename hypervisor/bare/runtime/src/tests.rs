//! The memory functions against slices, at every length where they take another way, with bytes on both sides that
//! must stay.

use core::ffi::{c_int, c_void};
use core::ops::Range;

unsafe extern "C" {
    #[link_name = "tested_memcpy"]
    fn memcpy(destination: *mut c_void, source: *const c_void, length: usize) -> *mut c_void;
    #[link_name = "tested_memmove"]
    fn memmove(destination: *mut c_void, source: *const c_void, length: usize) -> *mut c_void;
    #[link_name = "tested_memset"]
    fn memset(destination: *mut c_void, byte: c_int, length: usize) -> *mut c_void;
    #[link_name = "tested_memcmp"]
    fn memcmp(one: *const c_void, other: *const c_void, length: usize) -> c_int;
    #[link_name = "tested_bcmp"]
    fn bcmp(one: *const c_void, other: *const c_void, length: usize) -> c_int;
    #[link_name = "tested_strlen"]
    fn strlen(text: *const c_void) -> usize;
}

/// Every short length, and those around a page, where copying changes its way.
fn lengths() -> impl Iterator<Item = usize> {
    (0..130).chain(4080..4115).chain([10_000])
}

/// Bytes without a period that a length could hide in.
fn pattern(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// The pointer to the first byte of `range`, after a check that all of it is in `bytes`.
fn place(bytes: &mut [u8], range: Range<usize>) -> *mut c_void {
    bytes[range].as_mut_ptr().cast()
}

#[test]
fn memcpy_copies_every_byte_and_no_other() {
    for length in lengths() {
        for offset in 0..3 {
            let mut source = pattern(length + offset);
            let mut destination = vec![0xee; length + 32];
            let to = place(&mut destination, 16..16 + length);
            let from = place(&mut source, offset..offset + length);
            // SAFETY: both ranges were checked by `place`, and are in different vectors.
            assert_eq!(unsafe { memcpy(to, from, length) }, to);
            let expected = [&[0xee; 16], &source[offset..], &[0xee; 16]].concat();
            assert_eq!(destination, expected, "{length} bytes from offset {offset}");
        }
    }
}

#[test]
fn memmove_copies_what_was_there_before_in_both_directions() {
    for length in lengths() {
        for (from, to) in [(0, 1), (1, 0), (0, 8), (8, 0), (0, 64), (64, 0), (5, 5)] {
            let mut bytes = pattern(length + 128);
            let mut expected = bytes.clone();
            expected.copy_within(from..from + length, to);
            let source = place(&mut bytes, from..from + length);
            let destination = place(&mut bytes, to..to + length);
            // SAFETY: both ranges were checked by `place`; overlapping is what memmove is for.
            assert_eq!(unsafe { memmove(destination, source, length) }, destination);
            assert_eq!(bytes, expected, "{length} bytes from {from} to {to}");
        }
    }
}

#[test]
fn memset_fills_every_byte_and_no_other() {
    for length in lengths() {
        let mut bytes = vec![0xee; length + 32];
        let start = place(&mut bytes, 16..16 + length);
        // SAFETY: the range was checked by `place`. Only the low eight bits of the fill count.
        assert_eq!(unsafe { memset(start, 0x15a, length) }, start);
        assert_eq!(
            bytes,
            [&[0xee; 16][..], &vec![0x5a; length], &[0xee; 16]].concat(),
            "{length}"
        );
    }
}

#[test]
fn memcmp_orders_by_the_first_difference_as_unsigned_bytes() {
    for length in 1..70 {
        for differs in 0..length {
            let mut one = vec![0x7f; length];
            let mut other = one.clone();
            one[differs] = 0x80;
            if differs + 1 < length {
                other[differs + 1] = 0xff;
            }
            let (one, other) = (place(&mut one, 0..length), place(&mut other, 0..length));
            // SAFETY: both are vectors of this length.
            assert!(unsafe { memcmp(one, other, length) } > 0);
            // SAFETY: as above.
            assert!(unsafe { memcmp(other, one, length) } < 0);
            // SAFETY: as above.
            assert!(unsafe { bcmp(one, other, length) } != 0);
            // SAFETY: as above; the bytes before the difference are the same.
            assert_eq!(unsafe { memcmp(one, other, differs) }, 0);
            // SAFETY: as above.
            assert_eq!(unsafe { bcmp(one, other, differs) }, 0);
        }
    }
}

#[test]
fn strlen_stops_at_the_first_zero() {
    for length in 0..40 {
        let mut text = [vec![b'x'; length], vec![0, b'x', 0]].concat();
        let start = place(&mut text, 0..length + 1);
        // SAFETY: there is a zero within the vector.
        assert_eq!(unsafe { strlen(start) }, length);
    }
}
