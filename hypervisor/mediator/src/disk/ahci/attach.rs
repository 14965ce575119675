//! Taking a controller over, when the firmware has let go of it and before a guest has it.
//!
//! The firmware's driver is asked to hand over, every port is stopped and pointed to structures of ours, and each
//! device is asked what it is. In the end the controller is as after a reset, and nothing that the firmware set up in
//! memory is used any more.

use super::order::{STRUCTURE_ALIGNMENT, STRUCTURE_BYTES, Structures};
use super::own::{LINK, Link, MILLISECOND, Own, OwnReader, Stuck, is_linked, start, stop, wait};
use super::port::{Abilities, Port};
use super::spec::{
    BOHC, BOHC_BB, BOHC_BOS, BOHC_OOS, CAP, CAP_S64A, CAP_SSS, CAP2, CAP2_BOH, GHC, GHC_AE, GHC_HR, IS,
    MAX_PORTS, PI, PX_CMD, PX_CMD_CPD, PX_CMD_ICC, PX_CMD_ICC_ACTIVE, PX_CMD_POD, PX_CMD_SUD, PX_IS, PX_SIG,
    PX_SIG_DISK, PX_SIG_PACKET, VS,
};
use super::{Ahci, State};
use crate::disk::bind::Binder;
use crate::disk::command::Kind;
use crate::disk::drive::Drive;
use crate::disk::incident::{Incident, Incidents};
use crate::disk::shadow::{CHUNK_BYTES, Pool};
use crate::seam::{Buffer, Host, Registers};
use alloc::vec::Vec;
use sekisho_abi::storage::Atapi;

/// Shadow chunks of a controller.
const CHUNKS: usize = 64;
/// Of a chunk's address; a region descriptor would take any even one.
const CHUNK_ALIGNMENT: usize = 4096;
/// The firmware lets go; and at most, where it says that it is busy (10.6.3).
const HANDOFF: u64 = 25 * MILLISECOND;
const HANDOFF_BUSY: u64 = 2_000 * MILLISECOND;
/// A controller reset (10.4.3).
const RESET: u64 = 1_000 * MILLISECOND;

/// Why a controller is not to be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachError<Refusal> {
    /// Nothing answers at its registers.
    Absent,
    /// The firmware does not let go.
    Handoff,
    /// It does not stop, and a reset does not end.
    Stuck,
    /// There is no memory for it, or none that it can address.
    Memory,
    /// The binder's reason, about the disk at a port.
    Refused(u8, Refusal),
}

impl<Refusal> From<Stuck> for AttachError<Refusal> {
    fn from(_: Stuck) -> Self {
        Self::Stuck
    }
}

impl Ahci {
    /// Takes a controller over. `memory` gives buffers of a length at an alignment, in bytes.
    ///
    /// # Errors
    /// [`AttachError`]; the controller is left somewhere between the firmware's state and ours.
    pub fn attach<R: Registers, H: Host, B: Binder>(
        atapi: Atapi,
        registers: &mut R,
        host: &mut H,
        memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>,
        binder: &mut B,
    ) -> Result<Self, AttachError<B::Refusal>> {
        let abilities = Abilities {
            cap: registers.read(CAP),
            cap2: registers.read(CAP2),
        };
        if abilities.cap == u32::MAX {
            return Err(AttachError::Absent);
        }
        hand_over(abilities, registers, host)?;
        // Interrupts off.
        registers.write(GHC, GHC_AE);
        let implemented = registers.read(PI);
        let mut ahci = Self {
            ports: ports(abilities, implemented, atapi, host, memory)?,
            pool: Pool::new(chunks(abilities, memory)?),
            incidents: Incidents::default(),
            abilities,
            version: registers.read(VS),
            implemented,
            interrupts: 0,
            state: State::Running,
        };
        stop_all(&ahci.ports, registers, host)?;
        ahci.meet(registers, host, binder)?;
        registers.write(IS, implemented);
        for port in &mut ahci.ports {
            let number = port.number;
            let refused = |why| AttachError::Refused(number, why);
            if let Some(drive) = port
                .drive
                .as_mut()
                .filter(|drive| drive.known().kind == Kind::Disk)
                && let Some(filter) = binder.filter(number).map_err(refused)?
            {
                drive.bind(filter);
            }
        }
        Ok(ahci)
    }

    /// Asks each device what it is, and shows the disks to the binder.
    fn meet<R: Registers, H: Host, B: Binder>(
        &mut self,
        registers: &mut R,
        host: &mut H,
        binder: &mut B,
    ) -> Result<(), AttachError<B::Refusal>> {
        for port in &self.ports {
            port.place(registers);
            spin_up(port, registers);
        }
        let ports = &self.ports;
        // Where a port is empty the time is over for all; one wait, not one a port.
        wait(LINK, registers, host, |registers| {
            ports.iter().all(|port| is_linked(port, registers))
        });
        for port in &mut self.ports {
            if !is_linked(port, registers) {
                continue;
            }
            let mut chunk = self.pool.take();
            let met = meet(port, &mut chunk, registers, host, binder);
            let stopped = stop(port, registers, host);
            // A chunk that a device did not let go of is nobody's.
            if let Some(chunk) = chunk {
                self.pool.put(chunk);
            }
            stopped?;
            let told = port.load(PX_IS, registers);
            port.store(PX_IS, told, registers);
            port.drive = met.map_err(|why| AttachError::Refused(port.number, why))?;
            if port.drive.is_none() {
                self.incidents.add(Incident::Silent, port.number, 0);
            }
        }
        Ok(())
    }
}

