//! The machine: boot, SVM, nested paging, exits, configuration space. The only crate with `unsafe`.
//!
//! It executes instructions, maps memory and wires the parts together; what a guest may do is decided in
//! `sekisho_mediator`, in safe code. Called by the loader by two calls (see `sekisho_abi::boot::call`): [`prepare`]
//! builds everything on the boot CPU while the firmware still runs bare, and [`Hypervisor::enter`] then makes
//! the state of each CPU its guest, one after the other, the boot CPU last.
//!
//! Trusted: the loader's handover, the firmware up to here, the CPU. Not trusted: everything after.
#![no_std]

extern crate alloc;

pub mod address;
mod apic;
mod clock;
mod counters;
mod cpu;
mod descriptors;
mod device;
mod enter;
mod exit;
pub mod faults;
mod features;
mod io_port;
mod machine;
mod memory;
mod msr_access;
mod paging;
mod pci;
mod prepare;
mod random;
mod region;
mod serial;
mod space;
mod svm;
mod timer;
mod vectors;

pub use enter::{Caller, Hypervisor};
pub use machine::Machine;
pub use prepare::prepare;
