//! What can be logged: one id and level for each kind of event, so that a line is found in the documentation by
//! its code whatever its text says.

use core::fmt;

/// How much an event matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// The machine cannot go on.
    Fatal,
    /// Something does not work, or was lost.
    Error,
    /// Something was refused, or needs attention.
    Warning,
    /// The machine's normal life.
    Info,
}

/// One kind of event: shown as `H` and four digits, of which the first two say where it comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    code: u16,
    level: Level,
}

impl Event {
    /// The hypervisor starts: version, policy.
    pub const STARTED: Self = Self::new(101, Level::Info);
    /// A CPU runs as guest from now on.
    pub const CPU_ENTERED: Self = Self::new(102, Level::Info);
    /// What was reserved and what is used of it.
    pub const MEMORY: Self = Self::new(105, Level::Info);
    /// A check of the hypervisor's own state failed: it stops.
    pub const BROKEN_INVARIANT: Self = Self::new(190, Level::Fatal);

    /// One PCI function: class, identity, drivers that fit, driver taken.
    pub const PCI_FUNCTION: Self = Self::new(201, Level::Info);
    /// A PCI function appeared after boot and was decided.
    pub const PCI_ARRIVED: Self = Self::new(202, Level::Warning);
    /// The guest tried something with configuration space and did not get it.
    pub const PCI_REFUSED: Self = Self::new(203, Level::Warning);

    /// The guest tried to reach the hypervisor's memory.
    pub const MEMORY_REFUSED: Self = Self::new(301, Level::Warning);
    /// The guest tried an instruction or register that belongs to the hypervisor.
    pub const CPU_REFUSED: Self = Self::new(302, Level::Warning);
    /// An instruction that had to be carried out could not be decoded; the guest got a fault.
    pub const NOT_DECODED: Self = Self::new(303, Level::Warning);

    /// Something about a disk was refused, hidden or went wrong.
    pub const DISK_INCIDENT: Self = Self::new(501, Level::Warning);
    /// What the policy says is in clear is no partition of a bound disk.
    pub const CLEAR_ABSENT: Self = Self::new(502, Level::Warning);

    /// Lines of the log were overwritten before they could be sent.
    pub const LINES_LOST: Self = Self::new(601, Level::Warning);
    /// Frames of or for the appliance went nowhere.
    pub const FRAMES_LOST: Self = Self::new(602, Level::Warning);

    /// The guest or a NIC did with its registers and rings what was not carried out.
    pub const NETWORK_INCIDENT: Self = Self::new(603, Level::Warning);
    /// A NIC that its driver cannot have is concealed.
    pub const NETWORK_CONCEALED: Self = Self::new(604, Level::Error);

    /// The guest shuts down or resets the machine.
    pub const GUEST_RESET: Self = Self::new(402, Level::Info);

    /// Every kind, for the documentation and for decoding.
    pub const ALL: [Self; 17] = [
        Self::STARTED,
        Self::CPU_ENTERED,
        Self::MEMORY,
        Self::BROKEN_INVARIANT,
        Self::PCI_FUNCTION,
        Self::PCI_ARRIVED,
        Self::PCI_REFUSED,
        Self::MEMORY_REFUSED,
        Self::CPU_REFUSED,
        Self::NOT_DECODED,
        Self::GUEST_RESET,
        Self::DISK_INCIDENT,
        Self::CLEAR_ABSENT,
        Self::NETWORK_INCIDENT,
        Self::NETWORK_CONCEALED,
        Self::LINES_LOST,
        Self::FRAMES_LOST,
    ];

    const fn new(code: u16, level: Level) -> Self {
        Self { code, level }
    }

    /// The number behind the `H`.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.code
    }

    /// How much it matters.
    #[must_use]
    pub const fn level(self) -> Level {
        self.level
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "H{:04}", self.code)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_code_is_h_and_four_digits() {
        assert_eq!(Event::STARTED.to_string(), "H0101");
    }

    #[test]
    fn no_two_events_share_a_code() {
        for (index, event) in Event::ALL.iter().enumerate() {
            assert!(
                Event::ALL
                    .iter()
                    .skip(index + 1)
                    .all(|other| other.code != event.code),
                "{event}"
            );
        }
    }
}
