//! The guest's address filter, in software: where a module has an address of its own the device lets in more than the
//! guest asked for.

use super::identity::Family;
use super::spec::{MTA, RA, RAH_SELECT, RAH_VALID, RCTL_BAM, RCTL_MO_SHIFT, RCTL_MPE, RCTL_UPE};
use crate::net::frame::{ADDRESS_LENGTH, MacAddress};

/// Registers of the multicast table (SDM 13.5.1).
const TABLE: usize = 128;
/// Receive addresses (SDM 13.5.2).
const ADDRESSES: usize = 16;

/// What the guest's filter registers hold.
pub(super) struct Filter {
    table: [u32; TABLE],
    /// Low and high register of each address.
    addresses: [[u32; 2]; ADDRESSES],
    family: Family,
}

impl Filter {
    pub(super) const fn new(family: Family) -> Self {
        Self {
            table: [0; TABLE],
            addresses: [[0; 2]; ADDRESSES],
            family,
        }
    }

    /// A register of the table or of the addresses has this value now.
    pub(super) fn note(&mut self, offset: u32, value: u32) {
        if let Some(within) = offset.checked_sub(RA) {
            let entry = self.addresses.get_mut(number(within / 8));
            if let Some(half) = entry.and_then(|entry| entry.get_mut(number(within / 4 % 2))) {
                *half = value;
            }
        } else if let Some(word) = offset
            .checked_sub(MTA)
            .and_then(|within| self.table.get_mut(number(within / 4)))
        {
            *word = value;
        }
    }

    /// Whether a frame to `destination` is for the guest, whose RCTL is `control` (SDM 3.2.1).
    pub(super) fn accepts(&self, destination: MacAddress, control: u32) -> bool {
        let promiscuous = if destination.is_group() {
            RCTL_MPE
        } else {
            RCTL_UPE
        };
        control & promiscuous != 0
            || destination == MacAddress::BROADCAST && control & RCTL_BAM != 0
            || self.has(destination)
            || destination.is_group() && self.hits_table(destination, control)
    }

    fn has(&self, destination: MacAddress) -> bool {
        self.addresses.iter().any(|entry| is_address(*entry, destination))
    }

    fn hits_table(&self, destination: MacAddress, control: u32) -> bool {
        let [.., fifth, sixth] = destination.0;
        let bits = u32::from(sixth) << 8 | u32::from(fifth);
        // Twelve bits, the uppermost first; ten in a chipset, whose table is shorter.
        let shift = match control >> RCTL_MO_SHIFT & 3 {
            0 => 4,
            1 => 3,
            2 => 2,
            _ => 0,
        };
        let (shift, mask) = match self.family {
            Family::Pci | Family::Express => (shift, 0xfff),
            Family::Chipset => (shift + 2, 0x3ff),
        };
        let hash = bits >> shift & mask;
        let word = self.table.get(number(hash >> 5)).copied().unwrap_or(0);
        word >> (hash & 31) & 1 != 0
    }
}

fn is_address([low, high]: [u32; 2], destination: MacAddress) -> bool {
    let [a, b, c, d] = low.to_le_bytes();
    let [e, f, ..] = high.to_le_bytes();
    let address: [u8; ADDRESS_LENGTH] = [a, b, c, d, e, f];
    high & RAH_VALID != 0 && high & RAH_SELECT == 0 && destination.0 == address
}

fn number(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: MacAddress = MacAddress([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
    const GROUP: MacAddress = MacAddress([0x01, 0, 0x5e, 0, 0, 0xfb]);

    #[test]
    fn only_what_the_guest_asked_for_is_its() {
        let mut filter = Filter::new(Family::Express);
        assert!(!filter.accepts(OURS, 0));
        assert!(filter.accepts(OURS, RCTL_UPE));
        filter.note(RA, 0x1200_5452);
        filter.note(RA + 4, 0x5634 | RAH_VALID);
        assert!(filter.accepts(OURS, 0));
        assert!(!filter.accepts(MacAddress::BROADCAST, 0));
        assert!(filter.accepts(MacAddress::BROADCAST, RCTL_BAM));
        assert!(!filter.accepts(GROUP, RCTL_UPE));
        assert!(filter.accepts(GROUP, RCTL_MPE));
    }

    #[test]
    fn a_group_is_looked_up_where_the_offset_says() {
        // 01:00:5e:00:00:fb: bits 47 to 32 are fb00h.
        for (offset, hash) in [(0, 0xfb0u32), (1, 0xf60), (2, 0xec0), (3, 0xb00)] {
            let mut filter = Filter::new(Family::Pci);
            filter.note(MTA + 4 * (hash >> 5), 1 << (hash & 31));
            let control = offset << RCTL_MO_SHIFT;
            assert!(filter.accepts(GROUP, control), "{offset}");
            assert!(!filter.accepts(GROUP, ((offset + 1) % 4) << RCTL_MO_SHIFT));
        }
    }
}
