//! Taking a NIC over, when the firmware has let go of it and before a guest has it; and what a reset needs.

use super::causes::Causes;
use super::control::{Control, Use, own_device, usage};
use super::filter::Filter;
use super::identity::Family;
use super::receiver::{self, BUFFER_BYTES, Receiver};
use super::sender::{self, LARGE, LARGE_BYTES, SMALL, SMALL_BYTES, Sender};
use super::spec::{
    CTRL, CTRL_MASTER_DISABLE, CTRL_RST, ICR, IMC, MTA, MTA_LAST, RA, RA_LAST, RAH_VALID, RCTL, RFCTL,
    RXCSUM, STATUS, STATUS_MASTER, TCTL, TCTL_PSP,
};
use super::transmit::Transmit;
use super::{Nic, Pro1000, Receive};
use crate::net::eeprom::Wires;
use crate::net::frame::MacAddress;
use crate::net::incident::{Incident, Incidents};
use crate::net::module::Module;
use crate::net::port::Guest;
use crate::seam::{Buffer, Host, Registers};
use alloc::vec;
use alloc::vec::Vec;

/// Of rings and buffers. A buffer does not cross a page that it need not.
const ALIGNMENT: usize = 4096;
const MILLISECOND: u64 = 1_000_000;
/// The device ends what it does in memory (82574 5.2.5.3.2 has software wait for it).
const QUIET: u64 = 100 * MILLISECOND;
/// A reset, with its configuration read from the EEPROM (SDM 14.9, 82574 4.6.3).
const RESET: u64 = 20 * MILLISECOND;

/// Why a NIC is not to be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachError {
    /// Nothing answers at its registers.
    Absent,
    /// A member of the family with other registers or descriptors: its device number.
    Unsupported(u16),
    /// A reset does not end.
    Stuck,
    /// There is no memory for it.
    Memory,
}

/// Which NIC, and what for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Intel's device number, of configuration space.
    pub device: u16,
    /// Whether the guest has it too.
    pub guest: Guest,
    /// An address that is received for beside those of the guest's and the module's own.
    pub own: Option<MacAddress>,
}

impl Pro1000 {
    /// Takes a NIC over, with the module that `module` makes for its hardware address. `memory` gives buffers of a length at an alignment, in bytes: 1.2 MiB in all.
    ///
    /// # Errors
    /// [`AttachError`]; the NIC does not transmit or receive then.
    pub fn attach<R: Registers, H: Host>(
        identity: Identity,
        module: impl FnOnce(MacAddress) -> Module,
        registers: &mut R,
        host: &mut H,
        memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>,
    ) -> Result<Self, AttachError> {
        let family = Family::of(identity.device).ok_or(AttachError::Unsupported(identity.device))?;
        if registers.read(STATUS) == u32::MAX {
            return Err(AttachError::Absent);
        }
        stop(family, registers, host);
        reset(0, registers, host).map_err(|Stuck| AttachError::Stuck)?;
        let address = address(registers);
        let module = module(address);
        let own = identity.own.or_else(|| module.hardware());
        let mut nic = Nic {
            family,
            guest: identity.guest,
            usage: usage(module.link(), own.is_some()),
            link: module.link(),
            control: Control::default(),
            transmit: Transmit::new(),
            receive: Receive::default(),
            sender: sender(memory).ok_or(AttachError::Memory)?,
            receiver: receiver(memory).ok_or(AttachError::Memory)?,
            filter: Filter::new(family),
            wires: Wires::default(),
            virtual_phy: None,
            window: 0,
            missed: 0,
            causes: Causes::default(),
            shown: 0,
            incidents: Incidents::default(),
            scratch: vec![0; receiver::LONGEST],
            address,
        };
        nic.begin(registers, host);
        Ok(Self {
            module,
            nic,
            due: None,
        })
    }
}

