//! Another host on the wire: a stack of its own, and a wire that loses frames as it is told.

use super::bench::{Bench, PEER};
use sekisho_mediator::seam::Instant;
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time;
use smoltcp::wire::{EthernetAddress, IpCidr};
use std::collections::VecDeque;

/// A host.
pub(super) struct Peer {
    pub(super) interface: Interface,
    pub(super) sockets: SocketSet<'static>,
    card: Card,
    /// One in so many frames is lost, either way; 0: none.
    pub(super) loses_one_in: u64,
    frames: u64,
}

#[derive(Default)]
struct Card {
    received: VecDeque<Vec<u8>>,
    sent: VecDeque<Vec<u8>>,
}

impl Peer {
    pub(super) fn new(address: &str) -> Self {
        let mut card = Card::default();
        let mut config = Config::new(EthernetAddress(PEER.0).into());
        config.random_seed = 7;
        let mut interface = Interface::new(config, &mut card, time::Instant::ZERO);
        interface.update_ip_addrs(|list| list.push(address.parse::<IpCidr>().unwrap()).unwrap());
        Self {
            interface,
            sockets: SocketSet::new(Vec::new()),
            card,
            loses_one_in: 0,
            frames: 0,
        }
    }

    /// Lets both ends go on for a millisecond. The guest gets nothing of it.
    pub(super) fn step(&mut self, bench: &mut Bench) {
        bench.now = Instant(bench.now.0 + super::bench::MILLISECOND);
        let now = time::Instant::from_micros(i64::try_from(bench.now.0 / 1000).unwrap());
        self.interface.poll(now, &mut self.card, &mut self.sockets);
        while let Some(frame) = self.card.sent.pop_front() {
            if !self.is_lost() {
                bench.show(&frame);
            }
        }
        bench.poll();
        while let Some(frame) = bench.sent() {
            if !self.is_lost() {
                self.card.received.push_back(frame);
            }
        }
    }

    fn is_lost(&mut self) -> bool {
        self.frames += 1;
        self.loses_one_in != 0 && self.frames.is_multiple_of(self.loses_one_in)
    }
}

impl Device for Card {
    type RxToken<'c> = Frame;
    type TxToken<'c> = Room<'c>;

    fn receive(&mut self, _: time::Instant) -> Option<(Frame, Room<'_>)> {
        let frame = self.received.pop_front()?;
        Some((Frame(frame), Room(&mut self.sent)))
    }

    fn transmit(&mut self, _: time::Instant) -> Option<Room<'_>> {
        Some(Room(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

pub(super) struct Frame(Vec<u8>);

impl RxToken for Frame {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, look: F) -> R {
        look(&self.0)
    }
}

pub(super) struct Room<'c>(&'c mut VecDeque<Vec<u8>>);

impl TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut frame = vec![0; length];
        let result = write(&mut frame);
        self.0.push_back(frame);
        result
    }
}
