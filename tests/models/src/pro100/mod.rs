//! Intel's fast Ethernet controllers, as their software developer manual (8255x, 1.3) has them, and the wire.
//!
//! Frames are sent and received in the simplified mode only, which is what a mediator of ours uses.

mod eeprom;
mod nic;
pub mod spec;
#[cfg(test)]
mod tests;
mod units;

pub use nic::Pro100;
