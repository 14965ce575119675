//! The two physical address spaces, each with its own type.
//!
//! The guest's physical addresses are the machine's (nothing is moved), but only a [`GuestPhys`] that
//! [`crate::memory`] has checked against the hypervisor's region may be followed.

/// A physical address of the machine, in the hypervisor's hands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HostPhys(pub u64);

/// A physical address as the guest names it. Hostile until checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct GuestPhys(pub u64);

/// A range of physical addresses, end exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PhysRange {
    /// First byte.
    pub start: u64,
    /// Byte after the last.
    pub end: u64,
}

impl PhysRange {
    /// The range of `length` bytes at `start`; `None` if it leaves the address space.
    #[must_use]
    pub const fn new(start: u64, length: u64) -> Option<Self> {
        match start.checked_add(length) {
            Some(end) => Some(Self { start, end }),
            None => None,
        }
    }

    /// Whether `address` lies inside.
    #[must_use]
    pub const fn contains(&self, address: u64) -> bool {
        address.wrapping_sub(self.start) < self.end - self.start
    }

    /// Whether `length` bytes at `address` touch the range.
    #[must_use]
    pub const fn touches(&self, address: u64, length: u64) -> bool {
        address < self.end && address.saturating_add(length) > self.start
    }

    /// Bytes in it.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.end - self.start
    }
}
