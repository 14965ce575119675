//! Intel's fast Ethernet controllers, 82557 to 82562: the guest's own driver works unchanged, and its frames pass the
//! module.
//!
//! As for `pro1000`, whose head says more: the real lists of commands and receive descriptors are ours, the guest's are read
//! and written as the device would. Frames are whole and in the simplified mode in ours, whatever the guest's are.
//!
//! # For the machine
//! [`Ports`] are the device's registers, with the access's own width: the guest's accesses to BAR 0
//! and BAR 1 go to [`Pro100::read`] and [`Pro100::write`] alike, BAR 2 (flash) is not the guest's. [`Pro100::poll`],
//! [`Pro100::due`], [`Pro100::reset`], [`Pro100::flush`] and [`Pro100::close`] are as `pro1000`'s.

mod attach;
mod command;
mod identity;
mod receive;
mod service;
mod settings;
mod spec;
mod units;

pub use attach::AttachError;
pub use identity::Identity;

use super::eeprom::{Chip, NotARead, Wires};
use super::frame::MacAddress;
use super::incident::{Incident, Incidents};
use super::module::Module;
use super::phy;
use super::port::{Guest, GuestLink};
use crate::cpu::registers::Width;
use crate::cpu::walk::GuestMemory;
use crate::log::Log;
use crate::seam::{Host, Instant, Shared};
use command::CommandUnit;
use receive::ReceiveUnit;
use settings::Settings;
use spec::{
    BYTES, CAUSES, COMMAND, COMMAND_UNIT_SHIFT, CU_BASE, CU_DUMP, CU_DUMP_ADDRESS, CU_DUMP_RESET, CU_RESUME,
    CU_START, CU_STATIC_RESUME, EEPROM, FLOW, MASK, MASK_ALL, MASK_NOT_READY, MASK_SOFTWARE, MDI, POINTER,
    PORT, PORT_FUNCTION, PORT_RESET, PORT_SELECTIVE, PORT_SELF_TEST, POWER, RECEIVE_UNIT_SHIFT, RU_ABORT,
    RU_BASE, RU_RESUME, RU_START, STATUS,
};
use units::{Commands, Receiver};

/// The real device's control and status registers.
pub trait Ports {
    /// Reads the register at a byte offset, in an access of this width: one, two or four bytes.
    fn read(&mut self, offset: u8, width: Width) -> u32;

    /// Writes it.
    fn write(&mut self, offset: u8, width: Width, value: u32);
}

/// A NIC, taken over.
pub struct Pro100 {
    module: Module,
    nic: Nic,
    due: Option<Instant>,
}

/// Who uses the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Use {
    /// Nobody: the guest's link is cut, and the module has nothing to say.
    Nobody,
    Guest,
    /// The module, always, and the guest.
    Module,
}

/// Frames that the last look left with the device.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Backlog {
    None,
    /// The device's cause tells of them.
    Told,
    /// The guest has read that cause.
    Late,
}

/// All of it but the module.
struct Nic {
    guest: Guest,
    usage: Use,
    address: MacAddress,
    link: GuestLink,
    commands: Commands,
    receiver: Receiver,
    /// Where the device dumps its counters.
    counters: Shared,
    command_unit: CommandUnit,
    receive_unit: ReceiveUnit,
    settings: Settings,
    wires: Wires,
    /// The general pointer.
    pointer: u32,
    /// Where the guest wants the counters.
    dump_address: u32,
    /// Causes that the device does not know of.
    causes: u8,
    /// The guest's mask; none until its driver does something.
    mask: Option<u8>,
    backlog: Backlog,
    /// What the guest wrote to a PHY that is not its to change.
    virtual_phy: Option<u32>,
    /// Frames that the module was shown in the last look.
    shown: usize,
    incidents: Incidents,
}

impl Pro100 {
    /// The guest reads `width` at `offset` of its registers.
    pub fn read<P: Ports, H: Host>(&mut self, offset: u64, width: Width, ports: &mut P, host: &mut H) -> u64 {
        let Some(first) = place(offset, width) else {
            self.nic.incidents.add(Incident::MalformedAccess, 0, offset);
            return width.mask();
        };
        if first == MDI && width == Width::Four {
            return self.nic.phy(self.module.link(), ports).into();
        }
        (first..first + width.bytes()).rev().fold(0, |value, at| {
            value << 8 | u64::from(self.read_byte(at, ports, host))
        })
    }

    /// The guest writes `value`, cut to `width`, at `offset` of its registers.
    pub fn write<P: Ports, H: Host>(
        &mut self,
        offset: u64,
        width: Width,
        value: u64,
        ports: &mut P,
        host: &mut H,
    ) {
        let Some(first) = place(offset, width) else {
            self.nic.incidents.add(Incident::MalformedAccess, 0, offset);
            return;
        };
        let [a, b, c, d, ..] = value.to_le_bytes();
        match (first, width) {
            (POINTER, Width::Four) => self.nic.pointer = u32::from_le_bytes([a, b, c, d]),
            (PORT, Width::Four) => self.nic.port(u32::from_le_bytes([a, b, c, d]), ports, host),
            (MDI, Width::Four) => self.nic.write_phy(u32::from_le_bytes([a, b, c, d]), ports),
            _ => {
                // The mask before the command that may interrupt.
                let bytes = [a, b, c, d];
                let each = (first..).zip(bytes).take(width.bytes().into());
                for (at, byte) in each.clone().filter(|(at, _)| *at != COMMAND) {
                    self.nic.write_byte(at, byte, ports);
                }
                if let Some((_, command)) = each.clone().find(|(at, _)| *at == COMMAND) {
                    self.command(command, ports, host);
                }
            }
        }
    }

