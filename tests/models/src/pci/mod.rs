//! Configuration space: functions with their registers, bridges that route by bus number, plugging and resets.
//!
//! Sources as in `sekisho_mediator::pci::spec`.

mod function;
mod hostile;
mod machine;

pub use function::{BarModel, Function, Header};
pub use hostile::{Hostile, Lie};
pub use machine::{Breach, Machine, Place, Slot};
