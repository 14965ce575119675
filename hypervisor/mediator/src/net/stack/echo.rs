//! The echo service (RFC 862) by TCP and UDP, and its client: for tests of the network below the guest.
//!
//! Only who is on the list is answered. A TCP connection of somebody else is reset before it is open.

use crate::seam::Instant;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};
use sekisho_abi::network::{Echo, Prefix};
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};
use smoltcp::time::Duration;

/// The service's port.
const PORT: u16 = 7;
/// Connections at a time.
const CONNECTIONS: usize = 4;
/// Bytes that wait in each direction of a connection.
const WINDOW: usize = 32 * 1024;
/// The same of the client's.
const CLIENT_WINDOW: usize = 4 * 1024;
/// Datagrams that wait in each direction, and their bytes.
const DATAGRAMS: usize = 16;
const DATAGRAM_BYTES: usize = 16 * 1024;
/// A connection whose other end is silent for so long is given up.
const SILENCE: Duration = Duration::from_secs(30);

/// Between two of the client's messages, and before it connects again.
const PAUSE: u64 = 1_000_000_000;
/// Bytes of a message of the client's.
const MESSAGE: usize = 64;
/// The first of the ports that are nobody's (RFC 6335, 6), and how many the client takes turns with.
const FIRST_PORT: u16 = 49_152;
const PORTS: u16 = 16_384;

/// What was echoed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct EchoCounts {
    /// Bytes that the service gave back, by TCP and UDP.
    pub served: u64,
    /// Connections and datagrams of who is not on the list.
    pub refused: u64,
    /// Bytes that the client sent.
    pub sent: u64,
    /// Bytes that the client got back as they were sent.
    pub returned: u64,
    /// Bytes that the client got back otherwise.
    pub wrong: u64,
}

/// The service and the client.
pub(super) struct EchoService {
    allow: Vec<Prefix>,
    connections: [SocketHandle; CONNECTIONS],
    datagrams: SocketHandle,
    client: Option<Client>,
    counts: EchoCounts,
}

struct Client {
    server: SocketAddr,
    socket: SocketHandle,
    next_port: u16,
    /// The next message, or the next try to connect.
    due: Instant,
    position: Position,
}

/// How far the client's bytes are: they are counted, so that each place has a byte of its own.
#[derive(Default)]
struct Position {
    sent: u64,
    returned: u64,
}

impl EchoService {
    pub(super) fn new(policy: &Echo, sockets: &mut SocketSet<'static>) -> Self {
        let client = policy.client.map(|server| Client {
            server,
            socket: sockets.add(connection(CLIENT_WINDOW)),
            next_port: 0,
            due: Instant(0),
            position: Position::default(),
        });
        Self {
            allow: policy.allow.clone(),
            connections: core::array::from_fn(|_| sockets.add(connection(WINDOW))),
            datagrams: sockets.add(datagram_socket()),
            client,
            counts: EchoCounts::default(),
        }
    }

    /// What it has done.
    pub(super) const fn counts(&self) -> EchoCounts {
        self.counts
    }

    /// When the client has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        self.client.as_ref().map(|client| client.due)
    }

    /// Gives back what has come, and lets the client go on.
    pub(super) fn poll(&mut self, interface: &mut Interface, sockets: &mut SocketSet<'static>, now: Instant) {
        for handle in self.connections {
            serve(sockets.get_mut(handle), &self.allow, &mut self.counts);
        }
        serve_datagrams(sockets.get_mut(self.datagrams), &self.allow, &mut self.counts);
        if let Some(client) = &mut self.client {
            client.poll(interface, sockets, now, &mut self.counts);
        }
    }
}

fn is_allowed(allow: &[Prefix], address: IpAddr) -> bool {
    allow.iter().any(|prefix| prefix.contains(address))
}

