//! The short decoder against the full one, and both against bytes that mean nothing.

extern crate std;

use super::decode::{Mode, common_move, quick_move};
use super::emulate::{Direction, Fault, emulate, perform, skip};
use super::emulate_tests::{DeviceRegister, Flat, registers};
use super::fetch::InstructionBytes;
use super::general;
use super::registers::Registers;
use proptest::prelude::*;
use std::vec::Vec;

/// Every form the short decoder takes, in every mode, with every prefix that it knows and every addressing form.
#[test]
fn the_short_decoder_agrees_with_the_full_one() {
    let prefixes: &[&[u8]] = &[
        &[],
        &[0x66],
        &[0x67],
        &[0x66, 0x67],
        &[0x64],
        &[0x3e, 0x66],
        &[0x67, 0x26],
    ];
    let rex: &[&[u8]] = &[&[], &[0x40], &[0x41], &[0x44], &[0x48], &[0x4f]];
    let opcodes: &[&[u8]] = &[
        &[0x88],
        &[0x89],
        &[0x8a],
        &[0x8b],
        &[0xc6],
        &[0xc7],
        &[0xa0],
        &[0xa1],
        &[0xa2],
        &[0xa3],
        &[0x0f, 0xb6],
        &[0x0f, 0xb7],
        &[0x0f, 0xbe],
        &[0x0f, 0xbf],
    ];
    let mut agreed = 0;
    for mode in [Mode::Bits16, Mode::Bits32, Mode::Bits64] {
        let rex = if mode == Mode::Bits64 {
            rex
        } else {
            &[&[] as &[u8]]
        };
        for (((prefix, rex), opcode), modrm) in product(
            product(product(prefixes, rex), opcodes),
            &(0..=0xbf).collect::<Vec<u8>>(),
        ) {
            for sib in [0x00, 0x05, 0x25, 0x6c, 0xff] {
                let tail = [modrm, sib, 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8];
                let bytes: Vec<u8> = [prefix, rex, opcode, tail.as_slice()].concat();
                agreed += usize::from(agree(mode, &InstructionBytes::new(&bytes)));
            }
        }
    }
    assert!(agreed > 600_000, "{agreed}");
}

fn product<A: Clone, B: Clone>(
    left: impl IntoIterator<Item = A>,
    right: &[B],
) -> impl Iterator<Item = (A, B)> {
    left.into_iter()
        .flat_map(move |a| right.iter().map(move |b| (a.clone(), b.clone())))
}

/// Compares both ways to do `bytes`; false if the operand does not fit its page.
fn agree(mode: Mode, bytes: &InstructionBytes) -> bool {
    let Some(plain) = common_move(mode, bytes) else {
        // C6 and C7 have members that are no moves.
        let expected = bytes.as_slice().iter().any(|byte| matches!(byte, 0xc6 | 0xc7));
        assert!(expected, "{mode:?} {bytes:x?}");
        return false;
    };
    let mut short = registers();
    let mut short_device = DeviceRegister::holding(0xfedc_ba98_7654_3210);
    perform(plain, &mut short, mode, &mut short_device);
    if mode == Mode::Bits64
        && let Some(quick) = quick_move(bytes)
    {
        assert_eq!(quick, plain, "{bytes:x?}");
    }
    let address = general::operand_address(&registers(), mode, bytes, &Flat).expect("a memory operand");
    if address % 4096 > 4096 - u64::from(plain.width.bytes()) {
        return false;
    }
    let mut full = registers();
    let mut full_device = DeviceRegister::holding(0xfedc_ba98_7654_3210);
    let fault = Fault {
        address,
        direction: Direction::Write,
    };
    let outcome = general::emulate(&mut full, mode, bytes, fault, &mut full_device, &Flat);
    assert_eq!(outcome, Ok(()), "{mode:?} {bytes:x?}");
    assert_eq!((short, short_device), (full, full_device), "{mode:?} {bytes:x?}");
    true
}

proptest! {
    #[test]
    fn arbitrary_bytes_end_in_an_outcome_or_change_nothing(
        bytes in proptest::collection::vec(any::<u8>(), 0..18),
        general in any::<[u64; 16]>(),
        rip in any::<u64>(),
        rflags in any::<u64>(),
        mode in prop_oneof![Just(Mode::Bits16), Just(Mode::Bits32), Just(Mode::Bits64)],
        address in any::<u64>(),
        write in any::<bool>(),
    ) {
        let direction = if write { Direction::Write } else { Direction::Read };
        let before = Registers { general, rip: rip & mode.pointer_mask(), rflags };
        let bytes = InstructionBytes::new(&bytes);
        let mut after = before;
        let mut device = DeviceRegister::holding(7);
        if emulate(&mut after, mode, &bytes, Fault { address, direction }, &mut device, &Flat).is_err() {
            prop_assert_eq!(after, before);
            prop_assert_eq!(device.value, 7);
        }
        let mut after = before;
        match skip(&mut after, mode, &bytes, Fault { address, direction }, &Flat) {
            Ok(_) => prop_assert_ne!(after, before, "a guest must make progress"),
            Err(_) => prop_assert_eq!(after, before),
        }
    }
}
