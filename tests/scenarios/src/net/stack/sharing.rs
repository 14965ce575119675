//! Whose a frame is on a NIC that guest and appliance share, and what a guest without a network sees and sends.

use super::bench::{Bench, NIC, OWN, PEER, Policy, fixed};
use super::neighbour::{BROADCAST, advertisement, arp, ethernet, ipv4, ping, solicitation, udp, who_has};
use sekisho_abi::network::Module as Kind;
use sekisho_mediator::net::loss::Loss;
use sekisho_mediator::net::port::{GuestLink, Verdict};
use smoltcp::wire::{ArpOperation, EthernetProtocol, IpProtocol};

const OURS: &str = "192.0.2.11";
const GUESTS: &str = "192.0.2.12";
const THEIRS: &str = "192.0.2.1";

fn shared() -> Bench {
    Policy::new(Kind::IpPass, "192.0.2.11/24").bench()
}

fn shared_with_own_hardware() -> Bench {
    let mut policy = Policy::new(Kind::IpPass, "192.0.2.11/24");
    policy.interface.as_mut().unwrap().mac = Some(OWN.0);
    policy.bench()
}

#[test]
fn what_is_not_for_the_appliances_address_is_the_guests_and_never_answered() {
    let mut bench = shared();
    for frame in [
        ping(NIC, (THEIRS, GUESTS), 8),
        ping(BROADCAST, (THEIRS, "192.0.2.255"), 8),
        ping(BROADCAST, (THEIRS, "255.255.255.255"), 8),
        who_has(THEIRS, GUESTS),
        arp(ArpOperation::Reply, (PEER, THEIRS), (NIC, GUESTS)),
        solicitation("2001:db8::1", "2001:db8::12"),
        ethernet(PEER, NIC, EthernetProtocol::Unknown(0x88cc), &[1, 2, 3]),
        vec![0xff; 13],
        Vec::new(),
    ] {
        assert_eq!(bench.wire_sends(&frame), Verdict::Forward);
        assert_eq!(bench.sent(), None);
    }
}

#[test]
fn what_is_for_the_appliances_address_never_reaches_the_guest_whatever_hardware_address_it_has() {
    for mut bench in [shared(), shared_with_own_hardware()] {
        for to in [NIC, OWN, PEER] {
            assert_eq!(
                bench.wire_sends(&udp(to, (THEIRS, OURS), (514, 514), b"x")),
                Verdict::Stop
            );
            let reply = arp(ArpOperation::Reply, (PEER, THEIRS), (to, OURS));
            assert_eq!(bench.wire_sends(&reply), Verdict::Stop);
        }
    }
}

#[test]
fn a_question_for_the_appliances_address_that_went_to_everybody_is_shown_to_both() {
    let mut bench = shared();
    assert_eq!(bench.wire_sends(&who_has(THEIRS, OURS)), Verdict::Forward);
    assert!(bench.sent().is_some());
}

#[test]
fn a_priority_tag_hides_nothing_and_a_vlan_is_the_guests() {
    let mut bench = shared();
    bench.wire_sends(&who_has(THEIRS, OURS));
    bench.sent().unwrap();
    let plain = ping(NIC, (THEIRS, OURS), 8);
    let tagged = |control: [u8; 2]| {
        let tag = [0x81, 0, control[0], control[1]];
        [&plain[..12], &tag[..], &plain[12..]].concat()
    };
    assert_eq!(bench.wire_sends(&tagged([0xe0, 0])), Verdict::Stop);
    assert!(bench.sent().is_some());
    assert_eq!(bench.wire_sends(&tagged([0, 5])), Verdict::Forward);
    assert!(bench.sent().is_none());
}

#[test]
fn the_guest_cannot_speak_in_the_appliances_name() {
    let mut bench = shared();
    let as_if_ours = [
        arp(ArpOperation::Reply, (NIC, OURS), (PEER, THEIRS)),
        arp(ArpOperation::Request, (NIC, OURS), (BROADCAST, OURS)),
        ipv4(PEER, (OURS, THEIRS), IpProtocol::Udp, &[0; 8]),
    ];
    for frame in &as_if_ours {
        assert_eq!(bench.guest_sends(frame), Verdict::Stop);
    }
    assert_eq!(bench.lost(Loss::Impersonation), 3);
    assert_eq!(
        bench.guest_sends(&ipv4(PEER, (GUESTS, THEIRS), IpProtocol::Udp, &[0; 8])),
        Verdict::Forward
    );
    assert_eq!(bench.guest_sends(&who_has(GUESTS, OURS)), Verdict::Forward);
}

#[test]
fn the_guest_cannot_take_the_appliances_hardware_or_ipv6_address() {
    let mut policy = Policy::new(Kind::IpPass, "192.0.2.11/24");
    let mut interface = fixed("2001:db8::11/64");
    interface.mac = Some(OWN.0);
    policy.interface = Some(interface);
    let mut bench = policy.bench();
    let advertised = advertisement(PEER, ("2001:db8::12", "2001:db8::1"), "2001:db8::11");
    assert_eq!(bench.guest_sends(&advertised), Verdict::Stop);
    let borrowed = ethernet(OWN, PEER, EthernetProtocol::Unknown(0x88cc), &[]);
    assert_eq!(bench.guest_sends(&borrowed), Verdict::Stop);
    assert_eq!(bench.lost(Loss::Impersonation), 2);
    let stray = ethernet(PEER, OWN, EthernetProtocol::Unknown(0x88cc), &[]);
    assert_eq!(bench.wire_sends(&stray), Verdict::Stop);
    assert_eq!(bench.lost(Loss::Unwanted), 1);
}

#[test]
fn what_the_guest_sends_to_the_appliance_goes_to_the_wire_and_is_not_answered() {
    let mut bench = shared();
    assert_eq!(bench.guest_sends(&who_has(GUESTS, OURS)), Verdict::Forward);
    assert_eq!(bench.guest_sends(&ping(NIC, (GUESTS, OURS), 8)), Verdict::Forward);
    bench.poll();
    assert!(bench.lines.to_guest.is_empty());
    assert_eq!(bench.sent(), None);
}

#[test]
fn a_guest_that_is_cut_off_sees_and_sends_nothing() {
    let policy = |kind| Policy {
        interface: None,
        ..Policy::new(kind, "192.0.2.11/24")
    };
    let benches = [
        policy(Kind::Null).bench(),
        policy(Kind::Own).bench(),
        Policy::new(Kind::Ip, "192.0.2.11/24").bench(),
    ];
    for mut bench in benches {
        for frame in [
            ping(NIC, (THEIRS, GUESTS), 8),
            who_has(GUESTS, THEIRS),
            ping(NIC, (THEIRS, OURS), 8),
        ] {
            assert_eq!(bench.guest_sends(&frame), Verdict::Stop);
            assert_eq!(bench.wire_sends(&frame), Verdict::Stop);
        }
        assert!(bench.lines.to_guest.is_empty());
        assert_eq!(bench.module.link(), GuestLink::Down);
    }
}
