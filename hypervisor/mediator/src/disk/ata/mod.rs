//! IDE controllers as PCI functions have them: two channels of two drives, programmed I/O and bus-master DMA.
//!
//! The guest's own driver works unchanged: it reads and writes the registers of the two channels and of the bus
//! master, in compatibility or native mode; where they lie is the machine's to know. Every access comes here.
//!
//! The drives' interrupts reach the guest unmediated, and nothing here runs but when the guest reads or writes: what is
//! to be done behind an interrupt is done when its handler asks what it was about.
//!
//! Trusted: that drives and controller keep to their standards. Nothing that the guest writes, or has in memory. What
//! only some chips have (bytes 1 and 3 of the bus master) reads as zero and takes no writes.

mod accept;
mod bus_master;
mod channel;
mod dma;
mod memory;
mod packet;
mod payload;
mod pio;
mod polled;
mod ports;
mod registers;
mod scatter;
mod slots;
pub mod spec;
mod wire;

pub use memory::{DATA_BYTES, Memory, MemoryError, TABLE_BYTES};
pub use polled::PolledError;
pub use ports::{Block, Channel, Ports};
pub use registers::Position;

use crate::disk::command::{Identity, PAGE_BYTES};
use crate::disk::drive::Drive;
use crate::disk::filter::SectorFilter;
use crate::disk::incident::{Incident, Incidents, Notice};
use crate::disk::seam::Host;
use crate::pci::Width;
use bus_master::BusMaster;
use channel::{Activity, Mediated};
use memory::Shadow;
use polled::Found;
use registers::Written;
use sekisho_abi::storage::Atapi;
use slots::{Slot, Slots};
use wire::Wire;

/// A mediated controller.
pub struct Ata {
    primary: Mediated,
    secondary: Mediated,
    incidents: Incidents,
}

impl Ata {
    /// Looks what drives there are, while nobody else uses the controller. Until something is said about a disk
    /// ([`Self::bind`]) it reads as zeros and takes no writes. `memory` is for the primary and the secondary channel.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn attach(
        ports: &mut impl Ports,
        host: &mut impl Host,
        memory: [Memory; 2],
        atapi: Atapi,
    ) -> Result<Self, MemoryError> {
        let mut incidents = Incidents::default();
        let [primary, secondary] = memory;
        let mut channel = |channel, memory| {
            let mut wire = Wire {
                ports: &mut *ports,
                host: &mut *host,
                incidents: &mut incidents,
                channel,
            };
            Mediated::attach(&mut wire, memory, atapi)
        };
        Ok(Self {
            primary: channel(Channel::Primary, primary)?,
            secondary: channel(Channel::Secondary, secondary)?,
            incidents,
        })
    }

    /// The drive at a position, if there is one.
    pub const fn drive(&mut self, channel: Channel, position: Position) -> Option<&mut Drive> {
        self.channel(channel).slots.drive(position)
    }

    /// Reads block `lba` of a disk as it lies there, while nobody else uses the controller; `block` is as long as the
    /// disk's logical blocks.
    ///
    /// # Errors
    /// [`PolledError`].
    pub fn read_block(
        &mut self,
        ports: &mut impl Ports,
        host: &mut impl Host,
        (channel, position): (Channel, Position),
        lba: u64,
        block: &mut [u8],
    ) -> Result<(), PolledError> {
        self.drive(channel, position).ok_or(PolledError::NoDisk)?;
        let (_, mut wire) = self.at(ports, host, channel);
        wire.quiet();
        let read = wire.read_block(position, lba, block);
        wire.loud();
        read
    }

    /// From now on `filter` says what becomes of the sectors of the disk at a position.
    pub fn bind(&mut self, channel: Channel, position: Position, filter: SectorFilter) {
        if let Some(drive) = self.drive(channel, position) {
            drive.bind(filter);
        }
    }

    /// The guest reads `width` at `offset` of `block`: the value in the low bits.
    pub fn read(
        &mut self,
        ports: &mut impl Ports,
        host: &mut impl Host,
        block: Block,
        offset: u16,
        width: Width,
    ) -> u32 {
        let mut value = [0; 4];
        let bytes = value.get_mut(..usize::from(width.bytes())).unwrap_or_default();
        match (block, offset, width) {
            (Block::Command(channel), spec::register::DATA, Width::Word | Width::Dword) => {
                self.read_data(ports, host, channel, bytes);
            }
            (Block::Command(channel), spec::register::FEATURES..=spec::register::STATUS, Width::Byte) => {
                let (mediated, mut wire) = self.at(ports, host, channel);
                return mediated.read(&mut wire, offset).into();
            }
            (Block::Control(channel), spec::CONTROL, Width::Byte) => {
                let (mediated, mut wire) = self.at(ports, host, channel);
                return mediated.read_alternate(&mut wire).into();
            }
            (Block::BusMaster, ..) => {
                for (byte, offset) in bytes.iter_mut().zip(offset..) {
                    if let Some((channel, offset)) = half(offset) {
                        let (mediated, mut wire) = self.at(ports, host, channel);
                        *byte = mediated.read_master(&mut wire, offset);
                    }
                }
            }
            (Block::Command(channel) | Block::Control(channel), ..) => {
                self.count_malformed(channel, offset);
                bytes.fill(u8::MAX);
            }
        }
        u32::from_le_bytes(value)
    }

    /// The guest writes the low bits of `value`.
    pub fn write(
        &mut self,
        ports: &mut impl Ports,
        host: &mut impl Host,
        block: Block,
        (offset, width): (u16, Width),
        value: u32,
    ) {
        let value = value.to_le_bytes();
        let bytes = value.get(..usize::from(width.bytes())).unwrap_or_default();
        let [byte, ..] = value;
        match (block, offset, width) {
            (Block::Command(channel), spec::register::DATA, Width::Word | Width::Dword) => {
                self.write_data(ports, host, channel, bytes);
            }
            (Block::Command(channel), spec::register::STATUS, Width::Byte) => {
                let (mediated, mut wire) = self.at(ports, host, channel);
                mediated.command(&mut wire, byte);
            }
            (Block::Command(channel), spec::register::FEATURES..=spec::register::DEVICE, Width::Byte) => {
                let (mediated, mut wire) = self.at(ports, host, channel);
                mediated.write(&mut wire, offset, byte);
            }
            (Block::Control(channel), spec::CONTROL, Width::Byte) => {
                let (mediated, mut wire) = self.at(ports, host, channel);
                mediated.write_control(&mut wire, byte);
            }
            (Block::BusMaster, ..) => {
                for (byte, offset) in bytes.iter().zip(offset..) {
                    if let Some((channel, offset)) = half(offset) {
                        let (mediated, mut wire) = self.at(ports, host, channel);
                        mediated.write_master(&mut wire, offset, *byte);
                    }
                }
            }
            (Block::Command(channel) | Block::Control(channel), ..) => self.count_malformed(channel, offset),
        }
    }

    /// The guest reads `bytes.len()` bytes from the data port, in one access or in repeated ones.
    pub fn read_data(
        &mut self,
        ports: &mut impl Ports,
        host: &mut impl Host,
        channel: Channel,
        bytes: &mut [u8],
    ) {
        let (mediated, mut wire) = self.at(ports, host, channel);
        mediated.read_data(&mut wire, bytes);
    }

    /// The guest writes `bytes` to the data port, in one access or in repeated ones.
    pub fn write_data(
        &mut self,
        ports: &mut impl Ports,
        host: &mut impl Host,
        channel: Channel,
        bytes: &[u8],
    ) {
        let (mediated, mut wire) = self.at(ports, host, channel);
        mediated.write_data(&mut wire, bytes);
    }

    /// How many incidents of a kind there were.
    #[must_use]
    pub fn count(&self, incident: Incident) -> u64 {
        self.incidents.count(incident)
    }

    /// The oldest notice.
    pub fn take_notice(&mut self) -> Option<Notice> {
        self.incidents.take_notice()
    }

    const fn channel(&mut self, channel: Channel) -> &mut Mediated {
        match channel {
            Channel::Primary => &mut self.primary,
            Channel::Secondary => &mut self.secondary,
        }
    }

    /// A channel, and the way to its real one.
    const fn at<'a, P: Ports, H: Host>(
        &'a mut self,
        ports: &'a mut P,
        host: &'a mut H,
        channel: Channel,
    ) -> (&'a mut Mediated, Wire<'a, P, H>) {
        let mediated = match channel {
            Channel::Primary => &mut self.primary,
            Channel::Secondary => &mut self.secondary,
        };
        let wire = Wire {
            ports,
            host,
            incidents: &mut self.incidents,
            channel,
        };
        (mediated, wire)
    }

    fn count_malformed(&mut self, channel: Channel, offset: u16) {
        let port = channel.port(Position::First);
        self.incidents.add(Incident::MalformedAccess, port, offset.into());
    }
}

