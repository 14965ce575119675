//! Frames, as guests and peers send them.

use sekisho_models::pro1000::{Sums, internet_sum};
use sekisho_models::sequence::Sequence;

/// The guest's NIC's own address.
pub(super) const GUEST: [u8; 6] = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
/// Somebody on the wire.
pub(super) const PEER: [u8; 6] = [0x02, 0, 0, 0, 0, 0x77];

/// A frame of `length` bytes with content that belongs to `seed`.
pub(super) fn frame(to: [u8; 6], from: [u8; 6], length: usize, seed: u64) -> Vec<u8> {
    let mut frame = [to.as_slice(), from.as_slice(), &[0x88, 0xb5]].concat();
    frame.extend(Sequence::new(seed).bytes(length - frame.len()));
    frame
}

/// TCP over IPv4 with `payload` bytes, as a sender leaves it to a NIC: no checksums, but the sum over the pseudo-header.
pub(super) fn tcp(payload: usize, seed: u64, length_in_sum: bool) -> Vec<u8> {
    let mut frame = [PEER.as_slice(), &GUEST, &[8, 0]].concat();
    let total = u16::try_from(40 + payload).unwrap_or(0).to_be_bytes();
    frame.extend([0x45, 0, total[0], total[1], 0x12, 0x34, 0x40, 0, 64, 6, 0, 0]);
    frame.extend([192, 0, 2, 1, 192, 0, 2, 2]);
    let length = if length_in_sum { 20 + payload } else { 0 };
    let mut pseudo = frame[26..34].to_vec();
    pseudo.extend([0, 6]);
    pseudo.extend(u16::try_from(length).unwrap().to_be_bytes());
    let sum = internet_sum(&pseudo).to_be_bytes();
    frame.extend([
        0x30, 0x39, 0, 80, 0, 0, 0xff, 0xf0, 1, 2, 3, 4, 0x50, 0x18, 0x20, 0,
    ]);
    frame.extend([sum[0], sum[1], 0, 0]);
    frame.extend(Sequence::new(seed).bytes(payload));
    frame
}

/// The checksums of [`tcp`].
pub(super) const TCP_SUMS: Sums = Sums {
    network: Some((14, 33, 24)),
    transport: Some((34, 0, 50)),
};

/// As the wire has it.
pub(super) fn padded(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame.resize(frame.len().max(60), 0);
    frame
}
