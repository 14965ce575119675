//! Frames from outside and from the guest into every module: TCP, UDP, ICMP, ARP, neighbour discovery and DHCP with right
//! checksums and anything else in them, fragments, tags, noise; while time jumps, the link comes and goes, and the log is
//! written.
//!
//! What must hold: nothing panics; what leaves is a frame; what is forwarded to the guest is not the appliance's; a guest that
//! is cut off gets and sends nothing.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_abi::network::{
    Addressing, Echo, Interface, Module as Kind, Network, Nic, Prefix, Syslog, SyslogFormat, Via,
};
use sekisho_mediator::log::{Event, Line, Log, Sink};
use sekisho_mediator::net::frame::{Frame, MacAddress, Offload};
use sekisho_mediator::net::module::{Module, Surroundings};
use sekisho_mediator::net::port::{Full, Outlets, Verdict, WireLink};
use sekisho_mediator::net::syslog::Identity;
use sekisho_mediator::seam::Instant;
use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, Icmpv4Packet, Icmpv6Packet, IpAddress, IpProtocol, Ipv4Packet,
    Ipv6Packet, TcpPacket, UdpPacket,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Steps of one input at most.
const STEPS: usize = 64;
const NIC: MacAddress = MacAddress([0x52, 0x54, 0, 0, 0, 0x11]);
const OWN: MacAddress = MacAddress([0x52, 0x54, 0, 0xaa, 0, 1]);
const OURS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);
const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OURS_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x11);
const PEER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// What the policy says.
#[derive(Arbitrary, Debug)]
struct Policy {
    kind: u8,
    addressing: u8,
    has_own_hardware: bool,
    logs: bool,
}

#[derive(Arbitrary, Debug)]
enum Step {
    /// A frame comes by the wire.
    Wire(Content),
    /// The guest sends one.
    Guest(Content),
    /// Milliseconds pass.
    Wait(u32),
    /// The module is polled.
    Poll,
    /// The link changes.
    Link,
    /// The NIC has room for so many frames.
    Room(u8),
    /// A line is written.
    Line,
}

/// A frame, made as far as it must be to get where it is meant.
#[derive(Arbitrary, Debug)]
enum Content {
    Noise(Vec<u8>),
    /// Of this EtherType, to the appliance.
    Kind(u16, Vec<u8>),
    /// An IPv4 packet with this content, repaired; flags and offset of a fragment.
    V4(u8, u16, Vec<u8>),
    V6(u8, Vec<u8>),
    /// A TCP segment that takes up the last one that left.
    Tcp([u8; 8], Vec<u8>),
    /// A DHCP reply to the last request that left, with these options.
    Dhcp([u8; 4], u8, Vec<u8>),
    /// The same with a priority tag.
    Tagged(u16, Vec<u8>),
}

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    let Ok(policy) = Policy::arbitrary(&mut input) else {
        return;
    };
    let mut scene = Scene::new(&policy);
    // Too short an input ends early; that is no finding.
    let _ = scene.run(&mut input);
});

/// The wire.
struct Lines {
    link: WireLink,
    room: usize,
    sent: Vec<Vec<u8>>,
}

impl Outlets for Lines {
    fn to_wire(&mut self, frame: Frame<'_>) -> std::result::Result<(), Full> {
        assert!((60..=1514).contains(&frame.bytes.len()));
        assert!(EthernetFrame::new_checked(frame.bytes).is_ok());
        assert_eq!(self.link, WireLink::Up, "sent without a link");
        self.room = self.room.checked_sub(1).ok_or(Full)?;
        self.sent.push(frame.bytes.to_vec());
        Ok(())
    }

    fn wire(&self) -> WireLink {
        self.link
    }

    fn to_guest(&mut self, _: Frame<'_>) -> std::result::Result<(), Full> {
        panic!("no module has frames of its own for the guest")
    }
}

struct Dark;

impl Sink for Dark {
    fn line(&mut self, _: &Line) {}
}

struct Scene {
    module: Module,
    kind: Kind,
    lines: Lines,
    log: Log,
    now: Instant,
    /// Transaction of the last DHCP request; source port, sequence and acknowledgement that suit the last TCP segment.
    transaction: [u8; 4],
    segment: (u32, u32),
}

