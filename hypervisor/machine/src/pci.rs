//! Configuration space: the real one, and the guest's way to it through the mediator.

use crate::address::HostPhys;
use crate::io_port;
use crate::memory::DeviceRegister;
use sekisho_abi::pci::Address;
use sekisho_mediator::cpu::registers::Width as MemoryWidth;
use sekisho_mediator::pci::ports::{ConfigPorts, PortRead, PortWrite};
use sekisho_mediator::pci::window::locate;
use sekisho_mediator::pci::{ConfigSpace, Mediator, Width};

const CONFIG_ADDRESS: u16 = 0xcf8;
const CONFIG_DATA: u16 = 0xcfc;
/// Registers that the ports reach.
const PORT_SPACE: u16 = 256;

/// The hardware's configuration space.
#[derive(Clone, Copy)]
pub(crate) enum Hardware {
    /// By ports CF8h and CFCh (PCI Local Bus Specification 3.0, 3.2.2.3.2): 256 bytes a function.
    Ports,
    /// By memory, from bus 0 (PCI Express Base Specification 4.0, 7.2.2): 4096 bytes a function, up to this bus.
    Window(HostPhys, u8),
}

impl Hardware {
    fn register(self, address: Address, offset: u16) -> Option<HostPhys> {
        let Self::Window(base, last_bus) = self else {
            return None;
        };
        let function = u64::from(address.bus()) << 20 | u64::from(address.devfn()) << 12;
        (address.bus() <= last_bus).then_some(HostPhys(base.0 + (function | u64::from(offset & 0xfff))))
    }
}

/// A register of the window.
#[inline]
fn device<T: Copy>(register: HostPhys) -> DeviceRegister<T> {
    // SAFETY: a configuration register, aligned to its width (the mediator checks); what a function may do to
    // memory, the mediator has decided.
    unsafe { DeviceRegister::new(register) }
}

/// Points the data ports at a register, and gives the data port for `offset`; `None` where they do not reach.
fn select(address: Address, offset: u16) -> Option<u16> {
    let function = u32::from(address.bus()) << 16 | u32::from(address.devfn()) << 8;
    let value = 1 << 31 | function | u32::from(offset & 0xfc);
    if offset >= PORT_SPACE {
        return None;
    }
    io_port::write(CONFIG_ADDRESS, Width::Dword, value);
    Some(CONFIG_DATA + (offset & 3))
}

impl ConfigSpace for Hardware {
    #[inline]
    fn read(&mut self, address: Address, offset: u16, width: Width) -> u32 {
        match (self.register(address, offset), width) {
            (Some(register), Width::Byte) => u32::from(device::<u8>(register).read()),
            (Some(register), Width::Word) => u32::from(device::<u16>(register).read()),
            (Some(register), Width::Dword) => device::<u32>(register).read(),
            (None, _) => select(address, offset).map_or(width.ones(), |port| io_port::read(port, width)),
        }
    }

    #[inline]
    fn write(&mut self, address: Address, offset: u16, width: Width, value: u32) {
        match (self.register(address, offset), width) {
            (Some(register), Width::Byte) => device(register).write(value as u8),
            (Some(register), Width::Word) => device(register).write(value as u16),
            (Some(register), Width::Dword) => device(register).write(value),
            (None, _) => {
                if let Some(port) = select(address, offset) {
                    io_port::write(port, width, value);
                }
            }
        }
    }
}

/// The machine's configuration space as the guest reaches it. One lock: the address port is one register too.
pub(crate) struct Pci {
    pub(crate) mediator: Mediator<'static>,
    pub(crate) hardware: Hardware,
    pub(crate) ports: ConfigPorts,
}

impl Pci {
    /// IN at a port of ours.
    pub(crate) fn port_read(&mut self, port: u16, bytes: u8) -> u32 {
        let Some(width) = Width::from_bytes(bytes) else {
            return u32::MAX;
        };
        match self
            .ports
            .read(&mut self.mediator, &mut self.hardware, port, width)
        {
            PortRead::Value(value) => value,
            // The reset control and its neighbours are the guest's right.
            PortRead::Hardware => io_port::read(port, width),
        }
    }

    /// OUT at a port of ours.
    pub(crate) fn port_write(&mut self, port: u16, bytes: u8, value: u32) {
        let Some(width) = Width::from_bytes(bytes) else {
            return;
        };
        match self
            .ports
            .write(&mut self.mediator, &mut self.hardware, port, width, value)
        {
            PortWrite::Done => {}
            PortWrite::Hardware => io_port::write(port, width, value),
        }
    }

    /// A load from the configuration window. Eight bytes are two registers, the low one first.
    pub(crate) fn window_read(&mut self, offset: u64, width: MemoryWidth) -> u64 {
        let mut read = |offset: u64, width: Width| {
            let place = locate(offset);
            place.map_or(width.ones(), |(address, register)| {
                self.mediator.read(&mut self.hardware, address, register, width)
            })
        };
        match width {
            MemoryWidth::One => u64::from(read(offset, Width::Byte)),
            MemoryWidth::Two => u64::from(read(offset, Width::Word)),
            MemoryWidth::Four => u64::from(read(offset, Width::Dword)),
            MemoryWidth::Eight => {
                let low = u64::from(read(offset, Width::Dword));
                low | u64::from(read(offset + 4, Width::Dword)) << 32
            }
        }
    }

    /// A store to the configuration window.
    pub(crate) fn window_write(&mut self, offset: u64, width: MemoryWidth, value: u64) {
        let mut write = |offset: u64, width: Width, value: u32| {
            if let Some((address, register)) = locate(offset) {
                self.mediator
                    .write(&mut self.hardware, address, register, width, value);
            }
        };
        match width {
            MemoryWidth::One => write(offset, Width::Byte, value as u32),
            MemoryWidth::Two => write(offset, Width::Word, value as u32),
            MemoryWidth::Four => write(offset, Width::Dword, value as u32),
            MemoryWidth::Eight => {
                write(offset, Width::Dword, value as u32);
                write(offset + 4, Width::Dword, (value >> 32) as u32);
            }
        }
    }
}
