//! An endpoint that is a name: asked for, asked for again, and answered by who lies.

use super::*;
use crate::net::stack::bench::PEER;
use crate::net::stack::neighbour::{arp, udp};
use sekisho_mediator::net::frame::MacAddress;
use smoltcp::wire::{ArpOperation, ArpRepr};

/// The port of name servers (RFC 1035, 4.2.1), and bytes of a message's header (4.1.1).
const PORT_OF_NAMES: u16 = 53;
const HEADER: usize = 12;

/// The appliance's name server: every name leads to one address.
pub(super) struct NameServer {
    address: String,
    /// Answers wait here while it is slow.
    is_slow: bool,
    late: Vec<Vec<u8>>,
    questions: usize,
}

impl NameServer {
    pub(super) fn new(address: &str) -> Self {
        Self {
            address: address.into(),
            is_slow: false,
            late: Vec::new(),
            questions: 0,
        }
    }

    /// Takes a frame off the wire; the frames that answer it.
    pub(super) fn take(&mut self, frame: &[u8]) -> Vec<Vec<u8>> {
        if let Some(ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_hardware_addr: from,
            source_protocol_addr: sender,
            target_protocol_addr: target,
            ..
        }) = read_arp(frame)
            && target.to_string() == RESOLVER
        {
            let to = (MacAddress(from.0), &*sender.to_string());
            return vec![arp(ArpOperation::Reply, (PEER, RESOLVER), to)];
        }
        let Some((ip, ports, question)) = read_udp(frame) else {
            return Vec::new();
        };
        if ip.dst_addr.to_string() != RESOLVER || ports.dst_port != PORT_OF_NAMES {
            return Vec::new();
        }
        self.questions += 1;
        let ends = (RESOLVER, &*ip.src_addr.to_string());
        let answer = udp(
            NIC,
            ends,
            (PORT_OF_NAMES, ports.src_port),
            &self.answer(&question),
        );
        if self.is_slow {
            self.late.push(answer);
            return Vec::new();
        }
        vec![answer]
    }

    /// One address, of the name that was asked for.
    fn answer(&self, question: &[u8]) -> Vec<u8> {
        let identification = &question[..2];
        let counts = [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        let record = [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4];
        [
            identification,
            &counts,
            &question[HEADER..],
            &record,
            &v4(&self.address).octets(),
        ]
        .concat()
    }
}

/// A question to the name server.
fn is_question(frame: &[u8]) -> bool {
    read_udp(frame)
        .is_some_and(|(ip, ports, _)| ip.dst_addr.to_string() == RESOLVER && ports.dst_port == PORT_OF_NAMES)
}

fn named() -> Case {
    Case {
        endpoint: Endpoint::Name {
            host: "vpn.example.net".into(),
            port: PORT,
        },
        ..Case::default()
    }
}

#[test]
fn a_name_is_asked_for_and_again_when_its_peer_no_longer_answers() {
    let mut all = Tunnelled::configured(Flavour::E82574, named());
    assert_eq!(all.exchange(b"hello", 10_000), b"hello");
    let before = all.resolver.questions;
    all.run(60_000);
    assert_eq!(all.resolver.questions, before, "nobody asks while it answers");
    // It moves without being able to say so, and its name leads there.
    all.server = Server::new(SERVER_PRIVATE, public_key(&Secret::new(PRIVATE)), PRESHARED);
    all.server.address = "192.0.2.77".into();
    all.resolver.address = "192.0.2.77".into();
    all.exchange(b"lost", 60_000);
    assert!(all.resolver.questions > before);
    assert_eq!(all.exchange(b"found", 10_000), b"found");
    let notices = all.notices();
    assert!(
        notices.iter().any(|text| text.contains("192.0.2.77")),
        "{notices:?}"
    );
    all.wire
        .retain(|frame| read_udp(frame).is_none_or(|(ip, ..)| ip.dst_addr.to_string() != ENDPOINT));
    all.assert_tight_but(is_question);
}

#[test]
fn an_answer_that_names_no_single_host_sends_the_tunnel_to_nobody() {
    for address in [
        "255.255.255.255",
        "224.0.0.1",
        "192.0.2.255",
        "0.0.0.0",
        "127.0.0.1",
        OURS,
    ] {
        let mut all = Tunnelled::new(Flavour::E82574, named());
        all.resolver.address = address.into();
        all.run(12_000);
        all.exchange(b"hello", 10_000);
        assert!(all.resolver.questions > 0);
        all.assert_tight_but(is_question);
        // The truth is told the next time.
        all.resolver.address = ENDPOINT.into();
        all.run(25_000);
        assert_eq!(all.exchange(b"hello", 10_000), b"hello", "after {address}");
    }
}

#[test]
fn an_answer_that_comes_when_the_peer_has_answered_moves_nothing() {
    let mut all = Tunnelled::configured(Flavour::E82574, named());
    assert_eq!(all.exchange(b"hello", 10_000), b"hello");
    // Until the other end owes no answer.
    all.run(30_000);
    all.notices();
    all.server.presence = Presence::Mute;
    all.resolver.is_slow = true;
    all.resolver.address = "192.0.2.66".into();
    let before = all.resolver.questions;
    all.exchange(b"lost", 40_000);
    assert!(all.resolver.questions > before);
    all.server.presence = Presence::There;
    all.run(6000);
    let notices = all.notices();
    assert!(
        notices.iter().any(|text| text.contains("handshake done")),
        "{notices:?}"
    );
    let lie = all.resolver.late.pop().unwrap();
    all.scene.device.inject(&lie);
    all.run(1000);
    assert_eq!(all.exchange(b"still", 10_000), b"still");
    all.assert_tight_but(is_question);
}
