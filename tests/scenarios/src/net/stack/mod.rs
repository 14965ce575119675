//! The appliance's own stack, by its module: frames in and out of memory, no NIC.

mod answers;
pub(super) mod bench;
mod dhcp;
mod echo;
mod hostile;
mod memory;
pub(super) mod neighbour;
mod peer;
mod sharing;
mod syslog;
