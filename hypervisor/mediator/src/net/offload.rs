//! What a sender left to its NIC, carried out in software: for modules that look inside, and frames that no NIC sends.
//!
//! Trusted: nothing. Offsets that do not lie in the frame are refused; the work is bounded by the frame's length.

use super::frame::{Checksum, Frame, HEADER_LENGTH, Network, Offload, Segmentation};

/// Bytes before a tag, and of one (IEEE 802.1Q, 9.3).
const BEFORE_TAG: usize = 12;
const TAG_BYTES: usize = 4;
const TAG_PROTOCOL: [u8; 2] = [0x81, 0x00];
/// Least payload of a segment: a smaller one is an attempt to have many frames made of one.
const LEAST_PAYLOAD: u16 = 32;
/// The least header of TCP, and where its fields are (RFC 9293, 3.1).
const TCP_BYTES: usize = 20;
const TCP_SEQUENCE: usize = 4;
const TCP_FLAGS: usize = 13;
/// FIN and PSH are for the last segment only.
const TCP_LAST_FLAGS: u8 = 0x09;
/// Where a UDP header has its checksum (RFC 768); there zero means that there is none.
const UDP_SUM: u16 = 6;
/// Fields of IPv4 (RFC 791, 3.1) and IPv6 (RFC 8200, 3).
const IPV4_LENGTH: usize = 2;
const IPV4_IDENTIFICATION: usize = 4;
const IPV4_BYTES: usize = 20;
const IPV6_LENGTH: usize = 4;
const IPV6_BYTES: usize = 40;

/// What is asked for does not lie in the frame, or there is no room to do it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// Gives `out` the frames that `frame` becomes on the wire, without padding and check sequence. Those that are not as
/// they were are made in `scratch`, which has to hold the largest.
///
/// # Errors
/// [`Malformed`], before anything was given out.
pub fn finish(frame: Frame<'_>, scratch: &mut [u8], mut out: impl FnMut(&[u8])) -> Result<(), Malformed> {
    let Frame { bytes, offload } = frame;
    if offload == Offload::default() {
        out(bytes);
        return Ok(());
    }
    check(bytes, offload, scratch.len())?;
    let Some(segmentation) = offload.segmentation else {
        let piece = scratch.get_mut(..bytes.len()).ok_or(Malformed)?;
        piece.copy_from_slice(bytes);
        return seal(scratch, bytes.len(), offload, &mut out);
    };
    let headers = usize::from(segmentation.headers);
    let (header, payload) = bytes.split_at_checked(headers).ok_or(Malformed)?;
    let mut pieces = payload.chunks(segmentation.payload.into()).enumerate().peekable();
    while let Some((index, part)) = pieces.next() {
        let length = headers + part.len();
        let piece = scratch.get_mut(..length).ok_or(Malformed)?;
        let (head, body) = piece.split_at_mut_checked(headers).ok_or(Malformed)?;
        head.copy_from_slice(header);
        body.copy_from_slice(part);
        let place = Place {
            index,
            is_last: pieces.peek().is_none(),
        };
        number(piece, place, segmentation, offload).ok_or(Malformed)?;
        seal(scratch, length, offload, &mut out)?;
    }
    Ok(())
}

/// The same offload for a frame with `bytes` more before the network header.
#[must_use]
pub fn shifted(offload: Offload, bytes: u16) -> Offload {
    let sum = |sum: Checksum| Checksum {
        start: sum.start.saturating_add(bytes),
        place: sum.place.saturating_add(bytes),
        last: sum.last.map(|last| last.saturating_add(bytes)),
    };
    Offload {
        network: offload.network.map(sum),
        transport: offload.transport.map(sum),
        segmentation: offload.segmentation.map(|segmentation| Segmentation {
            headers: segmentation.headers.saturating_add(bytes),
            start: segmentation.start.saturating_add(bytes),
            ..segmentation
        }),
        tag: None,
    }
}

/// A frame with its tag in its bytes, in `scratch`.
///
/// # Errors
/// [`Malformed`]: too short, or `scratch` is.
pub fn insert_tag<'a>(frame: Frame<'_>, scratch: &'a mut [u8]) -> Result<Frame<'a>, Malformed> {
    let Some(tag) = frame.offload.tag else {
        return Err(Malformed);
    };
    let (addresses, rest) = frame.bytes.split_at_checked(BEFORE_TAG).ok_or(Malformed)?;
    let length = frame.bytes.len() + TAG_BYTES;
    let place = scratch.get_mut(..length).ok_or(Malformed)?;
    let (first, behind) = place.split_at_mut_checked(BEFORE_TAG).ok_or(Malformed)?;
    let (middle, last) = behind.split_at_mut_checked(TAG_BYTES).ok_or(Malformed)?;
    first.copy_from_slice(addresses);
    middle.copy_from_slice([TAG_PROTOCOL, tag.to_be_bytes()].as_flattened());
    last.copy_from_slice(rest);
    Ok(Frame {
        bytes: place,
        offload: shifted(frame.offload, TAG_LENGTH),
    })
}

