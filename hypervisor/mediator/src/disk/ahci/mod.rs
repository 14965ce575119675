//! AHCI controllers (Serial ATA AHCI 1.3.1): the guest's own driver works unchanged, and its sectors pass the filter.
//!
//! Every access of the guest's to the controller's registers comes here. The controller's own lists, tables and FIS
//! areas are ours; the guest's are read once, when it rings a doorbell, and each command is given to the device again
//! in the same slot, with shadow buffers in place of the guest's memory. The device's interrupts are the guest's,
//! unmediated: its handler reads a register, and that is when data is decrypted and completion shows.
//!
//! Port multipliers, FIS-based switching, command completion coalescing and enclosure management do not exist for the
//! guest. Trusted: that the controller reads and writes only the memory it is told to, and keeps to the specification.

mod attach;
mod complete;
mod order;
mod own;
mod port;
mod request;
mod scatter;
mod slot;
mod spec;
mod start;
#[cfg(test)]
mod tests;

pub use super::bind::{Binder, BlockReader, Unreadable};
pub use attach::AttachError;

use super::drive::Drive;
use super::incident::{Incident, Incidents};
use super::shadow::Pool;
use crate::cpu::registers::Width;
use crate::seam::{Host, Registers};
use crate::window::{self, Malformed};
use alloc::vec::Vec;
use port::{Abilities, Io, Port};
use spec::{
    CAP, CAP_CCCS, CAP_EMS, CAP_FBSS, CAP_SAM, CAP_SPM, CAP_SXS, CAP2, CAP2_BOH, CAP2_NVMP, GHC, GHC_AE,
    GHC_HR, GHC_IE, IS, PI, PORT_BYTES, PORTS, PX_CI, VS,
};

/// Nanoseconds that the guest's write of PxCI lasts at most, where it may look for the end of its command in memory.
const PATIENCE: u64 = 10_000_000;

/// A controller, taken over.
pub struct Ahci {
    ports: Vec<Port>,
    pool: Pool,
    incidents: Incidents,
    abilities: Abilities,
    version: u32,
    implemented: u32,
    /// GHC.IE.
    interrupts: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    /// GHC.HR is set.
    Resetting,
}

