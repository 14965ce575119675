//! The sliding window that tells a packet that came before (RFC 6479's way: a ring of words, cleared as it advances).

/// Words of 64 counters each.
const WORDS: usize = 128;
/// How far behind the newest a packet may come. One word less than there is: the newest one's is partly in use.
pub(crate) const WIDTH: u64 = (WORDS as u64 - 1) * 64;

/// Which counters were seen.
pub(crate) struct Window {
    /// One more than the greatest seen.
    next: u64,
    seen: [u64; WORDS],
}

impl Window {
    pub(crate) const fn new() -> Self {
        Self {
            next: 0,
            seen: [0; WORDS],
        }
    }

    /// Whether `counter` is new, as far as can be told: for a look before decryption, which changes nothing.
    pub(crate) fn is_new(&self, counter: u64) -> bool {
        if counter >= self.next {
            return true;
        }
        let (word, bit) = place(counter);
        self.next - counter <= WIDTH && self.seen.get(word).is_some_and(|seen| seen & bit == 0)
    }

    /// Marks an authentic packet's counter, for which [`Self::is_new`] was true.
    pub(crate) fn mark(&mut self, counter: u64) {
        if counter >= self.next {
            self.advance(counter);
        }
        let (word, bit) = place(counter);
        if let Some(seen) = self.seen.get_mut(word) {
            *seen |= bit;
        }
    }

    /// Makes `counter` the newest: the words between were last used a whole ring ago.
    fn advance(&mut self, counter: u64) {
        let newest = self.next.saturating_sub(1) / 64;
        for ahead in (newest + 1..=counter / 64).take(WORDS) {
            let (word, _) = place(ahead * 64);
            if let Some(seen) = self.seen.get_mut(word) {
                *seen = 0;
            }
        }
        self.next = counter.saturating_add(1);
    }
}

/// The word and the bit in it.
fn place(counter: u64) -> (usize, u64) {
    let word = usize::try_from(counter / 64 % WORDS as u64).unwrap_or(0);
    (word, 1 << (counter % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn a_counter_is_new_once() {
        let mut window = Window::new();
        for counter in [0, 1, 3, 2, 64, 63, 8000, 100] {
            assert!(window.is_new(counter), "{counter}");
            window.mark(counter);
            assert!(!window.is_new(counter), "{counter}");
        }
    }

    #[test]
    fn what_is_further_behind_than_the_window_is_not_new() {
        let mut window = Window::new();
        window.mark(WIDTH + 99);
        assert!(window.is_new(100));
        assert!(!window.is_new(99));
    }

    #[test]
    fn the_greatest_counters_have_their_place() {
        let mut window = Window::new();
        window.mark(u64::MAX - 1);
        assert!(window.is_new(u64::MAX) && !window.is_new(u64::MAX - 1) && window.is_new(u64::MAX - 2));
        window.mark(u64::MAX);
        assert!(!window.is_new(0));
    }

    /// Against a set of everything seen, over leaps of all sizes.
    #[test]
    fn it_agrees_with_a_memory_of_everything() {
        let (mut window, mut all, mut newest, mut state) = (Window::new(), BTreeSet::new(), 0_u64, 1_u64);
        let mut refused = 0;
        for _ in 0..200_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let (leap, far) = (state >> 33, state >> 61);
            let counter = match far {
                0 => newest + leap % 20_000,
                1 | 2 => newest + leap % 70,
                3..=5 => newest.saturating_sub(leap % 100),
                _ => newest.saturating_sub(leap % 9000),
            };
            let expected = newest < counter + WIDTH && !all.contains(&counter);
            assert_eq!(window.is_new(counter), expected, "{counter} after {newest}");
            if expected {
                window.mark(counter);
                all.insert(counter);
                newest = newest.max(counter);
            } else {
                refused += 1;
            }
        }
        assert!(refused > 5_000 && all.len() > 10_000, "{refused} {}", all.len());
    }
}
