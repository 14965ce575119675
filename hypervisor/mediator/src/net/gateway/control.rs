//! ICMP towards the guest: the router answers ping, and says what is too big for the tunnel.
//!
//! Hostile: the packets that are answered. Errors about errors are not sent (RFC 1122, 3.2.2; RFC 4443, 2.4 (e)).

use super::discovery::link_local;
use super::reply::{IPV4_HEADER, IPV6_HEADER, Link, Reply, TooLong};
use crate::net::offload::internet_sum;
use crate::seam::Instant;
use core::net::{Ipv4Addr, Ipv6Addr};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, Icmpv6Packet, Icmpv6Repr, IpProtocol};

/// Bytes before what an error quotes (RFC 792; RFC 4443, 3.2).
const HEADER: usize = 8;
/// "Fragmentation needed" (RFC 1191, 4), and how much of the packet it quotes at most (RFC 1812, 4.3.2.3).
const UNREACHABLE: u8 = 3;
const FRAGMENTATION_NEEDED: u8 = 4;
const QUOTED_IPV4: usize = 576 - IPV4_HEADER - HEADER;
/// "Packet too big", and the bytes of the longest packet that says it.
const TOO_BIG: u8 = 2;
const QUOTED_IPV6: usize = 1280 - IPV6_HEADER - HEADER;
/// ICMP messages that are not errors: echo, and other questions and answers.
const QUESTIONS: [u8; 6] = [0, 8, 13, 14, 17, 18];
/// The first ICMPv6 message that is no error (RFC 4443, 2.1).
const FIRST_INFORMATION: u8 = 128;

/// Errors that may be sent at once, and the nanoseconds that each further one takes.
const AT_ONCE: u64 = 16;
const PACE: u64 = 50_000_000;

/// How many errors may be sent (RFC 4443, 2.4 (f)).
#[derive(Clone, Copy, Default)]
pub(super) struct Allowance {
    /// When as many may be sent as ever.
    full_at: u64,
}

impl Allowance {
    /// Whether one more may be sent.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let full_at = self.full_at.max(now.0);
        if full_at - now.0 > PACE * (AT_ONCE - 1) {
            return false;
        }
        self.full_at = full_at.saturating_add(PACE);
        true
    }
}

/// Answers a ping of the router's address.
pub(super) fn echo_ipv4(
    message: &[u8],
    ends: (Ipv4Addr, Ipv4Addr),
    link: Link,
    reply: &mut Reply,
) -> Option<Result<(), TooLong>> {
    let sums = ChecksumCapabilities::default();
    let packet = Icmpv4Packet::new_checked(message).ok()?;
    let Ok(Icmpv4Repr::EchoRequest { ident, seq_no, data }) = Icmpv4Repr::parse(&packet, &sums) else {
        return None;
    };
    let answer = Icmpv4Repr::EchoReply { ident, seq_no, data };
    let place = reply.ipv4(link, link.guest, ends, IpProtocol::Icmp, answer.buffer_len());
    Some(place.map(|place| answer.emit(&mut Icmpv4Packet::new_unchecked(place), &sums)))
}

/// Answers a ping of the router's address, whose checksum was verified.
pub(super) fn echo_ipv6(
    message: &[u8],
    ends: (Ipv6Addr, Ipv6Addr),
    link: Link,
    reply: &mut Reply,
) -> Option<Result<(), TooLong>> {
    const ECHO_REQUEST: [u8; 2] = [128, 0];
    const ECHO_FIELDS: usize = 8;
    let (head, data) = message.split_first_chunk::<ECHO_FIELDS>()?;
    let [kind, code, _, _, a, b, c, d] = *head;
    if [kind, code] != ECHO_REQUEST {
        return None;
    }
    let answer = Icmpv6Repr::EchoReply {
        ident: u16::from_be_bytes([a, b]),
        seq_no: u16::from_be_bytes([c, d]),
        data,
    };
    let sums = ChecksumCapabilities::default();
    let place = reply.ipv6(link, link.guest, ends, IpProtocol::Icmpv6, answer.buffer_len());
    Some(place.map(|place| answer.emit(&ends.0, &ends.1, &mut Icmpv6Packet::new_unchecked(place), &sums)))
}

/// Says that an IPv4 packet of the guest's is longer than `mtu`. `None` where nobody may be told.
pub(super) fn too_big_ipv4(
    packet: &[u8],
    header_length: usize,
    ends: (Ipv4Addr, Ipv4Addr),
    mtu: u16,
    link: Link,
    reply: &mut Reply,
) -> Option<Result<(), TooLong>> {
    const ICMP: u8 = 1;
    let is_icmp = packet.get(9) == Some(&ICMP);
    if is_icmp && !QUESTIONS.contains(packet.get(header_length)?) {
        return None;
    }
    let quoted = packet.get(..packet.len().min(QUOTED_IPV4))?;
    let place = reply.ipv4(link, link.guest, ends, IpProtocol::Icmp, HEADER + quoted.len());
    Some(place.map(|place| {
        let [high, low] = mtu.to_be_bytes();
        fill(
            place,
            [UNREACHABLE, FRAGMENTATION_NEEDED, 0, 0, 0, 0, high, low],
            quoted,
        );
        let sum = !internet_sum(place);
        write_sum(place, sum);
    }))
}

/// Says that an IPv6 packet of the guest's is longer than `mtu`. `None` where nobody may be told.
pub(super) fn too_big_ipv6(
    packet: &[u8],
    to: Ipv6Addr,
    mtu: u16,
    link: Link,
    reply: &mut Reply,
) -> Option<Result<(), TooLong>> {
    let is_icmp = packet.get(6) == Some(&IpProtocol::Icmpv6.into());
    if is_icmp && *packet.get(IPV6_HEADER)? < FIRST_INFORMATION {
        return None;
    }
    let quoted = packet.get(..packet.len().min(QUOTED_IPV6))?;
    let ends = (link_local(link.own), to);
    let place = reply.ipv6(link, link.guest, ends, IpProtocol::Icmpv6, HEADER + quoted.len());
    Some(place.map(|place| {
        let [high, low] = mtu.to_be_bytes();
        fill(place, [TOO_BIG, 0, 0, 0, 0, 0, high, low], quoted);
        Icmpv6Packet::new_unchecked(place).fill_checksum(&ends.0, &ends.1);
    }))
}

fn fill(place: &mut [u8], header: [u8; HEADER], quoted: &[u8]) {
    if let Some((head, body)) = place.split_first_chunk_mut::<HEADER>()
        && body.len() == quoted.len()
    {
        *head = header;
        body.copy_from_slice(quoted);
    }
}

fn write_sum(message: &mut [u8], sum: u16) {
    if let Some(place) = message.get_mut(2..).and_then(|bytes| bytes.first_chunk_mut()) {
        *place = sum.to_be_bytes();
    }
}
