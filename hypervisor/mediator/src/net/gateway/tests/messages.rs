//! Single messages of a guest's, honest and not.

use super::*;
use smoltcp::wire::ArpOperation;

const BROADCAST: MacAddress = MacAddress::BROADCAST;

fn arp(operation: ArpOperation, source: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut bytes = [0; 28];
    let repr = ArpRepr::EthernetIpv4 {
        operation,
        source_hardware_addr: EthernetAddress(NIC.0),
        source_protocol_addr: source,
        target_hardware_addr: EthernetAddress([0; 6]),
        target_protocol_addr: target,
    };
    repr.emit(&mut ArpPacket::new_unchecked(&mut bytes[..]));
    ethernet(BROADCAST, EthernetProtocol::Arp, &bytes)
}

#[test]
fn every_address_but_the_guests_own_is_the_gateways() {
    let mut gateway = gateway(Inside::Ipv4);
    for target in [ROUTER, SERVER, FAR] {
        let Seen::Reply(reply) = show(&mut gateway, &arp(ArpOperation::Request, GUEST, target)) else {
            panic!("{target} has no answer");
        };
        assert_eq!(reply[28..32], target.octets());
    }
    // A probe, an announcement, and somebody's answer.
    for frame in [
        arp(ArpOperation::Request, Ipv4Addr::UNSPECIFIED, GUEST),
        arp(ArpOperation::Request, GUEST, GUEST),
        arp(ArpOperation::Request, FAR, FAR),
        arp(ArpOperation::Reply, GUEST, ROUTER),
    ] {
        assert_eq!(show(&mut gateway, &frame), Seen::Done);
    }
}

/// A DHCP message with these options.
fn dhcp(kind: u8, client: Ipv4Addr, options: &[u8]) -> Vec<u8> {
    let mut message = alloc::vec![0; 240];
    message[..4].copy_from_slice(&[1, 1, 6, 0]);
    message[4..8].copy_from_slice(&[1, 2, 3, 4]);
    message[12..16].copy_from_slice(&client.octets());
    message[28..34].copy_from_slice(&NIC.0);
    message[236..240].copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
    message.extend_from_slice(&[53, 1, kind]);
    message.extend_from_slice(options);
    message.push(255);
    let ends = (client.into(), Ipv4Addr::BROADCAST.into());
    let datagram = udp(ends, (68, 67), &message);
    let packet = ipv4(client, Ipv4Addr::BROADCAST, IpProtocol::Udp, &datagram);
    ethernet(BROADCAST, EthernetProtocol::Ipv4, &packet)
}

/// Kind, address and options of the reply.
fn dhcp_reply(seen: &Seen) -> (u8, Ipv4Addr, Vec<(u8, Vec<u8>)>) {
    let Seen::Reply(frame) = seen else {
        panic!("no reply: {seen:?}");
    };
    let message = &frame[42..];
    let address = Ipv4Addr::from_octets(*message[16..].first_chunk().unwrap());
    let mut options = Vec::new();
    let mut rest = &message[240..];
    while let [code, length, behind @ ..] = rest
        && *code != 255
    {
        let (data, next) = behind.split_at(usize::from(*length));
        options.push((*code, data.to_vec()));
        rest = next;
    }
    assert_eq!(options[0].0, 53);
    (options[0].1[0], address, options)
}

fn option(options: &[(u8, Vec<u8>)], code: u8) -> Option<&[u8]> {
    let mut found = options.iter().filter(|(it, _)| *it == code);
    found.next().map(|(_, data)| &data[..])
}

#[test]
fn an_offer_says_all_that_a_guest_needs() {
    // With an identifier of a kind that is no hardware address (RFC 4361).
    let identifier = [61, 7, 255, 1, 2, 3, 4, 5, 6];
    let seen = show(
        &mut gateway(Inside::Ipv4),
        &dhcp(1, Ipv4Addr::UNSPECIFIED, &identifier),
    );
    let (kind, address, options) = dhcp_reply(&seen);
    assert_eq!((kind, address), (2, GUEST));
    assert_eq!(option(&options, 54), Some(&ROUTER.octets()[..]));
    assert_eq!(option(&options, 3), Some(&ROUTER.octets()[..]));
    assert_eq!(option(&options, 1), Some(&[255, 255, 255, 248][..]));
    assert_eq!(option(&options, 6), Some(&SERVER.octets()[..]));
    assert_eq!(option(&options, 26), Some(&MTU.to_be_bytes()[..]));
    assert_eq!(option(&options, 51), Some(&86_400_u32.to_be_bytes()[..]));
    assert_eq!(option(&options, 61), Some(&identifier[2..]));
    // No route but by the router.
    assert_eq!(option(&options, 121), None);
}

