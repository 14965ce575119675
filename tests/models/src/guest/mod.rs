//! Guest drivers: small ones, that go by the book as a stock operating system's do.

mod ahci;
mod ide;
mod pro100;
mod pro1000;
mod recovery;
mod request;

pub use ahci::{AhciDriver, Completion, Failure, INTERRUPTS};
pub use ide::{IdeDriver, IdeWindow, Unit};
pub use pro100::{BLOCKS, Buffers, Pro100Driver, Pro100Window};
pub use pro1000::{Form, Pro1000Driver, Received, UNITS, Wanted};
pub use request::{Request, Transferred};

/// A guest's way to a device's 32-bit registers, and what happens while it waits.
pub trait Window {
    /// Loads from the register at this offset.
    fn read(&mut self, offset: u32) -> u32;

    /// Stores to it.
    fn write(&mut self, offset: u32, value: u32);

    /// The guest does something else; the world goes on.
    fn wait(&mut self);
}
