//! `net = "vpn"`, whole: a host behind the guest's driver, the mediator, the NIC's model, and on its wire the other end of the
//! tunnel. Every frame on that wire is judged.

mod host;
mod leaks;
mod names;
mod server;
mod use_of_it;

use super::Scene;
use crate::net::frames::GUEST;
use crate::net::stack::bench::{NIC, prefix};
use crate::net::stack::neighbour::{read_arp, read_udp, v4};
use host::Host;
use names::NameServer;
use sekisho_abi::network::{
    Addressing, Endpoint, Interface, Module as Kind, Network, Nic, Peer, Syslog, SyslogFormat, Tunnel, Via,
};
use sekisho_crypto::secret::Secret;
use sekisho_crypto::x25519::public_key;
use sekisho_mediator::clock::WallClock;
use sekisho_mediator::log::{Event, Line, Log, Sink};
use sekisho_mediator::net::loss::Loss;
use sekisho_mediator::net::module::vpn::{Entrusted, KeyKind, Vectors, open, seed};
use sekisho_mediator::net::module::{Module, Surroundings};
use sekisho_mediator::net::syslog::Identity;
use sekisho_mediator::seam::{Host as _, Instant};
use sekisho_models::guest::{Form, Pro1000Driver};
use sekisho_models::pro1000::Flavour;
use server::{Presence, Server};
use smoltcp::socket::tcp;
use smoltcp::wire::EthernetFrame;

/// The appliance, outside.
const OURS: &str = "192.0.2.11";
/// The other end of the tunnel, on the same wire.
const ENDPOINT: &str = "192.0.2.7";
const PORT: u16 = 51820;
/// A host behind the other end.
const FAR: &str = "198.51.100.7";
/// What a guest says that nobody outside may read.
const SECRET: &[u8] = b"the guest's secret, in clear";

const PRIVATE: [u8; 32] = [0x11; 32];
const SERVER_PRIVATE: [u8; 32] = [0x22; 32];
const PRESHARED: [u8; 32] = [0x33; 32];
const MILLISECOND: u64 = 1_000_000;

/// What of the policy differs between scenarios.
struct Case {
    endpoint: Endpoint,
    syslog: Option<Via>,
    /// The key store, by name.
    private: &'static str,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::Address(format!("{ENDPOINT}:{PORT}").parse().unwrap()),
            syslog: None,
            private: "hq",
        }
    }
}

impl Case {
    fn module(self) -> Module {
        let tunnel = Tunnel {
            name: "hq".into(),
            addresses: vec![prefix("10.66.0.2/32")],
            dns: vec!["10.66.0.1".parse().unwrap()],
            mtu: 1420,
            private_key: "hq".into(),
            peers: vec![Peer {
                public_key: public_key(&Secret::new(SERVER_PRIVATE)),
                preshared_key: Some("psk".into()),
                endpoint: self.endpoint,
                allowed: vec![prefix("0.0.0.0/0")],
                keepalive: None,
            }],
        };
        let nic = Nic {
            entry: 0,
            module: Kind::Vpn { tunnel: 0 },
            interface: Some(0),
            log: self.syslog.is_some(),
        };
        let network = Network {
            nics: vec![nic],
            interfaces: vec![Interface {
                addressing: Addressing::Static(prefix("192.0.2.11/24")),
                gateway: None,
                dns: vec![RESOLVER.parse().unwrap()],
                mac: None,
            }],
            tunnels: Vec::new(),
            syslog: self.syslog.map(|via| Syslog {
                to: format!("{FAR}:514").parse().unwrap(),
                via,
                format: SyslogFormat::Rfc5424,
                source: None,
                mac: None,
            }),
            echo: None,
        };
        let clock = Some(WallClock {
            at: Instant(0),
            since_1970: 1_790_000_000 * 1000 * MILLISECOND,
        });
        let around = Surroundings {
            nic: NIC,
            seed: 0x5eed,
            identity: Identity::new("test", [0xab; 32], NIC, 1),
            clock,
        };
        let private = self.private;
        let key = |kind: KeyKind, name: &str| match (kind, name) {
            (KeyKind::Private, name) if name == private => Some(&PRIVATE),
            (KeyKind::Preshared, "psk") => Some(&PRESHARED),
            _ => None,
        };
        let entrusted = Entrusted {
            key: &key,
            seed: seed(&[0x44; 32], &[], &NIC.0),
            clock,
            vectors: Vectors::of_process(),
        };
        let opened = open(&tunnel, entrusted).unwrap();
        Module::with_tunnel(&network, &nic, &around, &tunnel, opened)
    }
}

/// The name server of the appliance.
const RESOLVER: &str = "192.0.2.53";

/// Nowhere.
struct Dark;

impl Sink for Dark {
    fn line(&mut self, _: &Line) {}
}

/// Everything.
struct Tunnelled {
    scene: Scene,
    driver: Pro1000Driver,
    guest: Host,
    server: Server,
    resolver: NameServer,
    log: Log,
    /// Every frame that was on the wire from the appliance's side.
    wire: Vec<Vec<u8>>,
    /// Connections so far: each has ports of its own.
    connections: u16,
}

impl Tunnelled {
    fn new(flavour: Flavour, case: Case) -> Self {
        let mut scene = Scene::with(flavour, case.module(), None);
        scene.nic.poll(&mut scene.device, &mut scene.memory);
        let driver = scene.driver(Form::Legacy);
        let client = public_key(&Secret::new(PRIVATE));
        Self {
            scene,
            driver,
            guest: Host::new(GUEST),
            server: Server::new(SERVER_PRIVATE, client, PRESHARED),
            resolver: NameServer::new(ENDPOINT),
            log: Log::new(64),
            wire: Vec::new(),
            connections: 0,
        }
    }

