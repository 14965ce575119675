//! What a guest asks of a link with IPv6, message by message.

use super::*;
use smoltcp::wire::{Icmpv6Repr, NdiscRepr, NdiscRouterFlags};

#[test]
fn without_ipv6_in_the_tunnel_nothing_of_its_discovery_is_answered() {
    let mut gateway = gateway(Inside::Ipv4);
    for frame in [
        solicit_router(),
        solicit(LINK_LOCAL, LINK_LOCAL),
        dhcp6(1, &[0, 1, 0, 2, 7, 7]),
    ] {
        assert_eq!(show(&mut gateway, &frame), Seen::Lost(Loss::GuestOther));
    }
    assert_eq!(gateway.poll(NOW), None);
    assert_eq!(gateway.due(), None);
}

fn icmpv6(source: Ipv6Addr, destination: Ipv6Addr, message: Icmpv6Repr<'_>) -> Vec<u8> {
    let mut bytes = alloc::vec![0; message.buffer_len()];
    message.emit(
        &source,
        &destination,
        &mut Icmpv6Packet::new_unchecked(&mut bytes[..]),
        &ChecksumCapabilities::default(),
    );
    let packet = ipv6(source, destination, IpProtocol::Icmpv6, &bytes);
    ethernet(
        MacAddress([0x33, 0x33, 0, 0, 0, 2]),
        EthernetProtocol::Ipv6,
        &packet,
    )
}

fn solicit_router() -> Vec<u8> {
    let all_routers = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
    let message = NdiscRepr::RouterSolicit { lladdr: None };
    icmpv6(LINK_LOCAL, all_routers, Icmpv6Repr::Ndisc(message))
}

