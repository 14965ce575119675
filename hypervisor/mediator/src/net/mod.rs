//! Network controllers: what the guest sends and receives, decided frame by frame.
//!
//! A driver (one folder a family of NICs) owns the real rings and mediates the guest's. A [`module`] ([`port`] says how the
//! two meet) decides what becomes of each frame and has frames of its own. So any driver works with any module.
//!
//! Trusted: nothing that the guest says, and nothing that comes from the wire.

mod eeprom;
pub mod frame;
pub mod gateway;
mod header;
mod hold;
pub mod incident;
pub mod loss;
pub mod module;
pub mod offload;
mod phy;
pub mod port;
pub mod pro100;
pub mod pro1000;
mod stack;
pub mod syslog;

pub use stack::EchoCounts;
