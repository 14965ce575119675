//! The whole way of a packet between a guest and the wire: frame of the guest's, gateway, seal, datagram, frame on the wire; and
//! back. Nanoseconds of a packet, as it is in a machine without what the NIC costs.
//!
//! Short runs over and over, of which the best counts. One line a figure: what, nanoseconds, with a tab between.

use sekisho_abi::network::{
    Addressing, Endpoint, Interface, Module as Kind, Network, Nic, Peer, Prefix, Tunnel as Policy,
};
use sekisho_mediator::clock::WallClock;
use sekisho_mediator::net::frame::{Frame, MacAddress, Offload};
use sekisho_mediator::net::module::vpn::{Entrusted, KeyKind, Vectors, open, seed};
use sekisho_mediator::net::module::{Module, Surroundings};
use sekisho_mediator::net::port::{Full, Outlets, WireLink};
use sekisho_mediator::net::syslog::Identity;
use sekisho_mediator::seam::Instant;
use sekisho_vpn::Tunnel;
use sekisho_wireguard::{Dice, Said, packet, private_key, public_key, tunnel};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{self, Duration, SystemTime, UNIX_EPOCH};

/// Bytes of the packets.
const LENGTHS: [usize; 2] = [1420, 64];
/// Packets in a run: as many as one poll takes.
const PACKETS: usize = 64;
const RUNS: usize = 2000;
/// The peer's, and the NIC's, which is the guest's too.
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 7];
const NIC: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// The appliance's address on the wire, and the peer's.
const OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);
const ENDPOINT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)), 51820);
/// What [`packet`] calls the guest, and who it talks to.
const GUEST: u8 = 1;
const FAR: u8 = 2;
/// Bytes before the datagram: Ethernet, IPv4, UDP.
const OUTER: usize = 14 + 20 + 8;
const MILLISECOND: u64 = 1_000_000;

fn main() {
    let mut scene = Scene::new();
    scene.meet();
    for length in LENGTHS {
        let (mut out, mut back) = (Duration::MAX, Duration::MAX);
        for _ in 0..RUNS {
            out = out.min(scene.out(length));
            back = back.min(scene.back(length));
        }
        for (what, best) in [("from the guest", out), ("to the guest", back)] {
            println!("{what}, {length} bytes\t{}", best.as_nanos() / PACKETS as u128);
        }
    }
}

/// The NIC: what was given to either side since it was emptied.
#[derive(Default)]
struct Lines {
    wire: Vec<Vec<u8>>,
    guest: usize,
}

impl Outlets for Lines {
    fn to_wire(&mut self, frame: Frame<'_>) -> Result<(), Full> {
        self.wire.push(frame.bytes.to_vec());
        Ok(())
    }

    fn wire(&self) -> WireLink {
        WireLink::Up
    }

    fn to_guest(&mut self, _: Frame<'_>) -> Result<(), Full> {
        self.guest += 1;
        Ok(())
    }
}

struct Scene {
    module: Module,
    lines: Lines,
    peer: Tunnel,
    dice: Dice,
    /// The appliance's port.
    port: [u8; 2],
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        Self {
            module: module(),
            lines: Lines::default(),
            peer: tunnel(FAR, GUEST, None, None),
            dice: Dice(1),
            port: [0; 2],
            now: Instant(0),
        }
    }

    /// Until both ends have keys.
    fn meet(&mut self) {
        self.poll();
        self.send(&packet(GUEST, FAR, b"hello"));
        self.poll();
        // The question for the peer's hardware address.
        self.lines.wire.clear();
        self.hear(&arp());
        self.now.0 += 1000 * MILLISECOND;
        self.poll();
        for _ in 0..3 {
            let frames = std::mem::take(&mut self.lines.wire);
            let answers: Vec<Vec<u8>> = frames.iter().flat_map(|frame| self.answer(frame)).collect();
            answers.iter().for_each(|frame| self.hear(frame));
            self.poll();
        }
        assert!(self.out(64) < Duration::MAX && self.back(64) < Duration::MAX);
    }

    /// What the peer sends when it gets a frame.
    fn answer(&mut self, frame: &[u8]) -> Vec<Vec<u8>> {
        let mut datagram = frame[OUTER..].to_vec();
        self.port = [frame[34], frame[35]];
        let from = SocketAddr::new(OWN.into(), u16::from_be_bytes(self.port));
        let mut said = Said::default();
        let now = sekisho_vpn::Instant(self.now.0);
        self.peer
            .receive(from, &mut datagram, now, &mut self.dice, &mut said);
        said.datagrams
            .iter()
            .map(|(_, bytes)| self.outer(bytes))
            .collect()
    }

    /// How long packets of the guest's take to the wire.
    fn out(&mut self, length: usize) -> Duration {
        let packet = packet(GUEST, FAR, &vec![0x5a; length - 20]);
        self.lines.wire.clear();
        let start = time::Instant::now();
        for _ in 0..PACKETS {
            self.send(&packet);
        }
        self.poll();
        let taken = start.elapsed();
        assert_eq!(self.lines.wire.len(), PACKETS);
        taken
    }

    /// How long datagrams of the peer's take to the guest.
    fn back(&mut self, length: usize) -> Duration {
        let packet = sound(packet(FAR, GUEST, &vec![0x5a; length - 20]));
        let now = sekisho_vpn::Instant(self.now.0);
        let mut said = Said::default();
        for _ in 0..PACKETS {
            self.peer.send(&packet, now, &mut self.dice, &mut said);
        }
        let frames: Vec<Vec<u8>> = said
            .datagrams
            .iter()
            .map(|(_, bytes)| self.outer(bytes))
            .collect();
        self.lines.guest = 0;
        let start = time::Instant::now();
        frames.iter().for_each(|frame| self.hear(frame));
        self.poll();
        let taken = start.elapsed();
        assert_eq!(self.lines.guest, PACKETS);
        taken
    }

    /// The guest sends a packet.
    fn send(&mut self, packet: &[u8]) {
        let packet = sound(packet.to_vec());
        let bytes = [&PEER[..], &NIC, &[8, 0], &packet].concat();
        self.module.outgoing(whole(&bytes), self.now);
    }

    /// A frame comes by the wire.
    fn hear(&mut self, frame: &[u8]) {
        self.module.incoming(whole(frame), self.now);
    }

    fn poll(&mut self) {
        self.module.poll(self.now, &mut self.lines);
    }

    /// The peer's datagram, in a frame; a checksum of zero is none (RFC 768).
    fn outer(&self, datagram: &[u8]) -> Vec<u8> {
        let length = |before: usize| u16::try_from(before + datagram.len()).unwrap().to_be_bytes();
        let IpAddr::V4(from) = ENDPOINT.ip() else {
            unreachable!("an IPv4 address");
        };
        let mut header = vec![0x45, 0];
        header.extend(length(28));
        header.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        header.extend(from.octets().into_iter().chain(OWN.octets()));
        let header = sound(header);
        let ports = [ENDPOINT.port().to_be_bytes(), self.port].concat();
        let udp = [&ports[..], &length(8), &[0, 0]].concat();
        [&NIC[..], &PEER, &[8, 0], &header, &udp, datagram].concat()
    }
}