impl Scene {
    fn new(policy: &Policy) -> Self {
        let kinds = [Kind::Pass, Kind::Null, Kind::Ip, Kind::IpPass, Kind::Own];
        let kind = kinds[usize::from(policy.kind) % kinds.len()];
        let prefix = |address, length| Addressing::Static(Prefix { address, length });
        let interface = Interface {
            addressing: match policy.addressing % 3 {
                0 => prefix(IpAddr::V4(OURS), 24),
                1 => prefix(IpAddr::V6(OURS_V6), 64),
                _ => Addressing::Dhcp,
            },
            gateway: None,
            dns: Vec::new(),
            mac: policy.has_own_hardware.then_some(OWN.0),
        };
        let everybody = |address| Prefix { address, length: 0 };
        let network = Network {
            nics: Vec::new(),
            interfaces: vec![interface],
            tunnels: Vec::new(),
            syslog: Some(Syslog {
                to: (PEER, 514).into(),
                via: Via::Outside,
                format: SyslogFormat::Rfc5424,
                source: None,
                mac: None,
            }),
            echo: Some(Echo {
                allow: vec![
                    everybody(Ipv4Addr::UNSPECIFIED.into()),
                    everybody(Ipv6Addr::UNSPECIFIED.into()),
                ],
                client: Some((PEER, 7).into()),
            }),
        };
        let nic = Nic {
            entry: 0,
            module: kind,
            interface: Some(0),
            log: policy.logs,
        };
        let around = Surroundings {
            nic: NIC,
            seed: 1,
            identity: Identity::new("fuzz", [0; 32], NIC, 1),
            clock: None,
        };
        Self {
            module: Module::new(&network, &nic, &around),
            kind,
            lines: Lines {
                link: WireLink::Up,
                room: usize::MAX,
                sent: Vec::new(),
            },
            log: Log::new(8),
            now: Instant(1_000_000_000),
            transaction: [0; 4],
            segment: (0, 0),
        }
    }

    fn run(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        self.poll();
        for _ in 0..STEPS {
            match Step::arbitrary(input)? {
                Step::Wire(content) => {
                    let bytes = self.frame(&content);
                    self.from_outside(&bytes);
                }
                Step::Guest(content) => {
                    let bytes = self.frame(&content);
                    self.from_inside(&bytes);
                }
                Step::Wait(milliseconds) => self.now.0 += u64::from(milliseconds) * 1_000_000,
                Step::Poll => self.poll(),
                Step::Link => {
                    self.lines.link = match self.lines.link {
                        WireLink::Up => WireLink::Down,
                        WireLink::Down => WireLink::Up,
                    };
                }
                Step::Room(room) => self.lines.room = usize::from(room),
                Step::Line => self.log.write(&mut Dark, Event::STARTED, format_args!("line")),
            }
        }
        self.poll();
        Ok(())
    }

    fn from_outside(&mut self, bytes: &[u8]) {
        let frame = Frame {
            bytes,
            offload: Offload::default(),
        };
        let ours = self.module.address();
        let verdict = self.module.incoming(frame, self.now);
        if verdict == Verdict::Forward {
            assert!(matches!(self.kind, Kind::Pass | Kind::IpPass));
            let destination = EthernetFrame::new_checked(bytes).ok();
            let is_unicast = destination.is_some_and(|frame| frame.dst_addr().is_unicast());
            let ends = ends(bytes);
            assert!(
                !is_unicast || ends.is_none() || ends.map(|ends| ends.1) != ours,
                "the guest got ours"
            );
        }
    }

    fn from_inside(&mut self, bytes: &[u8]) {
        let frame = Frame {
            bytes,
            offload: Offload::default(),
        };
        let ours = self.module.address();
        if self.module.outgoing(frame, self.now) == Verdict::Forward {
            assert!(matches!(self.kind, Kind::Pass | Kind::IpPass));
            let ends = ends(bytes);
            assert!(
                ends.is_none() || ends.map(|ends| ends.0) != ours,
                "the guest spoke for us"
            );
        }
    }

    fn poll(&mut self) {
        self.module.collect(&self.log, self.now);
        if let Some(again) = self.module.poll(self.now, &mut self.lines) {
            assert!(again.0 + 1000 >= self.now.0, "due in the past");
        }
        for frame in std::mem::take(&mut self.lines.sent) {
            self.learn(&frame);
        }
    }

    fn learn(&mut self, bytes: &[u8]) {
        let frame = EthernetFrame::new_unchecked(bytes);
        let Ok(packet) = Ipv4Packet::new_checked(frame.payload()) else {
            return;
        };
        match packet.next_header() {
            IpProtocol::Udp if packet.payload().len() > 240 => {
                self.transaction.copy_from_slice(&packet.payload()[12..16]);
            }
            IpProtocol::Tcp => {
                let Ok(segment) = TcpPacket::new_checked(packet.payload()) else {
                    return;
                };
                let next = segment.seq_number() + segment.segment_len();
                self.segment = (segment.ack_number().0 as u32, next.0 as u32);
            }
            _ => {}
        }
    }

