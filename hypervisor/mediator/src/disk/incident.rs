//! What a disk mediator did not carry out as the guest or a disk would have had it, by kind.

use crate::incident::Kind;

/// Counts and waiting notices of one controller.
pub type Incidents = crate::incident::Incidents<Incident>;
/// An incident, told when the count of its kind reaches a power of two.
pub type Notice = crate::incident::Notice<Incident>;

/// One kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incident {
    /// A write to blocks that the guest may not write.
    RefusedWrite,
    /// A command that is not carried out.
    RefusedCommand,
    /// A command that its controller could not carry out: header, FIS, a slot in use.
    MalformedCommand,
    /// A list, table or region of a command where the guest has no memory.
    UnreachableMemory,
    /// An access to a register in a form that it does not have.
    MalformedAccess,
    /// Blocks that read as zeros because they are not the guest's.
    ZeroedBlocks,
    /// The device or its controller reported an error.
    DeviceError,
    /// A disk may have been exchanged.
    Exchanged,
    /// A disk that is not the one that was bound: closed.
    Foreign,
    /// A disk that does not answer, or nonsense: closed.
    Silent,
}

impl Kind for Incident {
    const ALL: &'static [Self] = &[
        Self::RefusedWrite,
        Self::RefusedCommand,
        Self::MalformedCommand,
        Self::UnreachableMemory,
        Self::MalformedAccess,
        Self::ZeroedBlocks,
        Self::DeviceError,
        Self::Exchanged,
        Self::Foreign,
        Self::Silent,
    ];
    const PLACE: Option<&'static str> = Some("port");

    fn name(self) -> &'static str {
        match self {
            Self::RefusedWrite => "write refused",
            Self::RefusedCommand => "command refused",
            Self::MalformedCommand => "malformed command",
            Self::UnreachableMemory => "command outside the guest's memory",
            Self::MalformedAccess => "malformed register access",
            Self::ZeroedBlocks => "blocks read as zeros",
            Self::DeviceError => "error of the device",
            Self::Exchanged => "disk may have been exchanged",
            Self::Foreign => "another disk, closed",
            Self::Silent => "disk does not say what it is, closed",
        }
    }

    fn subject(self) -> Option<&'static str> {
        match self {
            Self::RefusedWrite | Self::ZeroedBlocks => Some("block"),
            Self::RefusedCommand => Some("opcode"),
            Self::MalformedAccess => Some("register"),
            Self::MalformedCommand
            | Self::UnreachableMemory
            | Self::DeviceError
            | Self::Exchanged
            | Self::Foreign
            | Self::Silent => None,
        }
    }
}
