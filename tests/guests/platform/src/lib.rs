//! What the UEFI test programs share: the machine without firmware, one instruction at a time.
//!
//! After [`machine::take`] the program is alone on the boot CPU in ring 0 with its own tables; every fault comes
//! back as a value from [`attempt::attempt`]. Results are lines on COM1, the end is a write to the exit port.
#![no_std]

extern crate alloc;

pub mod apic;
pub mod attempt;
pub mod config;
pub mod counters;
pub mod exception;
pub mod machine;
pub mod msr;
pub mod port;
pub mod serial;
pub mod tables;
