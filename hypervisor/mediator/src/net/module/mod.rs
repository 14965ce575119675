//! What becomes of the frames of a NIC: `net=` of the selection language.
//!
//! Two questions decide: whether the guest has the NIC, and whether the appliance is on it. A NIC that carries the log has the
//! appliance on it too, but there it answers nobody.

mod claim;
mod station;
pub mod vpn;

pub use station::Station;

use super::frame::{Frame, MacAddress};
use super::loss::Losses;
use super::port::{GuestLink, Outlets, Verdict};
use super::stack::{EchoCounts, Setup};
use super::syslog::{Identity, Sender};
use crate::clock::WallClock;
use crate::log::Log;
use crate::seam::Instant;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::num::NonZeroU16;
use sekisho_abi::network::{
    Addressing, Interface, Module as Kind, Network, Nic, Prefix, Syslog, Tunnel, Via,
};
use station::Admission;
use vpn::{Opened, Vpn};

/// Nanoseconds that a frame for the appliance may wait where no access of the guest's gives occasion to look.
const PATIENCE: u64 = 1_000_000;

/// The module of one NIC.
pub enum Module {
    /// `pass`: forwards both ways.
    Pass,
    /// `null`: cut. The guest has a NIC without a link.
    Null,
    /// `ip`, and `null` or a NIC of ours that carries the log: the guest is cut off, the appliance is there.
    Ip(Box<Station>),
    /// `vpn`: the guest is behind a tunnel.
    Vpn(Box<Vpn>),
    /// `ippass`, and `pass` that carries the log: the guest's, but for what is the appliance's.
    IpPass(Box<Station>),
}

/// The machine and the NIC that a module is for.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The NIC's own hardware address.
    pub nic: MacAddress,
    /// Random, another at every boot and for each NIC.
    pub seed: u64,
    /// Who speaks in the log.
    pub identity: Identity,
    /// The time of day, where it is known.
    pub clock: Option<WallClock>,
}

impl Module {
    /// The module that the policy wants for a NIC. All that it will ever need is allocated here.
    #[must_use]
    pub fn new(policy: &Network, nic: &Nic, around: &Surroundings) -> Self {
        let syslog = policy.syslog.filter(|_| nic.log);
        let station = |admission| {
            let of = Purpose {
                admission,
                syslog,
                tunnel: None,
            };
            station(policy, nic, around, of)
        };
        match nic.module {
            Kind::Pass | Kind::Null | Kind::Own if syslog.is_none() => match nic.module {
                Kind::Pass => Self::Pass,
                _ => Self::Null,
            },
            Kind::Pass => Self::IpPass(station(Admission::Ways)),
            Kind::Null | Kind::Own => Self::Ip(station(Admission::Ways)),
            Kind::Ip => Self::Ip(station(Admission::All)),
            Kind::IpPass => Self::IpPass(station(Admission::All)),
            // Without its keys, which `with_tunnel` has, there is no way.
            Kind::Vpn { .. } => Self::Null,
        }
    }

    /// The module of a NIC whose guest is behind `tunnel`, which was opened with its keys.
    #[must_use]
    pub fn with_tunnel(
        policy: &Network,
        nic: &Nic,
        around: &Surroundings,
        tunnel: &Tunnel,
        opened: Opened,
    ) -> Self {
        let syslog = policy.syslog.filter(|_| nic.log);
        let outside = syslog.filter(|syslog| syslog.via == Via::Outside);
        let inside = syslog.filter(|syslog| syslog.via == Via::Tunnel);
        let port = vpn::port(around.seed);
        let setup = vpn::Setup {
            policy: tunnel,
            opened,
            nic: around.nic,
            port,
            collector: outside.map(|syslog| syslog.to),
            log: inside.map(|syslog| {
                (
                    Sender::new(syslog, around.nic, around.identity.clone(), around.clock),
                    syslog.to,
                )
            }),
        };
        let of = Purpose {
            admission: Admission::Tunnel,
            syslog: outside,
            tunnel: Some(port),
        };
        Self::Vpn(Box::new(Vpn::new(*station(policy, nic, around, of), setup)))
    }

    /// Decides on a frame that the guest sends. The appliance never sees it: the guest reaches its address by no wire.
    pub fn outgoing(&mut self, frame: Frame<'_>, now: Instant) -> Verdict {
        match self {
            Self::Pass => Verdict::Forward,
            Self::Null | Self::Ip(_) => Verdict::Stop,
            Self::IpPass(station) => station.let_out(frame),
            Self::Vpn(vpn) => {
                vpn.outgoing(frame, now);
                Verdict::Stop
            }
        }
    }

    /// Decides on a frame that has come by the wire.
    pub fn incoming(&mut self, frame: Frame<'_>, _now: Instant) -> Verdict {
        match self {
            Self::Pass => Verdict::Forward,
            Self::Null => Verdict::Stop,
            Self::Ip(station) => {
                station.share(frame);
                Verdict::Stop
            }
            Self::IpPass(station) => station.share(frame),
            Self::Vpn(vpn) => {
                vpn.incoming(frame);
                Verdict::Stop
            }
        }
    }

    /// Takes what is new in the log and is to leave by this NIC. Only reads, and is short, since the log is locked meanwhile;
    /// the lines go out with the next [`Self::poll`].
    pub fn collect(&mut self, log: &Log, now: Instant) {
        match self {
            Self::Pass | Self::Null => {}
            Self::Ip(station) | Self::IpPass(station) => station.collect(log, now),
            Self::Vpn(vpn) => vpn.collect(log, now),
        }
    }

