//! Instructions: arbitrary bytes in every mode, carried out and stepped over, and fetched through page tables that
//! are whatever the guest wrote.
#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use sekisho_mediator::cpu::decode::Mode;
use sekisho_mediator::cpu::emulate::{
    Device, Direction, Fault, Refusal, Segment, Surroundings, emulate, skip,
};
use sekisho_mediator::cpu::fetch::{InstructionBytes, LONGEST_INSTRUCTION, fetch};
use sekisho_mediator::cpu::linear::LinearMemory;
use sekisho_mediator::cpu::registers::{Registers, Width};
use sekisho_mediator::cpu::walk::{GuestMemory, Paging, Privilege, Unreachable};
use std::cell::RefCell;

/// The guest's memory: the input's own bytes, again and again, but for every seventh page.
struct GuestPages(RefCell<Vec<u8>>);

impl GuestMemory for GuestPages {
    fn read(&self, guest_physical: u64, buffer: &mut [u8]) -> core::result::Result<(), Unreachable> {
        let bytes = self.0.borrow();
        if bytes.is_empty() || (guest_physical >> 12) % 7 == 6 {
            return Err(Unreachable);
        }
        let start = (guest_physical % bytes.len() as u64) as usize;
        for (to, from) in buffer.iter_mut().zip(bytes.iter().cycle().skip(start)) {
            *to = *from;
        }
        Ok(())
    }

    fn write(&self, guest_physical: u64, bytes: &[u8]) -> core::result::Result<(), Unreachable> {
        self.read(guest_physical, &mut vec![0; bytes.len()])?;
        let mut memory = self.0.borrow_mut();
        let length = memory.len();
        for (place, byte) in (guest_physical % length as u64..).zip(bytes) {
            memory[(place % length as u64) as usize] = *byte;
        }
        Ok(())
    }
}

struct Guest<'a> {
    linear: LinearMemory<'a, GuestPages>,
    segment_base: u64,
}

impl Surroundings for Guest<'_> {
    fn segment_base(&self, _: Segment) -> u64 {
        self.segment_base
    }

    fn read(&self, linear: u64, buffer: &mut [u8]) -> core::result::Result<(), Refusal> {
        self.linear.read(linear, buffer)
    }

    fn write(&self, linear: u64, bytes: &[u8]) -> core::result::Result<(), Refusal> {
        self.linear.write(linear, bytes)
    }
}

/// Counts its writes.
struct DeviceRegister(u64, usize);

impl Device for DeviceRegister {
    fn read(&mut self, _: Width) -> u64 {
        self.0
    }

    fn write(&mut self, width: Width, value: u64) {
        assert_eq!(value & !width.mask(), 0, "a value is cut to its width");
        self.0 = value;
        self.1 += 1;
    }
}

fuzz_target!(|data: &[u8]| {
    // Too short an input ends early; that is no finding.
    let _ = run(Unstructured::new(data));
});

fn run(mut input: Unstructured) -> Result<()> {
    let mode = *input.choose(&[Mode::Bits64, Mode::Bits32, Mode::Bits16])?;
    let direction = *input.choose(&[Direction::Read, Direction::Write])?;
    let privilege = *input.choose(&[Privilege::Supervisor, Privilege::User])?;
    let [cr0, cr3, cr4, efer, linear, segment_base, rflags, rip] = <[u64; 8]>::arbitrary(&mut input)?;
    let fault = Fault {
        address: u64::arbitrary(&mut input)?,
        direction,
    };
    let bytes = InstructionBytes::new(input.bytes(LONGEST_INSTRUCTION)?);
    let before = Registers {
        general: <[u64; 16]>::arbitrary(&mut input)?,
        rip: rip & mode.pointer_mask(),
        rflags,
    };
    let memory = GuestPages(RefCell::new(input.take_rest().to_vec()));
    let paging = Paging { cr0, cr3, cr4, efer };
    let guest = Guest {
        linear: LinearMemory {
            paging,
            privilege,
            memory: &memory,
        },
        segment_base,
    };

    if let Ok(fetched) = fetch(&paging, linear, privilege, &memory) {
        assert!((1..=LONGEST_INSTRUCTION).contains(&fetched.as_slice().len()));
        carry_out(before, mode, &fetched, fault, &guest);
    }
    carry_out(before, mode, &bytes, fault, &guest);
    Ok(())
}

/// A refusal changes nothing; anything else makes progress and writes the device once at most.
fn carry_out(before: Registers, mode: Mode, bytes: &InstructionBytes, fault: Fault, guest: &Guest) {
    let mut registers = before;
    let mut device = DeviceRegister(0x1234, 0);
    match emulate(&mut registers, mode, bytes, fault, &mut device, guest) {
        Ok(_) => assert!(device.1 <= 1),
        Err(_) => assert_eq!((registers, device.1), (before, 0)),
    }
    let mut registers = before;
    match skip(&mut registers, mode, bytes, fault, guest) {
        Ok(_) => assert_ne!((registers.rip, registers.general), (before.rip, before.general)),
        Err(_) => assert_eq!(registers, before),
    }
}
