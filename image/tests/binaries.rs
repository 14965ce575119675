//! What the linked loader and hypervisor must not contain, and how large they may be.
#![cfg(test)]

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};
use sekisho_abi::boot::Access;
use sekisho_abi::compiled::{CompiledPolicy, FORMAT, Serial};
use sekisho_abi::selection::Selection;
use sekisho_image::elf::{Program, Segment};
use sekisho_image::seal::{self, HYPERVISOR, LOADER};

/// What the issue allows for the application with loader and hypervisor.
const LARGEST_APPLICATION: usize = 2 << 20;

/// Whether `instruction` reads or writes below the stack pointer, where an interrupt would write too.
fn uses_red_zone(instruction: &Instruction) -> bool {
    // LEA only computes the address.
    let touches = instruction.mnemonic() != Mnemonic::Lea
        && (0..instruction.op_count()).any(|operand| instruction.op_kind(operand) == OpKind::Memory);
    touches
        && instruction.memory_base() == Register::RSP
        && instruction.memory_displacement64().cast_signed() < 0
}

/// The code of a program and its address.
fn code(elf: &[u8]) -> (Vec<u8>, u64) {
    let program = Program::parse(elf, 0).unwrap();
    let code = program
        .segments
        .into_iter()
        .find(|segment| segment.access == Access::Execute);
    let Segment { bytes, address, .. } = code.unwrap();
    (bytes, u64::from(address))
}

#[test]
fn an_access_below_the_stack_pointer_is_recognised() {
    // mov [rsp-8], rax; mov [rsp+8], rax; lea rax, [rsp-8]
    let bytes = b"\x48\x89\x44\x24\xf8\x48\x89\x44\x24\x08\x48\x8d\x44\x24\xf8";
    let found: Vec<bool> = Decoder::new(64, bytes, DecoderOptions::NONE)
        .iter()
        .map(|it| uses_red_zone(&it))
        .collect();
    assert_eq!(found, [true, false, false]);
}

#[test]
fn no_code_uses_the_red_zone() {
    for (name, elf) in [("loader", LOADER), ("hypervisor", HYPERVISOR)] {
        let (bytes, address) = code(elf);
        let decoder = Decoder::with_ip(64, &bytes, address, DecoderOptions::NONE);
        let users: Vec<String> = decoder
            .into_iter()
            .filter(uses_red_zone)
            .map(|it| format!("{:#x}", it.ip()))
            .collect();
        assert!(users.is_empty(), "{name}: {users:?}");
    }
}

#[test]
fn no_byte_tells_where_the_binaries_were_built() {
    let source = env!("CARGO_MANIFEST_DIR").strip_suffix("image").unwrap();
    let output = env!("CARGO_TARGET_TMPDIR");
    let home = std::env::home_dir().unwrap();
    let application = application();
    for place in [source, output, home.join(".cargo").to_str().unwrap()] {
        let found = application
            .windows(place.len())
            .any(|window| window == place.as_bytes());
        assert!(!found, "{place}");
    }
}

#[test]
fn the_application_is_small() {
    let size = application().len();
    assert!(size < LARGEST_APPLICATION, "{size} bytes");
}

fn application() -> Vec<u8> {
    let policy = CompiledPolicy {
        format: FORMAT,
        name: "size".to_owned(),
        source_hash: [0; 32],
        selection: Selection { entries: Vec::new() },
        origins: Vec::new(),
        boot_next: None,
        guest_status: false,
        serial: Serial::Off,
        storage: sekisho_abi::storage::Storage::default(),
    };
    seal::application(&policy).unwrap()
}
