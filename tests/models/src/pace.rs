//! When a model works.

/// When a model works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// When it is told to: what is in flight stays there.
    WhenTold,
    /// One step at each register access, as a driver that polls sees it.
    AtAccess,
}
