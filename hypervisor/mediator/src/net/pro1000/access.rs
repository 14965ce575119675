//! One access to a register: which are the guest's, which are judged, and by whom.

use super::control::{self, Use};
use super::registers::{self, Fate};
use super::spec::{
    CAUSE_LSC, CTRL, CTRL_DUP, CTRL_EXT, CTRL_MASTER_DISABLE, CTRL_PHY_RST, CTRL_RST, EECD, EECD_FLASH_OFF,
    EECD_REQUEST, EECD_SERIAL, EERD, IAM, ICR, ICS, IMC, IMS, MDIC, MPC, MTA, MTA_LAST, PSRCTL, RA, RA_LAST,
    RCTL, RCTL_EN, RDBAL, RDT, RFCTL, RFCTL_GUEST, RNBC, RXCSUM, RXCSUM_GUEST, RXDCTL, STATUS, STATUS_MASTER,
    TCTL, TDBAL, TDT, TXDCTL,
};
use super::{Family, Nic, Pro1000, link};
use crate::net::eeprom::{Chip, NotARead, Wires};
use crate::net::incident::Incident;
use crate::net::phy;
use crate::net::port::GuestLink;
use crate::seam::{Host, Registers};

impl Pro1000 {
    pub(super) fn read_register<R: Registers, H: Host>(
        &mut self,
        offset: u32,
        registers: &mut R,
        host: &mut H,
    ) -> u32 {
        let nic = &mut self.nic;
        let offset = registers::canonical(offset, nic.family);
        match offset {
            // The cause first: a frame that comes between the two is told of again, not lost.
            ICR => {
                let causes = nic.causes.read(registers);
                let now = host.now();
                let more = nic.look(&mut self.module, registers, host, now);
                nic.note_causes_read();
                let more = more | self.answer_frames(registers, host, now);
                self.nic.answer(causes, more, registers)
            }
            RDBAL..=RDT => nic.receive.ring.read(offset - RDBAL),
            TDBAL..=TDT => nic.transmit.ring.read(offset - TDBAL),
            CTRL | CTRL_DUP => {
                let guest = nic.control.device & CTRL_MASTER_DISABLE;
                registers.read(CTRL) & !CTRL_MASTER_DISABLE | guest
            }
            STATUS => nic.status(registers.read(STATUS), self.module.link()),
            RCTL => nic.control.receive,
            TCTL => nic.control.transmit,
            PSRCTL => nic.control.split,
            RFCTL => nic.control.filters,
            RXCSUM => nic.control.sums,
            EECD | EERD | CTRL_EXT | IMS | ICS | MTA..=MTA_LAST | RA..=RA_LAST => registers.read(offset),
            RXDCTL | TXDCTL => registers.read(offset),
            IMC => 0,
            MDIC => match nic.virtual_phy {
                Some(value) => value,
                None => phy::seen(registers.read(MDIC), self.module.link()),
            },
            MPC | RNBC => nic.count_missed(registers.read(offset), offset),
            _ => nic.other(offset, registers),
        }
    }

    pub(super) fn write_register<R: Registers, H: Host>(
        &mut self,
        offset: u32,
        value: u32,
        registers: &mut R,
        host: &mut H,
    ) {
        let nic = &mut self.nic;
        let offset = registers::canonical(offset, nic.family);
        match offset {
            TDBAL..=TDT => {
                nic.transmit.ring.write(offset - TDBAL, value);
                if offset == TDT {
                    self.look(registers, host);
                }
            }
            RDBAL..=RDT => {
                nic.receive.ring.write(offset - RDBAL, value);
                if offset == RDT {
                    self.look(registers, host);
                }
            }
            IMS => {
                self.look(registers, host);
                self.nic.causes.enable(value, registers);
            }
            IMC => nic.causes.mask(value, registers),
            ICR => nic.causes.clear(value, registers),
            IAM if nic.family != Family::Pci => nic.causes.set_masks(value, registers),
            ICS => registers.write(ICS, value),
            CTRL | CTRL_DUP if value & CTRL_RST != 0 => nic.reset(value & CTRL_PHY_RST, registers, host),
            CTRL | CTRL_DUP => {
                nic.control.device = value;
                registers.write(CTRL, nic.control.hardware_device(nic.usage));
            }
            RCTL => self.set_receive(value, registers, host),
            TCTL => {
                nic.control.transmit = value;
                registers.write(TCTL, nic.control.hardware_transmit(nic.usage));
                self.look(registers, host);
            }
            PSRCTL => nic.control.split = value,
            RFCTL if nic.family != Family::Pci => {
                nic.control.filters = value;
                registers.write(RFCTL, value & RFCTL_GUEST);
            }
            RXCSUM => {
                nic.control.sums = value;
                registers.write(RXCSUM, value & RXCSUM_GUEST);
            }
            CTRL_EXT => {
                nic.causes.note_extended(value, nic.family);
                registers.write(CTRL_EXT, control::hardware_extended(value, nic.family));
            }
            // Only one PHY read or write at a time, as in the device.
            MDIC => nic.write_phy(value, registers),
            EERD | STATUS => registers.write(offset, value),
            EECD => nic.write_wires(value, registers),
            MTA..=MTA_LAST | RA..=RA_LAST => {
                nic.filter.note(offset, value);
                registers.write(offset, value);
            }
            RXDCTL | TXDCTL if nic.usage == Use::Module => {}
            RXDCTL | TXDCTL => registers.write(offset, value),
            _ => nic.write_other(offset, value, registers),
        }
    }

