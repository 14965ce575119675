//! The appliance's own stack, by its module: frames in and out of memory, no NIC.

mod answers;
mod bench;
mod dhcp;
mod neighbour;
mod sharing;
mod syslog;
