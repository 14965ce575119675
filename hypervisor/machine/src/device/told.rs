//! What mediated devices tell the log, and what of it is counted.

use core::fmt;
use sekisho_mediator::incident::Kind;
use sekisho_mediator::log::Event;
use sekisho_mediator::net::loss::{self, Loss};
use sekisho_mediator::net::module::vpn;
use sekisho_mediator::{disk, net};

/// A notice of one of them.
pub(crate) enum Told {
    Disk(disk::incident::Notice),
    Network(net::incident::Notice),
    Loss(loss::Notice),
    Tunnel(vpn::Notice),
}

impl Told {
    /// The kind of event that it is.
    pub(crate) const fn event(&self) -> Event {
        match self {
            Self::Disk(_) => Event::DISK_INCIDENT,
            Self::Network(_) => Event::NETWORK_INCIDENT,
            Self::Loss(_) => Event::FRAMES_LOST,
            Self::Tunnel(notice) => notice.event(),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(notice) => notice.fmt(f),
            Self::Network(notice) => notice.fmt(f),
            Self::Loss(notice) => notice.fmt(f),
            Self::Tunnel(notice) => notice.fmt(f),
        }
    }
}

/// Something that is counted over all devices.
#[derive(Clone, Copy)]
pub(crate) enum Countable {
    Disk(disk::incident::Incident),
    Network(net::incident::Incident),
    Loss(Loss),
    /// The guest's wide registers, to a tunnel.
    VectorsLent,
}

impl Countable {
    /// How many there are.
    pub(crate) fn number() -> usize {
        Self::all().count()
    }

    /// Every one, in the order of the counters.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let disk = disk::incident::Incident::ALL.iter().copied().map(Self::Disk);
        let network = net::incident::Incident::ALL.iter().copied().map(Self::Network);
        disk.chain(network)
            .chain(Loss::ALL.iter().copied().map(Self::Loss))
            .chain([Self::VectorsLent])
    }

    /// In a few words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Disk(kind) => kind.name(),
            Self::Network(kind) => kind.name(),
            Self::Loss(kind) => kind.name(),
            Self::VectorsLent => "vectors lent",
        }
    }
}
