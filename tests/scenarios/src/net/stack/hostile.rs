//! Peers that send fragments, overlaps, cut and oversized frames, lies and floods: the guest's traffic goes on, memory stays
//! what it was, and the losses tell.

use super::bench::{Bench, NIC, PEER, Policy, SECOND};
use super::neighbour::{BROADCAST, arp, ethernet, ipv4, ping, read_arp, read_ipv4, udp, who_has};
use proptest::prelude::*;
use sekisho_abi::network::Module as Kind;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::loss::Loss;
use sekisho_mediator::net::port::Verdict;
use smoltcp::wire::{ArpOperation, ArpRepr, EthernetFrame, EthernetProtocol, IpProtocol, Ipv4Packet};

const OURS: &str = "192.0.2.11";
const GUESTS: &str = "192.0.2.12";
const THEIRS: &str = "192.0.2.1";

fn shared() -> Bench {
    let mut bench = Policy::new(Kind::IpPass, "192.0.2.11/24").bench();
    bench.wire_sends(&who_has(THEIRS, OURS));
    bench.sent().unwrap();
    bench
}

fn answers(bench: &mut Bench) -> bool {
    while bench.sent().is_some() {}
    bench.wire_sends(&ping(NIC, (THEIRS, OURS), 8));
    bench.sent().is_some()
}

/// The pieces of an IPv4 frame, each with so many bytes of content.
fn fragments(frame: &[u8], size: usize) -> Vec<Vec<u8>> {
    let (_, content) = read_ipv4(frame).unwrap();
    let count = content.len().div_ceil(size);
    let pieces = content.chunks(size).enumerate();
    pieces
        .map(|(index, piece)| {
            let mut bytes = ipv4(NIC, (THEIRS, OURS), IpProtocol::Icmp, piece);
            let mut packet = Ipv4Packet::new_unchecked(&mut bytes[14..]);
            packet.set_ident(77);
            packet.set_dont_frag(false);
            packet.set_more_frags(index + 1 < count);
            packet.set_frag_offset(u16::try_from(index * size).unwrap());
            packet.fill_checksum();
            bytes
        })
        .collect()
}

#[test]
fn a_ping_in_fragments_in_any_order_and_repeated_is_answered_in_fragments() {
    let mut bench = shared();
    let mut pieces = fragments(&ping(NIC, (THEIRS, OURS), 3000), 1000);
    pieces.reverse();
    pieces.insert(1, pieces[0].clone());
    for piece in &pieces {
        assert_eq!(bench.wire_sends(piece), Verdict::Stop);
    }
    bench.run(SECOND);
    let mut answered = 0;
    while let Some(frame) = bench.sent() {
        answered += read_ipv4(&frame).unwrap().1.len();
    }
    assert_eq!(answered, 3008);
}

#[test]
fn fragments_beyond_the_bound_are_dropped_and_counted() {
    let mut bench = shared();
    let long: Vec<Vec<u8>> = fragments(&ping(NIC, (THEIRS, OURS), 4500), 1000);
    for piece in &long {
        assert_eq!(bench.wire_sends(piece), Verdict::Stop);
    }
    assert_eq!(bench.lost(Loss::Fragment), 1);
    bench.run(SECOND);
    assert_eq!(bench.sent(), None);
    assert!(answers(&mut bench));
}

#[test]
fn halves_of_packets_keep_others_out_for_seconds_only() {
    let mut bench = shared();
    for ident in 0..200 {
        let mut piece = fragments(&ping(NIC, (THEIRS, OURS), 1500), 1000).remove(0);
        let mut packet = Ipv4Packet::new_unchecked(&mut piece[14..]);
        packet.set_ident(ident);
        packet.fill_checksum();
        bench.wire_sends(&piece);
    }
    assert!(answers(&mut bench));
    bench.run(4 * SECOND);
    for piece in fragments(&ping(NIC, (THEIRS, OURS), 1500), 1000) {
        bench.wire_sends(&piece);
    }
    bench.run(SECOND);
    assert!(bench.sent().is_some());
}

