//! PCI: enumeration, the fate of every function, and the guest's configuration accesses.
//!
//! The machine brings the hardware as a [`ConfigSpace`]; both of the guest's ways in ([`ports`], [`window`]) end
//! in one place, [`Mediator::read`] and [`Mediator::write`], so that no path can be forgotten.
//!
//! Trusted: that the hardware routes configuration cycles as bridges say. Not trusted: every access of the guest,
//! and every register of a device, which may lie, change or vanish between two reads.
//!
//! What holds, whatever the guest does:
//! - a concealed function never decodes addresses and never masters the bus, and reads all ones;
//! - no passed function decodes an address inside a protected range, that of a mediated function included;
//! - a function that was not there at boot is decided by the same list before the guest sees any of it.

mod access;
mod attempt;
mod bar;
mod bridge;
mod change;
mod discover;
mod fate;
mod fixed;
mod function;
mod guard;
mod listing;
mod mediated;
mod mediator;
mod placeholder;
pub mod ports;
mod range;
pub mod spec;
mod table;
pub mod window;

pub use access::{ConfigSpace, Width};
pub use attempt::{Attempt, Notice};
pub use bar::{Bar, BarKind, Bars};
pub use bridge::BusNumbers;
pub use discover::discover;
pub use fate::{Fate, NoSuchDriver, Taken};
pub use function::{Found, Function};
pub use listing::Listing;
pub use mediated::IndexData;
pub use mediator::{Mediator, MediatorError};
pub use placeholder::{PLACEHOLDER_DEVICE, PLACEHOLDER_VENDOR};
pub use range::MemoryRange;
pub use table::{Functions, MAX_FUNCTIONS, TooMany};
