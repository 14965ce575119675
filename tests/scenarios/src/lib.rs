//! Guest driver against mediator against device model, on the host.
//!
//! Each scenario is a claim about what the guest gets, and the tests are named as these claims.

#[cfg(test)]
mod ahci;
#[cfg(test)]
mod ata;
#[cfg(test)]
mod pci;