impl Ahci {
    /// The guest reads `width` at `offset` of the register window.
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
            self.incidents.add(Incident::MalformedAccess, 0, offset);
            width.mask()
        })
    }

    /// The guest writes `value`, cut to `width`, at `offset` of the register window.
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
            self.incidents.add(Incident::MalformedAccess, 0, offset);
        }
    }

    /// Whether a command is under way whose end the guest may be looking for in memory, or of which no interrupt will
    /// tell it: [`Self::poll`] is to be called while the guest waits.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.ports.iter().any(|port| self.must_be_polled(port))
    }

    /// Carries on what is under way.
    pub fn poll<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H) {
        if self.is_running(registers, host) {
            self.service(u32::MAX, registers, host);
        }
    }

    /// What it did not carry out.
    pub const fn incidents(&mut self) -> &mut Incidents {
        &mut self.incidents
    }

    /// The drives that said what they are, with their ports.
    pub fn drives(&self) -> impl Iterator<Item = (u8, &Drive)> {
        self.ports
            .iter()
            .filter_map(|port| Some((port.number, port.drive.as_ref()?)))
    }

    fn read_register<R: Registers, H: Host>(&mut self, offset: u32, registers: &mut R, host: &mut H) -> u32 {
        let running = self.is_running(registers, host);
        match offset {
            CAP => self.abilities.cap & !(CAP_SPM | CAP_FBSS | CAP_CCCS | CAP_EMS | CAP_SXS) | CAP_SAM,
            CAP2 => self.abilities.cap2 & !(CAP2_BOH | CAP2_NVMP),
            PI => self.implemented,
            VS => self.version,
            GHC if running => GHC_AE | self.interrupts,
            GHC => GHC_AE | GHC_HR,
            _ if !running => 0,
            IS => {
                let pending = registers.read(IS) & self.implemented;
                self.service(pending, registers, host);
                pending
            }
            _ => self
                .with_port(offset, registers, host, |port, register, io| {
                    port.read(register, io)
                })
                .unwrap_or(0),
        }
    }

    fn write_register<R: Registers, H: Host>(
        &mut self,
        offset: u32,
        value: u32,
        registers: &mut R,
        host: &mut H,
    ) {
        if !self.is_running(registers, host) {
            return;
        }
        match offset {
            GHC if value & GHC_HR != 0 => self.reset(registers, host),
            GHC => {
                self.interrupts = value & GHC_IE;
                // Never without AE: a controller that is also an IDE one would be that.
                registers.write(GHC, GHC_AE | self.interrupts);
            }
            IS => registers.write(IS, value & self.implemented),
            _ => {
                let written = self.with_port(offset, registers, host, |port, register, io| {
                    port.write(register, value, io);
                    register == PX_CI
                });
                if written == Some(true) {
                    self.wait(offset, registers, host);
                }
            }
        }
    }

    /// Works on the port that `offset` lies in, then on those that it kept waiting for shadow buffers.
    fn with_port<R: Registers, H: Host, T>(
        &mut self,
        offset: u32,
        registers: &mut R,
        host: &mut H,
        work: impl FnOnce(&mut Port, u32, &mut Io<'_, R, H>) -> T,
    ) -> Option<T> {
        let within = offset.checked_sub(PORTS)?;
        let number = within / PORT_BYTES;
        let port = self
            .ports
            .iter_mut()
            .find(|port| u32::from(port.number) == number)?;
        let mut io = Io {
            registers,
            host,
            pool: &mut self.pool,
            incidents: &mut self.incidents,
        };
        let result = work(port, within % PORT_BYTES, &mut io);
        if self.pool.starved() != 0 {
            self.service(0, registers, host);
        }
        Some(result)
    }

    /// Services the ports of `which` that are busy, and those that wait for shadow buffers, the first of them first.
    fn service<R: Registers, H: Host>(&mut self, which: u32, registers: &mut R, host: &mut H) {
        let mut io = Io {
            registers,
            host,
            pool: &mut self.pool,
            incidents: &mut self.incidents,
        };
        let selected = |port: &&mut Port| which & 1 << port.number != 0 && port.is_busy();
        for port in self.ports.iter_mut().filter(selected) {
            port.service(&mut io);
        }
        // The first in the queue for shadow buffers, then the others.
        let next = io.pool.next();
        let starved = io.pool.starved();
        for port in self.ports.iter_mut().filter(|port| Some(port.number) == next) {
            port.service(&mut io);
        }
        for port in self
            .ports
            .iter_mut()
            .filter(|port| starved & 1 << port.number != 0)
        {
            port.service(&mut io);
        }
    }

    fn must_be_polled(&self, port: &Port) -> bool {
        port.is_busy() && (self.interrupts == 0 || port.is_silent() || port.asks())
    }

    /// The guest has written PxCI of the port at `offset`, and might now look for the end of its command in memory.
    fn wait<R: Registers, H: Host>(&mut self, offset: u32, registers: &mut R, host: &mut H) {
        let number = offset.saturating_sub(PORTS) / PORT_BYTES;
        let start = host.now();
        let busy = |ahci: &Self| {
            let mut ports = ahci.ports.iter();
            ports.any(|port| u32::from(port.number) == number && ahci.must_be_polled(port))
        };
        while busy(self) && host.now().0.saturating_sub(start.0) < PATIENCE {
            self.service(1 << number, registers, host);
        }
    }

    /// GHC.HR is written.
    fn reset<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H) {
        self.interrupts = 0;
        for port in &mut self.ports {
            port.reset(&mut self.pool);
        }
        registers.write(GHC, GHC_AE | GHC_HR);
        self.state = State::Resetting;
        self.is_running(registers, host);
    }

    /// Whether no reset is under way; when one has ended, points the controller to our structures again.
    fn is_running<R: Registers, H: Host>(&mut self, registers: &mut R, host: &mut H) -> bool {
        if self.state == State::Resetting && registers.read(GHC) & GHC_HR == 0 {
            registers.write(GHC, GHC_AE);
            for port in &mut self.ports {
                port.reclaim(&mut self.pool, host);
                port.place(registers);
            }
            self.state = State::Running;
        }
        self.state == State::Running
    }
}
