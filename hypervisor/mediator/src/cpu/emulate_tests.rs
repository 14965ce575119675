//! Instructions on a device register, against a table worked out from AMD APM volume 3.

extern crate std;

use super::decode::Mode;
use super::emulate::{Device, Direction, Fault, Refusal, Segment, Surroundings, emulate, skip};
use super::fetch::InstructionBytes;
use super::registers::{Registers, Width};
use std::vec::Vec;

/// A register of a device that remembers what was done to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DeviceRegister {
    pub(super) value: u64,
    accesses: Vec<(char, Width, u64)>,
}

impl DeviceRegister {
    pub(super) fn holding(value: u64) -> Self {
        let accesses = Vec::new();
        Self { value, accesses }
    }
}

impl Device for DeviceRegister {
    fn read(&mut self, width: Width) -> u64 {
        self.accesses.push(('r', width, self.value & width.mask()));
        self.value
    }

    fn write(&mut self, width: Width, value: u64) {
        assert_eq!(value & !width.mask(), 0, "a value is cut to its width");
        self.accesses.push(('w', width, value));
        self.value = self.value & !width.mask() | value;
    }
}

/// Flat segments but FS, and 16 bytes of memory at 0x8000.
pub(super) struct Flat;

const MEMORY: u64 = 0x8000;
const FS_BASE: u64 = 0x7000;

impl Surroundings for Flat {
    fn segment_base(&self, segment: Segment) -> u64 {
        if segment == Segment::Fs { FS_BASE } else { 0 }
    }

    fn read(&self, linear: u64, buffer: &mut [u8]) -> Result<(), Refusal> {
        if linear != MEMORY {
            return Err(Refusal::Undecodable);
        }
        buffer.fill(0x5a);
        Ok(())
    }

    fn write(&self, linear: u64, bytes: &[u8]) -> Result<(), Refusal> {
        if linear == MEMORY && bytes.len() == 4 {
            return Ok(());
        }
        Err(Refusal::PageFault {
            linear,
            error_code: 2,
        })
    }
}

const DEVICE: u64 = 0xfed0_0040;
const READ: Fault = Fault {
    address: DEVICE,
    direction: Direction::Read,
};
const WRITE: Fault = Fault {
    address: DEVICE,
    direction: Direction::Write,
};

/// RBX and RSI point at the device, RDI at memory, RAX and RCX are small numbers.
pub(super) fn registers() -> Registers {
    let mut registers = Registers {
        rip: 0x1000,
        rflags: 2,
        ..Registers::default()
    };
    registers.general = [
        0x1122_3344_5566_7788,
        3,
        2,
        DEVICE,
        0,
        0,
        DEVICE,
        MEMORY,
        0x88,
        0x99,
        0xaa,
        0xbb,
        0xcc,
        0xdd,
        0xee,
        0xff,
    ];
    registers
}

struct Case {
    name: &'static str,
    bytes: &'static [u8],
    fault: Fault,
    device: u64,
    /// The device's value afterwards.
    device_after: u64,
    /// A register's number and its value afterwards.
    register_after: (usize, u64),
    flags_after: u64,
}

const RAX: u64 = 0x1122_3344_5566_7788;
const fn case(
    name: &'static str,
    bytes: &'static [u8],
    fault: Fault,
    device: [u64; 2],
    register_after: (usize, u64),
    flags_after: u64,
) -> Case {
    let [device, device_after] = device;
    Case {
        name,
        bytes,
        fault,
        device,
        device_after,
        register_after,
        flags_after,
    }
}