/// [`TAG_BYTES`], as offsets count.
const TAG_LENGTH: u16 = 4;

/// The checksum of RFC 1071 over some bytes, not inverted.
#[must_use]
pub fn internet_sum(bytes: &[u8]) -> u16 {
    // The sum does not mind the order of bytes until the end (RFC 1071, 2 (B)); four gigabytes do not overflow it.
    let (words, rest) = bytes.as_chunks::<4>();
    let mut sum: u64 = words
        .iter()
        .map(|word| u64::from(u32::from_ne_bytes(*word)))
        .sum();
    let mut last = [0; 4];
    if let Some(place) = last.get_mut(..rest.len()) {
        place.copy_from_slice(rest);
    }
    sum += u64::from(u32::from_ne_bytes(last));
    // To 33, 18, 17, and 16 bits.
    sum = (sum & 0xffff_ffff) + (sum >> 32);
    for _ in 0..3 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(sum).map_or(0, |sum| u16::from_be_bytes(sum.to_ne_bytes()))
}

/// The frame check sequence of some bytes (IEEE 802.3, 3.2.9), as it lies in memory.
#[must_use]
pub fn check_sequence(bytes: &[u8]) -> [u8; 4] {
    let remainder = bytes.iter().fold(u32::MAX, |remainder, byte| {
        let [low, ..] = remainder.to_le_bytes();
        let entry = REMAINDERS.get(usize::from(low ^ byte)).copied().unwrap_or(0);
        remainder >> 8 ^ entry
    });
    (!remainder).to_le_bytes()
}

/// The remainder of each byte by the polynomial, its bits reversed.
static REMAINDERS: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    let mut rest: &mut [u32] = &mut table;
    while let Some((first, behind)) = rest.split_first_mut() {
        *first = remainder(index);
        index += 1;
        rest = behind;
    }
    table
};

const fn remainder(mut value: u32) -> u32 {
    let mut bit = 0;
    while bit < 8 {
        let carry = value & 1;
        value = (value >> 1) ^ (0xedb8_8320 * carry);
        bit += 1;
    }
    value
}

/// Where a segment is among its kind.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    is_last: bool,
}

/// Whether every offset lies in the frame, or in each segment's headers.
fn check(bytes: &[u8], offload: Offload, room: usize) -> Result<(), Malformed> {
    let all = bytes.len();
    let tag = if offload.tag.is_some() { TAG_BYTES } else { 0 };
    let (most, largest) = match offload.segmentation {
        None => (all, all),
        Some(it) => {
            let headers = usize::from(it.headers);
            let network = match it.network {
                Network::Ipv4 => IPV4_BYTES,
                Network::Ipv6 => IPV6_BYTES,
            };
            let transport = offload.transport.ok_or(Malformed)?;
            let start = usize::from(it.start);
            let is_ordered = start >= HEADER_LENGTH
                && start + network <= usize::from(transport.start)
                && usize::from(transport.start) + TCP_BYTES <= headers;
            if !is_ordered || it.payload < LEAST_PAYLOAD || headers >= all {
                return Err(Malformed);
            }
            (headers, all.min(headers + usize::from(it.payload)))
        }
    };
    let fits = |sum: Option<Checksum>| {
        sum.is_none_or(|sum| {
            let ends = sum
                .last
                .is_none_or(|last| last >= sum.start && usize::from(last) < most);
            usize::from(sum.start) < most && usize::from(sum.place) + 2 <= most && ends
        })
    };
    let is_fit = fits(offload.network) && fits(offload.transport);
    if is_fit && all >= BEFORE_TAG && largest + tag <= room {
        Ok(())
    } else {
        Err(Malformed)
    }
}

/// Gives a segment the lengths, identification, sequence number and flags of its place.
fn number(piece: &mut [u8], place: Place, segmentation: Segmentation, offload: Offload) -> Option<()> {
    let network = usize::from(segmentation.start);
    let sum = offload.transport?;
    let transport = usize::from(sum.start);
    let length = piece.len();
    match segmentation.network {
        Network::Ipv4 => {
            put(
                piece,
                network + IPV4_LENGTH,
                u16::try_from(length - network).ok()?,
            )?;
            let first = word(piece, network + IPV4_IDENTIFICATION)?;
            let [low, high, ..] = place.index.to_le_bytes();
            let identification = first.wrapping_add(u16::from_le_bytes([low, high]));
            put(piece, network + IPV4_IDENTIFICATION, identification)?;
        }
        Network::Ipv6 => {
            let payload = length.checked_sub(network + IPV6_BYTES)?;
            put(piece, network + IPV6_LENGTH, u16::try_from(payload).ok()?)?;
        }
    }
    let before = place.index.checked_mul(segmentation.payload.into())?;
    let sequence = piece
        .get_mut(transport + TCP_SEQUENCE..)?
        .first_chunk_mut::<4>()?;
    let number = u32::from_be_bytes(*sequence).wrapping_add(u32::try_from(before).ok()?);
    *sequence = number.to_be_bytes();
    if !place.is_last {
        *piece.get_mut(transport + TCP_FLAGS)? &= !TCP_LAST_FLAGS;
    }
    // The field holds the sum over the pseudo-header, but for the length.
    let field = usize::from(sum.place);
    let with_length = u32::from(word(piece, field)?) + u32::try_from(length - transport).ok()?;
    let folded = (with_length & 0xffff) + (with_length >> 16);
    put(piece, field, u16::try_from(folded).ok()?)
}

