//! A module between a wire and a guest that are lists of frames, and a clock that is set by hand.

use sekisho_abi::network::{Addressing, Echo, Interface, Module as Kind, Network, Nic, Prefix, Syslog};
use sekisho_mediator::clock::WallClock;
use sekisho_mediator::log::{Event, Line, Log, Sink};
use sekisho_mediator::net::frame::{Frame, MacAddress, Offload};
use sekisho_mediator::net::loss::Loss;
use sekisho_mediator::net::module::{Module, Surroundings};
use sekisho_mediator::net::port::{Full, Outlets, Verdict, WireLink};
use sekisho_mediator::net::syslog::Identity;
use sekisho_mediator::seam::Instant;
use std::collections::VecDeque;

/// The NIC's, and so the guest's.
pub(in crate::net) const NIC: MacAddress = MacAddress([0x52, 0x54, 0, 0, 0, 0x11]);
/// Somebody else's on the wire.
pub(in crate::net) const PEER: MacAddress = MacAddress([0x52, 0x54, 0, 0, 0, 0x01]);
/// The appliance's own, where the policy gives one.
pub(super) const OWN: MacAddress = MacAddress([0x52, 0x54, 0, 0xaa, 0, 1]);
pub(super) const BOOT: u128 = 0x0123_4567_89ab_cdef;

pub(super) const MILLISECOND: u64 = 1_000_000;
pub(super) const SECOND: u64 = 1000 * MILLISECOND;

/// What a module gives out, and how much of it is taken.
pub(super) struct Lines {
    pub(super) to_wire: VecDeque<Vec<u8>>,
    pub(super) to_guest: VecDeque<Vec<u8>>,
    pub(super) link: WireLink,
    /// Frames that the NIC has room for.
    pub(super) room: usize,
}

impl Outlets for Lines {
    fn to_wire(&mut self, frame: Frame<'_>) -> Result<(), Full> {
        if self.to_wire.len() >= self.room {
            return Err(Full);
        }
        assert_eq!(frame.offload, Offload::default());
        assert!((60..=1514).contains(&frame.bytes.len()));
        self.to_wire.push_back(frame.bytes.to_vec());
        Ok(())
    }

    fn wire(&self) -> WireLink {
        self.link
    }

    fn to_guest(&mut self, frame: Frame<'_>) -> Result<(), Full> {
        self.to_guest.push_back(frame.bytes.to_vec());
        Ok(())
    }
}

/// A module under test.
pub(super) struct Bench {
    pub(super) module: Module,
    pub(super) lines: Lines,
    pub(super) log: Log,
    pub(super) now: Instant,
}

/// Nowhere.
struct Dark;

impl Sink for Dark {
    fn line(&mut self, _: &Line) {}
}

/// What a scenario's policy says.
pub(in crate::net) struct Policy {
    pub(super) kind: Kind,
    pub(super) interface: Option<Interface>,
    pub(super) syslog: Option<Syslog>,
    pub(super) echo: Option<Echo>,
    pub(super) clock: Option<WallClock>,
}

pub(in crate::net) fn prefix(text: &str) -> Prefix {
    let (address, length) = text.split_once('/').unwrap();
    Prefix {
        address: address.parse().unwrap(),
        length: length.parse().unwrap(),
    }
}

/// An interface with a fixed address and the NIC's hardware address.
pub(super) fn fixed(address: &str) -> Interface {
    Interface {
        addressing: Addressing::Static(prefix(address)),
        gateway: None,
        dns: Vec::new(),
        mac: None,
    }
}

/// One that asks by DHCP.
pub(super) fn dhcp() -> Interface {
    Interface {
        addressing: Addressing::Dhcp,
        ..fixed("192.0.2.11/24")
    }
}

impl Policy {
    /// `ippass` or another with a fixed address.
    pub(in crate::net) fn new(kind: Kind, address: &str) -> Self {
        Self {
            kind,
            interface: Some(fixed(address)),
            syslog: None,
            echo: None,
            clock: None,
        }
    }

    pub(super) fn bench(self) -> Bench {
        let mut bench = Bench {
            module: self.module(),
            lines: Lines {
                to_wire: VecDeque::new(),
                to_guest: VecDeque::new(),
                link: WireLink::Up,
                room: usize::MAX,
            },
            log: Log::new(64),
            now: Instant(10 * SECOND),
        };
        // As a driver does when it has taken its NIC over: the module learns of the link.
        bench.poll();
        bench
    }

    /// The module that the policy leads to.
    pub(in crate::net) fn module(self) -> Module {
        let nic = Nic {
            entry: 0,
            module: self.kind,
            interface: self.interface.is_some().then_some(0),
            log: self.syslog.is_some(),
        };
        let network = Network {
            nics: vec![nic],
            interfaces: self.interface.into_iter().collect(),
            tunnels: Vec::new(),
            syslog: self.syslog,
            echo: self.echo,
        };
        let around = Surroundings {
            nic: NIC,
            seed: 0x5eed,
            identity: Identity::new("test", [0xab; 32], NIC, BOOT),
            clock: self.clock,
        };
        Module::new(&network, &nic, &around)
    }
}

impl Bench {
    /// A frame comes by the wire, and the module is polled; what the guest gets of it.
    pub(super) fn wire_sends(&mut self, bytes: &[u8]) -> Verdict {
        let verdict = self.show(bytes);
        self.poll();
        verdict
    }

    /// A frame comes by the wire, and nobody polls.
    pub(super) fn show(&mut self, bytes: &[u8]) -> Verdict {
        let offload = Offload::default();
        self.module.incoming(Frame { bytes, offload }, self.now)
    }

    /// The guest sends a frame; whether it goes out.
    pub(super) fn guest_sends(&mut self, bytes: &[u8]) -> Verdict {
        let offload = Offload::default();
        self.module.outgoing(Frame { bytes, offload }, self.now)
    }

    pub(super) fn poll(&mut self) -> Option<Instant> {
        self.module.collect(&self.log, self.now);
        self.module.poll(self.now, &mut self.lines)
    }

    /// Polls for so long, as often as the module wants it and every 10 ms at least.
    pub(super) fn run(&mut self, nanoseconds: u64) {
        let end = self.now.0 + nanoseconds;
        while self.now.0 < end {
            let again = self
                .poll()
                .map_or(end, |again| again.0.max(self.now.0 + MILLISECOND));
            self.now = Instant(again.min(self.now.0 + 10 * MILLISECOND).min(end));
        }
        self.poll();
    }

    pub(super) fn write_line(&mut self, text: &str) {
        self.log.write(&mut Dark, Event::STARTED, format_args!("{text}"));
    }

    /// The frame that went out first and was not looked at.
    pub(super) fn sent(&mut self) -> Option<Vec<u8>> {
        self.lines.to_wire.pop_front()
    }

    pub(super) fn lost(&mut self, loss: Loss) -> u64 {
        self.module.losses().unwrap().count(loss)
    }
}
