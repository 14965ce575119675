//! Taking a controller over: which drives there are, what they are, and what becomes of their sectors.

use super::bus_master::BusMaster;
use super::channel::{Activity, Mediated};
use super::memory::Shadow;
use super::polled::{Blocks, Found};
use super::registers::{Position, Written};
use super::slots::{Slot, Slots};
use super::spec::control;
use super::wire::Wire;
use super::{Ata, Channel, Ports};
use crate::disk::bind::Binder;
use crate::disk::command::{Identity, Kind, PAGE_BYTES};
use crate::disk::drive::Drive;
use crate::disk::incident::{Incident, Incidents};
use crate::seam::{Buffer, Host};
use sekisho_abi::storage::Atapi;

/// Why a controller is not to be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachError<Refusal> {
    /// There is no memory for it, or none below 4 GiB.
    Memory,
    /// The binder's reason, about the disk at a port.
    Refused(u8, Refusal),
}

impl Ata {
    /// Takes a controller over. `memory` gives buffers of a length at an alignment, in bytes.
    ///
    /// # Errors
    /// [`AttachError`].
    pub fn attach<P: Ports, H: Host, B: Binder>(
        atapi: Atapi,
        ports: &mut P,
        host: &mut H,
        memory: &mut dyn FnMut(usize, usize) -> Option<Buffer>,
        binder: &mut B,
    ) -> Result<Self, AttachError<B::Refusal>> {
        let mut incidents = Incidents::default();
        let mut meet = |channel| {
            let mut wire = Wire {
                ports: &mut *ports,
                host: &mut *host,
                incidents: &mut incidents,
                channel,
            };
            Ok(Mediated {
                slots: meet(&mut wire, binder)?,
                written: Written::RESET,
                control: control::OBSOLETE,
                activity: Activity::Drive,
                master: BusMaster::IDLE,
                shadow: Shadow::new(memory).ok_or(AttachError::Memory)?,
                atapi,
            })
        };
        let mut primary = meet(Channel::Primary)?;
        let mut secondary = meet(Channel::Secondary)?;
        bind(&mut primary.slots, Channel::Primary, binder)?;
        bind(&mut secondary.slots, Channel::Secondary, binder)?;
        Ok(Self {
            primary,
            secondary,
            incidents,
        })
    }
}

/// Asks both drives of a channel what they are, and shows the disks to the binder.
fn meet<P: Ports, H: Host, B: Binder>(
    wire: &mut Wire<'_, P, H>,
    binder: &mut B,
) -> Result<Slots, AttachError<B::Refusal>> {
    wire.quiet();
    let met = meet_at(wire, Position::First, binder).and_then(|first| {
        Ok(Slots {
            first,
            second: meet_at(wire, Position::Second, binder)?,
        })
    });
    wire.loud();
    met
}

fn meet_at<P: Ports, H: Host, B: Binder>(
    wire: &mut Wire<'_, P, H>,
    position: Position,
    binder: &mut B,
) -> Result<Slot, AttachError<B::Refusal>> {
    let (identity, packet_bytes) = match wire.find(position) {
        Found::Absent => return Ok(Slot::Absent),
        Found::Disk(page) => (Identity::of_disk(&page).ok(), 0),
        Found::Packet(page) => (Identity::of_packet_device(&page).ok(), packet_bytes(&page)),
        Found::Broken => (None, 0),
    };
    let Some((identity, drive)) = identity.and_then(|it| Some((it.clone(), Drive::new(it).ok()?))) else {
        wire.count(Incident::Silent, position, 0);
        return Ok(Slot::Broken);
    };
    if drive.known().kind == Kind::Disk {
        let port = wire.channel.port(position);
        let mut blocks = Blocks {
            wire,
            position,
            block_bytes: drive.filter().shape().block_size.bytes().into(),
        };
        let inspected = binder.inspect(port, &identity, &mut blocks);
        inspected.map_err(|why| AttachError::Refused(port, why))?;
    }
    Ok(Slot::Present { drive, packet_bytes })
}

/// Asks the binder what becomes of the disks of a channel.
fn bind<B: Binder>(
    slots: &mut Slots,
    channel: Channel,
    binder: &mut B,
) -> Result<(), AttachError<B::Refusal>> {
    for position in Position::ALL {
        let port = channel.port(position);
        let disk = slots
            .drive(position)
            .filter(|drive| drive.known().kind == Kind::Disk);
        if let Some(drive) = disk
            && let Some(filter) = binder
                .filter(port)
                .map_err(|why| AttachError::Refused(port, why))?
        {
            drive.bind(filter);
        }
    }
    Ok(())
}

/// IDENTIFY PACKET DEVICE, word 0 bits 1:0 (ATA/ATAPI-7 volume 1, 6.17).
const fn packet_bytes(page: &[u8; PAGE_BYTES]) -> usize {
    let [low, ..] = *page;
    if low & 0b11 == 1 { 16 } else { 12 }
}