    /// Moves what there is to move and lets the module work. When it is due again at the latest.
    pub fn poll<P: Ports, H: Host>(&mut self, ports: &mut P, host: &mut H) -> Option<Instant> {
        let now = host.now();
        self.nic.look(&mut self.module, ports, host, now);
        self.let_module_work(ports, host, now);
        let link = core::mem::replace(&mut self.nic.link, self.module.link());
        if link != self.nic.link {
            self.nic.raise(spec::CAUSE_SOFTWARE, ports);
        }
        if self.nic.commands.waits() || self.nic.command_unit.state == command::State::Active {
            self.due = Some(now);
        }
        self.due
    }

    /// Lets the module take what is new in the log; the lines leave with the next [`Self::poll`].
    pub fn collect(&mut self, log: &Log, now: Instant) {
        self.module.collect(log, now);
    }

    /// Gives the log's last lines to the device at once.
    pub fn flush<P: Ports, H: Host>(&mut self, log: &Log, ports: &mut P, host: &mut H) {
        let now = host.now();
        self.nic
            .with_ways(ports, host, |ways| self.module.flush(log, now, ways));
    }

    /// The function was reset, or lost what it was told: sets it up anew.
    pub fn reset<P: Ports, H: Host>(&mut self, ports: &mut P, host: &mut H) {
        self.nic.reset(PORT_RESET, ports, host);
    }

    /// Nothing moves any more.
    pub fn close<P: Ports, H: Host>(&mut self, ports: &mut P, host: &mut H) {
        attach::stop(ports, host);
    }

    /// The module.
    pub const fn module(&mut self) -> &mut Module {
        &mut self.module
    }

    /// What was not carried out.
    pub const fn incidents(&mut self) -> &mut Incidents {
        &mut self.nic.incidents
    }

    fn read_byte<P: Ports, H: Host>(&mut self, at: u8, ports: &mut P, host: &mut H) -> u8 {
        let nic = &mut self.nic;
        match at {
            STATUS => {
                let command = match nic.command_unit.state {
                    command::State::Idle => 0,
                    command::State::Suspended => 1,
                    command::State::Active => 2,
                };
                command << COMMAND_UNIT_SHIFT | nic.receive_unit.state.number() << RECEIVE_UNIT_SHIFT
            }
            // The cause first: a frame that comes between the two is told of again, not lost.
            CAUSES => {
                let told = nic.hardware_causes(ports);
                let now = host.now();
                nic.look(&mut self.module, ports, host, now);
                nic.note_causes_read();
                if self.nic.usage == Use::Module && (self.nic.shown > 0 || self.module.waits()) {
                    self.let_module_work(ports, host, now);
                }
                told | self.nic.causes
            }
            // Taken at once.
            COMMAND => 0,
            MASK => nic.mask.unwrap_or(0),
            EEPROM | FLOW..=BYTES => units::byte(ports, at),
            POINTER..PORT => nth(nic.pointer, at - POINTER),
            MDI..=0x13 => nth(nic.phy(self.module.link(), ports), at - MDI),
            _ => 0,
        }
    }

    /// The command byte is written.
    fn command<P: Ports, H: Host>(&mut self, value: u8, ports: &mut P, host: &mut H) {
        let nic = &mut self.nic;
        let pointer = nic.pointer;
        nic.unmask(ports);
        match value & 0xf0 {
            CU_START => nic.command_unit.start(pointer),
            CU_RESUME | CU_STATIC_RESUME => nic.command_unit.resume(),
            CU_BASE => nic.command_unit.base = pointer,
            CU_DUMP_ADDRESS => nic.dump_address = pointer,
            CU_DUMP | CU_DUMP_RESET => nic.dump(value & 0xf0, ports, host),
            _ => {}
        }
        match value & 0x07 {
            RU_START => nic.receive_unit.start(pointer),
            RU_RESUME => nic.receive_unit.resume(),
            RU_ABORT => nic.receive_unit.state = receive::State::Idle,
            RU_BASE => nic.receive_unit.base = pointer,
            _ => {}
        }
        let now = host.now();
        self.nic.look(&mut self.module, ports, host, now);
    }

    fn let_module_work<P: Ports, H: Host>(&mut self, ports: &mut P, host: &mut H, now: Instant) {
        let module = &mut self.module;
        self.due = self.nic.with_ways(ports, host, |ways| module.poll(now, ways));
    }
}

