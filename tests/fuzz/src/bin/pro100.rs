//! A guest that drives a pro100 NIC as it likes: whatever it writes into registers, blocks and descriptors, the device is
//! driven by the book, reaches buffers of the hypervisor's alone, and behind `null` sends nothing.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::module::Module;
use sekisho_mediator::net::port::Guest;
use sekisho_mediator::net::pro100::{Identity, Pro100};
use sekisho_models::memory::{BUFFERS, Memory, Reach};
use sekisho_models::pro100::Pro100 as Device;
use sekisho_models::pro100::spec::register;
use sekisho_models::ram::Ram;

/// Steps of one input at most.
const STEPS: usize = 300;
/// Guest memory: blocks and descriptors, then frames.
const MEMORY: u64 = 1 << 20;
const BLOCKS: u64 = 0x1000;
const STEP: u64 = 0x100;
const CONTENT: u64 = 0x1_0000;
const ADDRESS: [u8; 6] = [2, 0, 0, 0, 0, 1];

fuzz_target!(|data: &[u8]| {
    let mut input = Unstructured::new(data);
    // Too short an input ends early; that is no finding.
    let _ = run(&mut input);
});

/// What the guest does next, or the world.
#[derive(Arbitrary, Debug)]
enum Act {
    Write(u8, u32, Length),
    Read(u8, Length),
    /// A command, with one of the blocks for its pointer, or any.
    Command(u8, Place),
    /// A block or receive descriptor is laid out: its command bits, link, third word, count and size.
    Block(u8, u16, u8, Place, [u16; 2]),
    /// An entry of a table of buffers.
    Entry(u8, Place, u16),
    Store(u16, [u8; 8]),
    Frame(u16, u8),
    Device(u8),
    Poll,
    Reset,
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
    Block(u8),
    Content(u16),
    Buffers(u16),
    Any(u32),
}

fn run(input: &mut Unstructured) -> Result<()> {
    let is_null = bool::arbitrary(input)?;
    let mut memory = Memory::new(Ram::new(MEMORY), Reach::Buffers);
    let mut device = Device::new(&memory, ADDRESS);
    let source = memory.clone();
    let identity = Identity {
        device: 0x1229,
        guest: Guest::Present,
    };
    let module = if is_null { Module::Null } else { Module::Pass };
    let mut give = |length, _| Some(source.buffer(length));
    let mut nic = Pro100::attach(identity, |_| module, &mut device, &mut memory, &mut give)
        .unwrap_or_else(|why| panic!("the model can be attached: {why:?}"));
    for _ in 0..STEPS {
        let Ok(act) = Act::arbitrary(input) else {
            break;
        };
        play(&act, &mut nic, &mut device, &mut memory);
    }
    assert_eq!(memory.breaches(), [], "the device is driven by the book");
    assert!(!is_null || device.take_sent().is_empty(), "null sends nothing");
    Ok(())
}

fn play(act: &Act, nic: &mut Pro100, device: &mut Device, memory: &mut Memory) {
    match act {
        Act::Write(offset, value, length) => {
            nic.write((*offset).into(), width(length), (*value).into(), device, memory);
        }
        Act::Read(offset, length) => {
            nic.read((*offset).into(), width(length), device, memory);
        }
        Act::Command(command, place) => {
            let pointer = address(place).into();
            nic.write(register::POINTER.into(), Width::Four, pointer, device, memory);
            nic.write(
                register::COMMAND.into(),
                Width::One,
                (*command).into(),
                device,
                memory,
            );
        }
        Act::Block(at, control, link, third, [count, size]) => {
            let at = BLOCKS + u64::from(*at) * STEP;
            let link = address(&Place::Block(*link));
            let sizes = u32::from(*size) << 16 | u32::from(*count);
            let words = [u32::from(*control) << 16, link, address(third), sizes].map(u32::to_le_bytes);
            memory.ram().store(at, words.as_flattened());
        }
        Act::Entry(at, place, size) => {
            let entry = [address(place), (*size).into()].map(u32::to_le_bytes);
            memory
                .ram()
                .store(CONTENT + u64::from(*at) * 8, entry.as_flattened());
        }
        Act::Store(at, bytes) => memory.ram().store((*at).into(), bytes),
        Act::Frame(length, first) => {
            device.inject(&vec![*first; usize::from(*length % 1519)]);
            device.run();
        }
        Act::Device(steps) => (0..*steps).for_each(|_| {
            device.step();
        }),
        Act::Poll => {
            nic.poll(device, memory);
        }
        Act::Reset => nic.reset(device, memory),
    }
}

fn address(place: &Place) -> u32 {
    let address = match place {
        Place::Block(index) => BLOCKS + u64::from(*index) * STEP,
        Place::Content(within) => CONTENT + u64::from(*within),
        Place::Buffers(within) => BUFFERS + u64::from(*within) * 64,
        Place::Any(address) => (*address).into(),
    };
    u32::try_from(address).unwrap_or(u32::MAX)
}

const fn width(length: &Length) -> Width {
    match length {
        Length::One => Width::One,
        Length::Two => Width::Two,
        Length::Four => Width::Four,
        Length::Eight => Width::Eight,
    }
}
