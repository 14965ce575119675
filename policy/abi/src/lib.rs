//! The contract between host and target: what `image build` writes and the loader and hypervisor read.
//!
//! Everything here is `no_std` safe code shared by both sides, so that the policy reviewed on a laptop and the
//! policy enforced below the operating system are decided by the same functions. Bytes that reach
//! [`compiled::CompiledPolicy::from_bytes`] are checked, not trusted: the image may be damaged.
#![no_std]

extern crate alloc;

pub mod boot;
pub mod compiled;
pub mod disk;
pub mod event;
pub mod network;
pub mod origin;
pub mod pci;
pub mod selection;
pub mod storage;
