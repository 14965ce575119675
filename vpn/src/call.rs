//! What the peers of a tunnel share, and what a call of the tunnel brings along.

use crate::noise::Identity;
use crate::outlet::{Event, Outlet, Random, Reason};
use crate::routing::Routes;
use crate::time::{Clock, Instant, Timestamp};
use alloc::vec::Vec;
use sekisho_crypto::aead::Vectors;

/// What the peers of a tunnel share.
pub(crate) struct Shared {
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    pub(crate) routes: Routes,
    pub(crate) mtu: usize,
    pub(crate) vectors: Vectors,
    /// Where the next data message is made.
    pub(crate) message: Vec<u8>,
    /// How much was dropped, by reason.
    pub(crate) drops: [u64; Reason::ALL.len()],
}

/// One call of the tunnel.
pub(crate) struct Call<'a> {
    pub(crate) shared: &'a mut Shared,
    pub(crate) now: Instant,
    pub(crate) random: &'a mut dyn Random,
    pub(crate) out: &'a mut dyn Outlet,
}

impl Call<'_> {
    pub(crate) fn date(&self) -> Timestamp {
        Timestamp::at(&self.shared.clock, self.now)
    }

    pub(crate) fn dropped(&mut self, peer: Option<usize>, reason: Reason) {
        if let Some(count) = self.shared.drops.get_mut(reason as usize) {
            *count += 1;
        }
        self.out.event(Event::Dropped { peer, reason });
    }
}
