//! What the guest reads of a PHY: Intel's NICs have the same register for that (MDIC: 8254x SDM 13.4.7; MDI control: 8255x
//! Open Source Software Developer Manual 1.3, 6.3.7).

use super::port::GuestLink;

/// The register's number, five bits; what is done, and that it is done.
const REGISTER_SHIFT: u32 = 16;
pub(super) const OPERATION: u32 = 3 << 26;
pub(super) const WRITE: u32 = 1 << 26;
pub(super) const READY: u32 = 1 << 28;

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

/// The register as the guest reads it: the result of a PHY read.
pub(super) const fn seen(hardware: u32, link: GuestLink) -> u32 {
    let is_result = hardware & READY != 0 && hardware & OPERATION != WRITE;
    if !is_result {
        return hardware;
    }
    match (hardware >> REGISTER_SHIFT & 31, link) {
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
    fn a_cut_link_is_down_and_one_to_the_module_is_up() {
        assert_eq!(seen(0x1821_796d, GuestLink::Down), 0x1821_7949);
        assert_eq!(seen(0x1831_ac00, GuestLink::Down), 0x1831_a000);
        assert_eq!(seen(0x1821_7949, GuestLink::Up), 0x1821_796d);
        assert_eq!(seen(0x1831_0000, GuestLink::Up), 0x1831_ac00);
    }

    #[test]
    fn other_registers_and_what_is_not_a_result_stay() {
        for value in [0x1822_0141, 0x0821_796d, 0x1421_796d] {
            assert_eq!(seen(value, GuestLink::Down), value);
        }
    }
}