impl Nic {
    /// From a device that was just reset to one that works for the module, and waits for the guest's driver.
    pub(super) fn begin<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H) {
        self.control = Control::default();
        self.transmit.reset();
        self.receive = Receive::default();
        self.virtual_phy = None;
        self.causes = Causes::default();
        let hardware = registers.read(CTRL);
        self.control.device = hardware;
        if self.usage == Use::Module || self.guest == Guest::Absent {
            registers.write(CTRL, own_device(hardware));
            let table = (MTA..=MTA_LAST).step_by(4);
            for offset in table.chain((RA..=RA_LAST).step_by(4)) {
                self.filter.note(offset, registers.read(offset));
            }
        }
        registers.write(RXCSUM, 0);
        if self.family != Family::Pci {
            registers.write(RFCTL, 0);
        }
        self.sender.place(registers);
        self.receiver.place(registers, host);
        registers.write(TCTL, self.control.hardware_transmit(self.usage));
        registers.write(RCTL, self.control.hardware_receive(self.usage));
    }

    /// Resets the NIC, with these bits of CTRL besides.
    pub(super) fn reset<R: Registers, H: Host>(&mut self, besides: u32, registers: &mut R, host: &mut H) {
        stop(self.family, registers, host);
        if reset(besides, registers, host).is_err() {
            self.incidents.add(Incident::DeviceError, 0, 0);
        }
        self.begin(registers, host);
    }
}

/// A reset that does not end.
struct Stuck;

/// Stops what the device does in memory.
pub(super) fn stop<R: Registers, H: Host>(family: Family, registers: &mut R, host: &H) {
    registers.write(IMC, u32::MAX);
    registers.write(RCTL, 0);
    registers.write(TCTL, TCTL_PSP);
    if family != Family::Pci {
        let control = registers.read(CTRL);
        registers.write(CTRL, control | CTRL_MASTER_DISABLE);
        // One that does not end is ended by the reset.
        let _quiet = wait(QUIET, host, || registers.read(STATUS) & STATUS_MASTER == 0);
    }
}

/// Resets the device. No buffer is its afterwards.
fn reset<R: Registers, H: Host>(besides: u32, registers: &mut R, host: &H) -> Result<(), Stuck> {
    let control = registers.read(CTRL) & !CTRL_MASTER_DISABLE;
    registers.write(CTRL, control | besides | CTRL_RST);
    if !wait(RESET, host, || registers.read(CTRL) & CTRL_RST == 0) {
        return Err(Stuck);
    }
    registers.write(IMC, u32::MAX);
    // Read to clear what is pending.
    registers.read(ICR);
    Ok(())
}

/// Waits until `done`, for so many nanoseconds at most; whether it was.
fn wait<H: Host>(most: u64, host: &H, mut done: impl FnMut() -> bool) -> bool {
    let start = host.now();
    loop {
        if done() {
            return true;
        }
        if host.now().0.saturating_sub(start.0) >= most {
            return false;
        }
        core::hint::spin_loop();
    }
}

/// The address that the EEPROM gives it.
fn address<R: Registers>(registers: &mut R) -> MacAddress {
    let [a, b, c, d] = registers.read(RA).to_le_bytes();
    let [e, f, ..] = (registers.read(RA + 4) & !RAH_VALID).to_le_bytes();
    MacAddress([a, b, c, d, e, f])
}

fn sender(memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>) -> Option<Sender> {
    let ring = memory(sender::RING_BYTES, ALIGNMENT)?.share();
    let small = split(memory(SMALL * SMALL_BYTES, ALIGNMENT)?, SMALL_BYTES);
    let large: Option<Vec<Buffer>> = (0..LARGE).map(|_| memory(LARGE_BYTES, ALIGNMENT)).collect();
    Some(Sender::new(ring, small, large?))
}

fn receiver(memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>) -> Option<Receiver> {
    let ring = memory(receiver::RING_BYTES, ALIGNMENT)?.share();
    let buffers = memory(receiver::ENTRIES * BUFFER_BYTES, ALIGNMENT)?;
    Some(Receiver::new(ring, split(buffers, BUFFER_BYTES)))
}

/// Cuts a buffer into pieces of so many bytes.
fn split(buffer: Buffer, bytes: usize) -> Vec<Buffer> {
    let mut pieces = Vec::with_capacity(buffer.length() / bytes.max(1));
    let mut rest = buffer;
    while rest.length() > bytes {
        let (piece, behind) = rest.split_at(bytes);
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    pieces
}
