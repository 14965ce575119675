//! The datagrams of a tunnel: one UDP port of ours.

use super::NoWay;
use crate::seam::Instant;
use alloc::vec;
use core::net::SocketAddr;
use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::udp;

/// Datagrams that wait in each direction; of more the newest is lost. Outgoing ones are as many as a guest gives at once.
const INCOMING: usize = 64;
const OUTGOING: usize = 256;
/// Bytes of the longest one: what a frame has room for behind IPv4 and UDP.
pub(crate) const LONGEST_DATAGRAM: usize = 1500 - 20 - 8;

/// Nanoseconds that a datagram waits for its neighbour at most: longer than the pause between two questions for one. All behind
/// it wait too, and those may be for another peer, or for another endpoint of the same.
const PATIENCE: u64 = 1_500_000_000;

/// The socket of one tunnel.
pub(super) struct TunnelSocket {
    handle: SocketHandle,
    pub(super) port: u16,
    /// Bytes that were given to it.
    given: usize,
    /// Bytes that had left it, and since when some wait and no more have left.
    left: usize,
    since: Option<Instant>,
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
            given: 0,
            left: 0,
            since: None,
        }
    }

    pub(super) fn has_to_send(&self, sockets: &SocketSet<'static>) -> bool {
        sockets.get::<udp::Socket<'_>>(self.handle).send_queue() > 0
    }

    pub(super) fn send(
        &mut self,
        sockets: &mut SocketSet<'static>,
        to: SocketAddr,
        datagram: &[u8],
    ) -> Result<(), NoWay> {
        let socket = sockets.get_mut::<udp::Socket<'_>>(self.handle);
        socket.send_slice(datagram, to).map_err(|_| NoWay)?;
        self.given = self.given.wrapping_add(datagram.len());
        Ok(())
    }

    /// Drops what waits if nothing has left for too long.
    pub(super) fn make_room(&mut self, sockets: &mut SocketSet<'static>, now: Instant) {
        let socket = sockets.get_mut::<udp::Socket<'_>>(self.handle);
        let waiting = socket.send_queue();
        let left = core::mem::replace(&mut self.left, self.given.wrapping_sub(waiting));
        if waiting == 0 {
            self.since = None;
            return;
        }
        if left != self.left {
            self.since = None;
        }
        let since = *self.since.get_or_insert(now);
        if now.0.saturating_sub(since.0) > PATIENCE {
            socket.close();
            // As when it was new.
            let _ = socket.bind(self.port);
            (self.left, self.since) = (self.given, None);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn what_finds_no_way_makes_room_for_what_comes_later() {
        let mut sockets = SocketSet::new(Vec::new());
        let mut socket = TunnelSocket::new(51820, &mut sockets);
        let to = SocketAddr::from(([192, 0, 2, 200], 51820));
        for start in [0, 10 * SECOND] {
            socket.send(&mut sockets, to, b"to nobody").unwrap();
            for now in [start, start + SECOND] {
                socket.make_room(&mut sockets, Instant(now));
                assert!(socket.has_to_send(&sockets), "{now}");
            }
            socket.make_room(&mut sockets, Instant(start + 2 * SECOND));
            assert!(!socket.has_to_send(&sockets));
        }
        assert!(sockets.get::<udp::Socket<'_>>(socket.handle).is_open());
    }
}
