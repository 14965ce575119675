//! Taking a NIC over, and what a reset needs.

use super::command::{CommandUnit, order};
use super::identity::{self, Identity, is_mediated};
use super::receive::ReceiveUnit;
use super::settings::Settings;
use super::spec::{ADDRESS, CAUSES, CONFIGURE, MASK, MASK_ALL, PORT, PORT_RESET, PORT_SELECTIVE, STATUS};
use super::units::{self, Commands, Receiver, SLOT_BYTES, SLOTS, Slot};
use super::{Nic, Ports, Pro100, Use};
use crate::cpu::registers::Width;
use crate::net::eeprom::Wires;
use crate::net::frame::MacAddress;
use crate::net::incident::{Incident, Incidents};
use crate::net::module::Module;
use crate::net::port::GuestLink;
use crate::seam::{Buffer, Host};
use alloc::vec::Vec;

/// Of buffers and structures.
const ALIGNMENT: usize = 4096;
/// Bytes that the counters are dumped into (6.3.2.2), at most.
pub(super) const COUNTERS: usize = 84;
/// A reset takes ten microseconds (6.3.4).
const RESET: u64 = 20_000;

/// Why a NIC is not to be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachError {
    /// Nothing answers at its registers.
    Absent,
    /// Not a member of the family: its device number.
    Unsupported(u16),
    /// Its EEPROM has no address that a NIC could have.
    NoAddress,
    /// There is no memory for it, or none that it can address.
    Memory,
}

impl Pro100 {
    /// Takes a NIC over, with the module that `module` makes for its hardware address. `memory` gives buffers of a length at
    /// an alignment, in bytes: 270 KiB in all, below four gigabytes.
    ///
    /// # Errors
    /// [`AttachError`]; the NIC does not transmit or receive then.
    pub fn attach<P: Ports, H: Host>(
        identity: Identity,
        module: impl FnOnce(MacAddress) -> Module,
        ports: &mut P,
        host: &mut H,
        memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>,
    ) -> Result<Self, AttachError> {
        let Identity { device, guest } = identity;
        if !is_mediated(device) {
            return Err(AttachError::Unsupported(device));
        }
        if ports.read(STATUS, Width::Four) == u32::MAX {
            return Err(AttachError::Absent);
        }
        stop(ports, host);
        let address = identity::address(ports, host).ok_or(AttachError::NoAddress)?;
        let module = module(address);
        let usage = match (module.link(), module.hardware()) {
            (_, Some(_)) => Use::Module,
            (GuestLink::Down, None) => Use::Nobody,
            (GuestLink::Wire | GuestLink::Up, None) => Use::Guest,
        };
        let commands = slots(memory).ok_or(AttachError::Memory)?;
        let received = slots(memory).ok_or(AttachError::Memory)?;
        let counters = memory(COUNTERS, ALIGNMENT).filter(is_low);
        let mut nic = Nic {
            guest,
            usage,
            address,
            link: module.link(),
            commands: Commands::new(commands),
            receiver: Receiver::new(received),
            counters: counters.ok_or(AttachError::Memory)?.share(),
            command_unit: CommandUnit::default(),
            receive_unit: ReceiveUnit::default(),
            settings: Settings::new(address),
            wires: Wires::default(),
            pointer: 0,
            dump_address: 0,
            causes: 0,
            mask: None,
            backlog: super::Backlog::None,
            virtual_phy: None,
            shown: 0,
            incidents: Incidents::default(),
        };
        nic.reset(PORT_RESET, ports, host);
        Ok(Self {
            module,
            nic,
            due: None,
        })
    }
}

impl Nic {
    /// Resets the device, which stops all that it does in memory, and sets it up anew.
    pub(super) fn reset<P: Ports, H: Host>(&mut self, function: u32, ports: &mut P, host: &mut H) {
        stop(ports, host);
        self.commands.forget();
        self.receiver.forget();
        self.command_unit = CommandUnit::default();
        self.receive_unit = ReceiveUnit::default();
        self.causes = 0;
        self.mask = None;
        if function == PORT_RESET {
            self.settings.reset(self.address);
            self.dump_address = 0;
            self.pointer = 0;
        }
        self.begin(function, ports, host);
    }

    /// From a device that was just reset to one that works for the module, and waits for the guest's driver. Until that
    /// is there nothing interrupts.
    fn begin<P: Ports, H: Host>(&mut self, function: u32, ports: &mut P, host: &mut H) {
        if self.usage == Use::Nobody {
            return;
        }
        units::base(ports);
        if self.usage == Use::Guest && function == PORT_RESET {
            // Its driver configures before it does anything else.
            return;
        }
        let hardware = self.settings.hardware(self.usage);
        let address = self.settings.address.0;
        let ordered = order(CONFIGURE, &hardware, &mut self.commands, host)
            .and_then(|()| order(ADDRESS, &address, &mut self.commands, host));
        if ordered.is_none() {
            self.incidents.add(Incident::DeviceError, 0, 0);
        }
        self.commands.begin(ports, host);
        if self.usage == Use::Module {
            self.receiver.begin(ports, host);
        }
    }
}

/// Stops what the device does in memory: selectively first, since a reset is not to come in the middle of a transfer.
pub(super) fn stop<P: Ports, H: Host>(ports: &mut P, host: &H) {
    for function in [PORT_SELECTIVE, PORT_RESET] {
        ports.write(PORT, Width::Four, function);
        let start = host.now();
        while host.now().0.saturating_sub(start.0) < RESET {
            core::hint::spin_loop();
        }
    }
    ports.write(MASK, Width::One, MASK_ALL.into());
    ports.write(CAUSES, Width::One, u8::MAX.into());
}

fn slots(memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>) -> Option<Vec<Slot>> {
    let mut rest = memory(SLOTS * SLOT_BYTES, ALIGNMENT).filter(is_low)?;
    let mut slots = Vec::with_capacity(SLOTS);
    for _ in 0..SLOTS {
        let (slot, behind) = rest.split_at(SLOT_BYTES);
        slots.push(Slot::new(slot));
        rest = behind;
    }
    Some(slots)
}

/// Whether the device's 32-bit addresses reach all of it.
fn is_low(buffer: &Buffer) -> bool {
    let end = buffer.address().0.checked_add(buffer.length() as u64);
    end.is_some_and(|end| end <= 1 << 32)
}
