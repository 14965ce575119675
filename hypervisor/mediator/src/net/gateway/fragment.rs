//! An IPv4 packet that is larger than the tunnel's, cut into fragments (RFC 791, 3.2).
//!
//! Guests that do not heed the MTU they were told (Windows does not) send such packets. Trusted: that the packet's header was
//! checked.

use super::reply::IPV4_HEADER;
use smoltcp::wire::Ipv4Packet;

/// Fragments begin at multiples of it.
const UNIT: usize = 8;

/// Gives `out` the fragments, each of at most `mtu` bytes and made in `scratch`. Options go with every fragment.
pub fn split(packet: &[u8], mtu: usize, scratch: &mut [u8], mut out: impl FnMut(&mut [u8])) {
    let Ok(view) = Ipv4Packet::new_checked(packet) else {
        return;
    };
    let header_length = usize::from(view.header_len());
    let (Some((header, payload)), true) = (
        packet.split_at_checked(header_length),
        header_length >= IPV4_HEADER,
    ) else {
        return;
    };
    let step = mtu.saturating_sub(header_length) / UNIT * UNIT;
    if step == 0 {
        return;
    }
    let mut offset = view.frag_offset();
    let mut pieces = payload.chunks(step).peekable();
    while let Some(piece) = pieces.next() {
        let more = pieces.peek().is_some() || view.more_frags();
        let Some(place) = scratch.get_mut(..header_length + piece.len()) else {
            return;
        };
        let (head, body) = place.split_at_mut(header_length);
        head.copy_from_slice(header);
        body.copy_from_slice(piece);
        let (Ok(length), Ok(size)) = (u16::try_from(place.len()), u16::try_from(piece.len())) else {
            return;
        };
        let mut fragment = Ipv4Packet::new_unchecked(&mut *place);
        fragment.set_total_len(length);
        fragment.set_frag_offset(offset);
        fragment.set_more_frags(more);
        fragment.fill_checksum();
        out(place);
        offset = offset.saturating_add(size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn packet(payload: usize, offset: u16) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..=u8::MAX).cycle().take(IPV4_HEADER + payload).collect();
        let mut view = Ipv4Packet::new_unchecked(&mut bytes[..]);
        view.set_version(4);
        view.set_header_len(20);
        view.set_total_len(u16::try_from(IPV4_HEADER + payload).unwrap());
        view.clear_flags();
        view.set_frag_offset(offset);
        view.fill_checksum();
        bytes
    }

    proptest! {
        #[test]
        fn fragments_put_together_are_the_packet(payload in 1..9000_usize, mtu in 68..1500_usize, first in 0..100_u16) {
            let whole = packet(payload, first * 8);
            let mut together = Vec::new();
            let mut was_last = false;
            split(&whole, mtu, &mut vec![0; 1500], |fragment| {
                assert!(fragment.len() <= mtu && !was_last);
                let view = Ipv4Packet::new_checked(&*fragment).unwrap();
                assert!(view.verify_checksum());
                assert_eq!(usize::from(view.frag_offset()), usize::from(first) * 8 + together.len());
                was_last = !view.more_frags();
                together.extend_from_slice(view.payload());
            });
            prop_assert!(was_last);
            prop_assert_eq!(&together[..], &whole[IPV4_HEADER..]);
        }
    }
}
