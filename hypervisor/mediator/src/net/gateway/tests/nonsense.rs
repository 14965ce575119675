//! Whatever a guest sends, the gateway answers as one or not at all, and lets nothing into the tunnel that is not the guest's.

use super::*;
use proptest::prelude::*;

/// Bytes that mean something at the places where they are looked for.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(&[0, 1, 2, 3, 4, 5, 6, 14, 53, 61, 67, 68, 128, 133, 135, 255][..])
    ];
    prop::collection::vec(byte, 0..400)
}

fn frame() -> impl Strategy<Value = Vec<u8>> {
    let v4 = prop::sample::select(&[GUEST, ROUTER, FAR, Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST][..]);
    let v6 = prop::sample::select(alloc::vec![
        GUEST6,
        FAR6,
        LINK_LOCAL,
        Ipv6Addr::UNSPECIFIED,
        super::super::discovery::link_local(OWN),
        Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2),
    ]);
    let protocol = prop::sample::select(&[IpProtocol::Icmp, IpProtocol::Icmpv6, IpProtocol::Tcp][..]);
    let ipv4_udp = (v4.clone(), v4.clone(), bytes()).prop_map(|(source, destination, mut payload)| {
        if let Some(magic) = payload.get_mut(236..240) {
            magic.copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
            payload[..3].copy_from_slice(&[1, 1, 6]);
        }
        let content = udp((source.into(), destination.into()), (68, 67), &payload);
        (
            EthernetProtocol::Ipv4,
            ipv4(source, destination, IpProtocol::Udp, &content),
        )
    });
    let ipv6_udp = (v6.clone(), v6.clone(), bytes()).prop_map(|(source, destination, payload)| {
        let content = udp((source.into(), destination.into()), (546, 547), &payload);
        (
            EthernetProtocol::Ipv6,
            ipv6(source, destination, IpProtocol::Udp, &content),
        )
    });
    let ipv4_other = (v4.clone(), v4, protocol.clone(), bytes())
        .prop_map(|(a, b, protocol, content)| (EthernetProtocol::Ipv4, ipv4(a, b, protocol, &content)));
    let ipv6_other = (v6.clone(), v6, protocol, bytes()).prop_map(|(a, b, protocol, mut content)| {
        if content.len() >= 4 {
            Icmpv6Packet::new_unchecked(&mut content[..]).fill_checksum(&a, &b);
        }
        (EthernetProtocol::Ipv6, ipv6(a, b, protocol, &content))
    });
    let arp = bytes().prop_map(|mut content| {
        if let Some(head) = content.first_chunk_mut() {
            *head = [0, 1, 8, 0, 6, 4, 0, 1];
        }
        (EthernetProtocol::Arp, content)
    });
    let raw = (any::<u16>(), bytes()).prop_map(|(kind, content)| (EthernetProtocol::from(kind), content));
    let made = prop_oneof![ipv4_udp, ipv6_udp, ipv4_other, ipv6_other, arp, raw];
    (made, any::<prop::sample::Index>(), prop::option::of(any::<u8>())).prop_map(
        |((kind, payload), place, damage)| {
            let mut frame = ethernet(OWN, kind, &payload);
            if let Some(damage) = damage {
                let place = place.index(frame.len());
                frame[place] = damage;
            }
            frame
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_frame_makes_it_say_nonsense_or_let_another_address_through(frame in frame()) {
        for inside in [Inside::Ipv4, Inside::Both] {
            // Replies are judged there.
            match show(&mut gateway(inside), &frame) {
                Seen::Packet(packet) if packet[0] >> 4 == 4 => {
                    prop_assert_eq!(&packet[12..16], &GUEST.octets()[..]);
                    prop_assert!(packet.len() <= MTU.into() && packet[16] < 224);
                }
                Seen::Packet(packet) => {
                    prop_assert_eq!(inside, Inside::Both);
                    prop_assert_eq!(&packet[8..24], &GUEST6.octets()[..]);
                    prop_assert!(packet.len() <= MTU.into() && packet[24] != 0xff);
                }
                Seen::Large(_) => prop_assert!(false, "no frame is that long"),
                Seen::Reply(_) | Seen::Done | Seen::Lost(_) => {}
            }
        }
    }

    #[test]
    fn no_packet_of_the_tunnel_reaches_the_guest_in_another_form(mut packet in bytes(), address in any::<bool>()) {
        if address && packet.len() >= 20 {
            packet[0] = 0x45;
            packet[16..20].copy_from_slice(&GUEST.octets());
            let length = u16::try_from(packet.len()).unwrap();
            packet[2..4].copy_from_slice(&length.to_be_bytes());
            Ipv4Packet::new_unchecked(&mut packet[..]).fill_checksum();
        }
        let length = packet.len();
        if let Ok((header, packet)) = gateway(Inside::Both).incoming(&mut packet) {
            prop_assert!(packet.len() <= length);
            prop_assert_eq!(&header[..12], &[NIC.0, OWN.0].concat()[..]);
        }
    }
}
