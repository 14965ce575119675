//! An address asked of the network: beside the guest's own client on one hardware address, and from servers that lie.

use super::bench::{Bench, MILLISECOND, NIC, PEER, Policy, SECOND, dhcp};
use super::neighbour::{BROADCAST, ping, read_udp, udp, v4, who_has};
use sekisho_abi::network::Module as Kind;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::loss::Loss;
use sekisho_mediator::net::port::{Verdict, WireLink};

const SERVER: &str = "192.0.2.1";
const GIVEN: &str = "192.0.2.77";
const DISCOVER: u8 = 1;
const OFFER: u8 = 2;
const REQUEST: u8 = 3;
const ACK: u8 = 5;

/// A client's message, read by hand (RFC 2131, 2, and RFC 2132).
struct Asked {
    kind: u8,
    transaction: [u8; 4],
    hardware: [u8; 6],
    options: Vec<(u8, Vec<u8>)>,
}

impl Asked {
    fn read(frame: &[u8]) -> Option<Self> {
        let (_, ports, message) = read_udp(frame)?;
        if (ports.src_port, ports.dst_port) != (68, 67) {
            return None;
        }
        let mut options = Vec::new();
        let mut rest = &message[240..];
        while let [kind, length, behind @ ..] = rest {
            if *kind == 255 {
                break;
            }
            let (data, next) = behind.split_at(usize::from(*length));
            options.push((*kind, data.to_vec()));
            rest = next;
        }
        let mut asked = Self {
            kind: 0,
            transaction: message[4..8].try_into().unwrap(),
            hardware: message[28..34].try_into().unwrap(),
            options,
        };
        asked.kind = asked.option(53).unwrap()[0];
        Some(asked)
    }

    fn option(&self, kind: u8) -> Option<&[u8]> {
        let found = self.options.iter().find(|(it, _)| *it == kind);
        found.map(|(_, data)| data.as_slice())
    }
}

/// A server's answer, with what a lie may change.
struct Answer {
    kind: u8,
    transaction: [u8; 4],
    hardware: [u8; 6],
    address: &'static str,
    options: Vec<(u8, Vec<u8>)>,
    to: MacAddress,
}

impl Answer {
    /// An honest one.
    fn to(asked: &Asked, kind: u8) -> Self {
        let mut options = vec![
            (54, v4(SERVER).octets().to_vec()),
            (51, 3600_u32.to_be_bytes().to_vec()),
            (1, vec![255, 255, 255, 0]),
            (3, v4(SERVER).octets().to_vec()),
        ];
        // RFC 6842: a server returns the identifier.
        options.extend(asked.option(61).map(|identifier| (61, identifier.to_vec())));
        Self {
            kind,
            transaction: asked.transaction,
            hardware: asked.hardware,
            address: GIVEN,
            options,
            to: NIC,
        }
    }

    fn set(mut self, kind: u8, data: &[u8]) -> Self {
        self.options.retain(|(it, _)| *it != kind);
        self.options.push((kind, data.to_vec()));
        self
    }

    fn frame(&self) -> Vec<u8> {
        let mut message = vec![0; 240];
        message[..4].copy_from_slice(&[2, 1, 6, 0]);
        message[4..8].copy_from_slice(&self.transaction);
        message[16..20].copy_from_slice(&v4(self.address).octets());
        message[28..34].copy_from_slice(&self.hardware);
        message[236..240].copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
        message.extend([53, 1, self.kind]);
        for (kind, data) in &self.options {
            message.extend([*kind, u8::try_from(data.len()).unwrap()]);
            message.extend(data);
        }
        message.push(255);
        let to = if self.to == BROADCAST {
            "255.255.255.255"
        } else {
            self.address
        };
        udp(self.to, (SERVER, to), (67, 68), &message)
    }
}

fn asking(kind: Kind) -> Bench {
    let mut policy = Policy::new(kind, "192.0.2.11/24");
    policy.interface = Some(dhcp());
    policy.bench()
}

