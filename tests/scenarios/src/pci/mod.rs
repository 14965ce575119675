//! The guest's view of configuration space: a machine of models, a policy, and both of the guest's ways in.

mod arrivals;
mod bars;
mod bridges;
mod conceal;
mod fixed;
mod hostile;
mod mediated;
mod networks;
mod passed;
mod ports;
mod properties;

use sekisho_abi::origin::{Origin, Origins};
use sekisho_abi::pci::Address;
use sekisho_abi::selection::{Selection, parse};
use sekisho_mediator::pci::ports::{CONFIG_ADDRESS, CONFIG_DATA, ConfigPorts, PortRead};
use sekisho_mediator::pci::{Attempt, ConfigSpace, Fate, Mediator, MemoryRange, Width, discover, window};
use sekisho_models::pci::{BarModel, Function, Machine, Place, Slot};

/// Last bus that discovery looks at.
const LAST_BUS: u8 = 31;

/// Where the hypervisor lies in these scenarios.
const HYPERVISOR: u64 = 0x7e00_0000;
const HYPERVISOR_SIZE: u64 = 16 << 20;

const NIC_CLASS: u32 = 0x02_0000;

/// What turns a function fully on: I/O, memory, bus mastering.
const ALL_ON: u32 = 7;

/// One of the guest's ways in.
#[derive(Clone, Copy, Debug)]
enum Path {
    Ports,
    Window,
}

const BOTH: [Path; 2] = [Path::Ports, Path::Window];

/// A machine that was taken over, and its guest.
struct Scene<C> {
    hardware: C,
    mediator: Mediator<'static>,
    ports: ConfigPorts,
}

impl<C: ConfigSpace> Scene<C> {
    /// Takes `hardware` over under the policy with this selection string.
    fn take_over(mut hardware: C, selection: &str) -> Self {
        let functions = discover(&mut hardware, LAST_BUS).unwrap();
        let selection: &'static Selection = Box::leak(Box::new(parse(selection).unwrap()));
        let mut mediator = Mediator::new(functions, selection, &[hypervisor()]).unwrap();
        mediator.take_over(&mut hardware);
        Self {
            hardware,
            mediator,
            ports: ConfigPorts::default(),
        }
    }

    fn read(&mut self, path: Path, address: Address, offset: u16, width: Width) -> u32 {
        match path {
            Path::Ports => {
                self.point_ports_at(address, offset);
                let port = CONFIG_DATA + (offset & 3);
                match self
                    .ports
                    .read(&mut self.mediator, &mut self.hardware, port, width)
                {
                    PortRead::Value(value) => value,
                    PortRead::Hardware => panic!("data port {port:#x} went to the hardware"),
                }
            }
            Path::Window => {
                let (address, offset) = window::locate(window_offset(address, offset)).unwrap();
                self.mediator.read(&mut self.hardware, address, offset, width)
            }
        }
    }

    fn write(&mut self, path: Path, address: Address, offset: u16, width: Width, value: u32) {
        match path {
            Path::Ports => {
                self.point_ports_at(address, offset);
                let port = CONFIG_DATA + (offset & 3);
                self.ports
                    .write(&mut self.mediator, &mut self.hardware, port, width, value);
            }
            Path::Window => {
                let (address, offset) = window::locate(window_offset(address, offset)).unwrap();
                self.mediator
                    .write(&mut self.hardware, address, offset, width, value);
            }
        }
    }

    fn read_dword(&mut self, address: Address, offset: u16) -> u32 {
        self.read(Path::Window, address, offset, Width::Dword)
    }

    fn write_dword(&mut self, address: Address, offset: u16, value: u32) {
        self.write(Path::Window, address, offset, Width::Dword, value);
    }