    fn frame(&self, content: &Content) -> Vec<u8> {
        match content {
            Content::Noise(bytes) => bytes.clone(),
            Content::Kind(kind, bytes) => self.ethernet(*kind, bytes),
            Content::V4(protocol, fragment, bytes) => {
                self.ethernet(0x0800, &self.ipv4(*protocol, *fragment, bytes))
            }
            Content::V6(next, bytes) => self.ethernet(0x86dd, &ipv6(*next, bytes)),
            Content::Tcp([flags, options, window, port, shift @ ..], data) => {
                let mut segment = vec![0; 20];
                segment[..2].copy_from_slice(&(1000 + u16::from(*port & 3)).to_be_bytes());
                segment[3] = 7;
                let sequence = self.segment.0.wrapping_add(u32::from_be_bytes(*shift) & 0xff);
                segment[4..8].copy_from_slice(&sequence.to_be_bytes());
                segment[8..12].copy_from_slice(&self.segment.1.to_be_bytes());
                segment[12] = (5 + options % 3) << 4;
                segment[13] = *flags;
                segment[14] = *window;
                segment.extend(data);
                self.ethernet(0x0800, &self.ipv4(6, 0, &segment))
            }
            Content::Dhcp(address, kind, options) => {
                let mut message = vec![0; 248];
                message[1] = 67;
                message[3] = 68;
                message[8..12].copy_from_slice(&[2, 1, 6, 0]);
                message[12..16].copy_from_slice(&self.transaction);
                message[24..28].copy_from_slice(address);
                message[36..42].copy_from_slice(&self.hardware().0);
                message[244..248].copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
                message.extend([53, 1, *kind, 54, 4, 192, 0, 2, 1]);
                message.extend(options);
                self.ethernet(0x0800, &self.ipv4(17, 0, &message))
            }
            Content::Tagged(tag, bytes) => {
                let [high, low] = tag.to_be_bytes();
                let mut payload = vec![high, low, 8, 0];
                payload.extend(self.ipv4(1, 0, bytes));
                self.ethernet(0x8100, &payload)
            }
        }
    }

    fn hardware(&self) -> MacAddress {
        self.module.hardware().unwrap_or(NIC)
    }

    fn ethernet(&self, kind: u16, payload: &[u8]) -> Vec<u8> {
        let mut bytes = [
            &self.hardware().0[..],
            &[0x52, 0x54, 0, 0, 0, 1],
            &kind.to_be_bytes(),
        ]
        .concat();
        bytes.extend(payload);
        bytes
    }

    fn ipv4(&self, protocol: u8, fragment: u16, content: &[u8]) -> Vec<u8> {
        let ours = match self.module.address() {
            Some(IpAddr::V4(ours)) => ours,
            _ => OURS,
        };
        let mut bytes = vec![0; 20];
        bytes.extend(content);
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        let mut packet = Ipv4Packet::new_unchecked(&mut bytes[..]);
        packet.set_version(4);
        packet.set_header_len(20);
        packet.set_total_len(length);
        packet.set_hop_limit(64);
        packet.set_next_header(protocol.into());
        packet.set_src_addr(PEER);
        packet.set_dst_addr(ours);
        packet.set_ident(fragment & 3);
        packet.set_more_frags(fragment & 0x8000 != 0);
        packet.set_frag_offset(fragment & 0x7ff8);
        packet.fill_checksum();
        seal(protocol, packet.payload_mut(), PEER.into(), ours.into());
        bytes
    }
}

fn ipv6(next: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 40];
    bytes.extend(content);
    let mut packet = Ipv6Packet::new_unchecked(&mut bytes[..]);
    packet.set_version(6);
    packet.set_payload_len(u16::try_from(content.len()).unwrap_or(u16::MAX));
    packet.set_hop_limit(255);
    packet.set_next_header(next.into());
    packet.set_src_addr(PEER_V6);
    packet.set_dst_addr(OURS_V6);
    seal(next, packet.payload_mut(), PEER_V6.into(), OURS_V6.into());
    bytes
}

/// Makes a checksum right, where the content is long enough to have one.
fn seal(protocol: u8, content: &mut [u8], from: IpAddress, to: IpAddress) {
    match (protocol, content.len()) {
        (1, 8..) => Icmpv4Packet::new_unchecked(content).fill_checksum(),
        (6, 20..) => TcpPacket::new_unchecked(content).fill_checksum(&from, &to),
        (17, 8..) => {
            let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
            let mut packet = UdpPacket::new_unchecked(content);
            packet.set_len(length);
            packet.fill_checksum(&from, &to);
        }
        (58, 8..) => {
            if let (IpAddress::Ipv6(from), IpAddress::Ipv6(to)) = (from, to) {
                Icmpv6Packet::new_unchecked(content).fill_checksum(&from, &to);
            }
        }
        _ => {}
    }
}

/// Source and destination of an untagged packet.
fn ends(bytes: &[u8]) -> Option<(IpAddr, IpAddr)> {
    let frame = EthernetFrame::new_checked(bytes).ok()?;
    match frame.ethertype() {
        EthernetProtocol::Ipv4 => {
            let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
            Some((packet.src_addr().into(), packet.dst_addr().into()))
        }
        EthernetProtocol::Ipv6 => {
            let packet = Ipv6Packet::new_checked(frame.payload()).ok()?;
            Some((packet.src_addr().into(), packet.dst_addr().into()))
        }
        _ => None,
    }
}
