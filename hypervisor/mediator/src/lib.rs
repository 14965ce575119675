//! Every decision of the hypervisor, as safe code that runs on the host.
//!
//! The machine crate executes instructions and maps memory; what a guest may read, write or reach is decided
//! here, against the real hardware behind small traits. Everything the guest hands in is hostile.
#![no_std]

extern crate alloc;

pub mod boot;
pub mod clock;
pub mod cpu;
pub mod disk;
pub mod incident;
pub mod log;
pub mod net;
pub mod pci;
pub mod seam;
pub mod wake;
mod window;