    /// RCTL is written.
    fn set_receive<R: Registers, H: Host>(&mut self, value: u32, registers: &mut R, host: &mut H) {
        let nic = &mut self.nic;
        if nic.control.receive & RCTL_EN == 0 && value & RCTL_EN != 0 {
            // What came before is not for a receiver that was off.
            self.look(registers, host);
        }
        let nic = &mut self.nic;
        nic.control.receive = value;
        registers.write(RCTL, nic.control.hardware_receive(nic.usage));
    }
}

impl Nic {
    /// STATUS as the guest sees it.
    fn status(&self, hardware: u32, link: GuestLink) -> u32 {
        let status = link::status(hardware, link);
        if self.control.device & CTRL_MASTER_DISABLE != 0 && self.family != Family::Pci {
            status & !STATUS_MASTER
        } else {
            status
        }
    }

    /// The link as the module has it now; the cause where that is new.
    pub(super) fn follow_link(&mut self, link: GuestLink) -> u32 {
        let before = core::mem::replace(&mut self.link, link);
        if before == link { 0 } else { CAUSE_LSC }
    }

    /// MDIC is written. Where the guest's link is cut its PHY is not the guest's to change: one can make it send.
    fn write_phy<R: Registers>(&mut self, value: u32, registers: &mut R) {
        if self.usage == Use::Nobody && value & phy::OPERATION == phy::WRITE {
            self.virtual_phy = Some(value | phy::READY);
            return;
        }
        self.virtual_phy = None;
        registers.write(MDIC, value);
    }

    /// EECD is written. The wires are the guest's where the chip cannot be read otherwise: newer members have EERD.
    fn write_wires<R: Registers>(&mut self, value: u32, registers: &mut R) {
        let mut hardware = value & EECD_REQUEST | EECD_FLASH_OFF;
        if self.family == Family::Pci {
            let chip = match registers.read(EECD) & EECD_SERIAL {
                0 => Chip::Microwire,
                _ => Chip::Serial,
            };
            hardware |= match self.wires.write(value, chip) {
                Ok(wires) => wires,
                Err(NotARead(opcode)) => {
                    self.incidents.add(Incident::RefusedMemory, 0, opcode.into());
                    Wires::deselected(chip)
                }
            };
        }
        registers.write(EECD, hardware);
    }

    /// A counter of lost frames, with those that were lost here.
    fn count_missed(&mut self, hardware: u32, offset: u32) -> u32 {
        let missed = if offset == MPC {
            core::mem::take(&mut self.missed)
        } else {
            0
        };
        hardware.saturating_add(missed)
    }

    fn other<R: Registers>(&mut self, offset: u32, registers: &mut R) -> u32 {
        match registers::fate(offset, self.family) {
            Fate::Pass | Fate::Look => registers.read(offset),
            Fate::Hollow => 0,
            Fate::Refuse => {
                self.incidents.add(Incident::RefusedRegister, 0, offset.into());
                0
            }
        }
    }

    fn write_other<R: Registers>(&mut self, offset: u32, value: u32, registers: &mut R) {
        match registers::fate(offset, self.family) {
            Fate::Pass => registers.write(offset, value),
            Fate::Hollow => {}
            Fate::Look | Fate::Refuse => {
                self.incidents.add(Incident::RefusedRegister, 0, offset.into());
            }
        }
    }
}
