//! Frames, as guests and peers send them.

use sekisho_models::pro1000::{Segment, Sums, internet_sum};
use sekisho_models::sequence::Sequence;

/// The guest's NIC's own address.
pub(super) const GUEST: [u8; 6] = [0x52, 0x54, 0x00, 0x00, 0x00, 0x11];
/// Somebody on the wire.
pub(super) const PEER: [u8; 6] = [0x02, 0, 0, 0, 0, 0x77];

/// A frame of `length` bytes with content that belongs to `seed`.
pub(super) fn frame(to: [u8; 6], from: [u8; 6], length: usize, seed: u64) -> Vec<u8> {
    let mut frame = [to.as_slice(), from.as_slice(), &[0x88, 0xb5]].concat();
    frame.extend(Sequence::new(seed).bytes(length - frame.len()));
    frame
}

/// How [`tcp`] is carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Carrier {
    Ipv4,
    Ipv6,
}

/// Whether a NIC cuts a frame of TCP into pieces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cut {
    No,
    /// With so many bytes of payload in each.
    Into(usize),
}

/// TCP with `payload` bytes as a sender leaves it to a NIC, and what it leaves.
pub(super) fn tcp(carrier: Carrier, payload: usize, cut: Cut) -> (Vec<u8>, Sums, Option<Segment>) {
    let mut frame = [PEER.as_slice(), &GUEST].concat();
    let length = u16::try_from(20 + payload).unwrap_or(0);
    let mut pseudo = Vec::new();
    match carrier {
        Carrier::Ipv4 => {
            let [high, low] = length.saturating_add(20).to_be_bytes();
            frame.extend([8, 0, 0x45, 0, high, low, 0xff, 0xfe, 0x40, 0, 64, 6, 0, 0]);
            pseudo.extend([192, 0, 2, 1, 192, 0, 2, 2]);
        }
        Carrier::Ipv6 => {
            let [high, low] = length.to_be_bytes();
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, high, low, 6, 64]);
            pseudo.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
            pseudo.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
        }
    }
    frame.extend(&pseudo);
    let transport = frame.len();
    pseudo.extend([0, 6]);
    pseudo.extend(if cut == Cut::No { length } else { 0 }.to_be_bytes());
    let [high, low] = internet_sum(&pseudo).to_be_bytes();
    frame.extend([
        0x30, 0x39, 0, 80, 0xff, 0xff, 0xf0, 0, 1, 2, 3, 4, 0x50, 0x19, 0x20, 0,
    ]);
    frame.extend([high, low, 0, 0]);
    frame.extend(Sequence::new(payload as u64).bytes(payload));
    let sums = Sums {
        network: (carrier == Carrier::Ipv4).then_some((14, 33, 24)),
        transport: Some((transport, 0, transport + 16)),
    };
    let segment = match cut {
        Cut::No => None,
        Cut::Into(payload) => Some(Segment {
            headers: transport + 20,
            payload,
            network: 14,
        }),
    };
    (frame, sums, segment)
}

/// As the wire has it.
pub(super) fn padded(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame.resize(frame.len().max(60), 0);
    frame
}
