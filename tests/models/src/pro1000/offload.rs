//! What a NIC does to frames on their way out: checksums, tags and segmentation, word by word as the manual says.

use crate::bytes;

/// Checksums to insert: first byte, last byte (zero is the frame's) and place, where they are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sums {
    /// Of the network header.
    pub network: Option<(usize, usize, usize)>,
    /// Of the transport.
    pub transport: Option<(usize, usize, usize)>,
}

/// How a frame is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Bytes of headers.
    pub headers: usize,
    /// Bytes of payload in each piece.
    pub payload: usize,
    /// Where the network header begins.
    pub network: usize,
}

/// The frames that leave the NIC for one that was given to it.
#[must_use]
pub fn finish(frame: &[u8], sums: Sums, segment: Option<Segment>, tag: Option<u16>) -> Vec<Vec<u8>> {
    let pieces = match segment {
        Some(segment) => cut(frame, sums, segment),
        None => vec![frame.to_vec()],
    };
    pieces
        .into_iter()
        .map(|mut piece| {
            for (start, last, place) in [sums.network, sums.transport].into_iter().flatten() {
                insert(&mut piece, start, last, place);
            }
            if let Some(tag) = tag {
                let [high, low] = tag.to_be_bytes();
                piece.splice(12..12, [0x81, 0x00, high, low]);
            }
            piece
        })
        .collect()
}

/// The checksum of RFC 1071 over some bytes, before it is inverted.
#[must_use]
pub fn internet_sum(content: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in content.chunks(2) {
        sum += u32::from(bytes::byte(pair, 0)) << 8 | u32::from(bytes::byte(pair, 1));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    bytes::low_word(u64::from((sum & 0xffff) + (sum >> 16)))
}

/// The frame check sequence (IEEE 802.3, 3.2.9), bit by bit.
#[must_use]
pub fn crc(content: &[u8]) -> u32 {
    let mut remainder = u32::MAX;
    for byte in content {
        remainder ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = remainder & 1;
            remainder >>= 1;
            if carry != 0 {
                remainder ^= 0xedb8_8320;
            }
        }
    }
    !remainder
}

fn insert(frame: &mut [u8], start: usize, last: usize, place: usize) {
    let end = if last == 0 { frame.len() } else { last + 1 };
    let mut sum = !internet_sum(frame.get(start..end).unwrap_or_default());
    // Zero is no checksum in UDP.
    if sum == 0 && place == start + 6 {
        sum = 0xffff;
    }
    bytes::put(frame, place, &sum.to_be_bytes());
}

/// TCP in pieces (SDM 3.5): each has the headers with its own lengths, identification, sequence number and flags.
fn cut(frame: &[u8], sums: Sums, segment: Segment) -> Vec<Vec<u8>> {
    let Segment {
        headers,
        payload,
        network,
    } = segment;
    let payload = payload.max(1);
    let transport = sums.transport.map_or(headers, |(start, ..)| start);
    let content = frame.get(headers..).unwrap_or_default();
    let count = content.chunks(payload).count();
    let mut pieces = Vec::new();
    for (index, part) in content.chunks(payload).enumerate() {
        let mut piece = frame.get(..headers).unwrap_or_default().to_vec();
        piece.extend_from_slice(part);
        let above_network = piece.len() - network;
        let is_four = bytes::byte(&piece, network) >> 4 == 4;
        if is_four {
            put_word(&mut piece, network + 2, above_network);
            let identification = usize::from(big_word(frame, network + 4)) + index;
            put_word(&mut piece, network + 4, identification);
        } else {
            put_word(&mut piece, network + 4, above_network - 40);
        }
        let sequence =
            u32::from(big_word(frame, transport + 4)) << 16 | u32::from(big_word(frame, transport + 6));
        let sequence = sequence.wrapping_add(bytes::low_dword((index * payload) as u64));
        bytes::put(&mut piece, transport + 4, &sequence.to_be_bytes());
        if index + 1 < count {
            let flags = bytes::byte(&piece, transport + 13) & !0x09;
            bytes::put(&mut piece, transport + 13, &[flags]);
        }
        if let Some((_, _, place)) = sums.transport {
            // The field holds the sum over the pseudo-header without its length.
            let length = (piece.len() - transport) as u64;
            let with_length = u64::from(big_word(&piece, place)) + length;
            let folded = (with_length & 0xffff) + (with_length >> 16);
            put_word(&mut piece, place, bytes::size(folded));
        }
        pieces.push(piece);
    }
    pieces
}

fn big_word(content: &[u8], at: usize) -> u16 {
    bytes::word(content, at).swap_bytes()
}

fn put_word(content: &mut [u8], at: usize, value: usize) {
    bytes::put(content, at, &bytes::low_word(value as u64).to_be_bytes());
}
