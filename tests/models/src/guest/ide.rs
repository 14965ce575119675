//! A guest's IDE driver for one drive: programmed I/O by polling, and DMA by the bus master.

use super::Failure;
use super::ahci::PATIENCE;
use super::request::Request;
use crate::ata::packet::PACKET_SIZE;
use crate::ata::spec::{command, status};
use crate::ata::{Direction, TaskFile};
use crate::bytes;
use crate::ide::spec::{CONTROL, SECOND_DRIVE, bus_master, register};
use crate::memory::Memory;
use sekisho_mediator::disk::ata::{Block, Channel, Ports};

/// A guest's way to the ports, and what happens while it waits.
pub trait IdeWindow: Ports {
    /// The guest does something else; the world goes on.
    fn wait(&mut self);
}

/// Which drive of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Drive 0.
    First,
    /// Drive 1.
    Second,
}

/// The driver of one drive. Its region table lies at `base` in guest memory, its data 64 KiB behind.
#[derive(Clone, Debug)]
pub struct IdeDriver {
    memory: Memory,
    channel: Channel,
    unit: Unit,
    base: u64,
}

const DATA: u64 = 0x1_0000;
/// Bytes that a region has at most; the driver's lie on such a boundary.
const REGION: usize = 0x1_0000;
/// Bytes that the driver asks the data port for at once.
const DATA_ACCESS: usize = 4;
const BUSY: u8 = status::BSY;

impl IdeDriver {
    /// A driver; nothing is done to the drive yet.
    #[must_use]
    pub fn new(memory: &Memory, channel: Channel, unit: Unit, base: u64) -> Self {
        Self {
            memory: memory.clone(),
            channel,
            unit,
            base,
        }
    }

    /// Software reset of the channel, and the signature of the drive: middle and high address.
    ///
    /// # Errors
    /// [`Failure::TimedOut`].
    pub fn reset(&self, window: &mut impl IdeWindow) -> Result<(u8, u8), Failure> {
        let control = Block::Control(self.channel);
        window.write(control, CONTROL, 4);
        window.wait();
        window.write(control, CONTROL, 0);
        self.ready(window)?;
        self.select(window)?;
        let command = Block::Command(self.channel);
        Ok((
            window.read(command, register::LBA_MID),
            window.read(command, register::LBA_HIGH),
        ))
    }