/// The next message of the client's, which comes within half a minute.
fn next(bench: &mut Bench, kind: u8) -> Asked {
    for _ in 0..300 {
        bench.run(100 * MILLISECOND);
        while let Some(frame) = bench.sent() {
            if let Some(asked) = Asked::read(&frame).filter(|asked| asked.kind == kind) {
                return asked;
            }
        }
    }
    panic!("no message of type {kind}")
}

fn lease(bench: &mut Bench) {
    let discover = next(bench, DISCOVER);
    assert_eq!(
        bench.wire_sends(&Answer::to(&discover, OFFER).frame()),
        Verdict::Stop
    );
    let request = next(bench, REQUEST);
    assert_eq!(request.option(50), Some(&v4(GIVEN).octets()[..]));
    bench.wire_sends(&Answer::to(&request, ACK).frame());
    assert_eq!(bench.module.address(), Some(GIVEN.parse().unwrap()));
}

fn answers_ping(bench: &mut Bench) -> bool {
    while bench.sent().is_some() {}
    bench.wire_sends(&who_has(SERVER, GIVEN));
    bench.wire_sends(&ping(NIC, (SERVER, GIVEN), 8));
    std::iter::from_fn(|| bench.sent()).count() == 2
}

#[test]
fn an_address_is_asked_for_taken_and_answered_on() {
    for kind in [Kind::Ip, Kind::IpPass] {
        let mut bench = asking(kind);
        assert!(!answers_ping(&mut bench));
        lease(&mut bench);
        assert!(answers_ping(&mut bench));
    }
}

#[test]
fn guest_and_appliance_are_two_clients_on_one_hardware_address() {
    let mut bench = asking(Kind::IpPass);
    let ours = next(&mut bench, DISCOVER);
    assert_eq!(ours.hardware, NIC.0);
    // A guest's identifier, where it sends one of this form, is of the type of Ethernet.
    let identifier = ours.option(61).unwrap();
    assert_eq!(identifier, [&[0][..], &NIC.0].concat());
    let guests = Asked {
        kind: DISCOVER,
        transaction: [9, 9, 9, 9],
        hardware: NIC.0,
        options: vec![(61, [&[1][..], &NIC.0].concat())],
    };
    for to in [NIC, BROADCAST] {
        let offer = Answer {
            to,
            ..Answer::to(&guests, OFFER)
        };
        assert_eq!(bench.wire_sends(&offer.frame()), Verdict::Forward);
        let offer = Answer {
            to,
            ..Answer::to(&ours, OFFER)
        };
        assert_eq!(bench.wire_sends(&offer.frame()), Verdict::Stop);
    }
    assert_eq!(next(&mut bench, REQUEST).option(61), Some(identifier));
}

#[test]
fn a_lost_link_ends_the_lease_and_asks_anew() {
    let mut bench = asking(Kind::IpPass);
    lease(&mut bench);
    bench.lines.link = WireLink::Down;
    bench.run(SECOND);
    assert_eq!(bench.module.address(), None);
    assert_eq!(bench.sent(), None);
    bench.lines.link = WireLink::Up;
    lease(&mut bench);
    assert!(answers_ping(&mut bench));
}

#[test]
fn a_lease_is_renewed_at_half_of_its_time_and_given_up_at_its_end() {
    let mut bench = asking(Kind::IpPass);
    lease(&mut bench);
    while bench.sent().is_some() {}
    bench.now.0 += 1801 * SECOND;
    bench.wire_sends(&who_has(SERVER, GIVEN));
    let renewal = next(&mut bench, REQUEST);
    assert_eq!(renewal.option(50), None);
    bench.now.0 += 1800 * SECOND;
    bench.run(SECOND);
    assert_eq!(bench.module.address(), None);
}

#[test]
fn a_lease_outlives_the_moment_at_which_milliseconds_of_32_bits_wrap() {
    let mut bench = asking(Kind::IpPass);
    bench.now.0 = (u64::from(u32::MAX) - 2000) * MILLISECOND;
    while bench.sent().is_some() {}
    lease(&mut bench);
    bench.run(4 * SECOND);
    assert!(bench.now.0 > u64::from(u32::MAX) * MILLISECOND);
    assert!(answers_ping(&mut bench));
    assert_eq!(bench.module.address(), Some(GIVEN.parse().unwrap()));
}

