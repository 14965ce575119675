//! The guest's driver for Intel's gigabit NICs, the mediator, and a NIC on a wire.

mod cut;
mod hostile;
mod passed;
mod registers;
mod resets;
mod shared;
mod tunnel;

use super::frames;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::module::Module;
use sekisho_mediator::net::port::Guest;
use sekisho_mediator::net::pro1000::{Identity, Pro1000};
use sekisho_models::breach::Breach;
use sekisho_models::guest::{Form, Pro1000Driver, Received, Window};
use sekisho_models::memory::{Memory, Reach};
use sekisho_models::pro1000::spec::control;
use sekisho_models::pro1000::{Flavour, Pro1000 as Device};
use sekisho_models::ram::Ram;

/// Guest memory in each of two banks.
const BANK: u64 = 64 << 20;
/// Where the guest's driver has its things.
const BASE: u64 = 0x10_0000;

/// A NIC that was taken over, and its guest. Every scenario asserts that the mediator went by the book.
struct Scene {
    device: Device,
    nic: Pro1000,
    memory: Memory,
}

impl Scene {
    /// A NIC that is passed.
    fn new(flavour: Flavour) -> Self {
        Self::with(flavour, Module::Pass, None)
    }

    fn with(flavour: Flavour, module: Module, own: Option<MacAddress>) -> Self {
        Self::of(flavour, module, own, Guest::Present)
    }

    fn of(flavour: Flavour, module: Module, own: Option<MacAddress>, guest: Guest) -> Self {
        let mut memory = Memory::new(Ram::new(BANK), Reach::Buffers);
        let mut device = Device::new(&memory, flavour, frames::GUEST);
        let source = memory.clone();
        let identity = Identity {
            device: number(flavour),
            guest,
            own,
        };
        let mut give = |length, _| Some(source.buffer(length));
        let nic = Pro1000::attach(identity, |_| module, &mut device, &mut memory, &mut give);
        Self {
            device,
            nic: nic.unwrap(),
            memory,
        }
    }

    /// The guest's driver, started; it has check sequences stripped.
    fn driver(&mut self, form: Form) -> Pro1000Driver {
        self.driver_with(form, control::BAM | control::SECRC)
    }

    fn driver_with(&mut self, form: Form, receive: u32) -> Pro1000Driver {
        let memory = self.memory.clone();
        Pro1000Driver::start(self, &memory, BASE, form, receive)
    }

    /// Frames come by the wire, one after the other; what the guest's handler takes at the interrupt.
    fn receive(&mut self, driver: &mut Pro1000Driver, frames: &[Vec<u8>]) -> Vec<Received> {
        for frame in frames {
            self.device.inject(frame);
        }
        self.device.run();
        self.interrupt(driver)
    }

    /// The guest handles interrupts while there are any.
    fn interrupt(&mut self, driver: &mut Pro1000Driver) -> Vec<Received> {
        let mut received = Vec::new();
        for _ in 0..100 {
            if !self.device.interrupts() {
                break;
            }
            received.extend(driver.interrupt(self).1);
            self.device.run();
        }
        received
    }
}

/// The device number of a flavour.
const fn number(flavour: Flavour) -> u16 {
    match flavour {
        Flavour::E82540 => 0x100e,
        Flavour::E82574 => 0x10d3,
    }
}

/// Both flavours.
const FLAVOURS: [Flavour; 2] = [Flavour::E82540, Flavour::E82574];

/// The forms that a flavour's guests use.
const fn forms(flavour: Flavour) -> &'static [Form] {
    match flavour {
        Flavour::E82540 => &[Form::Legacy],
        Flavour::E82574 => &[Form::Legacy, Form::Extended, Form::Split],
    }
}

fn contents(received: &[Received]) -> Vec<Vec<u8>> {
    received.iter().map(|frame| frame.bytes.clone()).collect()
}

impl Window for Scene {
    fn read(&mut self, offset: u32) -> u32 {
        let value = self
            .nic
            .read(offset.into(), Width::Four, &mut self.device, &mut self.memory);
        u32::try_from(value).unwrap()
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.nic.write(
            offset.into(),
            Width::Four,
            value.into(),
            &mut self.device,
            &mut self.memory,
        );
    }

    fn wait(&mut self) {
        self.device.run();
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let breaches: Vec<Breach> = self.memory.breaches();
            assert_eq!(breaches, [], "the mediator went by the book");
        }
    }
}
