//! The log: events with level and id, kept in a bounded ring and shown on the serial port.
//!
//! A line is written once, into fixed memory, without allocation, and is never longer than one slot of the ring.
//! Texts may carry what a device or guest said (an identity, an address), so only printable ASCII gets in.

mod line;
mod ring;

pub use line::{Line, TEXT_SIZE};
pub use ring::{Log, Replay, Sink};
pub use sekisho_abi::event::{Event, Level};