#[test]
fn its_address_is_confirmed_and_any_other_refused() {
    let mut gateway = gateway(Inside::Ipv4);
    let own = GUEST.octets();
    let request = |octets: [u8; 4]| [&[50, 4][..], &octets].concat();
    let (kind, address, _) = dhcp_reply(&show(
        &mut gateway,
        &dhcp(3, Ipv4Addr::UNSPECIFIED, &request(own)),
    ));
    assert_eq!((kind, address), (5, GUEST));
    // It renews.
    let (kind, ..) = dhcp_reply(&show(&mut gateway, &dhcp(3, GUEST, &[])));
    assert_eq!(kind, 5);
    let (kind, address, options) = dhcp_reply(&show(
        &mut gateway,
        &dhcp(3, Ipv4Addr::UNSPECIFIED, &request([192, 0, 2, 9])),
    ));
    assert_eq!((kind, address), (6, Ipv4Addr::UNSPECIFIED));
    assert_eq!(option(&options, 51), None);
    // Of another server.
    let elsewhere = [&request(own)[..], &[54, 4, 192, 0, 2, 1]].concat();
    let seen = show(&mut gateway, &dhcp(3, Ipv4Addr::UNSPECIFIED, &elsewhere));
    assert_eq!(seen, Seen::Done);
}

#[test]
fn who_only_asks_for_parameters_gets_no_lease_and_who_declines_no_answer() {
    let mut gateway = gateway(Inside::Ipv4);
    let (kind, address, options) = dhcp_reply(&show(&mut gateway, &dhcp(8, GUEST, &[])));
    assert_eq!((kind, address), (5, Ipv4Addr::UNSPECIFIED));
    assert_eq!(option(&options, 51), None);
    assert_eq!(option(&options, 6), Some(&SERVER.octets()[..]));
    for kind in [4, 7, 2, 99] {
        let seen = show(&mut gateway, &dhcp(kind, Ipv4Addr::UNSPECIFIED, &[]));
        assert_eq!(seen, Seen::Done);
    }
}

#[test]
fn the_longest_identifier_fits() {
    let identifier = [&[61, 255][..], &[7; 255]].concat();
    let (_, _, options) = dhcp_reply(&show(
        &mut gateway(Inside::Ipv4),
        &dhcp(1, Ipv4Addr::UNSPECIFIED, &identifier),
    ));
    assert_eq!(option(&options, 61), Some(&[7; 255][..]));
    assert!(option(&options, 6).is_some());
}

fn from_guest(source: Ipv4Addr, destination: Ipv4Addr, length: usize) -> Vec<u8> {
    let content = udp(
        (source.into(), destination.into()),
        (5000, 9),
        &alloc::vec![1; length],
    );
    let packet = ipv4(source, destination, IpProtocol::Udp, &content);
    ethernet(OWN, EthernetProtocol::Ipv4, &packet)
}

#[test]
fn only_the_leased_address_enters_the_tunnel() {
    let mut gateway = gateway(Inside::Ipv4);
    assert!(matches!(
        show(&mut gateway, &from_guest(GUEST, FAR, 9)),
        Seen::Packet(_)
    ));
    for source in [FAR, ROUTER, SERVER, Ipv4Addr::UNSPECIFIED] {
        let seen = show(&mut gateway, &from_guest(source, SERVER, 9));
        assert_eq!(seen, Seen::Lost(Loss::GuestForeign));
    }
}

#[test]
fn groups_and_other_protocols_end_at_the_gateway() {
    let mut gateway = gateway(Inside::Ipv4);
    for group in [
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(10, 66, 0, 7),
        Ipv4Addr::new(224, 0, 0, 251),
        Ipv4Addr::new(169, 254, 1, 1),
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::UNSPECIFIED,
    ] {
        let seen = show(&mut gateway, &from_guest(GUEST, group, 9));
        assert_eq!(seen, Seen::Lost(Loss::GuestGroup), "{group}");
    }
    for kind in [0x8100, 0x88cc, 0x888e, 0x86dd] {
        let frame = ethernet(OWN, EthernetProtocol::from(kind), &[0x60; 60]);
        let seen = show(&mut gateway, &frame);
        assert!(matches!(seen, Seen::Lost(_)), "{kind:x}: {seen:?}");
    }
    assert_eq!(
        show(&mut gateway, &from_guest(GUEST, ROUTER, 9)),
        Seen::Lost(Loss::GuestLocal)
    );
}

#[test]
fn what_is_too_long_and_must_not_be_cut_is_told_so_at_a_bounded_pace() {
    let mut gateway = gateway(Inside::Ipv4);
    let frame = from_guest(GUEST, FAR, 1420);
    let Seen::Reply(reply) = show(&mut gateway, &frame) else {
        panic!("no error");
    };
    assert_eq!(reply[34..36], [3, 4]);
    assert_eq!(reply[40..42], MTU.to_be_bytes());
    // It quotes the packet.
    assert_eq!(reply[42..70], frame[14..42]);
    let told = (0..100)
        .filter(|_| matches!(show(&mut gateway, &frame), Seen::Reply(_)))
        .count();
    assert_eq!(told, 15);
    let seen = show(&mut gateway, &frame);
    assert_eq!(seen, Seen::Lost(Loss::GuestTooLarge));
}

