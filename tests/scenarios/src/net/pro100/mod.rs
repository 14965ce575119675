//! The guest's driver for Intel's fast Ethernet NICs, the mediator, and a NIC on a wire.

mod hostile;
mod passed;

use super::frames;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::module::Module;
use sekisho_mediator::net::port::Guest;
use sekisho_mediator::net::pro100::{Identity, Pro100};
use sekisho_models::guest::{Pro100Driver, Pro100Window};
use sekisho_models::memory::{Memory, Reach};
use sekisho_models::pro100::Pro100 as Device;
use sekisho_models::ram::Ram;

/// Guest memory in each of two banks.
const BANK: u64 = 64 << 20;
/// Where the guest's driver has its things.
const BASE: u64 = 0x10_0000;
/// What its driver configures: as after a reset, with its blocks extended as Linux has them.
const CONFIGURATION: [u8; 22] = [
    22, 8, 0, 1, 0, 0, 0x22, 3, 1, 0, 0x2e, 0, 0x60, 0, 0xf2, 0x48, 0, 0x40, 0xf2, 0x80, 0x3f, 5,
];

/// A NIC that was taken over, and its guest. Every scenario asserts that the mediator went by the book.
struct Scene {
    device: Device,
    nic: Pro100,
    memory: Memory,
}

impl Scene {
    fn new(module: Module) -> Self {
        Self::of(module, Guest::Present)
    }

    fn of(module: Module, guest: Guest) -> Self {
        let mut memory = Memory::new(Ram::new(BANK), Reach::Buffers);
        let mut device = Device::new(&memory, frames::GUEST);
        let source = memory.clone();
        let mut give = |length, _| Some(source.buffer(length));
        let identity = Identity {
            device: 0x1229,
            guest,
        };
        let module = |address| {
            assert_eq!(address, MacAddress(frames::GUEST));
            module
        };
        let nic = Pro100::attach(identity, module, &mut device, &mut memory, &mut give);
        Self {
            device,
            nic: nic.unwrap(),
            memory,
        }
    }

    fn driver(&mut self) -> Pro100Driver {
        let memory = self.memory.clone();
        Pro100Driver::start(self, &memory, BASE, &CONFIGURATION, frames::GUEST)
    }

    /// The guest handles interrupts while there are any.
    fn interrupt(&mut self, driver: &mut Pro100Driver) -> Vec<Vec<u8>> {
        let mut received = Vec::new();
        self.device.run();
        for _ in 0..200 {
            if !self.device.interrupts() {
                break;
            }
            received.extend(driver.interrupt(self).1);
            self.device.run();
        }
        received
    }
}

impl Pro100Window for Scene {
    fn read(&mut self, offset: u8, width: Width) -> u32 {
        let value = self
            .nic
            .read(offset.into(), width, &mut self.device, &mut self.memory);
        u32::try_from(value).unwrap()
    }

    fn write(&mut self, offset: u8, width: Width, value: u32) {
        self.nic.write(
            offset.into(),
            width,
            value.into(),
            &mut self.device,
            &mut self.memory,
        );
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.memory.breaches(), [], "the mediator went by the book");
        }
    }
}
