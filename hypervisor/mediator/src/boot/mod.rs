//! What the loader decides before takeover: is the image whole, where does the hypervisor go, what do the
//! firmware's tables and clock say, what was typed at the prompt.
//!
//! The loader itself only calls the firmware. Nothing here trusts the bytes it reads: the image may be damaged,
//! and the tables may have been written by anything the firmware ran before us.

pub mod acpi;
pub mod image;
pub mod place;
pub mod prompt;
pub mod region;
pub mod time;