fn solicit(source: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = target.octets();
    let group = Ipv6Addr::from_octets([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
    let message = NdiscRepr::NeighborSolicit {
        target_addr: target,
        lladdr: None,
    };
    icmpv6(source, group, Icmpv6Repr::Ndisc(message))
}

#[test]
fn a_router_is_advertised_without_a_prefix_asked_or_not() {
    let mut gateway = gateway(Inside::Both);
    let Seen::Reply(asked) = show(&mut gateway, &solicit_router()) else {
        panic!("no answer");
    };
    let unasked = gateway.poll(NOW).unwrap().to_vec();
    judge(&unasked);
    assert_eq!(gateway.poll(NOW), None);
    let due = gateway.due().unwrap();
    assert!(gateway.poll(due).is_some());
    for frame in [&asked, &unasked] {
        let packet = Ipv6Packet::new_checked(&frame[14..]).unwrap();
        let message = Icmpv6Packet::new_checked(packet.payload()).unwrap();
        let advertisement = NdiscRepr::parse(&message).unwrap();
        let NdiscRepr::RouterAdvert {
            flags,
            mtu,
            prefix_info,
            router_lifetime,
            ..
        } = advertisement
        else {
            panic!("{advertisement:?}");
        };
        assert_eq!(flags, NdiscRouterFlags::MANAGED | NdiscRouterFlags::OTHER);
        assert_eq!((mtu, prefix_info), (Some(MTU.into()), None));
        assert!(router_lifetime.total_millis() * 1_000_000 > 2 * super::super::ADVERTISEMENTS);
    }
}

#[test]
fn every_neighbour_but_the_guest_itself_is_the_gateway() {
    let mut gateway = gateway(Inside::Both);
    let own = super::super::discovery::link_local(OWN);
    for target in [own, FAR6] {
        let Seen::Reply(reply) = show(&mut gateway, &solicit(LINK_LOCAL, target)) else {
            panic!("{target} has no answer");
        };
        assert_eq!((reply[54], &reply[62..78]), (136, &target.octets()[..]));
    }
    // It looks whether its addresses are free (RFC 4862, 5.4).
    for target in [GUEST6, LINK_LOCAL] {
        let seen = show(&mut gateway, &solicit(Ipv6Addr::UNSPECIFIED, target));
        assert_eq!(seen, Seen::Lost(Loss::GuestGroup));
    }
}

fn dhcp6(kind: u8, options: &[u8]) -> Vec<u8> {
    let all = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);
    let message = [&[kind, 9, 8, 7][..], options].concat();
    let datagram = udp((LINK_LOCAL.into(), all.into()), (546, 547), &message);
    let packet = ipv6(LINK_LOCAL, all, IpProtocol::Udp, &datagram);
    let hardware = MacAddress([0x33, 0x33, 0, 1, 0, 2]);
    ethernet(hardware, EthernetProtocol::Ipv6, &packet)
}

const CLIENT: [u8; 14] = [0, 1, 0, 10, 0, 3, 0, 1, 1, 2, 3, 4, 5, 6];
const SERVER_ID: [u8; 14] = [
    0, 2, 0, 10, 0, 3, 0, 1, OWN.0[0], OWN.0[1], OWN.0[2], OWN.0[3], OWN.0[4], OWN.0[5],
];
const ASSOCIATION: [u8; 16] = [0, 3, 0, 12, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0];

/// The message of a reply, without its transaction.
fn dhcp6_reply(seen: &Seen) -> (u8, Vec<u8>) {
    let Seen::Reply(frame) = seen else {
        panic!("no reply: {seen:?}");
    };
    assert_eq!(frame[63..66], [9, 8, 7]);
    (frame[62], frame[66..].to_vec())
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn dhcpv6_gives_the_one_address() {
    let mut gateway = gateway(Inside::Both);
    let address = [&[0, 5, 0, 24][..], &GUEST6.octets()].concat();
    let solicitation = [&CLIENT[..], &ASSOCIATION].concat();
    let rapid = [&solicitation[..], &[0, 14, 0, 0]].concat();
    let request = [&SERVER_ID[..], &solicitation].concat();
    for (kind, options, expected) in [
        (1, &solicitation, 2),
        (1, &rapid, 7),
        (3, &request, 7),
        (5, &request, 7),
        (6, &solicitation, 7),
    ] {
        let (answer, reply) = dhcp6_reply(&show(&mut gateway, &dhcp6(kind, options)));
        assert_eq!(answer, expected, "{kind}");
        assert!(holds(&reply, &address) && holds(&reply, &CLIENT) && holds(&reply, &SERVER_ID));
        assert!(holds(&reply, &[0, 23, 0, 16]));
        assert_eq!(holds(&reply, &[0, 14, 0, 0]), expected == 7 && kind == 1);
    }
}

#[test]
fn dhcpv6_ends_other_addresses_and_has_none_for_a_second_association() {
    let mut gateway = gateway(Inside::Both);
    let mut held = [0; 44];
    held[..16].copy_from_slice(&ASSOCIATION);
    held[3] = 40;
    held[16..20].copy_from_slice(&[0, 5, 0, 24]);
    held[20..36].copy_from_slice(&FAR6.octets());
    let mut second = ASSOCIATION;
    second[7] = 6;
    let options = [&CLIENT[..], &held, &second].concat();
    let (_, reply) = dhcp6_reply(&show(&mut gateway, &dhcp6(6, &options)));
    let ended = [&FAR6.octets()[..], &[0; 8]].concat();
    assert!(holds(&reply, &ended));
    let none = [0, 3, 0, 18, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13, 0, 2, 0, 2];
    assert!(holds(&reply, &none));
    // And says that this one is not right here, when it is asked.
    let options = [&CLIENT[..], &held].concat();
    let (answer, reply) = dhcp6_reply(&show(&mut gateway, &dhcp6(4, &options)));
    assert_eq!(answer, 7);
    assert!(holds(&reply, &[0, 13, 0, 2, 0, 4]));
}

#[test]
fn dhcpv6_does_not_answer_what_is_for_others_or_lacks_its_sender() {
    let mut gateway = gateway(Inside::Both);
    let elsewhere = [&CLIENT[..], &[0, 2, 0, 1, 9], &ASSOCIATION].concat();
    let solicitation = [&CLIENT[..], &ASSOCIATION].concat();
    for (kind, options) in [
        (1, &ASSOCIATION[..]),
        (3, &elsewhere),
        (3, &solicitation),
        (6, &elsewhere),
        (11, &solicitation),
        (12, &solicitation),
        (1, &[&CLIENT[..], &[0, 3, 0, 200, 0]].concat()),
        (1, &[&[0, 1, 0, 131][..], &[1; 131]].concat()),
    ] {
        let seen = show(&mut gateway, &dhcp6(kind, options));
        assert_eq!(seen, Seen::Lost(Loss::GuestGroup), "{kind}");
    }
    let (answer, reply) = dhcp6_reply(&show(&mut gateway, &dhcp6(11, &[])));
    assert_eq!(answer, 7);
    assert!(holds(&reply, &[0, 23, 0, 16]) && !holds(&reply, &[0, 5]));
}

#[test]
fn ipv6_enters_the_tunnel_from_the_leased_address_and_is_told_what_is_too_big() {
    let mut gateway = gateway(Inside::Both);
    let packet = |source: Ipv6Addr, length: usize| {
        let content = udp((source.into(), FAR6.into()), (5000, 9), &alloc::vec![1; length]);
        ethernet(
            OWN,
            EthernetProtocol::Ipv6,
            &ipv6(source, FAR6, IpProtocol::Udp, &content),
        )
    };
    assert!(matches!(show(&mut gateway, &packet(GUEST6, 9)), Seen::Packet(_)));
    for source in [FAR6, Ipv6Addr::LOCALHOST] {
        assert_eq!(
            show(&mut gateway, &packet(source, 9)),
            Seen::Lost(Loss::GuestForeign)
        );
    }
    let Seen::Reply(reply) = show(&mut gateway, &packet(GUEST6, 1400)) else {
        panic!("no error");
    };
    assert_eq!(reply[54..62], [2, 0, reply[56], reply[57], 0, 0, 5, 140]);
    assert_eq!(reply.len(), 14 + 1280);
}
