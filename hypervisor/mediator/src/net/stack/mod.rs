//! The appliance's own IP stack on one NIC: smoltcp over bounded queues, with addresses, echo service and DHCP from the policy.
//!
//! Hostile: every frame. Who calls has let in only what is for the appliance; what smoltcp then makes of it costs one bounded
//! step a frame. Everything is allocated when the stack is made, and nothing afterwards.

mod addresses;
mod device;
mod echo;
mod lease;
mod queue;
mod reassembly;
mod request;
mod resolver;
mod tunnel;

pub(crate) use addresses::Addresses;
pub use echo::EchoCounts;
pub(crate) use queue::{LONGEST, Queue, Refused, SHORTEST};
pub(crate) use reassembly::BOUND;
pub(crate) use resolver::{Answer, NameServers, PORT as NAME_SERVER_PORT};
pub(crate) use tunnel::LONGEST_DATAGRAM;

use crate::net::frame::{Frame, MacAddress};
use crate::net::header::Header;
use crate::net::port::Outlets;
use crate::seam::Instant;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use core::num::NonZeroU16;
use device::Wire;
use echo::EchoService;
use lease::Lease;
use request::Request;
use resolver::{Resolver, Version};
use sekisho_abi::network::{Addressing, Echo, Interface as Own};
use smoltcp::iface::{Config, Interface, PollIngressSingleResult, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::udp;
use smoltcp::time;
use smoltcp::wire::{EthernetAddress, HardwareAddress};
use tunnel::TunnelSocket;

/// Frames from outside that one poll looks at; the rest waits for the next.
const FRAMES_A_POLL: usize = 64;
/// Rounds in which one poll lets every socket send a frame.
const ROUNDS_A_POLL: usize = 64;
/// Times that one poll fills the way out and empties it.
const BATCHES_A_POLL: usize = 16;
/// Datagrams of the log that wait for the way to the collector, and their bytes.
const LOG_DATAGRAMS: usize = 16;
const LOG_BYTES: usize = 16 * 1024;

/// What a stack is made of.
pub(crate) struct Setup<'p> {
    /// The NIC's hardware address.
    pub(crate) nic: MacAddress,
    /// The policy's interface; none where frames of the log are all that leaves, and are made elsewhere.
    pub(crate) own: Option<&'p Own>,
    /// The echo service, where it is for this NIC.
    pub(crate) echo: Option<&'p Echo>,
    /// The log's collector, if the log leaves here.
    pub(crate) collector: Option<IpAddr>,
    /// Our UDP port of a tunnel, if one leaves here; then names are resolved too.
    pub(crate) tunnel: Option<NonZeroU16>,
    /// Random, another at every boot: ports, sequence numbers and transactions come from it.
    pub(crate) seed: u64,
}

/// A stack.
pub(crate) struct Stack {
    interface: Interface,
    sockets: SocketSet<'static>,
    wire: Wire,
    addresses: Addresses,
    lease: Option<Lease>,
    echo: Option<EchoService>,
    log: Option<SocketHandle>,
    tunnel: Option<TunnelSocket>,
    resolver: Option<Resolver>,
}

impl Stack {
    /// A stack, boxed: it is large, and moves for no reason.
    pub(crate) fn new(setup: &Setup<'_>) -> Box<Self> {
        let own_hardware = setup.own.and_then(|own| own.mac);
        let hardware = own_hardware.map_or(setup.nic, MacAddress);
        let mut wire = Wire::new(setup.collector);
        let mut config = Config::new(HardwareAddress::Ethernet(EthernetAddress(hardware.0)));
        config.random_seed = setup.seed;
        let mut interface = Interface::new(config, &mut wire, time::Instant::ZERO);
        let mut sockets = SocketSet::new(Vec::new());
        reassembly::warm_up(&mut interface, &mut sockets, &mut wire, hardware);
        let mut addresses = Addresses::none(hardware, hardware != setup.nic);
        let mut lease = None;
        match setup.own.map(|own| own.addressing) {
            Some(Addressing::Static(prefix)) => {
                let gateway = setup.own.and_then(|own| own.gateway);
                addresses.set(&mut interface, Some(prefix), gateway);
            }
            Some(Addressing::Dhcp) => lease = Some(Lease::new(&mut sockets)),
            None => {}
        }
        let servers = setup.own.map_or(&[][..], |own| &own.dns);
        Box::new(Self {
            lease,
            tunnel: setup
                .tunnel
                .map(|port| TunnelSocket::new(port.get(), &mut sockets)),
            resolver: setup.tunnel.map(|_| Resolver::new(servers, &mut sockets)),
            echo: setup.echo.map(|echo| EchoService::new(echo, &mut sockets)),
            log: setup.collector.map(|_| log_socket(&mut sockets)),
            interface,
            sockets,
            wire,
            addresses,
        })
    }

