//! The appliance on a NIC: which frames from outside its stack gets to see, and what it sends.

use super::claim::{self, Whose};
use crate::log::Log;
use crate::net::frame::{Frame, MacAddress};
use crate::net::header::{ARP, Header, IPV4, IPV6, TAG_LENGTH};
use crate::net::loss::{Loss, Losses};
use crate::net::port::{Outlets, Verdict, WireLink};
use crate::net::stack::{Addresses, BOUND, EchoCounts, Refused, Setup, Stack};
use crate::net::syslog::Sender;
use crate::seam::Instant;
use alloc::boxed::Box;
use core::net::IpAddr;

/// What of all that is for the appliance its stack gets to see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Admission {
    /// Everything.
    All,
    /// What finds ways: ARP, neighbour discovery, DHCP. The NIC is for the log alone.
    Ways,
    /// The same, and a tunnel's datagrams.
    Tunnel,
}

/// The appliance on one NIC.
pub struct Station {
    stack: Box<Stack>,
    sender: Option<Sender>,
    admission: Admission,
    link: WireLink,
    losses: Losses,
}

impl Station {
    pub(super) fn new(setup: &Setup<'_>, sender: Option<Sender>, admission: Admission) -> Self {
        Self {
            stack: Stack::new(setup),
            sender,
            admission,
            link: WireLink::Down,
            losses: Losses::default(),
        }
    }

    /// Decides on a frame from outside: a copy for the stack where it is the appliance's, forward where it is the guest's too.
    pub(super) fn share(&mut self, frame: Frame<'_>) -> Verdict {
        let Some(header) = Header::read(frame.bytes) else {
            return Verdict::Forward;
        };
        if frame
            .offload
            .tag
            .is_some_and(|tag| tag & crate::net::header::VLAN_MASK != 0)
        {
            return Verdict::Forward;
        }
        match claim::whose(&header, self.stack.addresses()) {
            Whose::Guest => Verdict::Forward,
            Whose::Both => {
                self.admit(frame.bytes, &header);
                Verdict::Forward
            }
            Whose::Appliance => {
                self.admit(frame.bytes, &header);
                Verdict::Stop
            }
            Whose::Nobody => {
                self.losses.add(Loss::Unwanted, 0, 0);
                Verdict::Stop
            }
        }
    }

    /// Decides on a frame of the guest's.
    pub(super) fn let_out(&mut self, frame: Frame<'_>) -> Verdict {
        if claim::impersonates(frame, self.stack.addresses()) {
            self.losses.add(Loss::Impersonation, 0, 0);
            return Verdict::Stop;
        }
        Verdict::Forward
    }

    fn admit(&mut self, bytes: &[u8], header: &Header<'_>) {
        if let Err(loss) = self.judge(header).and_then(|()| self.take(bytes, header)) {
            self.losses.add(loss, 0, 0);
        }
    }

    fn judge(&self, header: &Header<'_>) -> Result<(), Loss> {
        let own = self.stack.addresses();
        if !claim::has_honest_sender(header, own) {
            return Err(Loss::Malformed);
        }
        if header.kind == IPV4 {
            let (offset, more) = header.ipv4_fragment().ok_or(Loss::Malformed)?;
            if (more || offset != 0) && offset + header.payload.len() > BOUND {
                return Err(Loss::Fragment);
            }
        }
        let is_wanted = match self.admission {
            Admission::All => true,
            Admission::Ways => finds_ways(header, own),
            Admission::Tunnel => finds_ways(header, own) || self.stack.is_of_tunnel(header),
        };
        if is_wanted { Ok(()) } else { Err(Loss::Unwanted) }
    }

    /// Copies a frame for the stack, without its priority tag.
    fn take(&mut self, bytes: &[u8], header: &Header<'_>) -> Result<(), Loss> {
        const ADDRESSES: usize = 12;
        let is_tagged = bytes.len() > header.payload.len() + crate::net::frame::HEADER_LENGTH;
        let behind = if is_tagged {
            ADDRESSES + TAG_LENGTH
        } else {
            ADDRESSES
        };
        let head = bytes.get(..ADDRESSES).unwrap_or_default();
        let tail = bytes.get(behind..).unwrap_or_default();
        self.stack.receive(head, tail).map_err(|refused| match refused {
            Refused::Full => Loss::InboxFull,
            Refused::TooLong => Loss::TooLong,
        })
    }

    /// Its stack, for who sends by it too.
    pub(super) const fn stack(&mut self) -> &mut Stack {
        &mut self.stack
    }

    /// Its stack, and where what goes nowhere is counted.
    pub(super) const fn parts(&mut self) -> (&mut Stack, &mut Losses) {
        (&mut self.stack, &mut self.losses)
    }

    /// Whether something is at the other end of the wire.
    pub(super) fn is_linked(&self) -> bool {
        self.link == WireLink::Up
    }

    /// Takes what is new in the log, to be sent when there is a way.
    pub(super) fn collect(&mut self, log: &Log, now: Instant) {
        if let Some(sender) = self.sender.as_mut().filter(|_| self.link == WireLink::Up) {
            sender.collect(log, now, &mut self.stack);
        }
    }

    /// Lets the stack go on.
    pub(super) fn poll(&mut self, now: Instant, out: &mut impl Outlets) -> Option<Instant> {
        let link = out.wire();
        if self.link == WireLink::Up && link == WireLink::Down {
            self.stack.forget_network();
        }
        self.link = link;
        if link == WireLink::Down {
            return None;
        }
        let polled = self.stack.poll(now, out);
        if polled.bad_lease.is_some() {
            self.losses.add(Loss::BadLease, 0, 0);
        }
        let collect = self.sender.as_ref().and_then(|sender| sender.due(now));
        polled.again.into_iter().chain(collect).min()
    }

    /// Sends what the log has left at once, by the way that was used last: for the end of a machine.
    pub(super) fn flush(&mut self, log: &Log, now: Instant, out: &mut impl Outlets) {
        if let Some(sender) = &mut self.sender {
            self.stack.drain(out);
            sender.flush(log, now, &self.stack, out);
        }
    }

    /// The appliance's hardware address.
    pub(super) const fn hardware(&self) -> MacAddress {
        self.stack.addresses().hardware
    }

    /// Ours of IPv4, else of IPv6.
    pub(super) fn address(&self) -> Option<IpAddr> {
        let own = self.stack.addresses();
        own.v4.map(IpAddr::V4).or(own.v6.map(IpAddr::V6))
    }

    pub(super) const fn losses(&mut self) -> &mut Losses {
        &mut self.losses
    }

    pub(super) fn echo_counts(&self) -> EchoCounts {
        self.stack.echo_counts()
    }
}

/// Whether a frame is of those that find ways: ARP, neighbour discovery (RFC 4861, 4), a DHCP reply.
fn finds_ways(header: &Header<'_>, own: &Addresses) -> bool {
    match header.kind {
        ARP => true,
        IPV4 => own.is_lease(header),
        IPV6 => header
            .icmpv6()
            .and_then(|message| message.first())
            .is_some_and(|kind| (133..=137).contains(kind)),
        _ => false,
    }
}