    /// Does what is due and gives its own frames out. `None` where it waits for frames, lines or the link alone, else when it
    /// wants to be polled again at the latest.
    pub fn poll(&mut self, now: Instant, out: &mut impl Outlets) -> Option<Instant> {
        match self {
            Self::Pass | Self::Null => None,
            Self::Ip(station) | Self::IpPass(station) => station.poll(now, out),
            Self::Vpn(vpn) => vpn.poll(now, out),
        }
    }

    /// Whether frames of its own wait for [`Self::poll`], because of a frame that it was shown.
    #[must_use]
    pub const fn waits(&self) -> bool {
        match self {
            Self::Vpn(vpn) => vpn.waits(),
            Self::Pass | Self::Null | Self::Ip(_) | Self::IpPass(_) => false,
        }
    }

    /// What a tunnel has for the log.
    pub fn take_notice(&mut self) -> Option<vpn::Notice> {
        match self {
            Self::Vpn(vpn) => vpn.take_notice(),
            Self::Pass | Self::Null | Self::Ip(_) | Self::IpPass(_) => None,
        }
    }

    /// When to look for frames from the wire at the latest, though nothing tells of any: the guest may be halted.
    #[must_use]
    pub fn next_look(&self, now: Instant) -> Option<Instant> {
        self.hardware().map(|_| Instant(now.0.saturating_add(PATIENCE)))
    }

    /// Sends the last lines at once, whatever the pace, and forgets every key: for a machine that stops.
    pub fn flush(&mut self, log: &Log, now: Instant, out: &mut impl Outlets) {
        match self {
            Self::Pass | Self::Null => {}
            Self::Ip(station) | Self::IpPass(station) => station.flush(log, now, out),
            Self::Vpn(vpn) => {
                vpn.flush(log, now, out);
                // The keys are wiped with it.
                *self = Self::Null;
            }
        }
    }

    /// What the guest sees of the link.
    #[must_use]
    pub const fn link(&self) -> GuestLink {
        match self {
            Self::Pass | Self::IpPass(_) => GuestLink::Wire,
            Self::Null | Self::Ip(_) => GuestLink::Down,
            Self::Vpn(_) => GuestLink::Up,
        }
    }

    /// The appliance's hardware address on this NIC, which the NIC has to receive for, groups and everybody's too; it may be
    /// the guest's as well.
    #[must_use]
    pub fn hardware(&self) -> Option<MacAddress> {
        match self {
            Self::Pass | Self::Null => None,
            Self::Ip(station) | Self::IpPass(station) => Some(station.hardware()),
            Self::Vpn(vpn) => Some(vpn.station().hardware()),
        }
    }

    /// The appliance's address on this NIC, once it has one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Pass | Self::Null => None,
            Self::Ip(station) | Self::IpPass(station) => station.address(),
            Self::Vpn(vpn) => vpn.station().address(),
        }
    }

    /// Frames that went nowhere, by reason.
    pub fn losses(&mut self) -> Option<&mut Losses> {
        self.station().map(Station::losses)
    }

    /// What the echo service and its client did.
    #[must_use]
    pub fn echo_counts(&self) -> EchoCounts {
        match self {
            Self::Pass | Self::Null | Self::Vpn(_) => EchoCounts::default(),
            Self::Ip(station) | Self::IpPass(station) => station.echo_counts(),
        }
    }

    fn station(&mut self) -> Option<&mut Station> {
        match self {
            Self::Pass | Self::Null => None,
            Self::Ip(station) | Self::IpPass(station) => Some(station),
            Self::Vpn(vpn) => Some(vpn.station_mut()),
        }
    }
}

/// What a station is for.
#[derive(Clone, Copy)]
struct Purpose {
    admission: Admission,
    /// The log, if it leaves by the station.
    syslog: Option<Syslog>,
    /// The port of a tunnel, if one does.
    tunnel: Option<NonZeroU16>,
}

fn station(policy: &Network, nic: &Nic, around: &Surroundings, purpose: Purpose) -> Box<Station> {
    let interface = nic
        .interface
        .and_then(|index| policy.interfaces.get(usize::try_from(index).ok()?));
    let Purpose {
        admission,
        syslog,
        tunnel,
    } = purpose;
    let own = interface.cloned().or_else(|| of_source(syslog?));
    let own_hardware = own
        .as_ref()
        .and_then(|own| own.mac)
        .map_or(around.nic, MacAddress);
    let setup = Setup {
        nic: around.nic,
        own: own.as_ref(),
        echo: policy.echo.as_ref().filter(|_| admission == Admission::All),
        collector: syslog.map(|syslog| syslog.to.ip()),
        tunnel,
        seed: around.seed,
    };
    let sender =
        syslog.map(|syslog| Sender::new(syslog, own_hardware, around.identity.clone(), around.clock));
    Box::new(Station::new(&setup, sender, admission))
}

/// Where the policy says an address for the log alone: the collector is taken to be on the same wire, whatever its address.
/// With the collector's hardware address too nothing has to be asked, so the address stays the guest's, if it is.
fn of_source(syslog: Syslog) -> Option<Interface> {
    let address = syslog.source.filter(|_| syslog.mac.is_none())?;
    Some(Interface {
        addressing: Addressing::Static(Prefix { address, length: 0 }),
        gateway: None,
        dns: Vec::new(),
        mac: None,
    })
}
