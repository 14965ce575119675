//! A guest that drives a pro1000 NIC as it likes: whatever it writes into registers, rings and descriptors, the device is
//! driven by the book, reaches buffers of the hypervisor's alone, and behind `null` sends nothing.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::module::Module;
use sekisho_mediator::net::port::Guest;
use sekisho_mediator::net::pro1000::{Identity, Pro1000};
use sekisho_models::memory::{BUFFERS, Memory, Reach};
use sekisho_models::pro1000::spec::{DESCRIPTOR, control, register};
use sekisho_models::pro1000::{Flavour, Link, Pro1000 as Device};
use sekisho_models::ram::Ram;

/// Steps of one input at most.
const STEPS: usize = 300;
/// Guest memory: the rings, then frames.
const MEMORY: u64 = 1 << 20;
const RINGS: [(u32, u64); 2] = [(register::RDBAL, 0x1000), (register::TDBAL, 0x2000)];
const UNITS: u32 = 32;
const CONTENT: u64 = 0x1_0000;
const ADDRESS: [u8; 6] = [2, 0, 0, 0, 0, 1];

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    // Too short an input ends early; that is no finding.
    let _ = run(&mut input);
});

#[derive(Arbitrary, Debug)]
struct Start {
    is_new: bool,
    is_null: bool,
    listens: bool,
}

/// What the guest does next, or the world.
#[derive(Arbitrary, Debug)]
enum Step {
    /// A register that matters is written, or any.
    Write(u8, Value),
    WriteAny(u16, Value, Length),
    Read(u16, Length),
    Port(u8, Value),
    /// A descriptor of a ring is laid out, and mostly told.
    Descriptor(bool, u8, Place, [u8; 8], bool),
    /// Both rings are set up and switched on.
    SetUp(u32),
    Store(u16, [u8; 8]),
    Frame(u16, u8),
    Device(u8),
    Poll,
    Plug(bool),
    Reset,
}

#[derive(Arbitrary, Debug)]
enum Value {
    Bit(u8),
    Small(u8),
    Any(u32),
}

#[derive(Arbitrary, Debug)]
enum Length {
    One,
    Two,
    Four,
    Eight,
}

#[derive(Arbitrary, Debug)]
enum Place {
    Content(u16),
    Buffers(u16),
    Any(u64),
}

/// Registers that matter.
const REGISTERS: [u32; 24] = [
    0x0000, 0x0010, 0x0018, 0x0020, 0x00c0, 0x00c8, 0x00d0, 0x00d8, 0x0100, 0x0400, 0x2170, 0x2800, 0x2804,
    0x2808, 0x2810, 0x2818, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x5000, 0x5008, 0x5200,
];

fn run(input: &mut Unstructured) -> Result<()> {
    let start = Start::arbitrary(input)?;
    let mut memory = Memory::new(Ram::new(MEMORY), Reach::Buffers);
    let (flavour, number) = if start.is_new {
        (Flavour::E82574, 0x10d3)
    } else {
        (Flavour::E82540, 0x100e)
    };
    let mut device = Device::new(&memory, flavour, ADDRESS);
    let source = memory.clone();
    let identity = Identity {
        device: number,
        guest: Guest::Present,
        own: (start.listens && !start.is_null).then_some(MacAddress([2, 0, 0, 0, 0, 9])),
    };
    let module = if start.is_null { Module::Null } else { Module::Pass };
    let mut give = |length, _| Some(source.buffer(length));
    let mut nic = Pro1000::attach(identity, |_| module, &mut device, &mut memory, &mut give)
        .unwrap_or_else(|why| panic!("the model can be attached: {why:?}"));
    for _ in 0..STEPS {
        let Ok(step) = Step::arbitrary(input) else {
            break;
        };
        play(&step, &mut nic, &mut device, &mut memory);
    }
    assert_eq!(memory.breaches(), [], "the device is driven by the book");
    assert!(!start.is_null || device.sent().is_empty(), "null sends nothing");
    Ok(())
}

fn play(step: &Step, nic: &mut Pro1000, device: &mut Device, memory: &mut Memory) {
    match step {
        Step::Write(which, value) => {
            let offset = REGISTERS[usize::from(*which) % REGISTERS.len()];
            nic.write(offset.into(), Width::Four, number(value), device, memory);
        }
        Step::WriteAny(offset, value, length) => {
            let offset = u64::from(*offset) * 2;
            nic.write(offset, width(length), number(value), device, memory);
        }
        Step::Read(offset, length) => {
            nic.read(u64::from(*offset) * 2, width(length), device, memory);
        }
        Step::Port(offset, value) => {
            nic.port_write(u64::from(*offset % 8), Width::Four, number(value), device, memory);
            nic.port_read(u64::from(*offset % 8), Width::Four, device, memory);
        }
        Step::Descriptor(is_transmit, index, place, upper, is_told) => {
            let (ring, base) = RINGS[usize::from(*is_transmit)];
            let index = u32::from(*index) % UNITS;
            let at = base + u64::from(index) * DESCRIPTOR as u64;
            let address = match place {
                Place::Content(within) => CONTENT + u64::from(*within),
                Place::Buffers(within) => BUFFERS + u64::from(*within) * 64,
                Place::Any(address) => *address,
            };
            memory.ram().store(at, &address.to_le_bytes());
            memory.ram().store(at + 8, upper);
            if *is_told {
                let tail = u64::from((index + 1) % UNITS);
                nic.write((ring + 0x18).into(), Width::Four, tail, device, memory);
            }
        }
        Step::SetUp(receive) => {
            for (ring, base) in RINGS {
                for (within, value) in [(0, base), (4, 0), (8, u64::from(UNITS) * 16), (0x10, 0)] {
                    nic.write((ring + within).into(), Width::Four, value, device, memory);
                }
            }
            let receive = receive | control::EN | control::UPE | control::MPE;
            nic.write(register::RCTL.into(), Width::Four, receive.into(), device, memory);
            nic.write(
                register::TCTL.into(),
                Width::Four,
                control::EN.into(),
                device,
                memory,
            );
            let tail = u64::from(UNITS - 2);
            nic.write(register::RDT.into(), Width::Four, tail, device, memory);
        }
        Step::Store(address, bytes) => memory.ram().store((*address).into(), bytes),
        Step::Frame(length, first) => {
            device.inject(&vec![*first; usize::from(*length % 10_000)]);
            device.run();
        }
        Step::Device(steps) => (0..*steps).for_each(|_| {
            device.step();
        }),
        Step::Poll => {
            nic.poll(device, memory);
        }
        Step::Plug(is_up) => device.plug(if *is_up { Link::Up } else { Link::Down }),
        Step::Reset => nic.reset(device, memory),
    }
}

fn number(value: &Value) -> u64 {
    match value {
        Value::Bit(bit) => 1 << (bit % 32),
        Value::Small(value) => (*value).into(),
        Value::Any(value) => (*value).into(),
    }
}

const fn width(length: &Length) -> Width {
    match length {
        Length::One => Width::One,
        Length::Two => Width::Two,
        Length::Four => Width::Four,
        Length::Eight => Width::Eight,
    }
}