    /// Who the appliance is on this NIC now.
    pub(crate) const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Takes a copy of a frame that is for the appliance, given as its first bytes and the rest.
    pub(crate) fn receive(&mut self, head: &[u8], tail: &[u8]) -> Result<(), Refused> {
        self.wire.inbox.push(head, tail)?;
        if let Some(frame) = self.wire.inbox.last_mut().filter(|_| self.lease.is_some()) {
            Request::unmark(frame);
        }
        Ok(())
    }

    /// Looks at what has come, does what is due, and gives out what that led to. When it wants to be polled again, if it knows.
    pub(crate) fn poll(&mut self, now: Instant, out: &mut impl Outlets) -> Polled {
        let at = instant(now);
        self.interface.poll_maintenance(at);
        for _ in 0..FRAMES_A_POLL {
            let Self {
                interface,
                sockets,
                wire,
                ..
            } = self;
            if interface.poll_ingress_single(at, wire, sockets) == PollIngressSingleResult::None {
                break;
            }
        }
        let bad_lease = self.follow_lease();
        if let Some(echo) = &mut self.echo {
            echo.poll(&mut self.interface, &mut self.sockets, now);
        }
        for _ in 0..BATCHES_A_POLL {
            self.send(at);
            self.drain(out);
            if !self.wire.outbox.is_empty() || !self.has_to_send() {
                break;
            }
        }
        if let Some(tunnel) = &mut self.tunnel {
            tunnel.make_room(&mut self.sockets, now);
        }
        Polled {
            again: self.next_poll(at),
            bad_lease,
        }
    }

    fn send(&mut self, at: time::Instant) {
        let Self {
            interface,
            sockets,
            wire,
            ..
        } = self;
        for _ in 0..ROUNDS_A_POLL {
            if interface.poll_egress(at, wire, sockets) == PollResult::None {
                break;
            }
        }
        self.addresses.request = self.wire.notes.request;
    }

    /// Gives frames to the NIC until it has no room.
    pub(crate) fn drain(&mut self, out: &mut impl Outlets) {
        while let Some(bytes) = self.wire.outbox.front() {
            let frame = Frame {
                bytes,
                offload: crate::net::frame::Offload::default(),
            };
            if out.to_wire(frame).is_err() {
                break;
            }
            self.wire.outbox.pop();
        }
    }

    fn next_poll(&mut self, at: time::Instant) -> Option<Instant> {
        if !self.wire.inbox.is_empty() || !self.wire.outbox.is_empty() {
            return Some(nanoseconds(at));
        }
        let due = self.interface.poll_at(at, &self.sockets);
        let echo = self.echo.as_ref().and_then(EchoService::due);
        due.map(|due| nanoseconds(due.max(at)))
            .into_iter()
            .chain(echo)
            .min()
    }

    /// The link was lost: another network may come. Neighbours and the lease are forgotten, what waited is dropped.
    pub(crate) fn forget_network(&mut self) {
        self.wire.inbox.clear();
        self.wire.outbox.clear();
        self.wire.notes.next_hop = None;
        // The only public way to forget neighbours.
        self.interface.update_ip_addrs(|_| ());
        if let Some(lease) = &self.lease {
            lease.restart(&mut self.sockets);
            self.addresses.set(&mut self.interface, None, None);
        }
    }

    fn follow_lease(&mut self) -> Option<BadLease> {
        let lease = self.lease.as_mut()?;
        lease.follow(
            &mut self.sockets,
            &mut self.interface,
            &mut self.addresses,
            self.resolver.as_mut(),
        )
    }

    /// Sends one datagram of the log to the collector.
    ///
    /// # Errors
    /// [`NoWay`]: no address of ours yet, or too much waits.
    pub(crate) fn send_log(&mut self, to: SocketAddr, datagram: &[u8]) -> Result<(), NoWay> {
        if self.addresses.of_version(to.ip()).is_none() {
            return Err(NoWay);
        }
        let socket = self.sockets.get_mut::<udp::Socket<'_>>(self.log.ok_or(NoWay)?);
        socket.send_slice(datagram, to).map_err(|_| NoWay)
    }

