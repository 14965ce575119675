//! How many handshake messages are worth an answer: a handshake costs a thousand times what a forged message does.
//!
//! Both measures are of fixed size, whatever comes.

use crate::time::Instant;
use core::net::IpAddr;
use core::time::Duration;

/// Handshake messages a second that are worked on without asking for a cookie.
const CALM_RATE: Rate = Rate {
    every: Duration::from_millis(50),
    burst: 20,
};
/// How long load is thought to last after it was last seen.
const LOAD_LASTS: Duration = Duration::from_secs(1);
/// Handshake messages of one source under load (the paper, section 5.3, leaves the figure open).
const SOURCE_RATE: Rate = Rate {
    every: Duration::from_millis(50),
    burst: 5,
};
/// Sources that are told apart. A newcomer finds no place while this many have all been here lately.
const SOURCES: usize = 64;

/// Something may happen `burst` times at once, and once more after each `every`.
struct Rate {
    every: Duration,
    burst: u32,
}

/// What of a rate is left: the moment from which on all of it is there again.
#[derive(Clone, Copy)]
struct Allowance {
    whole_at: Instant,
}

impl Allowance {
    fn is_whole(self, now: Instant) -> bool {
        self.whole_at <= now
    }

    /// Takes one, if there is one.
    fn take(&mut self, rate: &Rate, now: Instant) -> bool {
        let after = self.whole_at.max(now).after(rate.every);
        let is_left = after.since(now) <= rate.every * rate.burst;
        if is_left {
            self.whole_at = after;
        }
        is_left
    }
}

/// Whether we are under load.
pub(crate) struct Load {
    calm: Allowance,
    until: Instant,
}

impl Load {
    pub(crate) const fn new() -> Self {
        Self {
            calm: Allowance { whole_at: Instant(0) },
            until: Instant(0),
        }
    }

    /// Counts a handshake message and says whether there are too many.
    pub(crate) fn is_high(&mut self, now: Instant) -> bool {
        if !self.calm.take(&CALM_RATE, now) {
            self.until = now.after(LOAD_LASTS);
        }
        now < self.until
    }
}

/// Who a limit is for: an IPv4 address, or the half of an IPv6 address that one host cannot choose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    V4(u32),
    V6(u64),
}

impl Source {
    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address.to_bits()),
            IpAddr::V6(address) => {
                let [a, b, c, d, e, f, g, h, ..] = address.octets();
                Self::V6(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
            }
        }
    }
}

/// How much each source may still ask for.
pub(crate) struct Sources([Option<(Source, Allowance)>; SOURCES]);

impl Sources {
    pub(crate) const fn new() -> Self {
        Self([None; SOURCES])
    }

    /// Counts a message from `address`, which has proven that it is there, and says whether it may be worked on.
    pub(crate) fn admit(&mut self, address: IpAddr, now: Instant) -> bool {
        let source = Source::of(address);
        let known = self.0.iter_mut().flatten().find(|(other, _)| *other == source);
        if let Some((_, allowance)) = known {
            return allowance.take(&SOURCE_RATE, now);
        }
        let free = self
            .0
            .iter_mut()
            .find(|place| place.is_none_or(|(_, allowance)| allowance.is_whole(now)));
        let Some(place) = free else {
            return false;
        };
        let mut allowance = Allowance { whole_at: now };
        let is_admitted = allowance.take(&SOURCE_RATE, now);
        *place = Some((source, allowance));
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: u64 = 1_000_000;

    #[test]
    fn load_is_high_beyond_the_calm_rate_and_ends_a_second_after() {
        let mut load = Load::new();
        let start = 1000 * MILLISECOND;
        for _ in 0..20 {
            assert!(!load.is_high(Instant(start)));
        }
        assert!(load.is_high(Instant(start)));
        assert!(load.is_high(Instant(start + 999 * MILLISECOND)));
        assert!(!load.is_high(Instant(start + 1000 * MILLISECOND)));
    }

    #[test]
    fn a_source_has_its_burst_and_its_rate_and_others_have_theirs() {
        let mut sources = Sources::new();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = Instant(MILLISECOND);
        let admitted = (0..100).filter(|_| sources.admit(one, now)).count();
        assert_eq!(admitted, 5);
        assert!(sources.admit(other, now));
        assert!(sources.admit(one, Instant(51 * MILLISECOND)));
        assert!(!sources.admit(one, Instant(51 * MILLISECOND)));
    }

    #[test]
    fn one_host_with_many_ipv6_addresses_is_one_source() {
        let mut sources = Sources::new();
        let admitted = (0..100_u16)
            .filter(|host| sources.admit(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, *host]), Instant(0)))
            .count();
        assert_eq!(admitted, 5);
    }

    #[test]
    fn newcomers_wait_until_a_place_is_free() {
        let mut sources = Sources::new();
        let admitted = (0..200_u8)
            .filter(|last| sources.admit(IpAddr::from([192, 0, 2, *last]), Instant(0)))
            .count();
        assert_eq!(admitted, SOURCES);
        assert!(sources.admit(IpAddr::from([192, 0, 2, 200]), Instant(51 * MILLISECOND)));
    }
}
