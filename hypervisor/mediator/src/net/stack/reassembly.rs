//! Memory for fragments, taken when the stack is made.
//!
//! smoltcp grows its reassembly buffers as fragments come and never gives them back. Here each has grown to [`BOUND`] before
//! the first frame, and who lets frames in drops fragments beyond it: so nothing grows while a guest runs.

use super::device::Wire;
use super::queue::SHORTEST;
use crate::net::frame::{HEADER_LENGTH, MacAddress};
use core::net::Ipv4Addr;
use smoltcp::iface::{Interface, SocketSet};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, IpProtocol, Ipv4Packet, Ipv4Repr,
};

/// Bytes of the longest packet that is put together, its header not among them.
pub(crate) const BOUND: usize = 4096;
/// Packets that are put together at a time: smoltcp's `reassembly-buffer-count` of Cargo.toml.
const PACKETS: u16 = 4;
/// How long a packet's fragments are waited for. Who floods with halves of packets keeps others out for that long.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes in which fragments are counted (RFC 791, 3.1).
const UNIT: usize = 8;

/// Lets every buffer grow to its bound.
pub(super) fn warm_up(
    interface: &mut Interface,
    sockets: &mut SocketSet<'static>,
    wire: &mut Wire,
    own: MacAddress,
) {
    interface.set_reassembly_timeout(Duration::ZERO);
    for ident in 0..PACKETS {
        // The queue is empty, and the frame a short one.
        let _ = wire.inbox.push(&last_fragment(own, ident), &[]);
        interface.poll_ingress_single(Instant::ZERO, wire, sockets);
    }
    // Behind their time they are forgotten, but for the memory.
    interface.poll_maintenance(Instant::ZERO + Duration::from_micros(1));
    interface.set_reassembly_timeout(PATIENCE);
}

/// A frame with the last bytes of the longest packet.
fn last_fragment(own: MacAddress, ident: u16) -> [u8; SHORTEST] {
    let mut bytes = [0; SHORTEST];
    let ethernet = EthernetRepr {
        src_addr: EthernetAddress(own.0),
        dst_addr: EthernetAddress(own.0),
        ethertype: EthernetProtocol::Ipv4,
    };
    ethernet.emit(&mut EthernetFrame::new_unchecked(&mut bytes[..]));
    let packet = Ipv4Repr {
        // Of the documentation's (RFC 5737): it goes nowhere.
        src_addr: Ipv4Addr::new(192, 0, 2, 1),
        dst_addr: Ipv4Addr::new(192, 0, 2, 2),
        next_header: IpProtocol::Udp,
        payload_len: UNIT,
        hop_limit: 1,
    };
    let mut view = Ipv4Packet::new_unchecked(bytes.get_mut(HEADER_LENGTH..).unwrap_or_default());
    packet.emit(&mut view, &ChecksumCapabilities::ignored());
    view.set_ident(ident);
    view.set_more_frags(true);
    view.set_dont_frag(false);
    view.set_frag_offset(OFFSET);
    view.fill_checksum();
    bytes
}

/// Where in its packet that fragment lies.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the bound is a constant below 64 KiB"
)]
const OFFSET: u16 = (BOUND - UNIT) as u16;
