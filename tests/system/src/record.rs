//! What was on a wire, frame by frame, and which of it is no business of the appliance's.

use crate::failure::Failure;
use crate::network::Wire;
use std::net::Ipv4Addr;

/// Bytes of a pcap file's header, and of each frame's.
const FILE_HEADER: usize = 24;
const FRAME_HEADER: usize = 16;
/// Types of Ethernet, and UDP (RFC 768).
const IPV4: [u8; 2] = [0x08, 0x00];
const ARP: [u8; 2] = [0x08, 0x06];
const UDP: u8 = 17;
/// What the guest's agent writes into every frame that must not leave.
pub const MARK: &[u8] = b"sekisho: leaked!";

/// The frames of a pcap file in this machine's byte order.
pub fn frames(record: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = record.get(FILE_HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length: [u8; 4] = rest.get(8..12)?.try_into().ok()?;
        let end = FRAME_HEADER + usize::try_from(u32::from_le_bytes(length)).ok()?;
        let frame = rest.get(FRAME_HEADER..end)?;
        rest = rest.get(end..)?;
        Some(frame)
    })
}

/// Who may be on the wire: the appliance, and to whom it may send datagrams.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expected {
    /// The appliance's address.
    pub own: Ipv4Addr,
    /// Addresses and ports.
    pub to: Vec<(Ipv4Addr, u16)>,
}

impl Expected {
    /// Judges the record of `wire`, whose far end has the hardware address `far`: how many frames were the appliance's, and
    /// those that nobody may have sent.
    ///
    /// # Errors
    /// [`Failure::File`] where the record cannot be read.
    pub fn judge(&self, wire: &Wire, far: &str) -> Result<(usize, Vec<String>), Failure> {
        let record = std::fs::read(&wire.record).map_err(Failure::file(&wire.record))?;
        Ok(self.sort(&record, wire, far))
    }

    fn sort(&self, record: &[u8], wire: &Wire, far: &str) -> (usize, Vec<String>) {
        let far: Vec<u8> = far
            .trim()
            .split(':')
            .filter_map(|byte| u8::from_str_radix(byte, 16).ok())
            .collect();
        let mut count = 0;
        let mut strangers = Vec::new();
        let prefix = wire.prefix().map_or(0, usize::from);
        for frame in frames(record).filter_map(|frame| frame.get(prefix..)) {
            let is_marked = frame.windows(MARK.len()).any(|bytes| bytes == MARK);
            let is_from_far = frame.get(6..12) == Some(&far);
            if is_from_far && !is_marked {
                continue;
            }
            if self.allows(frame, wire) && !is_marked {
                count += 1;
            } else {
                strangers.push(format!("{frame:02x?}"));
            }
        }
        (count, strangers)
    }

    /// Whether a frame is ARP in the appliance's name, or a datagram from it to whom it may send one.
    fn allows(&self, frame: &[u8], wire: &Wire) -> bool {
        let own = self.own.octets();
        if frame.get(6..12) != Some(&wire.hardware_bytes()) {
            return false;
        }
        let kind = frame.get(12..14);
        if kind == Some(&ARP) {
            return frame.get(28..32) == Some(&own);
        }
        let (Some(to), Some(port)) = (frame.get(30..34), frame.get(36..38)) else {
            return false;
        };
        kind == Some(&IPV4)
            && frame.get(23) == Some(&UDP)
            && frame.get(26..30) == Some(&own)
            && self
                .to
                .iter()
                .any(|(address, number)| to == address.octets() && port == number.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: &str = "50:54:00:12:34:10";

    /// Of the appliance's datagram to the endpoint, with these bytes in place of others.
    fn seen(place: usize, bytes: &[u8]) -> (usize, Vec<String>) {
        let wire = Wire {
            model: "e1000",
            number: 0,
            record: "none".into(),
            peer: None,
        };
        let mut frame = vec![0; 42 + MARK.len()];
        let head = [&[1; 6][..], &wire.hardware_bytes(), &IPV4].concat();
        let ends = [198, 51, 100, 7, 198, 51, 100, 1, 0, 9, 0xca, 0x6c];
        for (place, bytes) in [(0, &head[..]), (23, &[UDP]), (26, &ends), (place, bytes)] {
            frame.splice(place..place + bytes.len(), bytes.iter().copied());
        }
        let mut record = vec![0; FILE_HEADER + 8];
        record.extend(u32::try_from(frame.len()).unwrap().to_le_bytes());
        record.extend([0; 4]);
        record.extend(frame);
        let expected = Expected {
            own: Ipv4Addr::new(198, 51, 100, 7),
            to: vec![(Ipv4Addr::new(198, 51, 100, 1), 51820)],
        };
        expected.sort(&record, &wire, FAR)
    }

    #[test]
    fn a_frame_is_the_appliances_or_the_far_ends_or_a_strangers() {
        assert_eq!(seen(0, &[]), (1, vec![]));
        let far = [0x50, 0x54, 0, 0x12, 0x34, 0x10];
        assert_eq!(seen(6, &far), (0, vec![]));
        for (what, place, bytes) in [
            ("another hardware address", 6, &[2; 6][..]),
            ("a tag", 12, &[0x81, 0]),
            ("another protocol", 23, &[6]),
            ("another source", 29, &[9]),
            ("another destination", 33, &[2]),
            ("another port", 37, &[0]),
            ("the guest's mark", 42, MARK),
        ] {
            assert_eq!(seen(place, bytes).1.len(), 1, "{what}");
        }
    }
}
