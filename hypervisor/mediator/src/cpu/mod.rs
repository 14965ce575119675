//! The processor: what of it the guest sees, and the instructions the hypervisor carries out for it.
//!
//! Pure functions on values that the machine takes from its save area. Nothing here allocates, and nothing panics
//! on what a guest hands in.

pub mod apic_page;
mod arithmetic;
pub mod cpuid;
pub mod decode;
#[cfg(test)]
mod decode_tests;
pub mod efer;
pub mod emulate;
#[cfg(test)]
mod emulate_tests;
pub mod fetch;
pub mod general;
pub mod interrupt_command;
pub mod linear;
pub mod msr;
#[cfg(test)]
mod msr_tests;
pub mod mtrr;
pub mod port_string;
pub mod recall;
pub mod registers;
pub mod startup;
mod string;
pub mod walk;
#[cfg(test)]
mod walk_tests;
