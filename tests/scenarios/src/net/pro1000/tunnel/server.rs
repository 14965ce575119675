//! The other end of the tunnel: an engine at an address on the wire, and behind it a host that everybody reaches.

use super::host::Host;
use super::{ENDPOINT, FAR, PORT};
use crate::net::stack::bench::{NIC, PEER};
use crate::net::stack::neighbour::{arp, read_arp, read_udp, udp};
use sekisho_abi::network::Prefix;
use sekisho_crypto::secret::Secret;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::gateway::{Gateway, Outgoing, Setup};
use sekisho_mediator::seam::Instant;
use sekisho_models::sequence::Sequence;
use sekisho_vpn::{Clock, Config, Event, Outlet, PeerConfig, Random, Tunnel, Vectors};
use smoltcp::wire::{ArpOperation, ArpRepr};
use std::net::SocketAddr;

/// The far host's NIC.
const FAR_HARDWARE: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// Random enough for a test, and the same each time.
pub(super) struct Dice(pub(super) Sequence);

impl Random for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0.bytes(bytes.len()));
    }
}

/// Whether the other end is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    /// It answers.
    There,
    /// Its machine is on the wire, and nobody at the port.
    Mute,
    /// Nothing answers at its address.
    Gone,
}

pub(super) struct Server {
    pub(super) presence: Presence,
    /// Where it is.
    pub(super) address: String,
    pub(super) far: Host,
    /// What came out of the tunnel.
    pub(super) packets: Vec<Vec<u8>>,
    tunnel: Tunnel,
    dice: Dice,
    gateway: Gateway,
}

/// What the engine said.
#[derive(Default)]
struct Said {
    datagrams: Vec<(SocketAddr, Vec<u8>)>,
    packets: Vec<Vec<u8>>,
}

impl Outlet for Said {
    fn datagram(&mut self, to: SocketAddr, bytes: &[u8]) {
        self.datagrams.push((to, bytes.to_vec()));
    }

    fn packet(&mut self, bytes: &[u8]) {
        self.packets.push(bytes.to_vec());
    }

    fn event(&mut self, _: Event) {}
}

impl Server {
    pub(super) fn new(private: [u8; 32], client: [u8; 32], preshared: [u8; 32]) -> Self {
        let everywhere = sekisho_vpn::Prefix::new([10, 66, 0, 2].into(), 32).unwrap();
        let config = Config {
            private_key: Secret::new(private),
            mtu: 1420,
            vectors: Vectors::of_process(),
            peers: vec![PeerConfig {
                public_key: client,
                preshared_key: Some(Secret::new(preshared)),
                endpoint: None,
                allowed: vec![everywhere],
                keepalive: None,
            }],
        };
        let clock = Clock {
            now: sekisho_vpn::Instant(0),
            since_epoch: std::time::Duration::from_secs(1_790_000_000),
        };
        let address = Prefix {
            address: FAR.parse().unwrap(),
            length: 32,
        };
        Self {
            presence: Presence::There,
            address: ENDPOINT.into(),
            far: Host::new(FAR_HARDWARE),
            packets: Vec::new(),
            tunnel: Tunnel::new(config, clock).unwrap(),
            dice: Dice(Sequence::new(7)),
            gateway: Gateway::new(&Setup {
                addresses: &[address],
                servers: &[],
                mtu: 1420,
                nic: MacAddress(FAR_HARDWARE),
            }),
        }
    }

    /// Takes a frame off the wire; the frames that answer it.
    pub(super) fn take(&mut self, frame: &[u8], now: u64) -> Vec<Vec<u8>> {
        if self.presence == Presence::Gone {
            return Vec::new();
        }
        if let Some(ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_hardware_addr: from,
            source_protocol_addr: sender,
            target_protocol_addr: target,
            ..
        }) = read_arp(frame)
        {
            let is_ours = target.to_string() == self.address;
            let to = (MacAddress(from.0), &*sender.to_string());
            return is_ours
                .then(|| arp(ArpOperation::Reply, (PEER, &self.address), to))
                .into_iter()
                .collect();
        }
        let Some((ip, ports, mut data)) = read_udp(frame) else {
            return Vec::new();
        };
        if self.presence == Presence::Mute
            || ip.dst_addr.to_string() != self.address
            || ports.dst_port != PORT
        {
            return Vec::new();
        }
        let mut said = Said::default();
        let from = SocketAddr::new(ip.src_addr.into(), ports.src_port);
        let now = sekisho_vpn::Instant(now);
        self.tunnel
            .receive(from, &mut data, now, &mut self.dice, &mut said);
        self.carry(said)
    }

    /// Lets the far host and the timers go on; frames that leave.
    pub(super) fn poll(&mut self, now: u64) -> Vec<Vec<u8>> {
        self.far.poll(now);
        let mut said = Said::default();
        let at = sekisho_vpn::Instant(now);
        while let Some(mut frame) = self.far.queues.from_host.pop_front() {
            match self.gateway.outgoing(&mut frame, Instant(now)) {
                Ok(Outgoing::Packet(packet)) => self.tunnel.send(packet, at, &mut self.dice, &mut said),
                Ok(Outgoing::Reply(reply)) => self.far.queues.to_host.push_back(reply.to_vec()),
                _ => {}
            }
        }
        self.tunnel.poll(at, &mut self.dice, &mut said);
        self.carry(said)
    }

    fn carry(&mut self, said: Said) -> Vec<Vec<u8>> {
        for packet in said.packets {
            let mut copy = packet.clone();
            if let Ok((header, packet)) = self.gateway.incoming(&mut copy) {
                let frame = [&header[..], packet].concat();
                self.far.queues.to_host.push_back(frame);
            }
            self.packets.push(packet);
        }
        let frames = said.datagrams.iter().map(|(to, bytes)| {
            let ends = (&*self.address, &*to.ip().to_string());
            udp(NIC, ends, (PORT, to.port()), bytes)
        });
        frames.collect()
    }
}