#[test]
fn answers_to_somebody_else_or_of_another_transaction_change_nothing() {
    let mut bench = asking(Kind::IpPass);
    let discover = next(&mut bench, DISCOVER);
    let wrong = [
        Answer {
            transaction: [1, 2, 3, 4],
            ..Answer::to(&discover, OFFER)
        },
        Answer {
            hardware: PEER.0,
            ..Answer::to(&discover, OFFER)
        },
        Answer::to(&discover, ACK),
        Answer::to(&discover, 6),
        Answer {
            address: "0.0.0.0",
            ..Answer::to(&discover, OFFER)
        },
        Answer {
            address: "255.255.255.255",
            ..Answer::to(&discover, OFFER)
        },
        Answer::to(&discover, OFFER).set(54, &[1]),
    ];
    for answer in wrong {
        bench.wire_sends(&answer.frame());
        bench.run(SECOND);
        assert!(
            std::iter::from_fn(|| bench.sent()).all(|frame| Asked::read(&frame).unwrap().kind == DISCOVER)
        );
        assert_eq!(bench.module.address(), None);
    }
}

#[test]
fn an_address_that_no_host_can_have_is_not_taken_and_counted() {
    for (address, mask) in [
        ("127.0.0.1", [255, 0, 0, 0]),
        ("0.1.2.3", [255, 0, 0, 0]),
        ("192.0.2.255", [255, 255, 255, 0]),
        ("192.0.2.0", [255, 255, 255, 0]),
        ("192.0.2.77", [128, 0, 0, 0]),
        ("192.0.2.77", [0, 0, 0, 0]),
        ("240.0.0.1", [255, 255, 255, 0]),
    ] {
        let mut bench = asking(Kind::Ip);
        let discover = next(&mut bench, DISCOVER);
        let lie = |asked: &Asked, kind| {
            Answer {
                address,
                ..Answer::to(asked, kind)
            }
            .set(1, &mask)
            .frame()
        };
        bench.wire_sends(&lie(&discover, OFFER));
        let request = next(&mut bench, REQUEST);
        bench.wire_sends(&lie(&request, ACK));
        assert_eq!(bench.module.address(), None, "{address}");
        assert_eq!(bench.lost(Loss::BadLease), 1, "{address}");
    }
}

#[test]
fn a_router_outside_of_the_network_is_none_and_the_address_is_taken() {
    for router in ["203.0.113.1", "192.0.2.255", "224.0.0.1", GIVEN] {
        let mut bench = asking(Kind::Ip);
        let discover = next(&mut bench, DISCOVER);
        bench.wire_sends(&Answer::to(&discover, OFFER).frame());
        let request = next(&mut bench, REQUEST);
        let lie = Answer::to(&request, ACK).set(3, &v4(router).octets());
        bench.wire_sends(&lie.frame());
        assert_eq!(bench.module.address(), Some(GIVEN.parse().unwrap()));
        assert!(answers_ping(&mut bench));
    }
}

#[test]
fn a_server_cannot_make_the_appliance_ask_without_end() {
    let mut bench = asking(Kind::Ip);
    let mut asked = 0;
    let start = bench.now;
    while bench.now.0 - start.0 < 20 * SECOND {
        bench.run(MILLISECOND);
        while let Some(frame) = bench.sent() {
            let Some(message) = Asked::read(&frame) else {
                continue;
            };
            asked += 1;
            let kind = if message.kind == DISCOVER { OFFER } else { ACK };
            // A lease of no time at all.
            let lie = Answer::to(&message, kind).set(51, &[0; 4]);
            bench.wire_sends(&lie.frame());
        }
    }
    // Four at once, and one a second.
    assert!(asked <= 24, "{asked} messages in 20 s");
}

#[test]
fn huge_and_cut_options_break_nothing() {
    let mut bench = asking(Kind::Ip);
    let discover = next(&mut bench, DISCOVER);
    let mut huge = Answer::to(&discover, OFFER);
    huge.options = (1..5).map(|kind| (kind, vec![0xff; 250])).collect();
    let frame = huge.frame();
    for length in 0..frame.len() {
        bench.wire_sends(&frame[..length]);
    }
    bench.wire_sends(&frame);
    lease(&mut bench);
}