impl Nic {
    fn write_byte<P: Ports>(&mut self, at: u8, value: u8, ports: &mut P) {
        match at {
            CAUSES => {
                self.causes &= !value;
                // Ours is over with the last of what it told of.
                let own = if self.causes == 0 { spec::CAUSE_SOFTWARE } else { 0 };
                ports.write(CAUSES, Width::One, (value | own).into());
            }
            MASK => {
                self.unmask(ports);
                self.mask = Some(value & !MASK_SOFTWARE);
                self.write_mask(0, ports);
            }
            EEPROM => {
                let wires = match self.wires.write(value.into(), Chip::Microwire) {
                    Ok(wires) => wires,
                    Err(NotARead(opcode)) => {
                        self.incidents.add(Incident::RefusedMemory, 0, opcode.into());
                        Wires::deselected(Chip::Microwire)
                    }
                };
                ports.write(EEPROM, Width::One, wires);
            }
            POINTER..PORT => {
                let mut bytes = self.pointer.to_le_bytes();
                if let Some(byte) = bytes.get_mut(usize::from(at - POINTER)) {
                    *byte = value;
                }
                self.pointer = u32::from_le_bytes(bytes);
            }
            POWER => ports.write(POWER, Width::One, value.into()),
            STATUS => {}
            // Flow control would send, the flash be written; the rest is not known.
            _ => self.incidents.add(Incident::RefusedRegister, 0, at.into()),
        }
        if at == MASK && value & MASK_SOFTWARE != 0 {
            self.raise(spec::CAUSE_SOFTWARE, ports);
        }
    }

    /// PORT is written.
    fn port<P: Ports, H: Host>(&mut self, value: u32, ports: &mut P, host: &mut H) {
        match value & PORT_FUNCTION {
            PORT_RESET => self.reset(PORT_RESET, ports, host),
            PORT_SELECTIVE => self.reset(PORT_SELECTIVE, ports, host),
            PORT_SELF_TEST => {
                // A signature that is not zero, and no failure.
                let mut result = [0; 8];
                result.fill(0);
                if let Some(signature) = result.first_chunk_mut::<4>() {
                    *signature = u32::MAX.to_le_bytes();
                }
                let place = u64::from(value & !PORT_FUNCTION);
                if host.guest().write(place, &result).is_err() {
                    self.incidents.add(Incident::UnreachableMemory, 0, place);
                }
            }
            _ => self.incidents.add(Incident::RefusedRegister, 0, PORT.into()),
        }
    }

    /// Causes the device has, but for those of our own receive chain.
    fn hardware_causes<P: Ports>(&mut self, ports: &mut P) -> u8 {
        let told = units::byte(ports, CAUSES);
        if told & spec::CAUSE_NOT_READY != 0 {
            ports.write(CAUSES, Width::One, spec::CAUSE_NOT_READY.into());
        }
        // What software asked for was this hypervisor: the causes behind it are in ours.
        told & !spec::CAUSE_NOT_READY & !spec::CAUSE_SOFTWARE
    }

    /// MDI as the guest reads it.
    fn phy<P: Ports>(&self, link: GuestLink, ports: &mut P) -> u32 {
        match self.virtual_phy {
            Some(value) => value,
            None => phy::seen(ports.read(MDI, Width::Four), link),
        }
    }

    /// MDI is written. Where the guest's link is cut its PHY is not the guest's to change.
    fn write_phy<P: Ports>(&mut self, value: u32, ports: &mut P) {
        if self.usage == Use::Nobody && value & phy::OPERATION == phy::WRITE {
            self.virtual_phy = Some(value | phy::READY);
            return;
        }
        self.virtual_phy = None;
        ports.write(MDI, Width::Four, value);
    }

    /// Raises causes that the device does not know of.
    fn raise<P: Ports>(&mut self, causes: u8, ports: &mut P) {
        if causes == 0 || self.guest == Guest::Absent {
            return;
        }
        self.causes |= causes;
        self.write_mask(MASK_SOFTWARE, ports);
    }

    /// The guest's driver is there: what came before is nothing that it knows of.
    fn unmask<P: Ports>(&mut self, ports: &mut P) {
        if self.mask.is_none() && self.guest == Guest::Present {
            ports.write(CAUSES, Width::One, u8::MAX.into());
            self.mask = Some(0);
            self.write_mask(0, ports);
        }
    }

    /// The guest's mask, with these bits besides. Our receive chain has an end that is nothing to the guest; a driver that
    /// is not there masks all.
    fn write_mask<P: Ports>(&self, besides: u8, ports: &mut P) {
        let mask = self.mask.unwrap_or(MASK_ALL) | MASK_NOT_READY | besides;
        ports.write(MASK, Width::One, mask.into());
    }
}

/// The first of the bytes that an access reaches, all of which are registers.
fn place(offset: u64, width: Width) -> Option<u8> {
    let first = u8::try_from(offset).ok()?;
    let end = first.checked_add(width.bytes())?;
    (end <= BYTES && width != Width::Eight && first % width.bytes() == 0).then_some(first)
}

fn nth(value: u32, index: u8) -> u8 {
    value.to_le_bytes().get(usize::from(index)).copied().unwrap_or(0)
}
