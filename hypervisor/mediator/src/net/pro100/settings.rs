//! What the guest set by commands: configuration, address, groups; and what of it the hardware gets.

use super::Use;
use super::spec::CONFIGURATION;
use crate::net::frame::{ADDRESS_LENGTH, MacAddress};
use alloc::vec::Vec;

/// Groups that a multicast command holds at most.
pub(super) const GROUPS: usize = 64;

/// Bytes of the configuration, and bits in them (6.4.2.3).
const BLOCKS: usize = 6;
/// Legacy blocks; bad frames are not stored.
const BLOCKS_STANDARD: u8 = 1 << 4;
const BLOCKS_BAD: u8 = 1 << 7;
const FORMS: usize = 7;
/// Short frames are discarded; receive descriptors and buffer tables are not extended.
const FORMS_SHORT: u8 = 1 << 0;
const FORMS_EXTENDED: u8 = 1 << 5 | 1 << 7;
const SUMS: usize = 9;
/// Checksums behind the frame, and tags.
const SUMS_ALL: u8 = 1 << 0 | 1 << 1;
const SOURCE: usize = 10;
/// The source address is in the frame; no loopback.
const SOURCE_IN_FRAME: u8 = 1 << 3;
const SOURCE_LOOPBACK: u8 = 3 << 6;
const ADDRESSES: usize = 15;
const ADDRESSES_ALL: u8 = 1 << 0;
const ADDRESSES_NO_BROADCAST: u8 = 1 << 1;
const FRAMES: usize = 18;
/// The check sequence is stored.
const FRAMES_CHECK: u8 = 1 << 2;
/// Short frames are padded.
const FRAMES_PADDED: u8 = 1 << 1;
const MORE: usize = 20;
/// Several own addresses.
const MORE_ADDRESSES: u8 = 1 << 6;
const ALL_GROUPS: usize = 21;
const ALL_GROUPS_ON: u8 = 1 << 3;

/// The configuration as the manual gives it for a reset, with the values that it recommends for MII.
const AFTER_RESET: [u8; CONFIGURATION] = [
    0x16, 0x08, 0x00, 0x00, 0x00, 0x00, 0x32, 0x03, 0x01, 0x00, 0x2e, 0x00, 0x60, 0x00, 0xf2, 0x48, 0x00,
    0x40, 0xf2, 0x80, 0x3f, 0x05,
];

/// What the guest set.
pub(super) struct Settings {
    configuration: [u8; CONFIGURATION],
    pub(super) address: MacAddress,
    groups: Vec<MacAddress>,
}

impl Settings {
    /// As after a reset, of a NIC with this address.
    pub(super) fn new(address: MacAddress) -> Self {
        Self {
            configuration: AFTER_RESET,
            address,
            groups: Vec::with_capacity(GROUPS),
        }
    }

    /// As after a reset.
    pub(super) fn reset(&mut self, address: MacAddress) {
        self.configuration = AFTER_RESET;
        self.address = address;
        self.groups.clear();
    }

    /// The guest configures: the first of these bytes is their number.
    pub(super) fn configure(&mut self, bytes: &[u8]) {
        let count = usize::from(bytes.first().copied().unwrap_or(0) & 0x3f).min(CONFIGURATION);
        for (setting, byte) in self.configuration.iter_mut().zip(bytes).take(count) {
            *setting = *byte;
        }
    }

    /// The guest says which groups it listens to.
    pub(super) fn listen(&mut self, bytes: &[u8]) {
        self.groups.clear();
        let (addresses, _) = bytes.as_chunks::<ADDRESS_LENGTH>();
        self.groups
            .extend(addresses.iter().take(GROUPS).map(|address| MacAddress(*address)));
    }

    /// The configuration for the hardware.
    pub(super) fn hardware(&self, usage: Use) -> [u8; CONFIGURATION] {
        let mut bytes = self.configuration;
        let mut change = |index: usize, clear: u8, set: u8| {
            if let Some(byte) = bytes.get_mut(index) {
                *byte = *byte & !clear | set;
            }
        };
        change(0, u8::MAX, u8::try_from(CONFIGURATION).unwrap_or(0));
        change(BLOCKS, BLOCKS_BAD, BLOCKS_STANDARD);
        change(FORMS, FORMS_EXTENDED, FORMS_SHORT);
        change(SUMS, SUMS_ALL, 0);
        change(SOURCE, SOURCE_LOOPBACK, SOURCE_IN_FRAME);
        change(FRAMES, 0, FRAMES_PADDED);
        change(MORE, MORE_ADDRESSES, 0);
        if usage == Use::Module {
            // Filtered for the guest in software.
            change(ADDRESSES, ADDRESSES_NO_BROADCAST, ADDRESSES_ALL);
            change(ALL_GROUPS, 0, ALL_GROUPS_ON);
        }
        bytes
    }

    /// Whether the guest's filter lets a frame in.
    pub(super) fn accepts(&self, destination: MacAddress) -> bool {
        let has = |index: usize, bit: u8| self.configuration.get(index).is_some_and(|byte| byte & bit != 0);
        has(ADDRESSES, ADDRESSES_ALL)
            || destination == self.address
            || destination == MacAddress::BROADCAST && !has(ADDRESSES, ADDRESSES_NO_BROADCAST)
            || destination.is_group() && has(ALL_GROUPS, ALL_GROUPS_ON)
            || self.groups.contains(&destination)
    }

    /// Whether frames are stored with their check sequence.
    pub(super) fn has_check(&self) -> bool {
        self.configuration
            .get(FRAMES)
            .is_some_and(|byte| byte & FRAMES_CHECK != 0)
    }

    /// Whether the first two buffers of a frame are described in its block (82558 and later).
    pub(super) fn has_extended_blocks(&self) -> bool {
        self.configuration
            .get(BLOCKS)
            .is_some_and(|byte| byte & BLOCKS_STANDARD == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_descriptors_or_loops_frames_back_never_reaches_the_hardware() {
        let mut settings = Settings::new(MacAddress([2, 0, 0, 0, 0, 1]));
        for fill in [0x00, 0xff] {
            let mut bytes = [fill; CONFIGURATION];
            bytes[0] = 22;
            settings.configure(&bytes);
            let hardware = settings.hardware(Use::Guest);
            assert_eq!(hardware[6] & 0x90, 0x10);
            assert_eq!(hardware[7] & 0xa0, 0);
            assert_eq!(hardware[9] & 3, 0);
            assert_eq!(hardware[10] & 0xc8, 0x08);
            assert_eq!(hardware[20] & 0x40, 0);
            assert_eq!(settings.hardware(Use::Module)[15] & 3, 1);
        }
    }

    #[test]
    fn the_guests_filter_is_what_it_configured() {
        let own = MacAddress([2, 0, 0, 0, 0, 1]);
        let group = MacAddress([1, 0, 0x5e, 0, 0, 1]);
        let mut settings = Settings::new(own);
        assert!(settings.accepts(own));
        assert!(settings.accepts(MacAddress::BROADCAST));
        assert!(!settings.accepts(group));
        settings.listen(&group.0);
        assert!(settings.accepts(group));
        assert!(!settings.accepts(MacAddress([2, 0, 0, 0, 0, 2])));
        let mut promiscuous = [0; CONFIGURATION];
        (promiscuous[0], promiscuous[15]) = (16, 1);
        settings.configure(&promiscuous);
        assert!(settings.accepts(MacAddress([2, 0, 0, 0, 0, 2])));
    }
}
