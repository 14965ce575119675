//! The causes of interrupts that are set here because the device cannot know of them, and what the guest has enabled.
//!
//! A cause is set in the device where it makes a difference, and once: each store to a register takes the bus's time, and
//! in an emulator under load the better part of a frame's. Sources: 82574 7.4 and 10.2.4, SDM 13.4.17 to 13.4.21.

use super::identity::Family;
use super::spec::{CAUSE_ASSERTED, CTRL_EXT_IAME, IAM, ICR, ICS, IMC, IMS};
use crate::seam::Registers;

/// What becomes of causes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Causes {
    /// What the guest enabled and nobody masked since. The device may have less enabled, never more.
    enabled: u32,
    /// To be told, once the guest enables or reads them.
    owed: u32,
    /// Set in the device and not cleared since: they say no more when they are set again.
    raised: u32,
    /// What a read of the causes masks, as the guest asked (IAM), if it did (IAME).
    masks: u32,
    acknowledges: bool,
}

impl Causes {
    /// Tells the guest of `causes` as soon as it wants to know.
    pub(super) fn raise<R: Registers>(&mut self, causes: u32, registers: &mut R) {
        self.owed |= causes & !self.raised;
        if self.owed & self.enabled != 0 {
            self.settle(registers);
        }
    }

    /// The guest reads the causes, which clears them.
    pub(super) fn read<R: Registers>(&mut self, registers: &mut R) -> u32 {
        self.settle(registers);
        let causes = registers.read(ICR);
        self.raised = 0;
        if self.acknowledges && causes & CAUSE_ASSERTED != 0 {
            // The device does so too; QEMU's, up to 8.0, only with MSI-X. A guest that is interrupted while it takes frames
            // takes half as many.
            self.mask(self.masks, registers);
        }
        causes
    }

    /// The guest clears causes.
    pub(super) fn clear<R: Registers>(&mut self, causes: u32, registers: &mut R) {
        self.owed &= !causes;
        self.raised &= !causes;
        registers.write(ICR, causes);
    }

    /// The guest enables interrupts.
    pub(super) fn enable<R: Registers>(&mut self, causes: u32, registers: &mut R) {
        self.enabled |= causes;
        if self.owed & self.enabled != 0 {
            self.settle(registers);
        }
        registers.write(IMS, causes);
    }

    /// The guest masks interrupts.
    pub(super) fn mask<R: Registers>(&mut self, causes: u32, registers: &mut R) {
        self.enabled &= !causes;
        registers.write(IMC, causes);
    }

    /// The guest wrote CTRL_EXT.
    pub(super) const fn note_extended(&mut self, value: u32, family: Family) {
        self.acknowledges = value & CTRL_EXT_IAME != 0 && !matches!(family, Family::Pci);
    }

    /// The guest writes IAM.
    pub(super) fn set_masks<R: Registers>(&mut self, causes: u32, registers: &mut R) {
        self.masks = causes;
        registers.write(IAM, causes);
    }

    fn settle<R: Registers>(&mut self, registers: &mut R) {
        if self.owed != 0 {
            registers.write(ICS, self.owed);
            self.raised |= self.owed;
            self.owed = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::pro1000::spec::{CAUSE_LSC, CAUSE_RXT0};
    use alloc::vec::Vec;

    /// A device of three registers, and the stores to them in order.
    #[derive(Default)]
    struct Device {
        pending: u32,
        stores: Vec<(u32, u32)>,
    }

    impl Registers for Device {
        fn read(&mut self, offset: u32) -> u32 {
            assert_eq!(offset, ICR);
            core::mem::take(&mut self.pending)
        }

        fn write(&mut self, offset: u32, value: u32) {
            if offset == ICS {
                self.pending |= value | CAUSE_ASSERTED;
            }
            self.stores.push((offset, value));
        }
    }

    #[test]
    fn an_enabled_cause_is_set_at_once_and_once_until_it_is_read() {
        let (mut causes, mut device) = (Causes::default(), Device::default());
        causes.enable(CAUSE_RXT0, &mut device);
        causes.raise(CAUSE_RXT0, &mut device);
        causes.raise(CAUSE_RXT0, &mut device);
        assert_eq!(device.stores, [(IMS, CAUSE_RXT0), (ICS, CAUSE_RXT0)]);
        assert_eq!(causes.read(&mut device), CAUSE_RXT0 | CAUSE_ASSERTED);
        causes.raise(CAUSE_RXT0, &mut device);
        assert_eq!(device.stores.len(), 3);
    }

    #[test]
    fn a_masked_cause_is_set_before_it_is_enabled_or_read() {
        let (mut causes, mut device) = (Causes::default(), Device::default());
        causes.raise(CAUSE_RXT0, &mut device);
        causes.raise(CAUSE_LSC, &mut device);
        assert!(device.stores.is_empty());
        causes.enable(CAUSE_LSC, &mut device);
        assert_eq!(device.stores, [(ICS, CAUSE_RXT0 | CAUSE_LSC), (IMS, CAUSE_LSC)]);
        causes.mask(CAUSE_LSC, &mut device);
        causes.clear(CAUSE_RXT0 | CAUSE_LSC, &mut device);
        device.pending = 0;
        causes.raise(CAUSE_LSC, &mut device);
        assert_eq!(causes.read(&mut device), CAUSE_LSC | CAUSE_ASSERTED);
    }

    #[test]
    fn an_acknowledging_read_masks_what_the_guest_asked_for_on_a_newer_device() {
        for (family, expected) in [(Family::Express, Some(&(IMC, CAUSE_RXT0))), (Family::Pci, None)] {
            let (mut causes, mut device) = (Causes::default(), Device::default());
            causes.note_extended(CTRL_EXT_IAME, family);
            causes.set_masks(CAUSE_RXT0, &mut device);
            causes.enable(CAUSE_RXT0, &mut device);
            causes.raise(CAUSE_RXT0, &mut device);
            causes.read(&mut device);
            assert_eq!(device.stores.get(3), expected);
            // Nobody's interrupt: nothing is masked by it.
            let stores = device.stores.len();
            causes.read(&mut device);
            assert_eq!(device.stores.len(), stores);
        }
    }
}
