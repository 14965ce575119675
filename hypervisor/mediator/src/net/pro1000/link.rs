//! What the guest sees of the link in the status register.

use super::spec::{STATUS_FD, STATUS_LU, STATUS_SPEED, STATUS_SPEED_1000};
use crate::net::port::{GuestLink, WireLink};

/// The wire's link, of the device's STATUS.
pub(super) const fn of_wire(hardware: u32) -> WireLink {
    if hardware & STATUS_LU != 0 {
        WireLink::Up
    } else {
        WireLink::Down
    }
}

/// STATUS as the guest sees it.
pub(super) const fn status(hardware: u32, link: GuestLink) -> u32 {
    match link {
        GuestLink::Wire => hardware,
        GuestLink::Down => hardware & !STATUS_LU,
        GuestLink::Up if hardware & STATUS_LU != 0 => hardware,
        GuestLink::Up => hardware & !STATUS_SPEED | STATUS_LU | STATUS_FD | STATUS_SPEED_1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_link_is_down_wherever_the_guest_looks() {
        assert_eq!(status(0x8008_0783, GuestLink::Down), 0x8008_0781);
    }

    #[test]
    fn a_link_to_the_module_is_up_when_the_wire_is_not() {
        assert_eq!(status(0x8008_0700, GuestLink::Up), 0x8008_0783);
    }
}