    /// Sends a datagram from the tunnel's port.
    ///
    /// # Errors
    /// [`NoWay`]: no address of ours yet, or too much waits.
    pub(crate) fn send_tunnel(&mut self, to: SocketAddr, datagram: &[u8]) -> Result<(), NoWay> {
        if self.addresses.of_version(to.ip()).is_none() {
            return Err(NoWay);
        }
        let socket = self.tunnel.as_mut().ok_or(NoWay)?;
        socket.send(&mut self.sockets, to, datagram)
    }

    /// Whether datagrams of the tunnel wait for their way out.
    pub(crate) fn has_to_send(&mut self) -> bool {
        let Self { tunnel, sockets, .. } = self;
        tunnel.as_ref().is_some_and(|tunnel| tunnel.has_to_send(sockets))
    }

    /// Copies the datagram that waits longest at the tunnel's port to the start of `place`: whose, and how long it is.
    pub(crate) fn receive_tunnel(&mut self, place: &mut [u8]) -> Option<(SocketAddr, usize)> {
        self.tunnel.as_ref()?.receive(&mut self.sockets, place)
    }

    /// Asks for the address of a name, if none is asked for now; whether it did.
    pub(crate) fn resolve(&mut self, name: &str) -> bool {
        let version = match (self.addresses.v4, self.addresses.v6) {
            (Some(_), _) => Version::V4,
            (None, Some(_)) => Version::V6,
            (None, None) => return false,
        };
        self.resolver
            .as_mut()
            .is_some_and(|resolver| resolver.ask(name, version, &mut self.interface, &mut self.sockets))
    }

    /// What became of the name that was asked for, once.
    pub(crate) fn resolved(&mut self) -> Option<Answer> {
        self.resolver.as_mut()?.answer(&mut self.sockets)
    }

    /// Whether a frame from outside is one that the tunnel waits for: a datagram to its port, or of a name server.
    pub(crate) fn is_of_tunnel(&self, header: &Header<'_>) -> bool {
        let Some((source, from, to)) = header.udp_ends() else {
            return false;
        };
        let is_ours = self.tunnel.as_ref().is_some_and(|socket| socket.port == to);
        let is_answer = from == resolver::PORT && self.name_servers().contains(&Some(source));
        is_ours || is_answer
    }

    /// Who is asked for names.
    pub(crate) fn name_servers(&self) -> NameServers {
        self.resolver.as_ref().map(Resolver::servers).unwrap_or_default()
    }

    /// Appends a frame that somebody else made.
    pub(crate) fn send_frame(&mut self, bytes: &[u8]) -> Result<(), NoWay> {
        self.wire.outbox.push(bytes, &[]).map_err(|_| NoWay)
    }

    /// The hardware address that led to the collector last.
    pub(crate) const fn next_hop(&self) -> Option<MacAddress> {
        self.wire.notes.next_hop
    }

    /// What the echo service has done.
    pub(crate) fn echo_counts(&self) -> EchoCounts {
        self.echo.as_ref().map(EchoService::counts).unwrap_or_default()
    }
}

/// What a poll led to.
pub(crate) struct Polled {
    /// When to poll again at the latest.
    pub(crate) again: Option<Instant>,
    /// The DHCP server was not believed.
    pub(crate) bad_lease: Option<BadLease>,
}

/// A lease that no host can use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadLease;

/// A datagram cannot be sent now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NoWay;

fn log_socket(sockets: &mut SocketSet<'static>) -> SocketHandle {
    let buffer = |bytes: usize, datagrams: usize| {
        udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; datagrams], vec![0; bytes])
    };
    // Nothing is ever received: a collector does not answer.
    let mut socket = udp::Socket::new(buffer(0, 0), buffer(LOG_BYTES, LOG_DATAGRAMS));
    // The port is not zero and the socket not open: this cannot fail.
    let _ = socket.bind(crate::net::syslog::SOURCE_PORT);
    sockets.add(socket)
}

/// In the stack's own time: microseconds, of which there are enough for as long as the machine's nanoseconds last.
fn instant(now: Instant) -> time::Instant {
    let microseconds = i64::try_from(now.0 / 1000).unwrap_or(i64::MAX);
    time::Instant::from_micros(microseconds)
}

fn nanoseconds(at: time::Instant) -> Instant {
    let microseconds = u64::try_from(at.total_micros()).unwrap_or(0);
    Instant(microseconds.saturating_mul(1000))
}
