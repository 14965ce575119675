//! Guest driver against mediator against device model, on the host.
//!
//! Each scenario is a claim about what the guest gets, and the tests are named as these claims.

#[cfg(test)]
mod disk;
#[cfg(test)]
mod net;
#[cfg(test)]
mod pci;
