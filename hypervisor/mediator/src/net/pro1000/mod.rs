//! Intel's gigabit Ethernet controllers: the guest's own driver works unchanged, and its frames pass the module.
//!
//! Every access of the guest's to the registers comes here. The real rings are ours, legacy descriptors over buffers of
//! ours; the guest's rings, in whichever form it chose, are read and written as the device would. Interrupts are the
//! device's own: a frame in our ring raises the cause that the guest waits for, its handler reads the cause register,
//! and that look moves the frames. Only what the device cannot know of is told by setting the cause in it.
//!
//! # For the machine
//! - [`Pro1000::attach`] resets the NIC and sets it up; `Identity::own` is an address when the module takes part in what
//!   is on the wire, and then the NIC receives from now on, driver or not.
//! - Every access to BAR 0 goes to [`Pro1000::read`] and [`Pro1000::write`], every access to the window of I/O ports
//!   (8254x: BAR 2 or 4; 82574: BAR 2) to [`Pro1000::port_read`] and [`Pro1000::port_write`]. The flash window (BAR 1) is
//!   not the guest's. MSI-X is hidden; MSI and the line are the guest's own.
//! - [`Pro1000::poll`] when the module wants it, and at any wake-up: it says when the next one is due. A module that is
//!   shown frames at an access of the guest's answers there and then; [`Pro1000::due`] is what it wants afterwards.
//! - [`Pro1000::reset`] after the function was reset through configuration space, or lost its state in D3;
//!   [`Pro1000::close`] before the machine resets or stops.
//! - One lock around all of it. `now` is taken from the host.
//!
//! Trusted: that the device reads and writes only the memory that it is told to.

mod access;
mod attach;
mod causes;
mod control;
mod descriptor;
mod filter;
mod identity;
mod link;
mod receive;
mod receiver;
mod registers;
mod ring;
mod sender;
mod service;
mod spec;
mod transmit;

pub use attach::{AttachError, Identity};
pub use identity::Family;

use super::eeprom::Wires;
use super::frame::MacAddress;
use super::incident::{Incident, Incidents};
use super::module::Module;
use super::port::{Guest, GuestLink};
use crate::cpu::registers::Width;
use crate::log::Log;
use crate::seam::{Host, Instant, Registers};
use crate::window::{self, Malformed, halves};
use alloc::vec::Vec;
use causes::Causes;
use control::{Control, Use};
use filter::Filter;
use receiver::Receiver;
use ring::Ring;
use sender::Sender;
use spec::{RDT, STATUS, STATUS_LU, TDT, WINDOW};
use transmit::Transmit;

/// The window of I/O ports: an address register and one for data (SDM 13.2.1).
const WINDOW_ADDRESS: u64 = 0;
const WINDOW_DATA: u64 = 4;

/// A NIC, taken over.
pub struct Pro1000 {
    module: Module,
    nic: Nic,
    due: Option<Instant>,
}

/// All of it but the module.
struct Nic {
    family: Family,
    guest: Guest,
    usage: Use,
    /// The link as the guest was last told of it.
    link: GuestLink,
    control: Control,
    transmit: Transmit,
    receive: Receive,
    sender: Sender,
    receiver: Receiver,
    filter: Filter,
    wires: Wires,
    /// What the guest wrote to a PHY that is not its to change.
    virtual_phy: Option<u32>,
    /// IOADDR.
    window: u32,
    /// Frames that were dropped since the guest last read the counters.
    missed: u32,
    causes: Causes,
    /// Frames that the module was shown in the last look.
    shown: usize,
    incidents: Incidents,
    /// Where frames are made that are not as the module gave them.
    scratch: Vec<u8>,
    address: MacAddress,
}

/// The guest's receive ring.
#[derive(Clone, Copy, Default)]
struct Receive {
    ring: Ring,
    backlog: Backlog,
}

/// Frames that the last look left in the real ring.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Backlog {
    #[default]
    None,
    /// The device's cause tells of them.
    Told,
    /// The guest has read that cause: none will tell of them.
    Late,
}

impl Pro1000 {
    /// The guest reads `width` at `offset` of BAR 0.
    pub fn read<R: Registers, H: Host>(
        &mut self,
        offset: u64,
        width: Width,
        registers: &mut R,
        host: &mut H,
    ) -> u64 {
        window::read(offset, width, |offset| {
            self.read_register(offset, registers, host)
        })
        .unwrap_or_else(|Malformed| {
            self.nic.incidents.add(Incident::MalformedAccess, 0, offset);
            width.mask()
        })
    }

