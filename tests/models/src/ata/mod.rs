//! ATA disks and packet drives, without the controller that they hang on.
//!
//! A disk does everything that it is told, the harmful too: what a mediator lets through by mistake shows on the
//! platter, in [`Disk::harm`] and in [`platter::Platter::ever_held`].

mod disk;
mod drive;
mod fault;
mod identify;
mod log;
mod operation;
pub mod packet;
pub mod platter;
pub mod spec;
mod task;

pub use disk::{Disk, Features, Geometry, WriteCache};
pub use drive::Drive;
pub use fault::{Fault, Harm};
pub use identify::{IDENTIFY_SIZE, identify};
pub use packet::PacketDrive;
pub use platter::Platter;
pub use task::{Acceptance, Direction, FIS_SIZE, Outcome, Protocol, TaskFile, Transfer};
