//! A guest's AHCI driver for one port: starts it, issues commands, sees them complete by interrupt or by polling.

use super::Window;
use super::recovery;
use super::request::{Request, Transferred};
use crate::ahci::spec::{
    FIS_AREA_SIZE, HEADER_SIZE, LIST_SIZE, PORT_SIZE, PORTS, REGION_SIZE, TABLE_PACKET, TABLE_REGIONS, cmd,
    generic, ghc, header, interrupt, port,
};
use crate::ata::spec::{command, status};
use crate::ata::{Direction, TaskFile};
use crate::bytes;
use crate::memory::Memory;

/// Interrupts that the driver enables: every FIS, every error, every change of the link.
pub const INTERRUPTS: u32 = interrupt::DHRS
    | interrupt::PSS
    | interrupt::DSS
    | interrupt::SDBS
    | interrupt::PCS
    | interrupt::PRCS
    | ERRORS;
/// Interrupts that say that commands have failed.
pub(super) const ERRORS: u32 = interrupt::IFS | interrupt::HBFS | interrupt::TFES;
/// How often the driver looks again before it gives up.
pub(super) const PATIENCE: usize = 20_000;
/// The guest's structures, from its base on.
const FIS_AREA: u64 = LIST_SIZE as u64;
const TABLES: u64 = 0x1000;
const TABLE_SIZE: u64 = 0x1000;
const DATA: u64 = 0x10_0000;
const DATA_SIZE: u64 = 0x10_0000;

/// Why a command did not complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The drive said so.
    Device {
        /// Status register.
        status: u8,
        /// Error register.
        error: u8,
        /// Address of a queued command that failed.
        lba: u64,
    },
    /// Another command failed, and this one is to be issued again.
    Again,
    /// Nothing happened.
    TimedOut,
    /// No drive, or another one.
    Gone,
}

/// A command that has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    /// Its slot.
    pub slot: u8,
    /// How.
    pub result: Result<Transferred, Failure>,
}

/// The driver of one port.
#[derive(Clone, Debug)]
pub struct AhciDriver {
    memory: Memory,
    port: u32,
    base: u64,
    /// Outstanding commands.
    requests: Vec<(u8, Request)>,
}

impl AhciDriver {
    /// Starts a port, with the driver's structures at `base` in guest memory, which takes 33 MiB.
    ///
    /// # Errors
    /// [`Failure`] where no drive comes up.
    pub fn start(window: &mut impl Window, memory: &Memory, port: u8, base: u64) -> Result<Self, Failure> {
        let driver = Self {
            memory: memory.clone(),
            port: PORTS + u32::from(port) * PORT_SIZE,
            base,
            requests: Vec::new(),
        };
        let control = window.read(generic::GHC);
        window.write(generic::GHC, control | ghc::AE);
        driver.stop(window)?;
        for (register, address) in [(port::CLB, base), (port::FB, base + FIS_AREA)] {
            driver.write(window, register, bytes::low_dword(address));
            driver.write(window, register + 4, bytes::low_dword(address >> 32));
        }
        driver.go(window)?;
        driver.write(window, port::IE, INTERRUPTS);
        window.write(generic::GHC, control | ghc::AE | ghc::IE);
        Ok(driver)
    }

    /// Issues a command in a free slot and says which; nothing where none is free.
    pub fn issue(&mut self, window: &mut impl Window, request: &Request) -> Option<u8> {
        let slot = (0..32).find(|slot| self.requests.iter().all(|(used, _)| used != slot))?;
        let mut request = request.clone();
        if request.regions.is_empty() && request.length > 0 {
            request.regions = vec![(self.data(slot), request.length)];
        }
        self.lay_out(slot, &request);
        if request.is_queued() {
            self.write(window, port::SACT, 1 << slot);
        }
        self.write(window, port::CI, 1 << slot);
        self.requests.push((slot, request));
        Some(slot)
    }

    /// The interrupt handler: what has ended, with errors recovered from.
    pub fn interrupt(&mut self, window: &mut impl Window) -> Vec<Completion> {
        let bit = 1 << self.port();
        if window.read(generic::IS) & bit == 0 {
            return Vec::new();
        }
        let completions = self.look(window);
        window.write(generic::IS, bit);
        completions
    }

