//! The greatest segment that the two ends of a TCP connection agree upon, lowered to what the tunnel carries.
//!
//! Hostile: the packet. What is no whole SYN is left as it is.

/// Where fields of a TCP header are (RFC 9293, 3.1), from its start.
const OFFSET: usize = 12;
const FLAGS: usize = 13;
const SUM: usize = 16;
const OPTIONS: usize = 20;
/// The flag of segments that say it.
const SYN: u8 = 0x02;
/// Options (RFC 9293, 3.2): those without a length, and the one that says it.
const END: u8 = 0;
const NOTHING: u8 = 1;
const GREATEST: u8 = 2;
const GREATEST_LENGTH: usize = 4;

/// Lowers the greatest segment that `segment`, a TCP segment, allows to `most` bytes, and mends the checksum (RFC 1624).
pub(super) fn clamp(segment: &mut [u8], most: u16) {
    let _ = clamp_options(segment, most);
}

fn clamp_options(segment: &mut [u8], most: u16) -> Option<()> {
    if segment.get(FLAGS)? & SYN == 0 {
        return None;
    }
    let end = usize::from(segment.get(OFFSET)? >> 4) * 4;
    segment.get(..end)?;
    let mut place = OPTIONS;
    // Each turn goes on by a byte at least.
    while place < end {
        match *segment.get(place)? {
            END => return None,
            NOTHING => place += 1,
            GREATEST if place + GREATEST_LENGTH <= end => return lower(segment, place + 2, most),
            _ => place += usize::from(*segment.get(place + 1)?).max(2),
        }
    }
    None
}

fn lower(segment: &mut [u8], place: usize, most: u16) -> Option<()> {
    let field = segment.get_mut(place..)?.first_chunk_mut::<2>()?;
    let before = u16::from_be_bytes(*field);
    if before <= most {
        return None;
    }
    *field = most.to_be_bytes();
    // A word at an odd place is summed up with its bytes exchanged.
    let summed = |value: u16| {
        if place.is_multiple_of(2) {
            value
        } else {
            value.swap_bytes()
        }
    };
    let sum = segment.get_mut(SUM..)?.first_chunk_mut::<2>()?;
    *sum = mended(u16::from_be_bytes(*sum), summed(before), summed(most)).to_be_bytes();
    Some(())
}

/// A checksum after a word was exchanged (RFC 1624, 3, equation 3).
fn mended(sum: u16, before: u16, after: u16) -> u16 {
    let add = |a: u16, b: u16| {
        let (sum, carry) = a.overflowing_add(b);
        sum.wrapping_add(carry.into())
    };
    !add(add(!sum, !before), after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::offload::internet_sum;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// A segment with these options, whose bytes and checksum sum up as RFC 1071 has it.
    fn segment(flags: u8, options: &[u8]) -> Vec<u8> {
        let mut bytes = alloc::vec![0x5a; OPTIONS];
        bytes[OFFSET] = u8::try_from((OPTIONS + options.len()) / 4).unwrap() << 4;
        bytes[FLAGS] = flags;
        bytes[SUM..SUM + 2].fill(0);
        bytes.extend_from_slice(options);
        let sum = !internet_sum(&bytes);
        bytes[SUM..SUM + 2].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    #[test]
    fn a_syn_says_no_more_than_the_tunnel_carries_and_its_checksum_stays_right() {
        for options in [[2, 4, 5, 180, 1, 1, 1, 0], [1, 2, 4, 0xff, 0xff, 1, 1, 0]] {
            let mut bytes = segment(SYN, &options);
            clamp(&mut bytes, 1380);
            let place = OPTIONS + usize::from(options[0] == 1);
            assert_eq!(bytes[place..place + 4], [2, 4, 5, 100]);
            assert_eq!(internet_sum(&bytes), 0xffff);
        }
    }

    #[test]
    fn less_than_the_tunnel_carries_and_other_segments_stay_as_they_are() {
        for (flags, size) in [(SYN, 536_u16), (0x10, 1460)] {
            let [high, low] = size.to_be_bytes();
            let before = segment(flags, &[2, 4, high, low]);
            let mut after = before.clone();
            clamp(&mut after, 1380);
            assert_eq!(before, after);
        }
    }

    proptest! {
        #[test]
        fn whatever_options_say_the_checksum_stays_what_it_was(
            mut bytes in prop::collection::vec(any::<u8>(), 0..80),
            most in 536..1460_u16,
        ) {
            if let Some(flags) = bytes.get_mut(FLAGS) {
                *flags |= SYN;
            }
            if bytes.len() % 2 == 1 {
                bytes.pop();
            }
            let before = internet_sum(&bytes);
            clamp(&mut bytes, most);
            let after = internet_sum(&bytes);
            // Zero has two forms.
            prop_assert_eq!(before % 0xffff, after % 0xffff);
        }
    }
}