#[rustfmt::skip] // one line a case
const CASES: &[Case] = &[
    case("mov [rbx], al", &[0x88, 0x03], WRITE, [0, 0x88], (0, RAX), 2),
    case("mov [rbx], ah", &[0x88, 0x23], WRITE, [0, 0x77], (0, RAX), 2),
    case("mov [rbx], r12b", &[0x44, 0x88, 0x23], WRITE, [0, 0xcc], (0, RAX), 2),
    case("mov [rbx], spl", &[0x40, 0x88, 0x23], WRITE, [9, 0], (0, RAX), 2),
    case("mov [rbx], ax", &[0x66, 0x89, 0x03], WRITE, [0, 0x7788], (0, RAX), 2),
    case("mov [rbx], eax", &[0x89, 0x03], WRITE, [0, 0x5566_7788], (0, RAX), 2),
    case("mov [rbx], rax", &[0x48, 0x89, 0x03], WRITE, [0, RAX], (0, RAX), 2),
    case("mov eax, [rbx]", &[0x8b, 0x03], READ, [u64::MAX, u64::MAX], (0, 0xffff_ffff), 2),
    case("mov ah, [rbx]", &[0x8a, 0x23], READ, [0xee, 0xee], (0, 0x1122_3344_5566_ee88), 2),
    case("mov [rbx], -1 (64)", &[0x48, 0xc7, 0x03, 0xff, 0xff, 0xff, 0xff], WRITE, [0, u64::MAX], (0, RAX), 2),
    case("mov [rbx], 0x1234 (16)", &[0x66, 0xc7, 0x03, 0x34, 0x12], WRITE, [0, 0x1234], (0, RAX), 2),
    case("mov [rbx+0], 5 (8)", &[0xc6, 0x43, 0x00, 0x05], WRITE, [0, 5], (0, RAX), 2),
    case("movabs eax, [..]", &[0xa1, 0x40, 0, 0xd0, 0xfe, 0, 0, 0, 0], READ, [7, 7], (0, 7), 2),
    case("movzx eax, b[rbx]", &[0x0f, 0xb6, 0x03], READ, [0x1ff, 0x1ff], (0, 0xff), 2),
    case("movsx eax, b[rbx]", &[0x0f, 0xbe, 0x03], READ, [0x80, 0x80], (0, 0xffff_ff80), 2),
    case("movsx rax, w[rbx]", &[0x48, 0x0f, 0xbf, 0x03], READ, [0x8000, 0x8000], (0, 0xffff_ffff_ffff_8000), 2),
    case("movsxd rax, [rbx]", &[0x48, 0x63, 0x03], READ, [0x8000_0000; 2], (0, 0xffff_ffff_8000_0000), 2),
    case("movnti [rbx], ecx", &[0x0f, 0xc3, 0x0b], WRITE, [9, 3], (1, 3), 2),
    case("movbe [rbx], eax", &[0x0f, 0x38, 0xf1, 0x03], WRITE, [0, 0x8877_6655], (0, RAX), 2),
    case("movbe ax, [rbx]", &[0x66, 0x0f, 0x38, 0xf0, 0x03], READ, [0x1234; 2], (0, 0x1122_3344_5566_3412), 2),
    case("add [rbx], ecx", &[0x01, 0x0b], WRITE, [0xffff_fffd, 0], (1, 3), 2 | 1 | 4 | 16 | 64),
    case("sub [rbx], cl", &[0x28, 0x0b], WRITE, [2, 0xff], (1, 3), 2 | 1 | 4 | 16 | 128),
    case("or [rbx], 0x80 (8)", &[0x80, 0x0b, 0x80], WRITE, [1, 0x81], (1, 3), 2 | 4 | 128),
    case("and [rbx], -2 (32, imm8)", &[0x83, 0x23, 0xfe], WRITE, [3, 2], (1, 3), 2),
    case("xor ecx, [rbx]", &[0x33, 0x0b], READ, [3, 3], (1, 0), 2 | 4 | 64),
    case("cmp [rbx], ecx", &[0x39, 0x0b], READ, [3, 3], (1, 3), 2 | 4 | 64),
    case("cmp ecx, [rbx]", &[0x3b, 0x0b], READ, [4, 4], (1, 3), 2 | 1 | 4 | 16 | 128),
    case("test [rbx], ecx", &[0x85, 0x0b], READ, [4, 4], (1, 3), 2 | 4 | 64),
    case("test [rbx], 0x80 (8)", &[0xf6, 0x03, 0x80], READ, [0x80, 0x80], (1, 3), 2 | 128),
    case("not [rbx] (32)", &[0xf7, 0x13], WRITE, [0, 0xffff_ffff], (1, 3), 2),
    case("neg [rbx] (32)", &[0xf7, 0x1b], WRITE, [1, 0xffff_ffff], (1, 3), 2 | 1 | 4 | 16 | 128),
    case("inc [rbx] (32)", &[0xff, 0x03], WRITE, [0xf, 0x10], (1, 3), 2 | 16),
    case("dec [rbx] (32)", &[0xff, 0x0b], WRITE, [1, 0], (1, 3), 2 | 4 | 64),
    case("xchg [rbx], ecx", &[0x87, 0x0b], WRITE, [9, 3], (1, 9), 2),
    case("lock xadd [rbx], ecx", &[0xf0, 0x0f, 0xc1, 0x0b], WRITE, [9, 12], (1, 9), 2 | 4),
    case("cmpxchg [rbx], ecx, differs", &[0x0f, 0xb1, 0x0b], WRITE, [9, 9], (0, 9), 2 | 16),
    case("cmpxchg [rbx], ecx, equal", &[0x0f, 0xb1, 0x0b], WRITE, [0x5566_7788, 3], (0, RAX), 2 | 4 | 64),
    case("bt [rbx], 3", &[0x0f, 0xba, 0x23, 0x03], READ, [8, 8], (1, 3), 2 | 1),
    case("lock bts [rbx], ecx", &[0xf0, 0x0f, 0xab, 0x0b], WRITE, [0, 8], (1, 3), 2),
    case("btr [rbx], 0x23", &[0x0f, 0xba, 0x33, 0x23], WRITE, [8, 0], (1, 3), 2 | 1),
    case("lodsd", &[0xad], READ, [7, 7], (0, 7), 2),
    case("movsd from the device", &[0xa5], READ, [7, 7], (7, MEMORY + 4), 2),
    case("mov fs:[rbx-0x7000], eax", &[0x64, 0x89, 0x83, 0, 0x90, 0xff, 0xff], WRITE, [0, 0x5566_7788], (0, RAX), 2),
];

