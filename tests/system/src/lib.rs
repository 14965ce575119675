//! Boots the real image in an emulator: the test machine, the guest's disk and the console of both sides.
//!
//! The same machine also runs bare, without the hypervisor: most claims are "as on the bare machine", and the
//! benchmark's ratios need it. Nothing here is trusted by the product; what a guest prints is judged by the test.
#![deny(unsafe_code)]

pub mod appliance;
pub mod bench;
pub mod collectors;
pub mod command;
pub mod console;
pub mod dissector;
mod emulator;
pub mod encrypted;
pub mod endurance;
pub mod failure;
pub mod guest;
pub mod hypervisor_log;
pub mod key_store;
pub mod machine;
pub mod network;
mod package;
pub mod paths;
pub mod peer;
pub mod record;
pub mod report;
pub mod tool;
pub mod tunneled;
pub mod wired;
