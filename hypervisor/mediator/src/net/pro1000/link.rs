//! What the guest sees of the link: the status register's, and the PHY's by MDIC.

use super::spec::{
    MDIC_OPERATION, MDIC_READY, MDIC_REGISTER_SHIFT, MDIC_WRITE, STATUS_FD, STATUS_LU, STATUS_SPEED,
    STATUS_SPEED_1000,
};
use crate::net::port::{GuestLink, WireLink};

/// Status of a PHY (IEEE 802.3, 22.2.4.2): the link is up, negotiation has ended.
const PHY_STATUS: u32 = 1;
const PHY_STATUS_LINK: u32 = 1 << 2;
const PHY_STATUS_DONE: u32 = 1 << 5;
/// The PHY's own status (88E1011 and its kin, register 17): the link at this moment, and when negotiation ended;
/// resolved; speed and duplex.
const PHY_SPECIFIC: u32 = 17;
const PHY_SPECIFIC_LINK: u32 = 1 << 10;
const PHY_SPECIFIC_RESOLVED: u32 = 1 << 11;
const PHY_SPECIFIC_SPEED: u32 = 7 << 13;
const PHY_SPECIFIC_1000_FULL: u32 = 5 << 13;

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

/// MDIC as the guest reads it: the result of a PHY read.
pub(super) const fn phy(hardware: u32, link: GuestLink) -> u32 {
    let is_result = hardware & MDIC_READY != 0 && hardware & MDIC_OPERATION != MDIC_WRITE;
    if !is_result {
        return hardware;
    }
    match (hardware >> MDIC_REGISTER_SHIFT & 31, link) {
        (PHY_STATUS, GuestLink::Down) => hardware & !(PHY_STATUS_LINK | PHY_STATUS_DONE),
        (PHY_STATUS, GuestLink::Up) => hardware | PHY_STATUS_LINK | PHY_STATUS_DONE,
        (PHY_SPECIFIC, GuestLink::Down) => hardware & !(PHY_SPECIFIC_LINK | PHY_SPECIFIC_RESOLVED),
        (PHY_SPECIFIC, GuestLink::Up) if hardware & PHY_SPECIFIC_LINK == 0 => {
            hardware & !PHY_SPECIFIC_SPEED
                | PHY_SPECIFIC_1000_FULL
                | PHY_SPECIFIC_LINK
                | PHY_SPECIFIC_RESOLVED
        }
        _ => hardware,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_link_is_down_wherever_the_guest_looks() {
        assert_eq!(status(0x8008_0783, GuestLink::Down), 0x8008_0781);
        assert_eq!(phy(0x1821_796d, GuestLink::Down), 0x1821_7949);
        assert_eq!(phy(0x1831_ac00, GuestLink::Down), 0x1831_a000);
    }

    #[test]
    fn a_link_to_the_module_is_up_when_the_wire_is_not() {
        assert_eq!(status(0x8008_0700, GuestLink::Up), 0x8008_0783);
        assert_eq!(phy(0x1821_7949, GuestLink::Up), 0x1821_796d);
        assert_eq!(phy(0x1831_0000, GuestLink::Up), 0x1831_ac00);
    }

    #[test]
    fn other_registers_and_what_is_not_a_result_stay() {
        for value in [0x1822_0141, 0x0821_796d, 0x1421_796d] {
            assert_eq!(phy(value, GuestLink::Down), value);
        }
    }
}