#[test]
fn each_instruction_does_what_the_manual_says() {
    for case in CASES {
        check(case, &InstructionBytes::new(case.bytes));
        // With what follows it, as it is fetched.
        let followed = [case.bytes, &[0x90; 15]].concat();
        check(case, &InstructionBytes::new(&followed));
    }
}

fn check(case: &Case, bytes: &InstructionBytes) {
    let mut registers = registers();
    let mut device = DeviceRegister::holding(case.device);
    let outcome = emulate(
        &mut registers,
        Mode::Bits64,
        bytes,
        case.fault,
        &mut device,
        &Flat,
    );
    assert_eq!(outcome, Ok(()), "{}", case.name);
    assert_eq!(device.value, case.device_after, "{}", case.name);
    let (number, value) = case.register_after;
    assert_eq!(registers.general[number], value, "{}", case.name);
    assert_eq!(registers.rflags, case.flags_after, "{}", case.name);
    assert_eq!(registers.rip, 0x1000 + case.bytes.len() as u64, "{}", case.name);
}

#[test]
fn what_makes_no_sense_on_a_register_is_refused_and_changes_nothing() {
    let refused: &[&[u8]] = &[
        &[0xff, 0x33],                   // push [rbx]
        &[0x8f, 0x03],                   // pop [rbx]
        &[0xff, 0x13],                   // call [rbx]
        &[0xff, 0x23],                   // jmp [rbx]
        &[0xd1, 0x23],                   // shl [rbx], 1
        &[0x0f, 0x29, 0x03],             // movaps [rbx], xmm0
        &[0xd9, 0x03],                   // fld [rbx]
        &[0x0f, 0xc7, 0x0b],             // cmpxchg8b [rbx]
        &[0x8c, 0x1b],                   // mov [rbx], ds
        &[0x0f, 0x0b],                   // ud2
        &[0x48],                         // cut short
        &[0x89, 0x05, 0x00, 0x00, 0x00], // cut short in the displacement
        &[0x89, 0xc3],                   // mov ebx, eax: no memory
        &[0x01, 0x4b, 0x04],             // add [rbx+4], ecx: not where the fault was
        &[],
    ];
    for bytes in refused {
        let mut after = registers();
        let mut device = DeviceRegister::holding(1);
        let bytes = InstructionBytes::new(bytes);
        let outcome = emulate(&mut after, Mode::Bits64, &bytes, WRITE, &mut device, &Flat);
        assert_eq!(outcome, Err(Refusal::Undecodable), "{bytes:x?}");
        assert_eq!(
            (after, device),
            (registers(), DeviceRegister::holding(1)),
            "{bytes:x?}"
        );
    }
}