    /// The same, with the guest configured.
    fn configured(flavour: Flavour, case: Case) -> Self {
        let mut all = Self::new(flavour, case);
        all.run(12_000);
        assert!(all.guest.is_configured());
        all
    }

    /// Everything goes on for so many milliseconds.
    fn run(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds {
            self.step();
        }
    }

    fn step(&mut self) {
        self.scene.memory.pass(MILLISECOND);
        let now = self.scene.memory.now().0;
        self.guest.poll(now);
        while let Some(frame) = self.guest.queues.from_host.pop_front() {
            self.driver.send(&mut self.scene, &frame);
        }
        self.driver.reap();
        self.carry();
    }

    /// Carries what the guest has given to the NIC, and what comes back.
    fn carry(&mut self) {
        let now = self.scene.memory.now();
        let Scene { nic, device, memory } = &mut self.scene;
        nic.collect(&self.log, now);
        nic.poll(device, memory);
        device.run();
        let mut answers = self.server.poll(now.0);
        for frame in device.take_sent() {
            answers.extend(self.server.take(&frame, now.0));
            answers.extend(self.resolver.take(&frame));
            self.wire.push(frame);
        }
        for frame in answers {
            device.inject(&frame);
        }
        device.run();
        nic.poll(device, memory);
        let received = self.scene.interrupt(&mut self.driver);
        let received = received.into_iter().map(|frame| frame.bytes);
        self.guest.queues.to_host.extend(received);
    }

    /// The guest's driver sends a frame of another's making.
    fn send(&mut self, frame: &[u8]) {
        self.driver.send(&mut self.scene, frame);
        self.driver.reap();
        self.carry();
    }

    fn lost(&mut self, loss: Loss) -> u64 {
        self.scene.nic.module().losses().unwrap().count(loss)
    }

    fn notices(&mut self) -> Vec<String> {
        let module = self.scene.nic.module();
        std::iter::from_fn(|| module.take_notice())
            .map(|notice| format!("{} {notice}", notice.event()))
            .collect()
    }

    fn write_line(&mut self, text: &str) {
        self.log.write(&mut Dark, Event::STARTED, format_args!("{text}"));
    }

    /// Sends bytes to a TCP server behind the tunnel that sends them back; what came.
    fn exchange(&mut self, bytes: &[u8], milliseconds: u64) -> Vec<u8> {
        self.connections += 1;
        let theirs = self.server.far.socket();
        self.server.far.tcp(theirs).0.listen(self.connections).unwrap();
        let ours = self.guest.socket();
        let (socket, interface) = self.guest.tcp(ours);
        let to = (v4(FAR), self.connections);
        let from = 50_000 + self.connections;
        socket.connect(interface.context(), to, from).unwrap();
        let (mut sent, mut back) = (0, Vec::new());
        for _ in 0..milliseconds {
            let socket = self.guest.tcp(ours).0;
            if socket.can_send() {
                sent += socket.send_slice(&bytes[sent..]).unwrap();
            }
            receive(socket, &mut back);
            let socket = self.server.far.tcp(theirs).0;
            let mut taken = Vec::new();
            if socket.can_recv() && socket.send_capacity() - socket.send_queue() >= socket.recv_queue() {
                receive(socket, &mut taken);
                assert_eq!(socket.send_slice(&taken), Ok(taken.len()));
            }
            self.step();
            if back.len() == bytes.len() {
                break;
            }
        }
        back
    }

    /// Whether the wire has seen nothing but what the appliance may say: ARP for the other end and the resolver, and the
    /// tunnel's datagrams to the one endpoint.
    fn assert_tight(&self) {
        self.assert_tight_but(|_| false);
    }

    /// The same, but for frames that `may` also be there.
    fn assert_tight_but(&self, may: impl Fn(&[u8]) -> bool) {
        for frame in &self.wire {
            let ethernet = EthernetFrame::new_checked(&frame[..]).unwrap();
            assert_eq!(ethernet.src_addr().0, NIC.0, "{frame:02x?}");
            assert!(
                !frame.windows(SECRET.len()).any(|window| window == SECRET),
                "in clear: {frame:02x?}"
            );
            let is_way = read_arp(frame).is_some_and(|repr| {
                let smoltcp::wire::ArpRepr::EthernetIpv4 {
                    source_protocol_addr, ..
                } = repr
                else {
                    return false;
                };
                source_protocol_addr.to_string() == OURS
            });
            let is_tunnel = || {
                read_udp(frame).is_some_and(|(ip, ports, data)| {
                    let is_message = data.len() >= 32 && matches!(data[..4], [1 | 2 | 4, 0, 0, 0]);
                    ip.src_addr.to_string() == OURS
                        && ip.dst_addr.to_string() == self.server.address
                        && ports.dst_port == PORT
                        && is_message
                })
            };
            assert!(is_way || may(frame) || is_tunnel(), "on the wire: {frame:02x?}");
        }
    }
}

fn receive(socket: &mut tcp::Socket<'_>, into: &mut Vec<u8>) {
    while socket.can_recv() {
        let taken = socket.recv(|bytes| (bytes.len(), bytes.to_vec())).unwrap();
        into.extend(taken);
    }
}
