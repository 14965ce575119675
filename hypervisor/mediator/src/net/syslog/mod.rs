//! The log by UDP (RFC 5426): every line once and in order, as fast as a collector can be asked to read.
//!
//! The ring is read from its first line on, so what was written before the link was up is sent then. Who writes too much is
//! slowed down here, not the machine: lines wait in the ring, and what the ring overwrote before it was sent is told in a
//! message of its own. Where the policy names the collector's hardware address, frames are made whole here, without the
//! stack: neither ARP nor a lease is needed.

mod datagram;
mod message;

pub use message::Identity;

use super::frame::{Frame, HEADER_LENGTH, MacAddress, Offload};
use super::port::Outlets;
use super::stack::{NoWay, Stack};
use crate::clock::WallClock;
use crate::log::{Event, Log};
use crate::seam::Instant;
use core::fmt;
use core::net::IpAddr;
use datagram::Ends;
use message::{Message, Text};
use sekisho_abi::network::Syslog;

/// The port that messages come from: the service's own (RFC 5426, 3.3).
pub(crate) const SOURCE_PORT: u16 = 514;
/// Messages that may leave at once.
const BURST: u64 = 100;
/// Nanoseconds that a further one takes: 50 a second.
const PACE: u64 = 20_000_000;
/// Messages that are sent at the end of a machine, at most.
const LAST_WORDS: usize = 64;
/// The highest sequence number (RFC 5424, 7.3.1); then comes 1.
const LAST_SEQUENCE: u32 = 2_147_483_647;

/// Sends the log to the collector.
pub struct Sender {
    policy: Syslog,
    /// The NIC's, in frames that are made here.
    hardware: MacAddress,
    identity: Identity,
    clock: Option<WallClock>,
    /// The number of the next line.
    cursor: u64,
    /// Of the next message.
    sequence: u32,
    /// When the bucket would be full again.
    full_at: Instant,
    waits: bool,
}

impl Sender {
    /// For a NIC with that hardware address.
    pub(crate) fn new(
        policy: Syslog,
        hardware: MacAddress,
        identity: Identity,
        clock: Option<WallClock>,
    ) -> Self {
        Self {
            policy,
            hardware,
            identity,
            clock,
            cursor: 0,
            sequence: 1,
            full_at: Instant(0),
            waits: false,
        }
    }

    /// Hands lines that were not sent yet to the stack, as many as pace and room allow. The log is only read.
    pub(crate) fn collect(&mut self, log: &Log, now: Instant, stack: &mut Stack) {
        self.collect_by(log, now, |sender, message| match sender.policy.mac {
            Some(_) => stack.send_frame(sender.frame(message, stack)?.as_slice()),
            None => stack.send_log(sender.policy.to, message),
        });
    }

    /// Hands lines that were not sent yet to `give`, as IP packets from `source`, as many as pace allows and `give` takes.
    pub(crate) fn collect_packets(
        &mut self,
        log: &Log,
        now: Instant,
        source: IpAddr,
        mut give: impl FnMut(&[u8]) -> Result<(), NoWay>,
    ) {
        self.collect_by(log, now, |sender, message| {
            let ends = Ends {
                source_hardware: sender.hardware,
                destination_hardware: sender.hardware,
                source,
                destination: sender.policy.to,
            };
            let frame = datagram::Datagram::new(&ends, message).ok_or(NoWay)?;
            give(frame.as_slice().get(HEADER_LENGTH..).unwrap_or_default())
        });
    }

    fn collect_by(
        &mut self,
        log: &Log,
        now: Instant,
        mut give: impl FnMut(&Self, &[u8]) -> Result<(), NoWay>,
    ) {
        self.waits = false;
        while let Some(next) = Next::after(log, self.cursor) {
            let mut message = Message::default();
            self.compose(&next, now, &mut message);
            if !self.may_send(now) || give(self, message.bytes()).is_err() {
                self.waits = true;
                return;
            }
            self.full_at = Instant(self.full_at.max(now).0.saturating_add(PACE));
            self.advance(&next);
        }
    }

    /// When to collect again, if lines wait.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.waits.then_some(Instant(now.0.saturating_add(PACE)))
    }

    /// Sends what is left at once, whatever the pace, where the way is known.
    pub(crate) fn flush(&mut self, log: &Log, now: Instant, stack: &Stack, out: &mut impl Outlets) {
        for _ in 0..LAST_WORDS {
            let Some(next) = Next::after(log, self.cursor) else {
                return;
            };
            let mut message = Message::default();
            self.compose(&next, now, &mut message);
            let Ok(bytes) = self.frame(message.bytes(), stack) else {
                return;
            };
            let frame = Frame {
                bytes: bytes.as_slice(),
                offload: Offload::default(),
            };
            if out.to_wire(frame).is_err() {
                return;
            }
            self.advance(&next);
        }
    }

    fn may_send(&self, now: Instant) -> bool {
        self.full_at.0.saturating_sub(now.0) <= (BURST - 1) * PACE
    }

    fn compose(&self, next: &Next<'_>, now: Instant, message: &mut Message) {
        let (event, line) = match next {
            Next::Line(line) => (line.event(), line.sequence()),
            Next::Lost { first, .. } => (Event::LINES_LOST, *first),
        };
        let text = Text {
            event,
            line,
            text: next,
        };
        let time = self.clock.map(|clock| clock.time(now));
        message.write(self.policy.format, &self.identity, self.sequence, time, &text);
    }

    fn advance(&mut self, next: &Next<'_>) {
        self.cursor = match next {
            Next::Line(line) => line.sequence() + 1,
            Next::Lost { first, count } => first + count,
        };
        self.sequence = if self.sequence == LAST_SEQUENCE {
            1
        } else {
            self.sequence + 1
        };
    }

    /// A whole frame to the collector, by the policy's hardware address or the one that was used last.
    fn frame(&self, payload: &[u8], stack: &Stack) -> Result<datagram::Datagram, NoWay> {
        let hop = self
            .policy
            .mac
            .map(MacAddress)
            .or(stack.next_hop())
            .ok_or(NoWay)?;
        let ours = self
            .policy
            .source
            .or(stack.addresses().of_version(self.policy.to.ip()));
        let ends = Ends {
            source_hardware: self.hardware,
            destination_hardware: hop,
            source: ours.ok_or(NoWay)?,
            destination: self.policy.to,
        };
        datagram::Datagram::new(&ends, payload).ok_or(NoWay)
    }
}

/// What is to be sent next.
enum Next<'l> {
    /// A line.
    Line(&'l crate::log::Line),
    /// Lines that the ring overwrote.
    Lost {
        /// The number of the first of them.
        first: u64,
        /// How many.
        count: u64,
    },
}

impl fmt::Display for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => f.write_str(line.text()),
            Self::Lost { count, .. } => write!(
                f,
                "{count} lines of the log were overwritten before they could be sent"
            ),
        }
    }
}

impl<'l> Next<'l> {
    fn after(log: &'l Log, cursor: u64) -> Option<Self> {
        let mut replay = log.replay(cursor);
        match replay.lost() {
            0 => replay.next().map(Self::Line),
            count => Some(Self::Lost { first: cursor, count }),
        }
    }
}
