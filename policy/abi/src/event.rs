//! What can be logged: a code, level and meaning for each kind of event, so that a line is understood by its code whatever
//! its text says. The hypervisor writes by it, the command explains by it, and `docs/events.md` says the same.

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
    tells: &'static str,
    remedy: &'static str,
}

impl Event {
    /// The hypervisor starts: version, policy.
    pub const STARTED: Self = Self {
        code: 101,
        level: Level::Info,
        tells: "the hypervisor starts: version, policy",
        remedy: "",
    };
    /// A CPU runs as guest from now on.
    pub const CPU_ENTERED: Self = Self {
        code: 102,
        level: Level::Info,
        tells: "a CPU runs as guest from now on",
        remedy: "",
    };
    /// What was reserved and what is used of it.
    pub const MEMORY: Self = Self {
        code: 105,
        level: Level::Info,
        tells: "memory used of what was reserved, CPUs",
        remedy: "",
    };
    /// A check of the hypervisor's own state failed: it stops.
    pub const BROKEN_INVARIANT: Self = Self {
        code: 190,
        level: Level::Fatal,
        tells: "an invariant of the hypervisor's is broken; every CPU stops",
        remedy: "report the line, with `sekisho image inspect`",
    };

    /// One PCI function: class, identity, drivers that fit, driver taken, by which line and rule of the policy.
    pub const PCI_FUNCTION: Self = Self {
        code: 201,
        level: Level::Info,
        tells: "one PCI function: class, identity, (drivers that fit) driver taken, by which line and rule",
        remedy: "compare with `sekisho match`",
    };
    /// A PCI function appeared after boot and was decided.
    pub const PCI_ARRIVED: Self = Self {
        code: 202,
        level: Level::Warning,
        tells: "a function appeared after boot, and was decided",
        remedy: "look whether it was meant",
    };
    /// The guest tried something with configuration space and did not get it.
    pub const PCI_REFUSED: Self = Self {
        code: 203,
        level: Level::Warning,
        tells: "the guest tried something with configuration space and did not get it; told at 1, 2, 4, 8 … of a kind",
        remedy: "once or twice at boot is a driver's habit; many are not",
    };

    /// The guest tried to reach the hypervisor's memory.
    pub const MEMORY_REFUSED: Self = Self {
        code: 301,
        level: Level::Warning,
        tells: "the guest tried to reach memory that does not exist for it; told at 1, 2, 4, 8 … of a CPU",
        remedy: "nothing honest reaches the hypervisor's own",
    };
    /// The guest tried an instruction or register that belongs to the hypervisor.
    pub const CPU_REFUSED: Self = Self {
        code: 302,
        level: Level::Warning,
        tells: "a register write that has no effect, or an instruction of SVM; told at 1, 2, 4, 8 … of a CPU",
        remedy: "firmware's start-up code does it; malware too",
    };
    /// An instruction that had to be carried out could not be decoded; the guest got a fault.
    pub const NOT_DECODED: Self = Self {
        code: 303,
        level: Level::Warning,
        tells: "an instruction that could not be carried out; the guest got a fault; told at 1, 2, 4, 8 … of a CPU",
        remedy: "report it, if no attack is meant",
    };

    /// Something about a disk was refused, hidden or went wrong.
    pub const DISK_INCIDENT: Self = Self {
        code: 501,
        level: Level::Warning,
        tells: "a command of the guest's to a disk was refused, sectors read as zeros, or a disk misbehaved; told at 1, 2, 4, 8 … of a kind",
        remedy: "readahead and `blkid` reach into what no rule covers; refused writes want a look at the policy",
    };
    /// What the policy says is in clear is no partition of a bound disk.
    pub const CLEAR_ABSENT: Self = Self {
        code: 502,
        level: Level::Warning,
        tells: "a partition that `[clear]` names does not exist beside the volumes of a controller",
        remedy: "a slip in the policy leaves it unreadable; of several controllers the others may have it",
    };

    /// Lines of the log were overwritten before they could be sent.
    pub const LINES_LOST: Self = Self {
        code: 601,
        level: Level::Warning,
        tells: "lines of the log were overwritten before they could be sent to the collector: only in syslog",
        remedy: "the network was away for long, or something floods the log",
    };
    /// Frames of or for the appliance went nowhere.
    pub const FRAMES_LOST: Self = Self {
        code: 602,
        level: Level::Warning,
        tells: "frames of or for the appliance went nowhere, by reason; told at 1, 2, 4, 8 … of a reason",
        remedy: "networks.md has the reasons",
    };

    /// The guest or a NIC did with its registers and rings what was not carried out.
    pub const NETWORK_INCIDENT: Self = Self {
        code: 603,
        level: Level::Warning,
        tells: "a NIC's guest or the NIC itself did what was not carried out: registers, rings, descriptors; told at 1, 2, 4, 8 … of a kind",
        remedy: "a driver tries a few registers when it starts; many are not",
    };
    /// A NIC that its driver cannot have is concealed.
    pub const NETWORK_CONCEALED: Self = Self {
        code: 604,
        level: Level::Error,
        tells: "a NIC that its driver cannot have, and why: it is concealed",
        remedy: "another `driver` in the policy",
    };
    /// Keys were agreed on with a tunnel's peer.
    pub const TUNNEL_UP: Self = Self {
        code: 605,
        level: Level::Info,
        tells: "keys were agreed on with a tunnel's peer; every two minutes while there is traffic",
        remedy: "",
    };
    /// A tunnel's peer does not answer.
    pub const PEER_SILENT: Self = Self {
        code: 606,
        level: Level::Warning,
        tells: "a tunnel's peer has not answered for 90 seconds; what waited for it was dropped",
        remedy: "is the server up, does it know the public key, does the network let UDP through?",
    };
    /// A tunnel's peer is somewhere else.
    pub const ENDPOINT_CHANGED: Self = Self {
        code: 607,
        level: Level::Info,
        tells: "a tunnel's peer is somewhere else: it moved, or its name leads there",
        remedy: "",
    };
    /// The name of a tunnel's peer leads nowhere.
    pub const ENDPOINT_UNKNOWN: Self = Self {
        code: 608,
        level: Level::Warning,
        tells: "no name server knows the name of a tunnel's peer",
        remedy: "`[ip] dns`, and the name in `endpoint`",
    };

    /// The guest shuts down or resets the machine.
    pub const GUEST_RESET: Self = Self {
        code: 402,
        level: Level::Info,
        tells: "the guest resets the machine, and how",
        remedy: "",
    };

    /// Every kind, for the documentation and for decoding.
    pub const ALL: [Self; 21] = [
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
        Self::TUNNEL_UP,
        Self::PEER_SILENT,
        Self::ENDPOINT_CHANGED,
        Self::ENDPOINT_UNKNOWN,
    ];

    /// The kind that is shown so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let digits = name.strip_prefix('H').filter(|digits| digits.len() == 4)?;
        // A number of Rust's may have a sign.
        let digits = digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(digits)?;
        let code: u16 = digits.parse().ok()?;
        Self::ALL.into_iter().find(|event| event.code == code)
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

    /// What it tells, for people.
    #[must_use]
    pub const fn tells(self) -> &'static str {
        self.tells
    }

    /// What to do; empty where there is nothing to do.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        self.remedy
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
    fn every_event_is_found_by_its_code_and_nothing_else_is() {
        for event in Event::ALL {
            assert_eq!(Event::named(&event.to_string()), Some(event));
        }
        for name in ["", "H", "H101", "H+101", "E0101", "H9999", "H01010", "h0101"] {
            assert_eq!(Event::named(name), None, "{name}");
        }
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
