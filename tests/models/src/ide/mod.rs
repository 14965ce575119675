//! An IDE controller as in PIIX: two channels of two drives, and a bus master for each channel.

mod bus_master;
mod channel;
mod controller;
pub mod spec;
#[cfg(test)]
mod tests;
mod work;

pub use controller::Ide;