fn serve(socket: &mut tcp::Socket<'static>, allow: &[Prefix], counts: &mut EchoCounts) {
    if !socket.is_open() {
        // The port is not zero and the socket not open: this cannot fail.
        let _ = socket.listen(PORT);
        return;
    }
    let Some(peer) = socket.remote_endpoint() else {
        return;
    };
    if !is_allowed(allow, peer.addr.into()) {
        counts.refused += 1;
        socket.abort();
        return;
    }
    while socket.can_recv() && socket.can_send() {
        let mut chunk = [0; 512];
        let room = chunk.len().min(socket.send_capacity() - socket.send_queue());
        let Ok(length) = socket.recv_slice(chunk.get_mut(..room).unwrap_or_default()) else {
            break;
        };
        let sent = socket
            .send_slice(chunk.get(..length).unwrap_or_default())
            .unwrap_or(0);
        counts.served += sent as u64;
    }
    if !socket.may_recv() && socket.may_send() && !socket.can_recv() {
        socket.close();
    }
}

fn serve_datagrams(socket: &mut udp::Socket<'static>, allow: &[Prefix], counts: &mut EchoCounts) {
    if !socket.is_open() {
        let _ = socket.bind(PORT);
    }
    let mut datagram = [0; 2048];
    while socket.can_send()
        && let Ok((length, from)) = socket.recv_slice(&mut datagram)
    {
        // Two echo services would answer each other for ever.
        if from.endpoint.port == PORT || !is_allowed(allow, from.endpoint.addr.into()) {
            counts.refused += 1;
            continue;
        }
        let sent = socket.send_slice(datagram.get(..length).unwrap_or_default(), from);
        counts.served += if sent.is_ok() { length as u64 } else { 0 };
    }
}

impl Client {
    fn poll(
        &mut self,
        interface: &mut Interface,
        sockets: &mut SocketSet<'static>,
        now: Instant,
        counts: &mut EchoCounts,
    ) {
        let socket = sockets.get_mut::<tcp::Socket<'_>>(self.socket);
        self.position.compare(socket, counts);
        if now < self.due {
            return;
        }
        self.due = Instant(now.0.saturating_add(PAUSE));
        if socket.may_send() {
            self.position.send(socket, counts);
        } else if !socket.is_active() {
            let port = FIRST_PORT + self.next_port % PORTS;
            self.next_port = self.next_port.wrapping_add(1);
            self.position = Position::default();
            // Without an address of ours there is no way yet; the next pause may bring one.
            let _ = socket.connect(interface.context(), self.server, port);
        }
    }
}

impl Position {
    fn send(&mut self, socket: &mut tcp::Socket<'static>, counts: &mut EchoCounts) {
        let mut message = [0; MESSAGE];
        for (byte, place) in message.iter_mut().zip(self.sent..) {
            *byte = expected(place);
        }
        let sent = socket.send_slice(&message).unwrap_or(0) as u64;
        self.sent += sent;
        counts.sent += sent;
    }

    fn compare(&mut self, socket: &mut tcp::Socket<'static>, counts: &mut EchoCounts) {
        let mut chunk = [0; 512];
        while socket.can_recv()
            && let Ok(length) = socket.recv_slice(&mut chunk)
        {
            for byte in chunk.iter().take(length) {
                let is_right = *byte == expected(self.returned) && self.returned < self.sent;
                counts.returned += u64::from(is_right);
                counts.wrong += u64::from(!is_right);
                self.returned += 1;
            }
        }
    }
}

/// The client's byte at this place: a prime number of them in turn, so that no shift goes unnoticed.
fn expected(place: u64) -> u8 {
    u8::try_from(place % 251).unwrap_or(0)
}

fn connection(window: usize) -> tcp::Socket<'static> {
    let buffer = || tcp::SocketBuffer::new(vec![0; window]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    socket.set_timeout(Some(SILENCE));
    socket
}

fn datagram_socket() -> udp::Socket<'static> {
    let buffer = || {
        let metadata = vec![udp::PacketMetadata::EMPTY; DATAGRAMS];
        udp::PacketBuffer::new(metadata, vec![0; DATAGRAM_BYTES])
    };
    udp::Socket::new(buffer(), buffer())
}
