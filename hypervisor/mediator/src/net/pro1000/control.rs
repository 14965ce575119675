//! The registers that say what the NIC does: what the guest wrote, and what of it the hardware gets.

use super::identity::Family;
use super::receive::Layout;
use super::spec::{
    CTRL_ASDE, CTRL_EXT_EE_RST, CTRL_EXT_EIAME, CTRL_EXT_PBA, CTRL_MASTER_DISABLE, CTRL_RST, CTRL_SLU,
    CTRL_TFCE, CTRL_VME, RCTL_BAM, RCTL_EN, RCTL_GUEST, RCTL_LBM, RCTL_MPE, RCTL_SECRC, RCTL_UPE,
    TCTL_COLLISIONS, TCTL_EN, TCTL_GUEST, TCTL_PSP,
};
use super::transmit::Tags;
use crate::net::port::GuestLink;

/// Who uses the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Use {
    /// Nobody: the guest's link is cut, and the module has nothing to say.
    Nobody,
    /// The guest, when its driver is there.
    Guest,
    /// The module, always, and the guest.
    Module,
}

/// What the guest wrote.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Control {
    pub(super) device: u32,
    pub(super) receive: u32,
    pub(super) transmit: u32,
    pub(super) filters: u32,
    pub(super) split: u32,
    pub(super) sums: u32,
}

impl Control {
    /// CTRL for the hardware, without a reset.
    pub(super) const fn hardware_device(&self, usage: Use) -> u32 {
        let guest = self.device & !(CTRL_RST | CTRL_MASTER_DISABLE);
        match usage {
            // A PAUSE frame is a frame too: it would pass a module by.
            Use::Nobody => guest & !CTRL_TFCE,
            Use::Guest => guest,
            Use::Module => guest & !CTRL_TFCE | CTRL_SLU,
        }
    }

    /// RCTL for the hardware: our buffers, and what of the guest's filters it can have.
    pub(super) const fn hardware_receive(&self, usage: Use) -> u32 {
        let guest = self.receive & (RCTL_GUEST | RCTL_EN);
        match usage {
            Use::Nobody => 0,
            Use::Guest if self.receives() => guest,
            Use::Guest => guest & !RCTL_EN,
            // One more address, and every group: filtered for the guest in software.
            Use::Module => {
                let widened = RCTL_EN | RCTL_UPE | RCTL_MPE | RCTL_BAM;
                if self.receives() {
                    guest & !RCTL_LBM | widened
                } else {
                    widened | RCTL_SECRC
                }
            }
        }
    }

    /// TCTL for the hardware.
    pub(super) const fn hardware_transmit(&self, usage: Use) -> u32 {
        let guest = self.transmit & TCTL_GUEST | TCTL_PSP;
        match usage {
            Use::Nobody => TCTL_PSP,
            Use::Guest => guest,
            Use::Module if self.transmits() => guest,
            Use::Module => TCTL_EN | TCTL_PSP | TCTL_COLLISIONS,
        }
    }

    /// Whether the guest receives.
    pub(super) const fn receives(&self) -> bool {
        self.receive & RCTL_EN != 0
    }

    /// Whether the guest transmits.
    pub(super) const fn transmits(&self) -> bool {
        self.transmit & TCTL_EN != 0
    }

    /// Whether frames in our buffers end with their check sequence: as the guest wants it.
    pub(super) const fn has_check(&self) -> bool {
        self.receives() && self.receive & RCTL_SECRC == 0
    }

    /// How the guest's receive descriptors look.
    pub(super) fn layout(&self) -> Layout {
        Layout::of(self.receive, self.filters, self.split)
    }

    /// Whether the NIC handles tags.
    pub(super) const fn tags(&self) -> Tags {
        if self.device & CTRL_VME == 0 {
            Tags::Left
        } else {
            Tags::Inserted
        }
    }
}

/// CTRL as it is where no guest has written it: the link is the NIC's to bring up.
pub(super) const fn own_device(hardware: u32) -> u32 {
    hardware | CTRL_SLU | CTRL_ASDE
}

/// CTRL_EXT for the hardware.
pub(super) const fn hardware_extended(value: u32, family: Family) -> u32 {
    let hidden = match family {
        Family::Pci => CTRL_EXT_EE_RST,
        Family::Express | Family::Chipset => CTRL_EXT_EE_RST | CTRL_EXT_EIAME | CTRL_EXT_PBA,
    };
    value & !hidden
}

/// Who uses the wire, with this link for the guest and this need of the module's.
pub(super) const fn usage(link: GuestLink, listens: bool) -> Use {
    match (link, listens) {
        (_, true) => Use::Module,
        (GuestLink::Down, false) => Use::Nobody,
        (GuestLink::Wire | GuestLink::Up, false) => Use::Guest,
    }
}