    /// What the guest finds when it looks for functions as operating systems do.
    fn scan(&mut self) -> Vec<Address> {
        let mut found = Vec::new();
        for bus in 0..=LAST_BUS {
            for device in 0..32 {
                for function in 0..8 {
                    let address = Address::new(bus, device, function).unwrap();
                    let id = self.read(Path::Ports, address, 0, Width::Dword);
                    let header = self.read(Path::Window, address, 0x0e, Width::Byte);
                    if !matches!(id, 0 | u32::MAX | 0x0000_ffff | 0xffff_0000) {
                        found.push(address);
                    }
                    if function == 0 && header & 0x80 == 0 || header == 0xff {
                        break;
                    }
                }
            }
        }
        found
    }

    fn fate(&self, address: Address) -> Option<Fate> {
        self.mediator
            .functions()
            .at(address)
            .map(|function| function.fate())
    }

    fn count(&self, attempt: Attempt) -> u64 {
        self.mediator.count(attempt)
    }

    fn point_ports_at(&mut self, address: Address, offset: u16) {
        let [low, high] = offset.to_le_bytes();
        let value = u32::from_le_bytes([low & 0xfc, address.devfn(), address.bus(), 0x80 | high & 0x0f]);
        self.ports.write(
            &mut self.mediator,
            &mut self.hardware,
            CONFIG_ADDRESS,
            Width::Dword,
            value,
        );
    }
}

fn window_offset(address: Address, offset: u16) -> u64 {
    u64::from(address.bus()) << 20 | u64::from(address.devfn()) << 12 | u64::from(offset)
}

fn hypervisor() -> MemoryRange {
    MemoryRange::new(HYPERVISOR, HYPERVISOR_SIZE).unwrap()
}

fn at(bus: u8, device: u8, function: u8) -> Address {
    Address::new(bus, device, function).unwrap()
}

/// A NIC as firmware leaves it: placed, decoding, mastering the bus.
fn nic(base: u32) -> Function {
    Function::endpoint(0x8086, 0x100e, NIC_CLASS)
        .with_bar(0, BarModel::Memory32(0x2_0000))
        .with_bar(1, BarModel::Io(0x40))
        .with_rom(0x4_0000)
        .set_up(0x10, base)
        .set_up(0x14, 0xc001)
        .set_up(0x04, ALL_ON)
}

/// A bridge with these bus numbers, decoding, its windows closed.
fn bridge(primary: u8, secondary: u8, subordinate: u8) -> Function {
    Function::bridge(0x8086, 0x2940)
        .set_up(0x18, u32::from_le_bytes([primary, secondary, subordinate, 0]))
        .set_up(0x20, 0x0000_fff0)
        .set_up(0x24, 0x0001_fff1)
        .set_up(0x04, ALL_ON)
}

/// A host bridge, a display, two NICs; the second NIC behind a bridge.
struct Laptop {
    machine: Machine,
    bridge: Slot,
    first_nic: Slot,
    second_nic: Slot,
}

const BRIDGE: (u8, u8, u8) = (0, 0x1c, 0);
const FIRST_NIC: (u8, u8, u8) = (0, 3, 0);
const SECOND_NIC: (u8, u8, u8) = (2, 0, 0);

fn laptop() -> Laptop {
    let mut machine = Machine::new();
    machine.plug(
        Place::Root(0),
        0,
        Function::endpoint(0x8086, 0x29c0, 0x06_0000).set_up(0x60, 0xb000_0001),
    );
    let display = Function::endpoint(0x1234, 0x1111, 0x03_0000).with_bar(0, BarModel::Memory32(0x100_0000));
    machine.plug(
        Place::Root(0),
        1 << 3,
        display.set_up(0x10, 0xfd00_0000).set_up(0x04, ALL_ON),
    );
    let first_nic = machine.plug(Place::Root(0), 3 << 3, nic(0xfebc_0000));
    let bridge = machine.plug(
        Place::Root(0),
        0x1c << 3,
        bridge(0, 2, 4).set_up(0x20, 0xfea0_fea0),
    );
    let second_nic = machine.plug(Place::Behind(bridge), 0, nic(0xfea0_0000));
    Laptop {
        machine,
        bridge,
        first_nic,
        second_nic,
    }
}

fn place((bus, device, function): (u8, u8, u8)) -> Address {
    at(bus, device, function)
}