#[test]
fn an_operand_that_only_ends_at_the_fault_is_refused() {
    // mov [rbx], eax where RBX is two bytes before the page that faulted.
    let mut registers = registers();
    registers.general[3] = 0xfecf_fffe;
    let fault = Fault {
        address: 0xfed0_0000,
        direction: Direction::Write,
    };
    let mut device = DeviceRegister::holding(0);
    let bytes = InstructionBytes::new(&[[0x89, 0x03].as_slice(), &[0x90; 13]].concat());
    let outcome = emulate(&mut registers, Mode::Bits64, &bytes, fault, &mut device, &Flat);
    assert_eq!(outcome, Err(Refusal::Undecodable));
    registers.general[3] = 0xfed0_0000;
    let outcome = emulate(&mut registers, Mode::Bits64, &bytes, fault, &mut device, &Flat);
    assert_eq!(outcome, Ok(()));
}

#[test]
fn an_operand_that_only_starts_at_the_fault_is_refused() {
    let mut registers = registers();
    registers.general[3] = 0xfed0_0ffe;
    let fault = Fault {
        address: 0xfed0_0ffe,
        direction: Direction::Write,
    };
    let mut device = DeviceRegister::holding(0);
    let bytes = InstructionBytes::new(&[[0x89, 0x03].as_slice(), &[0x90; 13]].concat());
    let outcome = emulate(&mut registers, Mode::Bits64, &bytes, fault, &mut device, &Flat);
    assert_eq!(outcome, Err(Refusal::Undecodable));
}

#[test]
fn a_bit_number_reaches_beyond_the_operand() {
    // bt [rbx], ecx with ECX = 35, then -29: bit 3 of the words behind and before.
    for (number, address) in [(35, DEVICE + 4), (-29_i32, DEVICE - 4)] {
        let mut registers = registers();
        registers.general[1] = u64::from(number.cast_unsigned());
        let fault = Fault {
            address,
            direction: Direction::Read,
        };
        let bytes = InstructionBytes::new(&[0x0f, 0xa3, 0x0b]);
        let mut device = DeviceRegister::holding(8);
        let outcome = emulate(&mut registers, Mode::Bits64, &bytes, fault, &mut device, &Flat);
        assert_eq!((outcome, registers.rflags), (Ok(()), 2 | 1), "{number}");
    }
}

#[test]
fn a_repeated_store_is_done_round_by_round() {
    // rep stosd, the device at RDI, RCX = 3.
    let mut registers = registers();
    registers.general[7] = DEVICE;
    let bytes = InstructionBytes::new(&[0xf3, 0xab]);
    let mut device = DeviceRegister::holding(0);
    for round in 1..=3 {
        let fault = Fault {
            address: registers.general[7],
            direction: Direction::Write,
        };
        let outcome = emulate(&mut registers, Mode::Bits64, &bytes, fault, &mut device, &Flat);
        assert_eq!(outcome, Ok(()));
        assert_eq!(registers.general[1], 3 - round);
        assert_eq!(registers.general[7], DEVICE + 4 * round);
        assert_eq!(registers.rip, if round == 3 { 0x1002 } else { 0x1000 });
    }
    assert_eq!(device.accesses, [('w', Width::Four, 0x5566_7788); 3]);
}

