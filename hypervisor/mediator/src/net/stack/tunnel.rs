//! The datagrams of a tunnel: one UDP port of ours.

use super::NoWay;
use alloc::vec;
use core::net::SocketAddr;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::udp;

/// Datagrams that wait in each direction; of more the newest is lost. Outgoing ones are as many as a guest gives at once.
const INCOMING: usize = 64;
const OUTGOING: usize = 256;
/// Bytes of the longest one: what a frame has room for behind IPv4 and UDP.
pub(crate) const LONGEST_DATAGRAM: usize = 1500 - 20 - 8;

/// The socket of one tunnel.
pub(super) struct TunnelSocket {
    handle: SocketHandle,
    pub(super) port: u16,
}

impl TunnelSocket {
    /// Open at `port`, which is not zero.
    pub(super) fn new(port: u16, sockets: &mut SocketSet<'static>) -> Self {
        let buffer = |datagrams| {
            udp::PacketBuffer::new(
                vec![udp::PacketMetadata::EMPTY; datagrams],
                vec![0; datagrams * LONGEST_DATAGRAM],
            )
        };
        let mut socket = udp::Socket::new(buffer(INCOMING), buffer(OUTGOING));
        // The port is not zero and the socket not open: this cannot fail.
        let _ = socket.bind(port);
        Self {
            handle: sockets.add(socket),
            port,
        }
    }

    pub(super) fn has_to_send(&self, sockets: &SocketSet<'static>) -> bool {
        sockets.get::<udp::Socket<'_>>(self.handle).send_queue() > 0
    }

    pub(super) fn send(
        &self,
        sockets: &mut SocketSet<'static>,
        to: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), NoWay> {
        let socket = sockets.get_mut::<udp::Socket<'_>>(self.handle);
        socket.send_slice(datagram, to).map_err(|_| NoWay)
    }

    /// Copies the datagram that waits longest to the start of `place`, and says whose it is. One that is too long is left out.
    pub(super) fn receive(
        &self,
        sockets: &mut SocketSet<'static>,
        place: &mut [u8],
    ) -> Option<(SocketAddr, usize)> {
        let socket = sockets.get_mut::<udp::Socket<'_>>(self.handle);
        // Each turn takes one out.
        while socket.can_recv() {
            if let Ok((length, from)) = socket.recv_slice(place) {
                let ends = from.endpoint;
                return Some((SocketAddr::new(ends.addr.into(), ends.port), length));
            }
        }
        None
    }
}
