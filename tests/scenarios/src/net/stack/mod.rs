//! The appliance's own stack, by its module: frames in and out of memory, no NIC.

mod answers;
pub(super) mod bench;
mod dhcp;
pub(super) mod neighbour;
mod sharing;
mod syslog;
