//! How a disk misbehaves, and what was done to it that it should have been spared.

/// A way to misbehave. Commands are counted from 1 in the order in which the disk sees them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Aborts one command.
    Abort {
        /// Which.
        command: u64,
    },
    /// Never answers one command.
    Silent {
        /// Which.
        command: u64,
    },
    /// Answers one command late.
    Slow {
        /// Which.
        command: u64,
        /// Steps of the model.
        steps: u32,
    },
    /// Says another serial number after the next reset: it was swapped.
    OtherSerialAfterReset(String),
    /// Answers nothing any more.
    Bricked,
}

/// A command that no guest may give a disk, and that reached it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Harm {
    /// Its code.
    pub command: u8,
    /// Its features.
    pub features: u16,
}
