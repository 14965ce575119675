//! Where a driver and a [`Module`](super::module::Module) meet.
//!
//! The driver shows every frame to the module before it moves it, and the module says whether it goes on; what the module
//! keeps, it has copied. Frames of the module's own go to [`Outlets`] when the driver polls it, so neither ever calls back
//! into the other while a frame is looked at.

use super::frame::Frame;

/// What becomes of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// To the other side, as it is.
    Forward,
    /// Nowhere; the module may have copied it.
    Stop,
}

/// There is no room for a frame now; there will be when the device has gone on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// Whether the guest has the NIC too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guest {
    /// Its driver drives it.
    Present,
    /// It is ours alone.
    Absent,
}

/// The link as the guest sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GuestLink {
    /// As the wire is.
    Wire,
    /// Down, whatever the wire is.
    Down,
    /// Up, whatever the wire is: what answers is in the module.
    Up,
}

/// The link of the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireLink {
    /// Something is at the other end.
    Up,
    /// Nothing is: frames would be lost.
    Down,
}

/// Ways out for frames that a module makes; each driver has them.
pub trait Outlets {
    /// To the wire.
    ///
    /// # Errors
    /// [`Full`]: nothing was sent.
    fn to_wire(&mut self, frame: Frame<'_>) -> Result<(), Full>;

    /// What the real NIC says of its link. A module whose link is down waits, so a driver polls it when that changes.
    fn wire(&self) -> WireLink;

    /// To the guest.
    ///
    /// # Errors
    /// [`Full`]: the guest has no buffer for it, or does not receive.
    fn to_guest(&mut self, frame: Frame<'_>) -> Result<(), Full>;
}
