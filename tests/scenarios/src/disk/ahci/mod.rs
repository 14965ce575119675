//! The guest's AHCI driver, the mediator, and a controller with disks.

mod atapi;
mod attach;
mod commands;
mod errors;
mod hostile;
mod interrupts;
mod overlaps;
mod polled;
mod pool;
mod power;
mod presence;
mod properties;
mod queue;
mod recovery;
mod refused;
mod registers;
mod requests;
mod transfers;
mod trim;

use super::layout;
use sekisho_abi::disk::BlockSize;
use sekisho_abi::storage::Atapi;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::disk::ahci::Ahci;
use sekisho_models::ahci::Hba;
use sekisho_models::ata::spec::{command, error};
use sekisho_models::ata::{Disk, Drive, TaskFile};
use sekisho_models::breach::Breach;
use sekisho_models::guest::{AhciDriver, Failure, Request, Transferred, Window};
use sekisho_models::memory::{Memory, Reach};
use sekisho_models::pace::Pace;
use sekisho_models::ram::Ram;

/// Guest memory in each of two banks.
const BANK: u64 = 512 << 20;
/// Where the guest's drivers have their structures, by port.
const BASE: u64 = 0x10_0000;
const BASE_STEP: u64 = 48 << 20;

/// A controller that was taken over, and its guest. Every scenario asserts that the mediator went by the book.
struct Scene {
    hba: Hba,
    ahci: Ahci,
    memory: Memory,
    guest: Guest,
}

/// How the guest treats its registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Guest {
    /// By the book.
    Careful,
    /// As it likes: what reaches the hardware at a wrong moment, of the link and of the switches, is its own fault.
    Careless,
}

impl Scene {
    /// One disk with blocks of 512 bytes.
    fn new() -> Self {
        Self::of(vec![Some(layout::disk("SYSTEM", BlockSize::B512))], 1)
    }

    /// These drives, each on its port; the model draws its lots from `seed`.
    fn of(drives: Vec<Option<Drive>>, seed: u64) -> Self {
        Self::with_packets(drives, seed, Atapi::Refuse)
    }

    fn with_packets(drives: Vec<Option<Drive>>, seed: u64, atapi: Atapi) -> Self {
        let mut memory = Memory::new(Ram::new(BANK), Reach::Buffers);
        let mut hba = Hba::new(&memory, drives, seed);
        hba.set_pace(Pace::AtAccess);
        let source = memory.clone();
        let ahci = Ahci::attach(
            atapi,
            &mut hba,
            &mut memory,
            &mut |length, _| Some(source.buffer(length)),
            &mut layout::Everywhere::default(),
        );
        Self::taken_over(hba, ahci.ok().unwrap(), memory)
    }

    /// A controller that was taken over, as it is handed to a guest.
    fn taken_over(mut hba: Hba, ahci: Ahci, memory: Memory) -> Self {
        hba.set_pace(Pace::WhenTold);
        Self {
            hba,
            ahci,
            memory,
            guest: Guest::Careful,
        }
    }

    /// The guest's driver, started, on a port.
    fn driver(&mut self, port: u8) -> AhciDriver {
        let memory = self.memory.clone();
        let base = BASE + BASE_STEP * u64::from(port);
        let mut driver = AhciDriver::start(self, &memory, port, base).unwrap();
        driver.identify(self).unwrap();
        driver
    }

    fn write_blocks(
        &mut self,
        driver: &mut AhciDriver,
        lba: u64,
        content: &[u8],
    ) -> Result<Transferred, Failure> {
        let block = self.block_size(driver);
        let count = u16::try_from(content.len() / block).unwrap();
        let task = TaskFile::long(command::WRITE_DMA_EXT, lba, count);
        driver.run(self, &Request::sends(task, content))
    }

    fn try_read_blocks(
        &mut self,
        driver: &mut AhciDriver,
        lba: u64,
        count: u16,
    ) -> Result<Transferred, Failure> {
        let length = usize::from(count) * self.block_size(driver);
        let task = TaskFile::long(command::READ_DMA_EXT, lba, count);
        driver.run(self, &Request::brings(task, length))
    }

    fn read_blocks(&mut self, driver: &mut AhciDriver, lba: u64, count: u16) -> Vec<u8> {
        self.try_read_blocks(driver, lba, count).unwrap().data
    }

    fn flush(&mut self, driver: &mut AhciDriver) -> Result<Transferred, Failure> {
        driver.run(self, &Request::plain(TaskFile::plain(command::FLUSH_CACHE_EXT)))
    }

    fn block_size(&self, driver: &AhciDriver) -> usize {
        self.disk(driver.port().into()).geometry().sector_size
    }

    /// The controller works until it has nothing left to do; the guest does nothing.
    fn let_device_work(&mut self) {
        self.hba.run();
    }

    /// Whether the disk was given nothing since it had seen `before` commands but what every disk aborts: that is how
    /// the mediator refuses, with the disk's own error and interrupt.
    fn was_spared_since(&self, before: usize) -> bool {
        let mut commands = self.disk(0).commands().iter().skip(before);
        commands.all(|task| task.command == command::NOP)
    }

    fn disk(&self, port: usize) -> &Disk {
        self.hba.disk(port).unwrap()
    }

    fn disk_mut(&mut self, port: usize) -> &mut Disk {
        self.hba.disk_mut(port).unwrap()
    }
}

impl Window for Scene {
    fn read(&mut self, offset: u32) -> u32 {
        let value = self
            .ahci
            .read(offset.into(), Width::Four, &mut self.hba, &mut self.memory);
        u32::try_from(value).unwrap()
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.ahci.write(
            offset.into(),
            Width::Four,
            value.into(),
            &mut self.hba,
            &mut self.memory,
        );
    }

    fn wait(&mut self) {
        self.hba.step();
        if self.ahci.waits() {
            self.ahci.poll(&mut self.hba, &mut self.memory);
        }
    }
}

/// Whether the guest was told that its command is aborted.
fn is_refused(result: &Result<Transferred, Failure>) -> bool {
    matches!(
        result,
        Err(Failure::Device {
            error: error::ABRT,
            ..
        })
    )
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let mut breaches = self.memory.breaches();
            breaches.retain(|breach| self.guest == Guest::Careful || !matches!(breach, Breach::Untimely(..)));
            assert_eq!(breaches, [], "the mediator went by the book");
            for port in 0..32 {
                let harm = self.hba.disk(port).map(Disk::harm).unwrap_or_default();
                assert_eq!(harm, [], "a command did harm on port {port}");
            }
        }
    }
}