impl Mediated {
    fn attach<P: Ports, H: Host>(
        wire: &mut Wire<'_, P, H>,
        memory: Memory,
        atapi: Atapi,
    ) -> Result<Self, MemoryError> {
        let shadow = Shadow::new(memory)?;
        wire.quiet();
        let slots = Slots {
            first: find(wire, Position::First),
            second: find(wire, Position::Second),
        };
        wire.loud();
        Ok(Self {
            slots,
            written: Written::RESET,
            activity: Activity::Drive,
            master: BusMaster::IDLE,
            shadow,
            atapi,
        })
    }
}

/// What is at a position.
fn find<P: Ports, H: Host>(wire: &mut Wire<'_, P, H>, position: Position) -> Slot {
    let identity = match wire.find(position) {
        Found::Absent => return Slot::Absent,
        Found::Disk(page) => Identity::of_disk(&page).map(|identity| (identity, 0)),
        Found::Packet(page) => {
            Identity::of_packet_device(&page).map(|identity| (identity, packet_bytes(&page)))
        }
        Found::Broken => return Slot::Broken,
    };
    let present = |(identity, packet_bytes)| {
        let drive = Drive::new(identity).ok()?;
        Some(Slot::Present { drive, packet_bytes })
    };
    identity.ok().and_then(present).unwrap_or(Slot::Broken)
}

/// IDENTIFY PACKET DEVICE, word 0 bits 1:0 (ATA/ATAPI-7 volume 1, 6.17).
const fn packet_bytes(page: &[u8; PAGE_BYTES]) -> usize {
    let [low, ..] = *page;
    if low & 0b11 == 1 { 16 } else { 12 }
}

/// Whose half of the bus master it is, and the offset there.
const fn half(offset: u16) -> Option<(Channel, u16)> {
    const SIZE: u16 = spec::bus_master::SIZE;
    match offset / SIZE {
        0 => Some((Channel::Primary, offset)),
        1 => Some((Channel::Secondary, offset - SIZE)),
        _ => None,
    }
}
