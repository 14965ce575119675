//! What software does to a frame in a NIC's place is what the NIC would do.

use super::frames::{Carrier, Cut, tcp};
use proptest::prelude::*;
use sekisho_mediator::net::frame::{Checksum, Frame, Network, Offload, Segmentation};
use sekisho_mediator::net::offload;
use sekisho_models::pro1000::{Segment, Sums, finish};

proptest! {
    #[test]
    fn frames_made_in_software_are_those_of_the_nic(
        is_four: bool,
        payload in 1usize..20_000,
        cut in prop_oneof![Just(Cut::No), (32usize..3000).prop_map(Cut::Into)],
        tag in prop::option::of(any::<u16>()),
    ) {
        let carrier = if is_four { Carrier::Ipv4 } else { Carrier::Ipv6 };
        let (whole, sums, segment) = tcp(carrier, payload, cut);
        let offload = described(sums, segment, carrier, tag);
        let mut made = Vec::new();
        let frame = Frame { bytes: &whole, offload };
        offload::finish(frame, &mut vec![0; 25_000], |frame| made.push(frame.to_vec())).unwrap();
        prop_assert_eq!(made, finish(&whole, sums, segment, tag));
    }
}

fn described(sums: Sums, segment: Option<Segment>, carrier: Carrier, tag: Option<u16>) -> Offload {
    let narrow = |value: usize| u16::try_from(value).unwrap();
    let sum = |(start, last, place): (usize, usize, usize)| Checksum {
        start: narrow(start),
        place: narrow(place),
        last: (last != 0).then(|| narrow(last)),
    };
    Offload {
        network: sums.network.map(sum),
        transport: sums.transport.map(sum),
        segmentation: segment.map(|segment| Segmentation {
            headers: narrow(segment.headers),
            payload: narrow(segment.payload),
            start: narrow(segment.network),
            network: match carrier {
                Carrier::Ipv4 => Network::Ipv4,
                Carrier::Ipv6 => Network::Ipv6,
            },
        }),
        tag,
    }
}