    /// What has ended, as the registers say without an interrupt.
    pub fn look(&mut self, window: &mut impl Window) -> Vec<Completion> {
        let causes = self.read(window, port::IS);
        self.write(window, port::IS, causes);
        let mut ended = self.completed(window);
        if causes & ERRORS != 0 {
            ended.extend(recovery::recover(self, window));
        } else if causes & interrupt::PRCS != 0 && !self.requests.is_empty() {
            ended.extend(self.fail_all(Failure::Gone));
        }
        ended
    }

    /// Issues a command and waits for its end.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn run(&mut self, window: &mut impl Window, request: &Request) -> Result<Transferred, Failure> {
        let slot = self.issue(window, request).ok_or(Failure::TimedOut)?;
        for _ in 0..PATIENCE {
            let ended = self.look(window);
            if let Some(own) = ended.into_iter().find(|completion| completion.slot == slot) {
                return own.result;
            }
            window.wait();
        }
        Err(Failure::TimedOut)
    }

    /// Waits until nothing is outstanding, or nothing happens any more.
    pub fn drain(&mut self, window: &mut impl Window) -> Vec<Completion> {
        let mut ended = self.look(window);
        for _ in 0..PATIENCE {
            if self.requests.is_empty() {
                break;
            }
            window.wait();
            ended.extend(self.look(window));
        }
        ended
    }

    /// IDENTIFY DEVICE.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn identify(&mut self, window: &mut impl Window) -> Result<Vec<u8>, Failure> {
        let request = Request::brings(TaskFile::plain(command::IDENTIFY_DEVICE), 512);
        self.run(window, &request).map(|transferred| transferred.data)
    }

    /// Which port it drives.
    #[must_use]
    pub fn port(&self) -> u8 {
        bytes::nth(u64::from((self.port - PORTS) / PORT_SIZE), 0)
    }

    /// Outstanding commands.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.requests.len()
    }

    /// Where a slot's data lies when the request does not say.
    #[must_use]
    pub fn data(&self, slot: u8) -> u64 {
        self.base + DATA + u64::from(slot) * DATA_SIZE
    }

    /// Where a slot's command header lies.
    #[must_use]
    pub fn header(&self, slot: u8) -> u64 {
        self.base + u64::from(slot) * HEADER_SIZE as u64
    }

    /// Where a slot's command table lies.
    #[must_use]
    pub fn table(&self, slot: u8) -> u64 {
        self.base + TABLES + u64::from(slot) * TABLE_SIZE
    }

    /// The received FIS area, as it is now.
    #[must_use]
    pub fn received(&self) -> Vec<u8> {
        self.memory.ram().bytes(self.base + FIS_AREA, FIS_AREA_SIZE)
    }

    /// Loads a register of the port.
    pub fn read(&self, window: &mut impl Window, register: u32) -> u32 {
        window.read(self.port + register)
    }

    /// Stores to a register of the port.
    pub fn write(&self, window: &mut impl Window, register: u32, value: u32) {
        window.write(self.port + register, value);
    }

    /// Stops the command list and waits until it has (section 10.3.2).
    ///
    /// # Errors
    /// [`Failure::TimedOut`].
    pub fn stop(&self, window: &mut impl Window) -> Result<(), Failure> {
        let settings = self.read(window, port::CMD);
        self.write(window, port::CMD, settings & !cmd::ST);
        self.await_bits(window, port::CMD, cmd::CR, 0)?;
        let settings = self.read(window, port::CMD);
        self.write(window, port::CMD, settings & !(cmd::ST | cmd::FRE));
        self.await_bits(window, port::CMD, cmd::FR, 0)
    }

    /// Receives FISes, waits for a drive that is ready, and starts the command list (section 10.3.1).
    ///
    /// # Errors
    /// [`Failure`].
    pub fn go(&self, window: &mut impl Window) -> Result<(), Failure> {
        let settings = self.read(window, port::CMD);
        self.write(window, port::CMD, settings | cmd::FRE | cmd::SUD | cmd::POD);
        self.await_bits(window, port::CMD, cmd::FR, cmd::FR)?;
        self.await_bits(window, port::SSTS, 0xf, 3)
            .map_err(|_| Failure::Gone)?;
        self.await_bits(window, port::TFD, (status::BSY | status::DRQ).into(), 0)?;
        let errors = self.read(window, port::SERR);
        self.write(window, port::SERR, errors);
        let causes = self.read(window, port::IS);
        self.write(window, port::IS, causes);
        let settings = self.read(window, port::CMD);
        self.write(window, port::CMD, settings | cmd::ST);
        self.await_bits(window, port::CMD, cmd::CR, cmd::CR)
    }

    /// Waits until the bits of `mask` are `value`.
    ///
    /// # Errors
    /// [`Failure::TimedOut`].
    pub fn await_bits(
        &self,
        window: &mut impl Window,
        register: u32,
        mask: u32,
        value: u32,
    ) -> Result<(), Failure> {
        for _ in 0..PATIENCE {
            if self.read(window, register) & mask == value {
                return Ok(());
            }
            window.wait();
        }
        Err(Failure::TimedOut)
    }

    /// Everything outstanding ends like this.
    pub(super) fn fail_all(&mut self, failure: Failure) -> Vec<Completion> {
        let fail = |(slot, _)| Completion {
            slot,
            result: Err(failure),
        };
        std::mem::take(&mut self.requests).into_iter().map(fail).collect()
    }

    /// Whether queued commands are outstanding.
    pub(super) fn is_queueing(&self) -> bool {
        self.requests.iter().any(|(_, request)| request.is_queued())
    }

    /// Outstanding commands that the registers say are not.
    fn completed(&mut self, window: &mut impl Window) -> Vec<Completion> {
        if self.requests.is_empty() {
            return Vec::new();
        }
        let busy = self.read(window, port::SACT) | self.read(window, port::CI);
        let (waiting, ended): (Vec<_>, Vec<_>) = std::mem::take(&mut self.requests)
            .into_iter()
            .partition(|(slot, _)| busy >> slot & 1 != 0);
        self.requests = waiting;
        ended
            .into_iter()
            .map(|(slot, request)| Completion {
                slot,
                result: Ok(self.collect(slot, &request)),
            })
            .collect()
    }

    fn collect(&self, slot: u8, request: &Request) -> Transferred {
        let ram = self.memory.ram();
        let count = bytes::dword(&ram.bytes(self.header(slot) + 4, 4), 0);
        let mut transferred = Transferred {
            data: Vec::new(),
            count,
        };
        if request.direction == Direction::In {
            for (address, length) in &request.regions {
                transferred.data.extend(ram.bytes(*address, *length));
            }
        }
        transferred
    }

    /// Puts header, table and data where the controller will look for them.
    fn lay_out(&self, slot: u8, request: &Request) {
        let ram = self.memory.ram();
        let mut task = request.task;
        if request.is_queued() {
            task.count = task.count & 7 | u16::from(slot) << 3;
        }
        let table = self.table(slot);
        ram.store(table, &task.fis());
        ram.store(table + TABLE_PACKET, &request.packet.unwrap_or_default());
        let mut rest = request.sent.as_slice();
        let places = (table + TABLE_REGIONS..).step_by(REGION_SIZE);
        for ((address, length), place) in request.regions.iter().zip(places) {
            let (part, behind) = rest.split_at((*length).min(rest.len()));
            ram.store(*address, part);
            rest = behind;
            ram.store(place, &address.to_le_bytes());
            let count = bytes::low_dword(length.saturating_sub(1) as u64);
            ram.store(place + 8, &(u64::from(count) << 32).to_le_bytes());
        }
        ram.store(self.header(slot), &self.header_bytes(slot, request));
    }

    fn header_bytes(&self, slot: u8, request: &Request) -> [u8; HEADER_SIZE] {
        const FIS_DWORDS: u32 = 5;
        let mut first = FIS_DWORDS | bytes::low_dword(request.regions.len() as u64) << 16;
        if request.direction == Direction::Out {
            first |= header::W;
        }
        if request.packet.is_some() {
            first |= header::A;
        }
        let mut content = [0; HEADER_SIZE];
        bytes::put(&mut content, 0, &first.to_le_bytes());
        bytes::put(&mut content, 8, &self.table(slot).to_le_bytes());
        content
    }
}