/// Asks the device at a port what it is. `None` where it says nothing, or nothing that is known.
fn meet<R: Registers, H: Host, B: Binder>(
    port: &Port,
    chunk: &mut Option<Buffer>,
    registers: &mut R,
    host: &mut H,
    binder: &mut B,
) -> Result<Option<Drive>, B::Refusal> {
    start(port, registers, host);
    let kind = match port.load(PX_SIG, registers) {
        PX_SIG_DISK => Kind::Disk,
        PX_SIG_PACKET => Kind::Packet,
        // A port multiplier, an enclosure, or nobody.
        _ => return Ok(None),
    };
    let mut own = Own {
        port,
        registers,
        host,
        chunk,
    };
    let Ok(identity) = own.identify(kind) else {
        return Ok(None);
    };
    let mut link = Link::Kept;
    if kind == Kind::Disk {
        let known = identity.known();
        let mut blocks = OwnReader { own, known, link };
        binder.inspect(port.number, &identity, &mut blocks)?;
        link = blocks.link;
    }
    let mut drive = Drive::new(identity).ok();
    if let (Some(drive), Link::Reset) = (&mut drive, link) {
        drive.reset();
    }
    Ok(drive)
}

/// Lets the firmware's driver hand over (10.6).
fn hand_over<R: Registers, H: Host, Refusal>(
    abilities: Abilities,
    registers: &mut R,
    host: &H,
) -> Result<(), AttachError<Refusal>> {
    if abilities.cap2 & CAP2_BOH == 0 {
        return Ok(());
    }
    let ours = registers.read(BOHC) | BOHC_OOS;
    registers.write(BOHC, ours);
    let free = |registers: &mut R| registers.read(BOHC) & BOHC_BOS == 0;
    if wait(HANDOFF, registers, host, free) {
        return Ok(());
    }
    if registers.read(BOHC) & BOHC_BB != 0 && wait(HANDOFF_BUSY, registers, host, free) {
        return Ok(());
    }
    Err(AttachError::Handoff)
}

/// The ports that exist, with their structures.
fn ports<H: Host, Refusal>(
    abilities: Abilities,
    implemented: u32,
    atapi: Atapi,
    host: &mut H,
    memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>,
) -> Result<Vec<Port>, AttachError<Refusal>> {
    let numbers = (0..MAX_PORTS).filter(|number| implemented & 1 << number != 0);
    let mut port = |number| {
        let mut structures = addressable(abilities, memory(STRUCTURE_BYTES, STRUCTURE_ALIGNMENT))?;
        // Reserved words are zero and stay so.
        host.with(&mut structures, |bytes, _| bytes.fill(0));
        Ok(Port::new(
            number,
            abilities,
            atapi,
            Structures::new(structures.share()),
        ))
    };
    numbers.map(&mut port).collect()
}

fn chunks<Refusal>(
    abilities: Abilities,
    memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>,
) -> Result<Vec<Buffer>, AttachError<Refusal>> {
    (0..CHUNKS)
        .map(|_| addressable(abilities, memory(CHUNK_BYTES, CHUNK_ALIGNMENT)))
        .collect()
}

/// A buffer that the controller can reach.
fn addressable<Refusal>(
    abilities: Abilities,
    buffer: Option<Buffer>,
) -> Result<Buffer, AttachError<Refusal>> {
    let most = if abilities.cap & CAP_S64A == 0 {
        u64::from(u32::MAX)
    } else {
        u64::MAX
    };
    let fits = |buffer: &Buffer| {
        let last = buffer.address().0.checked_add(buffer.length() as u64 - 1);
        last.is_some_and(|last| last <= most)
    };
    buffer.filter(fits).ok_or(AttachError::Memory)
}

/// Stops every port; resets the controller where one does not stop.
fn stop_all<R: Registers, H: Host>(ports: &[Port], registers: &mut R, host: &H) -> Result<(), Stuck> {
    if ports.iter().all(|port| stop(port, registers, host).is_ok()) {
        return Ok(());
    }
    registers.write(GHC, GHC_AE | GHC_HR);
    if !wait(RESET, registers, host, |registers| {
        registers.read(GHC) & GHC_HR == 0
    }) {
        return Err(Stuck);
    }
    registers.write(GHC, GHC_AE);
    Ok(())
}

/// Power, spin-up and an active link, where they are the software's to say.
fn spin_up<R: Registers>(port: &Port, registers: &mut R) {
    let mut command = port.load(PX_CMD, registers) & !PX_CMD_ICC | PX_CMD_ICC_ACTIVE;
    if port.abilities.cap & CAP_SSS != 0 {
        command |= PX_CMD_SUD;
    }
    if command & PX_CMD_CPD != 0 {
        command |= PX_CMD_POD;
    }
    port.store(PX_CMD, command, registers);
}
