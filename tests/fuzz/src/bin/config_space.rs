//! Configuration space: any sequence of accesses, by both ways in, to functions that lie, arrive and change, leaves
//! a concealed function off, the bridge above it where it was, and protected memory undecoded.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_abi::pci::Address;
use sekisho_abi::selection::{Selection, parse};
use sekisho_mediator::pci::ports::ConfigPorts;
use sekisho_mediator::pci::{Attempt, Mediator, MemoryRange, Width, discover, spec, window};
use sekisho_models::pci::{BarModel, Breach, Function, Machine, Place, Slot};
use std::sync::LazyLock;

const LAST_BUS: u8 = 4;
const NIC_CLASS: u32 = 0x02_0000;
const PROTECTED: (u64, u64) = (0x7e00_0000, 16 << 20);

static SELECTION: LazyLock<Selection> = LazyLock::new(|| {
    parse("slot=02:00.0, driver=conceal, and, class=0200, number=2, driver=conceal").expect("a good string")
});

/// One thing that the guest or the world does.
#[derive(Arbitrary, Debug)]
enum Step {
    Read(Target, u16, Size),
    Write(Target, u16, Size, u32),
    WindowRead(u32, Size),
    WindowWrite(u32, Size, u32),
    PortRead(Port, Size),
    PortWrite(Port, Size, u32),
    Plug(Target, Kind),
    Swap(Kind),
}

/// A place in configuration space, most often one where something is.
#[derive(Debug)]
struct Target(Address);

impl<'a> Arbitrary<'a> for Target {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let known = [(0, 0), (0, 3 << 3), (0, 0x1c << 3), (0, 0x1d << 3), (2, 0)];
        let (bus, devfn) = match bytes.int_in_range(0..=known.len())? {
            known_place if known_place < known.len() => known[known_place],
            _ => (bytes.arbitrary()?, bytes.arbitrary()?),
        };
        Ok(Self(Address::from_devfn(bus, devfn)))
    }
}

/// A port in or beside the configuration ports.
#[derive(Debug)]
struct Port(u16);

impl<'a> Arbitrary<'a> for Port {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self(bytes.int_in_range(0xcf4..=0xd02)?))
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Size {
    One,
    Two,
    Four,
}

impl Size {
    const fn width(self) -> Width {
        match self {
            Self::One => Width::Byte,
            Self::Two => Width::Word,
            Self::Four => Width::Dword,
        }
    }
}

/// What is plugged in.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Nic,
    Disk,
    Bridge,
    NotReady,
    Nothing,
}

impl Kind {
    fn function(self) -> Option<Function> {
        Some(match self {
            Self::Nic => nic(),
            Self::Disk => {
                Function::endpoint(0x1b36, 0x0010, 0x01_0802).with_bar(0, BarModel::Memory64(0x4000))
            }
            Self::Bridge => Function::bridge(0x1b36, 0x000c).with_bar(0, BarModel::Memory32(0x1000)),
            Self::NotReady => Function::endpoint(spec::VENDOR_NOT_READY, 0xffff, 0),
            Self::Nothing => return None,
        })
    }
}

fn nic() -> Function {
    let bar = BarModel::Memory32(0x2_0000);
    Function::endpoint(0x8086, 0x100e, NIC_CLASS)
        .with_bar(0, bar)
        .with_rom(0x4_0000)
        .set_up(0x10, 0xfebc_0000)
}

/// A machine with a passed NIC, a bridge without numbers, and a NIC to be concealed behind a bridge.
struct Scene {
    machine: Machine,
    bridge: Slot,
    passed: Slot,
    concealed: Slot,
}

fn scene() -> Scene {
    let mut machine = Machine::new();
    machine.plug(
        Place::Root(0),
        0,
        Function::endpoint(0x8086, 0x29c0, 0x06_0000).set_up(0x60, 0xb000_0001),
    );
    let passed = machine.plug(Place::Root(0), 3 << 3, nic().set_up(0x04, 7));
    let bridge = Function::bridge(0x8086, 0x2940)
        .set_up(0x18, 0x04_0200)
        .set_up(0x04, 7);
    let bridge = machine.plug(Place::Root(0), 0x1c << 3, bridge);
    machine.plug(Place::Root(0), 0x1d << 3, Function::bridge(0x8086, 0x2942));
    let concealed = machine.plug(Place::Behind(bridge), 0, nic().set_up(0x04, 7));
    Scene {
        machine,
        bridge,
        passed,
        concealed,
    }
}

fuzz_target!(|steps: Vec<Step>| {
    let Scene {
        mut machine,
        bridge,
        passed,
        concealed,
    } = scene();
    let protected = MemoryRange::new(PROTECTED.0, PROTECTED.1).expect("a range");
    let functions = discover(&mut machine, LAST_BUS).expect("few functions");
    let mut mediator = Mediator::new(functions, &SELECTION, &[protected]).expect("conceal is there");
    mediator.take_over(&mut machine);
    let mut ports = ConfigPorts::default();
    // What one input does is bounded, or a long one is only slow.
    for step in steps.into_iter().take(200) {
        play(&mut machine, &mut mediator, &mut ports, passed, step);
        assert_eq!(machine.command(concealed) & 7, 0, "the concealed NIC is on");
        assert_eq!(
            machine.dword(bridge, 0x18) & 0xff_ffff,
            0x04_0200,
            "the bridge has other numbers"
        );
        assert!(
            machine.decoded().all(|range| !range.overlaps(protected)),
            "a base address"
        );
        assert!(
            machine.windows().all(|range| !range.overlaps(protected)),
            "a window"
        );
        let own = |breach: &Breach| !matches!(breach, Breach::SizedWhileDecoding(..));
        assert!(!machine.breaches().iter().any(own), "{:?}", machine.breaches());
    }
    assert_eq!(
        mediator.count(Attempt::TableFull),
        0,
        "200 steps do not fill the table"
    );
});

fn play(
    machine: &mut Machine,
    mediator: &mut Mediator<'_>,
    ports: &mut ConfigPorts,
    swapped: Slot,
    step: Step,
) {
    match step {
        Step::Read(Target(address), offset, size) => {
            let value = mediator.read(machine, address, offset, size.width());
            assert_eq!(value & !size.width().ones(), 0, "more bits than were read");
        }
        Step::Write(Target(address), offset, size, value) => {
            mediator.write(machine, address, offset, size.width(), value);
        }
        Step::WindowRead(offset, size) => {
            if let Some((address, register)) = window::locate(offset.into()) {
                mediator.read(machine, address, register, size.width());
            }
        }
        Step::WindowWrite(offset, size, value) => {
            if let Some((address, register)) = window::locate(offset.into()) {
                mediator.write(machine, address, register, size.width(), value);
            }
        }
        Step::PortRead(Port(port), size) => {
            ports.read(mediator, machine, port, size.width());
        }
        Step::PortWrite(Port(port), size, value) => {
            ports.write(mediator, machine, port, size.width(), value);
        }
        Step::Plug(Target(address), kind) => {
            if let Some(function) = kind.function() {
                machine.plug(Place::Root(address.bus()), address.devfn(), function);
            }
        }
        Step::Swap(kind) => machine.swap(swapped, kind.function()),
    }
    while mediator.take_notice().is_some() {}
}
