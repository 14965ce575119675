//! What the log is told of a tunnel: who answers, who does not, and from where. Never of keys.

use crate::log::Event;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use core::net::SocketAddr;

/// Notices that wait for the log; of more the newest is left out.
const WAITING: usize = 16;

/// Something that has happened to a tunnel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    tunnel: Arc<str>,
    peer: usize,
    news: News,
}

/// What it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum News {
    /// Keys were agreed on.
    Handshake,
    /// Nothing was heard for long.
    Silent,
    /// It is somewhere else.
    Moved(SocketAddr),
    /// Its name led there.
    Resolved(SocketAddr),
    /// Its name leads nowhere.
    NoAddress,
}

impl Notice {
    /// The kind of event.
    #[must_use]
    pub const fn event(&self) -> Event {
        match self.news {
            News::Handshake => Event::TUNNEL_UP,
            News::Silent => Event::PEER_SILENT,
            News::Moved(_) | News::Resolved(_) => Event::ENDPOINT_CHANGED,
            News::NoAddress => Event::ENDPOINT_UNKNOWN,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tunnel {}, peer {}: ", self.tunnel, self.peer)?;
        match self.news {
            News::Handshake => f.write_str("handshake done"),
            News::Silent => f.write_str("no answer for long; packets that waited were dropped"),
            News::Moved(endpoint) => write!(f, "now at {endpoint}"),
            News::Resolved(endpoint) => write!(f, "its name leads to {endpoint}"),
            News::NoAddress => f.write_str("no name server knows its address"),
        }
    }
}

/// Notices of one tunnel that wait.
pub(super) struct Notices {
    tunnel: Arc<str>,
    waiting: VecDeque<Notice>,
}

impl Notices {
    pub(super) fn new(tunnel: &str) -> Self {
        Self {
            tunnel: tunnel.into(),
            waiting: VecDeque::with_capacity(WAITING),
        }
    }

    pub(super) fn add(&mut self, peer: usize, news: News) {
        if self.waiting.len() < WAITING {
            self.waiting.push_back(Notice {
                tunnel: self.tunnel.clone(),
                peer,
                news,
            });
        }
    }

    pub(super) fn take(&mut self) -> Option<Notice> {
        self.waiting.pop_front()
    }
}
