//! The stack's view of its NIC: frames that were let in, and room for frames to go out.
//!
//! What goes out is finished here: DHCP requests get an identifier of the appliance's own, short frames are filled up, and the
//! hardware address that leads to the log's collector is remembered, for the moment when the stack can no longer be asked.

use super::queue::{LONGEST, Queue, SHORTEST};
use super::request::Request;
use crate::net::frame::MacAddress;
use crate::net::header::{Header, IPV4, IPV6};
use core::net::IpAddr;
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::{Duration, Instant};

/// Frames from outside that the stack has not seen yet; more are lost.
const INBOX: usize = 64;
/// Frames of ours that the NIC has not taken yet; more are not made.
const OUTBOX: usize = 32;

/// DHCP requests that may leave at once, and the time that each further one takes.
const REQUESTS_AT_ONCE: u32 = 4;
const REQUESTS_PACE: Duration = Duration::from_secs(1);

/// Both directions, and what is to be known of them.
pub(crate) struct Wire {
    pub(crate) inbox: Queue,
    pub(crate) outbox: Queue,
    pub(crate) notes: Notes,
}

/// What was seen of the frames that the stack made.
pub(crate) struct Notes {
    /// The DHCP request under way.
    pub(crate) request: Option<Request>,
    /// When as many requests may leave at once as ever.
    requests_full_at: Instant,
    /// Whose way is remembered.
    pub(crate) watched: Option<IpAddr>,
    /// The hardware address that the last frame to it had.
    pub(crate) next_hop: Option<MacAddress>,
}

impl Wire {
    pub(crate) fn new(watched: Option<IpAddr>) -> Self {
        Self {
            inbox: Queue::new(INBOX),
            outbox: Queue::new(OUTBOX),
            notes: Notes {
                request: None,
                requests_full_at: Instant::ZERO,
                watched,
                next_hop: None,
            },
        }
    }
}

impl Notes {
    /// Finishes a frame. Whether it may leave.
    fn look(&mut self, frame: &mut [u8], now: Instant) -> bool {
        if let Some(request) = Request::mark(frame) {
            return self.may_ask(request, now);
        }
        self.remember_way(frame);
        true
    }

    /// A server whose leases end at once could make the stack ask as often as it answers.
    fn may_ask(&mut self, request: Request, now: Instant) -> bool {
        let full_at = self.requests_full_at.max(now);
        if full_at - now > REQUESTS_PACE * (REQUESTS_AT_ONCE - 1) {
            return false;
        }
        self.requests_full_at = full_at + REQUESTS_PACE;
        self.request = Some(request);
        true
    }

    fn remember_way(&mut self, frame: &[u8]) {
        let Some(header) = Header::read(frame) else { return };
        let to = match header.kind {
            IPV4 => header.ipv4_destination().map(IpAddr::V4),
            IPV6 => header.ipv6_destination().map(IpAddr::V6),
            _ => None,
        };
        if to.is_some() && to == self.watched {
            self.next_hop = Some(header.destination);
        }
    }
}

/// A frame for the stack, which goes when it was looked at.
pub(crate) struct Incoming<'w>(&'w mut Queue);

/// Room for a frame of the stack's.
pub(crate) struct Outgoing<'w> {
    outbox: &'w mut Queue,
    notes: &'w mut Notes,
    now: Instant,
}

impl Device for Wire {
    type RxToken<'w> = Incoming<'w>;
    type TxToken<'w> = Outgoing<'w>;

    fn receive(&mut self, now: Instant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        if self.inbox.is_empty() || self.outbox.room() == 0 {
            return None;
        }
        let Self { inbox, outbox, notes } = self;
        Some((Incoming(inbox), Outgoing { outbox, notes, now }))
    }

    fn transmit(&mut self, now: Instant) -> Option<Outgoing<'_>> {
        let Self { outbox, notes, .. } = self;
        (outbox.room() > 0).then_some(Outgoing { outbox, notes, now })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = LONGEST;
        capabilities
    }
}

impl RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, look: F) -> R {
        let result = look(self.0.front().unwrap_or_default());
        self.0.pop();
        result
    }
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let Self { outbox, notes, now } = self;
        // No token is given without room, and no frame is longer than the capabilities say.
        let bytes = outbox.begin(length.max(SHORTEST));
        let result = write(bytes.get_mut(..length).unwrap_or_default());
        if notes.look(bytes, now) {
            let _ = outbox.commit();
        }
        result
    }
}
