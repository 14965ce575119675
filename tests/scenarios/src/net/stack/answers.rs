//! What the appliance answers on its own address, and to whom.

use super::bench::{Bench, NIC, OWN, PEER, Policy, fixed};
use super::neighbour::{self, checks, ping, read_arp, read_ipv4, solicitation, v4, v6, who_has};
use sekisho_abi::network::Module as Kind;
use sekisho_mediator::net::port::Verdict;
use smoltcp::wire::{
    ArpOperation, ArpRepr, EthernetAddress, EthernetFrame, Icmpv4Packet, Icmpv4Repr, Icmpv6Packet,
    Icmpv6Repr, Ipv6Packet, NdiscRepr,
};

const OURS: &str = "192.0.2.11";
const THEIRS: &str = "192.0.2.1";

/// The neighbour learns our hardware address, as it would before it talks to us.
fn introduce(bench: &mut Bench) -> EthernetAddress {
    bench.wire_sends(&who_has(THEIRS, OURS));
    let answer = bench.sent().unwrap();
    let Some(ArpRepr::EthernetIpv4 {
        operation: ArpOperation::Reply,
        source_hardware_addr,
        source_protocol_addr,
        target_hardware_addr,
        ..
    }) = read_arp(&answer)
    else {
        panic!("no ARP reply")
    };
    assert_eq!(source_protocol_addr, v4(OURS));
    assert_eq!(target_hardware_addr.0, PEER.0);
    source_hardware_addr
}

fn assert_pong(frame: &[u8], bytes: usize) {
    let (ip, content) = read_ipv4(frame).unwrap();
    assert_eq!((ip.src_addr, ip.dst_addr), (v4(OURS), v4(THEIRS)));
    let packet = Icmpv4Packet::new_checked(&content).unwrap();
    let Ok(Icmpv4Repr::EchoReply {
        ident: 1,
        seq_no: 2,
        data,
    }) = Icmpv4Repr::parse(&packet, &checks())
    else {
        panic!("no echo reply")
    };
    assert_eq!(data.len(), bytes);
}

#[test]
fn ping_is_answered_with_the_hardware_address_of_the_nic() {
    for kind in [Kind::Ip, Kind::IpPass] {
        let mut bench = Policy::new(kind, "192.0.2.11/24").bench();
        assert_eq!(introduce(&mut bench).0, NIC.0);
        assert_eq!(bench.wire_sends(&ping(NIC, (THEIRS, OURS), 56)), Verdict::Stop);
        let answer = bench.sent().unwrap();
        assert_eq!(EthernetFrame::new_checked(&answer).unwrap().dst_addr().0, PEER.0);
        assert_pong(&answer, 56);
        assert_eq!(bench.sent(), None);
    }
}

#[test]
fn ping_is_answered_with_a_hardware_address_of_its_own() {
    let mut policy = Policy::new(Kind::IpPass, "192.0.2.11/24");
    policy.interface.as_mut().unwrap().mac = Some(OWN.0);
    let mut bench = policy.bench();
    assert_eq!(bench.module.hardware(), Some(OWN));
    assert_eq!(introduce(&mut bench).0, OWN.0);
    bench.wire_sends(&ping(OWN, (THEIRS, OURS), 8));
    let answer = bench.sent().unwrap();
    assert_eq!(EthernetFrame::new_checked(&answer).unwrap().src_addr().0, OWN.0);
    assert_pong(&answer, 8);
}

/// The ICMPv6 message in a frame, its checksum verified.
fn look_at_icmpv6<R>(frame: &[u8], look: impl FnOnce(Icmpv6Repr<'_>) -> R) -> R {
    let frame = EthernetFrame::new_checked(frame).unwrap();
    let packet = Ipv6Packet::new_checked(frame.payload()).unwrap();
    let message = Icmpv6Packet::new_checked(packet.payload()).unwrap();
    look(Icmpv6Repr::parse(&packet.src_addr(), &packet.dst_addr(), &message, &checks()).unwrap())
}

#[test]
fn ping_by_ipv6_is_answered_after_a_solicitation() {
    let (ours, theirs) = ("2001:db8::11", "2001:db8::1");
    let mut policy = Policy::new(Kind::IpPass, "192.0.2.11/24");
    policy.interface = Some(fixed("2001:db8::11/64"));
    let mut bench = policy.bench();
    assert_eq!(bench.wire_sends(&solicitation(theirs, ours)), Verdict::Forward);
    let advertised = look_at_icmpv6(&bench.sent().unwrap(), |message| match message {
        Icmpv6Repr::Ndisc(NdiscRepr::NeighborAdvert { target_addr, .. }) => Some(target_addr),
        _ => None,
    });
    assert_eq!(advertised, Some(v6(ours)));
    let request = Icmpv6Repr::EchoRequest {
        ident: 3,
        seq_no: 4,
        data: b"data",
    };
    assert_eq!(
        bench.wire_sends(&neighbour::icmpv6(NIC, (theirs, ours), &request)),
        Verdict::Stop
    );
    let expected = Icmpv6Repr::EchoReply {
        ident: 3,
        seq_no: 4,
        data: b"data",
    };
    look_at_icmpv6(&bench.sent().unwrap(), |message| assert_eq!(message, expected));
}
