//! An AHCI controller with drives on its ports.

mod engine;
mod hba;
mod port;
mod receive;
pub mod spec;
mod table;
#[cfg(test)]
mod tests;

pub use hba::{Hba, Line};