/// Writes the checksums of the first `length` bytes of `scratch`, inserts the tag, and gives the frame out.
fn seal(
    scratch: &mut [u8],
    length: usize,
    offload: Offload,
    out: &mut impl FnMut(&[u8]),
) -> Result<(), Malformed> {
    let piece = scratch.get_mut(..length).ok_or(Malformed)?;
    for sum in [offload.network, offload.transport].into_iter().flatten() {
        write_sum(piece, sum).ok_or(Malformed)?;
    }
    let Some(tag) = offload.tag else {
        out(piece);
        return Ok(());
    };
    let whole = scratch.get_mut(..length + TAG_BYTES).ok_or(Malformed)?;
    whole.copy_within(BEFORE_TAG..length, BEFORE_TAG + TAG_BYTES);
    let place = whole
        .get_mut(BEFORE_TAG..BEFORE_TAG + TAG_BYTES)
        .ok_or(Malformed)?;
    place.copy_from_slice([TAG_PROTOCOL, tag.to_be_bytes()].as_flattened());
    out(whole);
    Ok(())
}

fn write_sum(piece: &mut [u8], sum: Checksum) -> Option<()> {
    let end = sum.last.map_or(piece.len(), |last| usize::from(last) + 1);
    let mut value = !internet_sum(piece.get(sum.start.into()..end)?);
    if value == 0 && sum.place.checked_sub(sum.start) == Some(UDP_SUM) {
        value = u16::MAX;
    }
    put(piece, sum.place.into(), value)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|pair| u16::from_be_bytes(*pair))
}

fn put(bytes: &mut [u8], at: usize, value: u16) -> Option<()> {
    *bytes.get_mut(at..)?.first_chunk_mut()? = value.to_be_bytes();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn reference_sum(bytes: &[u8]) -> u16 {
        let mut sum = 0u32;
        for pair in bytes.chunks(2) {
            let low = pair.get(1).copied().unwrap_or(0);
            sum += u32::from(u16::from_be_bytes([pair[0], low]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::try_from(sum).unwrap()
    }

    #[test]
    fn the_example_of_the_standard_adds_up() {
        assert_eq!(
            internet_sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
            0xddf2
        );
        assert_eq!(check_sequence(b"123456789"), 0xcbf4_3926u32.to_le_bytes());
    }

    #[test]
    fn a_checksum_of_udp_is_never_zero() {
        let mut bytes = [0; 60];
        // The sum of all is ffffh.
        bytes[42] = 0xff;
        bytes[43] = 0xff;
        let transport = Some(Checksum {
            start: 34,
            place: 40,
            last: None,
        });
        let offload = Offload {
            transport,
            ..Offload::default()
        };
        let mut seen = Vec::new();
        let frame = Frame {
            bytes: &bytes,
            offload,
        };
        finish(frame, &mut [0; 60], |frame| seen = frame.to_vec()).unwrap();
        assert_eq!(&seen[40..42], [0xff, 0xff]);
    }

    fn offload() -> impl Strategy<Value = Offload> {
        let small = prop_oneof![0..80u16, any::<u16>()];
        let sum = (small.clone(), small.clone(), prop::option::of(small.clone()))
            .prop_map(|(start, place, last)| Checksum { start, place, last });
        let network = prop_oneof![Just(Network::Ipv4), Just(Network::Ipv6)];
        let segmentation =
            (small.clone(), small.clone(), small, network).prop_map(|(headers, payload, start, network)| {
                Segmentation {
                    headers,
                    payload,
                    start,
                    network,
                }
            });
        let tag = prop::option::of(any::<u16>());
        (
            prop::option::of(sum.clone()),
            prop::option::of(sum),
            prop::option::of(segmentation),
            tag,
        )
            .prop_map(|(network, transport, segmentation, tag)| Offload {
                network,
                transport,
                segmentation,
                tag,
            })
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_plain_way(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            prop_assert_eq!(internet_sum(&bytes), reference_sum(&bytes));
        }

        #[test]
        fn no_offload_makes_more_than_headers_for_each_payload(
            bytes in prop::collection::vec(any::<u8>(), 0..1000),
            offload in offload(),
        ) {
            let mut total = 0;
            let done = finish(Frame { bytes: &bytes, offload }, &mut [0; 600], |frame| total += frame.len());
            let most = bytes.len() * (1 + 1000 / usize::from(LEAST_PAYLOAD)) + 4 * 1000;
            prop_assert!(total <= most);
            prop_assert!(done.is_ok() || total == 0);
        }
    }
}