fn whole(bytes: &[u8]) -> Frame<'_> {
    Frame {
        bytes,
        offload: Offload::default(),
    }
}

/// The packet with its header's checksum (RFC 1071).
fn sound(mut packet: Vec<u8>) -> Vec<u8> {
    packet[10..12].fill(0);
    let words = packet[..20].chunks_exact(2);
    let sum: u32 = words
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let sum = u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap();
    packet[10..12].copy_from_slice(&(!sum).to_be_bytes());
    packet
}

/// The peer says where it is.
fn arp() -> Vec<u8> {
    let IpAddr::V4(from) = ENDPOINT.ip() else {
        unreachable!("an IPv4 address");
    };
    let head = [8, 6, 0, 1, 8, 0, 6, 4, 0, 2];
    let ends = [&PEER[..], &from.octets(), &NIC, &OWN.octets()].concat();
    [&NIC[..], &PEER, &head, &ends, &[0; 18]].concat()
}

/// The module of a NIC with a tunnel.
fn module() -> Module {
    let everywhere = Prefix {
        address: Ipv4Addr::UNSPECIFIED.into(),
        length: 0,
    };
    let policy = Policy {
        name: "bench".into(),
        addresses: vec![Prefix {
            address: Ipv4Addr::new(10, 0, 0, GUEST).into(),
            length: 24,
        }],
        dns: Vec::new(),
        mtu: 1420,
        private_key: "own".into(),
        peers: vec![Peer {
            public_key: public_key(FAR),
            preshared_key: None,
            endpoint: Endpoint::Address(ENDPOINT),
            allowed: vec![everywhere],
            keepalive: None,
        }],
    };
    let nic = Nic {
        entry: 0,
        module: Kind::Vpn { tunnel: 0 },
        interface: Some(0),
        log: false,
    };
    let network = Network {
        nics: vec![nic],
        interfaces: vec![Interface {
            addressing: Addressing::Static(Prefix {
                address: OWN.into(),
                length: 24,
            }),
            gateway: None,
            dns: Vec::new(),
            mac: None,
        }],
        tunnels: Vec::new(),
        syslog: None,
        echo: None,
    };
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let clock = Some(WallClock {
        at: Instant(0),
        since_1970: u64::try_from(since_1970.as_nanos()).unwrap_or(u64::MAX),
    });
    let around = Surroundings {
        nic: MacAddress(NIC),
        seed: 1,
        identity: Identity::new("bench", [0; 32], MacAddress(NIC), 1),
        clock,
    };
    let own = private_key(GUEST);
    let key = |kind: KeyKind, _: &str| (kind == KeyKind::Private).then_some(&own);
    let entrusted = Entrusted {
        key: &key,
        seed: seed(&[1; 32], &[], &NIC),
        clock,
        vectors: Vectors::of_process(),
    };
    let opened = open(&policy, entrusted).expect("a tunnel");
    Module::with_tunnel(&network, &nic, &around, &policy, opened)
}