#[test]
fn cut_and_oversized_frames_and_wrong_checksums_are_not_answered_and_break_nothing() {
    let mut bench = shared();
    let whole = ping(NIC, (THEIRS, OURS), 400);
    for length in 0..whole.len() {
        bench.wire_sends(&whole[..length]);
        assert_eq!(bench.sent(), None, "{length} bytes");
    }
    for place in [24, 30, 36, 100] {
        let mut wrong = whole.clone();
        wrong[place] ^= 1;
        bench.wire_sends(&wrong);
        assert_eq!(bench.sent(), None, "byte {place}");
    }
    let mut oversized = whole.clone();
    oversized.resize(9000, 0);
    assert_eq!(bench.wire_sends(&oversized), Verdict::Stop);
    assert_eq!(bench.lost(Loss::TooLong), 1);
    assert!(answers(&mut bench));
}

#[test]
fn senders_that_no_host_can_be_are_dropped_and_counted() {
    let senders = ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255", OURS];
    let mut bench = shared();
    for sender in senders {
        assert_eq!(bench.wire_sends(&ping(NIC, (sender, OURS), 8)), Verdict::Stop);
        bench.wire_sends(&arp(ArpOperation::Request, (PEER, sender), (BROADCAST, OURS)));
        assert_eq!(bench.sent(), None, "{sender}");
    }
    for hardware in [MacAddress([1, 0, 0x5e, 0, 0, 1]), BROADCAST, MacAddress([0; 6])] {
        bench.wire_sends(&arp(ArpOperation::Request, (hardware, THEIRS), (BROADCAST, OURS)));
        assert_eq!(bench.sent(), None, "{hardware:?}");
    }
    assert_eq!(bench.lost(Loss::Malformed), 13);
}

#[test]
fn arp_of_others_teaches_nothing() {
    let mut bench = Policy::new(Kind::IpPass, "192.0.2.11/24").bench();
    // Not for us: whoever has it, we have not asked.
    bench.wire_sends(&arp(ArpOperation::Reply, (PEER, THEIRS), (BROADCAST, THEIRS)));
    bench.wire_sends(&ping(NIC, (THEIRS, OURS), 8));
    let asked = bench.sent().unwrap();
    assert!(matches!(
        read_arp(&asked),
        Some(ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            ..
        })
    ));
}

#[test]
fn a_flood_leaves_the_guests_traffic_alone_and_is_counted() {
    let mut bench = shared();
    for round in 0..100_000_u32 {
        let [_, a, b, c] = round.to_be_bytes();
        let source = format!(
            "192.0.2.{}",
            20 + (u32::from(a) + u32::from(b) + u32::from(c)) % 200
        );
        let frame = udp(NIC, (&source, OURS), (1, 9), &[a, b, c]);
        assert_eq!(bench.show(&frame), Verdict::Stop);
        if round % 100 == 0 {
            assert_eq!(bench.show(&ping(NIC, (THEIRS, GUESTS), 8)), Verdict::Forward);
        }
    }
    // What fits waits; the rest is lost.
    assert_eq!(bench.lost(Loss::InboxFull), 100_000 - 64);
    bench.run(SECOND);
    assert!(answers(&mut bench));
}

#[test]
fn a_nic_that_takes_nothing_keeps_a_bounded_number_of_answers() {
    let mut bench = shared();
    bench.lines.room = 0;
    for _ in 0..1000 {
        bench.wire_sends(&ping(NIC, (THEIRS, OURS), 8));
    }
    bench.lines.room = usize::MAX;
    bench.run(SECOND);
    let answers = std::iter::from_fn(|| bench.sent()).count();
    assert!((1..=128).contains(&answers), "{answers} answers");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sequence_of_frames_shows_the_guest_what_is_for_the_appliance(
        frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..100)), 1..50)
    ) {
        let mut bench = shared();
        for (protocol, content) in frames {
            let frame = ipv4(NIC, (THEIRS, OURS), protocol.into(), &content);
            prop_assert_eq!(bench.wire_sends(&frame), Verdict::Stop);
            let other = ipv4(NIC, (THEIRS, GUESTS), protocol.into(), &content);
            prop_assert_eq!(bench.wire_sends(&other), Verdict::Forward);
            let noise = ethernet(PEER, NIC, EthernetProtocol::from(0x9000 | u16::from(protocol)), &content);
            prop_assert_eq!(bench.wire_sends(&noise), Verdict::Forward);
        }
        while let Some(frame) = bench.sent() {
            prop_assert_eq!(EthernetFrame::new_checked(&frame).unwrap().src_addr().0, NIC.0);
        }
        bench.run(4 * SECOND);
        prop_assert!(answers(&mut bench));
    }
}
