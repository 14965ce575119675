//! Disk controllers: what the guest does to a disk, decided and carried out with its sectors encrypted below it.
//!
//! The guest's driver speaks to a register interface that looks like the controller's own. Its commands are read once,
//! judged by one table of all ATA commands and one filter of all sectors, and carried out by commands of ours
//! whose data lies in shadow buffers: the device never reads or writes the guest's memory.
//!
//! Trusted: nothing that the guest says, and nothing that a disk says beyond its own answers. What is not known is
//! refused.

pub mod ahci;
pub mod ata;
pub mod bind;
pub mod binding;
pub mod command;
pub mod drive;
pub mod filter;
pub mod incident;
pub mod shadow;

#[cfg(test)]
mod filter_tests;
