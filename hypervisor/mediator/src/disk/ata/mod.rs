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
mod attach;
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

pub use attach::AttachError;
pub use ports::{Block, Channel, Ports};

use crate::disk::drive::Drive;
use crate::disk::incident::{Incident, Incidents};
use crate::pci::Width;
use crate::seam::Host;
use channel::Mediated;
use registers::Position;
use spec::bus_master::SIZE;
use wire::Wire;

/// A controller, taken over.
pub struct Ata {
    primary: Mediated,
    secondary: Mediated,
    incidents: Incidents,
}

impl Ata {
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
                for (byte, place) in bytes.iter_mut().zip(0..) {
                    if let Some((channel, offset)) = half(offset, place) {
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
        offset: u16,
        width: Width,
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
                for (byte, place) in bytes.iter().zip(0..) {
                    if let Some((channel, offset)) = half(offset, place) {
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

    /// What it did not carry out.
    pub const fn incidents(&mut self) -> &mut Incidents {
        &mut self.incidents
    }

    /// The drives that said what they are, with their ports.
    pub fn drives(&self) -> impl Iterator<Item = (u8, &Drive)> {
        let channels = [
            (Channel::Primary, &self.primary),
            (Channel::Secondary, &self.secondary),
        ];
        channels.into_iter().flat_map(|(channel, mediated)| {
            let slots = mediated.slots.both().into_iter();
            slots.filter_map(move |(position, slot)| Some((channel.port(position), slot.drive()?)))
        })
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

/// Whose half of the bus master byte `place` of an access at `offset` is in, and the offset there.
const fn half(offset: u16, place: u16) -> Option<(Channel, u16)> {
    const PRIMARY_LAST: u16 = SIZE - 1;
    const SECONDARY_LAST: u16 = 2 * SIZE - 1;
    match offset.checked_add(place) {
        Some(offset @ ..=PRIMARY_LAST) => Some((Channel::Primary, offset)),
        Some(offset @ SIZE..=SECONDARY_LAST) => Some((Channel::Secondary, offset - SIZE)),
        _ => None,
    }
}
