//! Intel's gigabit Ethernet controllers: 82540EM and 82574L, and the wire that frames come from and go to.
//!
//! Only legacy receive descriptors are carried out, which is what a mediator of ours uses. What no careful driver does is
//! kept as a breach: undefined bits, descriptors that change under the device, rings that move while they are used.

mod nic;
mod offload;
mod receive;
pub mod spec;
#[cfg(test)]
mod tests;
mod transmit;

pub use nic::{Flavour, Link, Pro1000};
pub use offload::{Segment, Sums, crc, finish, internet_sum};
