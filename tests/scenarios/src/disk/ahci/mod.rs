//! The guest's AHCI driver, the mediator, and a controller with disks.

mod amended;
mod errors;
mod hostile;
mod polled;
mod presence;
mod queue;
mod refused;
mod requests;
mod transfers;

use super::layout;
use sekisho_abi::disk::BlockSize;
use sekisho_abi::storage::Atapi;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::disk::ahci::Ahci;
use sekisho_models::ahci::Hba;
use sekisho_models::ata::{Disk, Drive};
use sekisho_models::guest::{AhciDriver, Window};
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
        hba.set_pace(Pace::WhenTold);
        Self {
            hba,
            ahci: ahci.ok().unwrap(),
            memory,
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

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.memory.breaches(), [], "the mediator went by the book");
            for port in 0..32 {
                let harm = self.hba.disk(port).map(Disk::harm).unwrap_or_default();
                assert_eq!(harm, [], "a command did harm on port {port}");
            }
        }
    }
}
