//! Device models that are stricter than hardware, with faults and hostile decorators.
//!
//! A model never panics: what a careful user of the hardware would not do is kept as a breach, and the scenario
//! that drives it asserts that there is none.

pub mod ahci;
pub mod ata;
pub mod breach;
mod bytes;
pub mod guest;
pub mod ide;
pub mod memory;
pub mod pace;
pub mod pci;
pub mod pro100;
pub mod pro1000;
pub mod ram;
pub mod sequence;
