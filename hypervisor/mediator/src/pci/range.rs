//! Ranges of the bus's two address spaces: memory and I/O ports.

/// Some memory addresses as the bus sees them, never none: from the first to the last, both inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryRange {
    first: u64,
    last: u64,
}

impl MemoryRange {
    /// `length` bytes from `first`; `None` if that is nothing, or leaves the 64-bit space.
    #[must_use]
    pub const fn new(first: u64, length: u64) -> Option<Self> {
        match length.checked_sub(1) {
            Some(rest) => match first.checked_add(rest) {
                Some(last) => Some(Self { first, last }),
                None => None,
            },
            None => None,
        }
    }

    /// From `first` to `last`; `None` where `last` lies before `first`, as in a closed bridge window.
    #[must_use]
    pub const fn inclusive(first: u64, last: u64) -> Option<Self> {
        if first > last {
            return None;
        }
        Some(Self { first, last })
    }

    /// First address.
    #[must_use]
    pub const fn first(self) -> u64 {
        self.first
    }

    /// Last address.
    #[must_use]
    pub const fn last(self) -> u64 {
        self.last
    }

    /// Whether some address lies in both.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Some I/O ports, never none: from the first to the last, both inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// From `first` to `last`; `None` where `last` lies before `first`.
    pub(super) const fn inclusive(first: u16, last: u16) -> Option<Self> {
        if first > last {
            return None;
        }
        Some(Self { first, last })
    }

    /// Whether some port lies in both.
    pub(super) const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_do_not_overlap() {
        let low = MemoryRange::new(0x1000, 0x1000).unwrap();
        let high = MemoryRange::new(0x2000, 1).unwrap();
        assert!(!low.overlaps(high) && !high.overlaps(low));
        assert!(low.overlaps(MemoryRange::inclusive(0, 0x1000).unwrap()));
    }

    #[test]
    fn nothing_is_not_a_range() {
        assert_eq!(MemoryRange::new(5, 0), None);
        assert_eq!(MemoryRange::new(u64::MAX, 2), None);
        assert_eq!(MemoryRange::inclusive(0xfff0_0000, 0xf_ffff), None);
        assert_eq!(MemoryRange::new(u64::MAX, 1).unwrap().last(), u64::MAX);
    }
}
