//! What a mediator of a NIC did not carry out as the guest or the device would have had it, by kind.

use crate::incident::Kind;

/// Counts and waiting notices of one NIC.
pub type Incidents = crate::incident::Incidents<Incident>;
/// An incident, told when the count of its kind reaches a power of two.
pub type Notice = crate::incident::Notice<Incident>;

/// One kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Incident {
    /// An access to a register that is not the guest's, or not known.
    RefusedRegister,
    /// An access to a register in a form that it does not have.
    MalformedAccess,
    /// A ring or buffer where the guest has no memory.
    UnreachableMemory,
    /// A descriptor, or a frame of several, that no NIC would carry out.
    MalformedDescriptor,
    /// What the guest wanted done to a frame is outside of it, or not done here.
    RefusedOffload,
    /// A write to the NIC's non-volatile memory.
    RefusedMemory,
    /// A frame from the wire for which there was no room.
    Dropped,
    /// The device reported nonsense, or did not do what it was told.
    DeviceError,
}

impl Kind for Incident {
    const ALL: &'static [Self] = &[
        Self::RefusedRegister,
        Self::MalformedAccess,
        Self::UnreachableMemory,
        Self::MalformedDescriptor,
        Self::RefusedOffload,
        Self::RefusedMemory,
        Self::Dropped,
        Self::DeviceError,
    ];
    const PLACE: Option<&'static str> = None;

    fn name(self) -> &'static str {
        match self {
            Self::RefusedRegister => "register refused",
            Self::MalformedAccess => "malformed register access",
            Self::UnreachableMemory => "ring or buffer outside the guest's memory",
            Self::MalformedDescriptor => "malformed descriptor",
            Self::RefusedOffload => "offload refused",
            Self::RefusedMemory => "write to the NIC's memory refused",
            Self::Dropped => "frame dropped",
            Self::DeviceError => "error of the device",
        }
    }

    fn subject(self) -> Option<&'static str> {
        match self {
            Self::RefusedRegister | Self::MalformedAccess => Some("register"),
            Self::UnreachableMemory => Some("address"),
            Self::RefusedMemory => Some("opcode"),
            Self::MalformedDescriptor | Self::RefusedOffload | Self::Dropped | Self::DeviceError => None,
        }
    }
}