    /// IDENTIFY DEVICE.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn identify(&self, window: &mut impl IdeWindow) -> Result<Vec<u8>, Failure> {
        self.pio(
            window,
            &Request::brings(TaskFile::plain(command::IDENTIFY_DEVICE), 512),
        )
    }

    /// A command whose data goes through the data port, or that has none.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn pio(&self, window: &mut impl IdeWindow, request: &Request) -> Result<Vec<u8>, Failure> {
        self.send_command(window, &request.task)?;
        self.send_packet(window, request)?;
        let mut data = Vec::new();
        let mut rest = request.sent.as_slice();
        loop {
            let ended = self.ready(window)?;
            if ended & (status::ERR | status::DF) != 0 {
                return Err(self.failure(window, ended));
            }
            if ended & status::DRQ == 0 {
                return Ok(data);
            }
            match request.direction {
                Direction::Out => {
                    let (part, behind) = rest.split_at(DATA_ACCESS.min(rest.len()));
                    window.write_data(self.channel, part);
                    rest = behind;
                }
                Direction::In | Direction::None => {
                    let mut part = [0; DATA_ACCESS];
                    window.read_data(self.channel, &mut part);
                    data.extend(part);
                }
            }
            if data.len() > request.length || (rest.is_empty() && data.is_empty() && request.length == 0) {
                return Err(Failure::TimedOut);
            }
        }
    }

    /// A command whose data the bus master moves.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn dma(&self, window: &mut impl IdeWindow, request: &Request) -> Result<Vec<u8>, Failure> {
        let regions = self.lay_out(request);
        let to_memory = match request.direction {
            Direction::Out => 0,
            Direction::In | Direction::None => bus_master::TO_MEMORY,
        };
        window.write_table(self.channel, bytes::low_dword(self.base));
        self.write_bus_master(window, bus_master::COMMAND, to_memory);
        self.write_bus_master(
            window,
            bus_master::STATUS,
            bus_master::INTERRUPT | bus_master::ERROR,
        );
        self.send_command(window, &request.task)?;
        self.send_packet(window, request)?;
        self.write_bus_master(window, bus_master::COMMAND, to_memory | bus_master::START);
        let result = self.await_interrupt(window);
        let ended = window.read(Block::Command(self.channel), register::STATUS);
        self.write_bus_master(window, bus_master::COMMAND, to_memory);
        self.write_bus_master(
            window,
            bus_master::STATUS,
            bus_master::INTERRUPT | bus_master::ERROR,
        );
        result?;
        if ended & (status::ERR | status::DF) != 0 {
            return Err(self.failure(window, ended));
        }
        let ram = self.memory.ram();
        Ok(match request.direction {
            Direction::In => regions
                .iter()
                .flat_map(|(address, length)| ram.bytes(*address, *length))
                .collect(),
            Direction::Out | Direction::None => Vec::new(),
        })
    }

    /// Waits until the bus master says that the drive asked for an interrupt.
    fn await_interrupt(&self, window: &mut impl IdeWindow) -> Result<(), Failure> {
        for _ in 0..PATIENCE {
            let now = window.read(Block::BusMaster, self.bus_master(bus_master::STATUS));
            if now & bus_master::ERROR != 0 {
                return Err(Failure::Again);
            }
            if now & bus_master::INTERRUPT != 0 {
                return Ok(());
            }
            window.wait();
        }
        Err(Failure::TimedOut)
    }

    /// Selects the drive, writes every register, those of 48-bit commands twice, and last the command.
    fn send_command(&self, window: &mut impl IdeWindow, task: &TaskFile) -> Result<(), Failure> {
        self.select(window)?;
        let block = Block::Command(self.channel);
        let [low, mid, high, low_before, mid_before, high_before, ..] = task.lba.to_le_bytes();
        let [count, count_before] = task.count.to_le_bytes();
        let [features, features_before] = task.features.to_le_bytes();
        let before = [features_before, count_before, low_before, mid_before, high_before];
        for values in [before, [features, count, low, mid, high]] {
            for (offset, value) in (register::ERROR..).zip(values) {
                window.write(block, offset, value);
            }
        }
        window.write(block, register::DEVICE, self.unit_bit() | task.device);
        window.write(block, register::STATUS, task.command);
        Ok(())
    }

    fn send_packet(&self, window: &mut impl IdeWindow, request: &Request) -> Result<(), Failure> {
        let Some(packet) = request.packet else {
            return Ok(());
        };
        let asked = self.ready(window)?;
        if asked & status::DRQ == 0 {
            return Err(self.failure(window, asked));
        }
        let (parts, _) = packet.as_chunks::<DATA_ACCESS>();
        debug_assert_eq!(parts.len() * DATA_ACCESS, PACKET_SIZE);
        for part in parts {
            window.write_data(self.channel, part);
        }
        Ok(())
    }

    fn select(&self, window: &mut impl IdeWindow) -> Result<(), Failure> {
        self.ready(window)?;
        window.write(Block::Command(self.channel), register::DEVICE, self.unit_bit());
        match window.read(Block::Command(self.channel), register::STATUS) {
            0 | 0x7f | 0xff => Err(Failure::Gone),
            _ => Ok(()),
        }
    }

    /// The status once the drive is not busy.
    fn ready(&self, window: &mut impl IdeWindow) -> Result<u8, Failure> {
        for _ in 0..PATIENCE {
            let now = window.read(Block::Control(self.channel), CONTROL);
            if now & BUSY == 0 {
                return Ok(window.read(Block::Command(self.channel), register::STATUS));
            }
            window.wait();
        }
        Err(Failure::TimedOut)
    }

    fn failure(&self, window: &mut impl IdeWindow, status: u8) -> Failure {
        let block = Block::Command(self.channel);
        let mut read = |offset| window.read(block, offset);
        let error = read(register::ERROR);
        let lba = [
            read(register::LBA_LOW),
            read(register::LBA_MID),
            read(register::LBA_HIGH),
        ];
        let [low, mid, high] = lba;
        Failure::Device {
            status,
            error,
            lba: u64::from_le_bytes([low, mid, high, 0, 0, 0, 0, 0]),
        }
    }

    /// Puts the data and its table where the bus master will look for them.
    fn lay_out(&self, request: &Request) -> Vec<(u64, usize)> {
        let ram = self.memory.ram();
        let starts = (0..request.length).step_by(REGION);
        let own: Vec<(u64, usize)> = starts
            .map(|start| {
                (
                    self.base + DATA + start as u64,
                    REGION.min(request.length - start),
                )
            })
            .collect();
        let regions = if request.regions.is_empty() {
            own
        } else {
            request.regions.clone()
        };
        let mut rest = request.sent.as_slice();
        for ((address, length), place) in regions.iter().zip((self.base..).step_by(8)) {
            let (part, behind) = rest.split_at((*length).min(rest.len()));
            ram.store(*address, part);
            rest = behind;
            let count = bytes::low_dword(*length as u64) & 0xffff;
            let is_last = place == self.base + 8 * (regions.len() as u64 - 1);
            let end = if is_last { bus_master::END } else { 0 };
            ram.store(place, &bytes::low_dword(*address).to_le_bytes());
            ram.store(place + 4, &(count | end).to_le_bytes());
        }
        regions
    }

    fn write_bus_master(&self, window: &mut impl IdeWindow, offset: u16, value: u8) {
        window.write(Block::BusMaster, self.bus_master(offset), value);
    }

    const fn bus_master(&self, offset: u16) -> u16 {
        match self.channel {
            Channel::Primary => offset,
            Channel::Secondary => offset + bus_master::SIZE,
        }
    }

    const fn unit_bit(&self) -> u8 {
        match self.unit {
            Unit::First => 0,
            Unit::Second => SECOND_DRIVE,
        }
    }
}