    /// The guest writes `value`, cut to `width`, at `offset` of BAR 0.
    pub fn write<R: Registers, H: Host>(
        &mut self,
        offset: u64,
        width: Width,
        value: u64,
        registers: &mut R,
        host: &mut H,
    ) {
        let written = window::write(offset, width, value, |offset, value| {
            self.write_register(offset, value, registers, host);
        });
        if let Err(Malformed) = written {
            self.nic.incidents.add(Incident::MalformedAccess, 0, offset);
        }
    }

    /// The guest reads at `offset` of the window of I/O ports.
    pub fn port_read<R: Registers, H: Host>(
        &mut self,
        offset: u64,
        width: Width,
        registers: &mut R,
        host: &mut H,
    ) -> u64 {
        match (offset, width) {
            (WINDOW_ADDRESS, Width::Four) => self.nic.window.into(),
            (WINDOW_DATA, Width::Four) => self.read(self.nic.window.into(), width, registers, host),
            _ => {
                self.nic.incidents.add(Incident::MalformedAccess, 0, offset);
                width.mask()
            }
        }
    }

    /// The guest writes at `offset` of the window of I/O ports.
    pub fn port_write<R: Registers, H: Host>(
        &mut self,
        offset: u64,
        width: Width,
        value: u64,
        registers: &mut R,
        host: &mut H,
    ) {
        let [low, _] = halves(value);
        match (offset, width) {
            (WINDOW_ADDRESS, Width::Four) => self.nic.window = low,
            (WINDOW_DATA, Width::Four) => {
                self.write(self.nic.window.into(), width, value, registers, host);
            }
            _ => self.nic.incidents.add(Incident::MalformedAccess, 0, offset),
        }
    }

    /// Moves what there is to move and lets the module work. When it is due again at the latest; `None`: when something
    /// happens.
    pub fn poll<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H) -> Option<Instant> {
        let now = host.now();
        let mut causes = self.nic.look(&mut self.module, registers, host, now);
        causes |= self.let_module_work(registers, host, now);
        causes |= self.nic.follow_link(self.module.link());
        self.nic.raise(causes, registers);
        if self.nic.transmit.waits() && self.nic.control.transmits() {
            self.due = Some(now);
        }
        self.due
    }

    /// Gives the log's last lines to the device at once, for a machine that stops: it has to live on until they are sent.
    pub fn flush<R: Registers, H: Host>(&mut self, log: &Log, registers: &mut R, host: &mut H) {
        let now = host.now();
        self.nic
            .with_ways(registers, host, |ways| self.module.flush(log, now, ways));
    }

    /// Takes what is new in the log for a module that carries it; the next [`Self::poll`] sends it.
    pub fn collect(&mut self, log: &Log, now: Instant) {
        self.module.collect(log, now);
    }

    /// The function was reset, or lost what it was told: sets it up anew.
    pub fn reset<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H) {
        self.nic.reset(0, registers, host);
    }

    /// Nothing moves any more.
    pub fn close<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H) {
        attach::stop(self.nic.family, registers, host);
    }

    /// Whether the wire's link is up.
    pub fn is_linked<R: Registers>(&self, registers: &mut R) -> bool {
        registers.read(STATUS) & STATUS_LU != 0
    }

    /// The address that the NIC came with.
    #[must_use]
    pub const fn address(&self) -> MacAddress {
        self.nic.address
    }

    /// The module.
    pub const fn module(&mut self) -> &mut Module {
        &mut self.module
    }

    /// What was not carried out.
    pub const fn incidents(&mut self) -> &mut Incidents {
        &mut self.nic.incidents
    }

    /// The guest has looked, or given something.
    fn look<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H) {
        let now = host.now();
        let causes = self.nic.look(&mut self.module, registers, host, now);
        let causes = causes | self.answer_frames(registers, host, now);
        self.nic.raise(causes, registers);
    }

    /// Lets a module that was shown frames, or took the guest's, go on at once.
    fn answer_frames<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H, now: Instant) -> u32 {
        if self.nic.usage == Use::Module && (self.nic.shown > 0 || self.module.waits()) {
            self.let_module_work(registers, host, now)
        } else {
            0
        }
    }

    fn let_module_work<R: Registers, H: Host>(
        &mut self,
        registers: &mut R,
        host: &mut H,
        now: Instant,
    ) -> u32 {
        let (due, causes) = self.nic.let_module_work(&mut self.module, registers, host, now);
        self.due = due;
        causes
    }
}

const _: () = assert!(RDT < WINDOW && TDT < WINDOW);