#[test]
fn what_is_too_long_and_may_be_cut_is_for_fragments() {
    let mut frame = from_guest(GUEST, FAR, 1420);
    let mut packet = Ipv4Packet::new_unchecked(&mut frame[14..]);
    packet.set_dont_frag(false);
    packet.fill_checksum();
    let expected = frame[14..].to_vec();
    assert_eq!(show(&mut gateway(Inside::Ipv4), &frame), Seen::Large(expected));
}

#[test]
fn the_router_answers_ping() {
    let mut gateway = gateway(Inside::Both);
    let mut content = [8, 0, 0, 0, 1, 2, 3, 4, 5, 6];
    Icmpv4Packet::new_unchecked(&mut content[..]).fill_checksum();
    let packet = ipv4(GUEST, ROUTER, IpProtocol::Icmp, &content);
    let frame = ethernet(OWN, EthernetProtocol::Ipv4, &packet);
    let Seen::Reply(reply) = show(&mut gateway, &frame) else {
        panic!("no answer");
    };
    assert_eq!((reply[34], &reply[38..44]), (0, &content[4..]));

    let mut content = [128, 0, 0, 0, 1, 2, 3, 4, 5, 6];
    let own = super::super::discovery::link_local(OWN);
    Icmpv6Packet::new_unchecked(&mut content[..]).fill_checksum(&LINK_LOCAL, &own);
    let packet = ipv6(LINK_LOCAL, own, IpProtocol::Icmpv6, &content);
    let Seen::Reply(reply) = show(&mut gateway, &ethernet(OWN, EthernetProtocol::Ipv6, &packet)) else {
        panic!("no answer");
    };
    assert_eq!((reply[54], &reply[58..64]), (129, &content[4..]));
}

#[test]
fn of_the_tunnel_only_what_is_for_the_guest_reaches_it() {
    let gateway = gateway(Inside::Both);
    let content = udp((FAR.into(), GUEST.into()), (9, 9), b"x");
    let mut good = ipv4(FAR, GUEST, IpProtocol::Udp, &content);
    let (header, packet) = gateway.incoming(&mut good).unwrap();
    assert_eq!(header[..12], [NIC.0, OWN.0].concat());
    assert_eq!(packet.len(), 29);
    for (source, destination) in [
        (FAR, ROUTER),
        (FAR, Ipv4Addr::BROADCAST),
        (ROUTER, GUEST),
        (GUEST, GUEST),
        (Ipv4Addr::new(224, 0, 0, 1), GUEST),
    ] {
        let mut packet = ipv4(source, destination, IpProtocol::Udp, &content);
        assert_eq!(gateway.incoming(&mut packet), Err(Loss::TunnelForeign));
    }
    for (source, destination) in [(FAR6, LINK_LOCAL), (LINK_LOCAL, GUEST6), (GUEST6, GUEST6)] {
        let mut packet = ipv6(source, destination, IpProtocol::Udp, &content);
        assert_eq!(gateway.incoming(&mut packet), Err(Loss::TunnelForeign));
    }
    assert_eq!(gateway.incoming(&mut []), Err(Loss::TunnelForeign));
    assert_eq!(gateway.incoming(&mut [0x45; 19]), Err(Loss::TunnelForeign));
}

#[test]
fn connections_agree_on_segments_that_fit_both_ways() {
    let syn = |most: u16| {
        let [high, low] = most.to_be_bytes();
        let mut segment = [0; 24];
        segment[12..14].copy_from_slice(&[0x60, 2]);
        segment[20..].copy_from_slice(&[2, 4, high, low]);
        segment
    };
    let mut gateway = gateway(Inside::Both);
    let frame = ethernet(
        OWN,
        EthernetProtocol::Ipv4,
        &ipv4(GUEST, FAR, IpProtocol::Tcp, &syn(1460)),
    );
    let Seen::Packet(packet) = show(&mut gateway, &frame) else {
        panic!("no packet");
    };
    assert_eq!(packet[42..44], (MTU - 40).to_be_bytes());
    let mut packet = ipv4(FAR, GUEST, IpProtocol::Tcp, &syn(1460));
    let (_, packet) = gateway.incoming(&mut packet).unwrap();
    assert_eq!(packet[42..44], (MTU - 40).to_be_bytes());
    let mut packet = ipv6(FAR6, GUEST6, IpProtocol::Tcp, &syn(1440));
    let (_, packet) = gateway.incoming(&mut packet).unwrap();
    assert_eq!(packet[62..64], (MTU - 60).to_be_bytes());
}