#[test]
fn a_repeated_scan_ends_where_it_finds() {
    // repne scasb, backwards.
    let mut registers = registers();
    registers.general[7] = DEVICE;
    registers.rflags |= 1 << 10;
    let bytes = InstructionBytes::new(&[0xf2, 0xae]);
    let outcome = emulate(
        &mut registers,
        Mode::Bits64,
        &bytes,
        READ,
        &mut DeviceRegister::holding(0x88),
        &Flat,
    );
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        (registers.rip, registers.general[1], registers.general[7]),
        (0x1002, 2, DEVICE - 1)
    );
}

#[test]
fn a_compare_takes_the_operand_that_memory_has_not() {
    // cmpsb with the device at RSI, then at RDI.
    for (source, destination) in [(DEVICE, MEMORY), (MEMORY, DEVICE)] {
        let mut registers = registers();
        (registers.general[6], registers.general[7]) = (source, destination);
        let mut device = DeviceRegister::holding(0x5a);
        let bytes = InstructionBytes::new(&[0xa6]);
        let outcome = emulate(&mut registers, Mode::Bits64, &bytes, READ, &mut device, &Flat);
        assert_eq!(outcome, Ok(()));
        assert_eq!(registers.rflags & 64, 64);
        assert_eq!(device.accesses.len(), 1);
    }
}

#[test]
fn a_fault_of_the_other_operand_is_the_guests() {
    // movsd from the device to where there is no page.
    let mut registers = registers();
    registers.general[7] = 0x9000;
    let bytes = InstructionBytes::new(&[0xa5]);
    let outcome = emulate(
        &mut registers,
        Mode::Bits64,
        &bytes,
        READ,
        &mut DeviceRegister::holding(0),
        &Flat,
    );
    assert_eq!(
        outcome,
        Err(Refusal::PageFault {
            linear: 0x9000,
            error_code: 2
        })
    );
    assert_eq!((registers.rip, registers.general[6]), (0x1000, DEVICE));
}

#[test]
fn an_instruction_consumes_rf_and_leaves_the_trap_to_the_machine() {
    let mut registers = registers();
    registers.rflags |= 1 << 8 | 1 << 16;
    let bytes = InstructionBytes::new(&[0x89, 0x03]);
    let outcome = emulate(
        &mut registers,
        Mode::Bits64,
        &bytes,
        WRITE,
        &mut DeviceRegister::holding(0),
        &Flat,
    );
    assert_eq!(outcome, Ok(()));
    assert_eq!((registers.rip, registers.rflags), (0x1002, 2 | 1 << 8));
}

#[test]
fn the_instruction_pointer_wraps_at_its_mode() {
    for (mode, rip) in [
        (Mode::Bits16, 0xffff),
        (Mode::Bits32, 0xffff_ffff),
        (Mode::Bits64, u64::MAX),
    ] {
        let mut registers = registers();
        registers.rip = rip;
        let bytes = InstructionBytes::new(&[0x89, 0x07]);
        let outcome = emulate(
            &mut registers,
            mode,
            &bytes,
            WRITE,
            &mut DeviceRegister::holding(0),
            &Flat,
        );
        assert_eq!((outcome, registers.rip), (Ok(()), 1), "{mode:?}");
    }
}

#[test]
fn where_nothing_is_loads_give_ones_and_stores_vanish() {
    let mut registers = registers();
    let load = InstructionBytes::new(&[0x8b, 0x03]);
    assert_eq!(skip(&mut registers, Mode::Bits64, &load, READ, &Flat), Ok(()));
    assert_eq!(registers.general[0], 0xffff_ffff);
    let store = InstructionBytes::new(&[0x0f, 0x29, 0x03]); // movaps [rbx], xmm0
    assert_eq!(skip(&mut registers, Mode::Bits64, &store, WRITE, &Flat), Ok(()));
    assert_eq!(registers.rip, 0x1005);
}

#[test]
fn control_is_never_transferred_through_nothing() {
    for bytes in [[0xff, 0x13], [0xff, 0x23], [0xff, 0x33], [0x8f, 0x03]] {
        let bytes = InstructionBytes::new(&bytes);
        let outcome = skip(&mut registers(), Mode::Bits64, &bytes, READ, &Flat);
        assert_eq!(outcome, Err(Refusal::Undecodable));
    }
}
