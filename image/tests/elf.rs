//! What is taken from an ELF file, and what is refused, on the loader's own with one thing changed.
#![cfg(test)]

use sekisho_abi::boot::{Access, REGION_SIZE};
use sekisho_image::elf::{Error, Program};
use sekisho_image::layout::{self, Hypervisor};
use sekisho_image::seal::{HYPERVISOR, LOADER};

/// ELF-64 offsets (System V ABI, figures 4-3 and 5-1): e_type, e_entry, e_phoff, e_phnum; a program header's size.
const TYPE: usize = 16;
const ENTRY: usize = 24;
const HEADERS: usize = 64;
const HEADER_COUNT: usize = 56;
const HEADER_SIZE: usize = 56;

/// Program header types, and flags.
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;
const THREAD_LOCAL: u32 = 7;
const STACK: u32 = 0x6474_e551;
const EXECUTE: u8 = 1;
const WRITE: u8 = 2;

/// Offsets of the program headers of `kind` in the loader.
fn headers(kind: u32) -> Vec<usize> {
    let count = usize::from(LOADER[HEADER_COUNT]);
    let offsets = (0..count).map(|index| HEADERS + index * HEADER_SIZE);
    offsets
        .filter(|offset| LOADER[*offset..*offset + 4] == kind.to_le_bytes())
        .collect()
}

/// The loader with `bytes` at `offset`.
fn changed(offset: usize, bytes: &[u8]) -> Vec<u8> {
    let mut elf = LOADER.to_vec();
    elf[offset..offset + bytes.len()].copy_from_slice(bytes);
    elf
}

/// A 64-bit word of the loader.
fn word(offset: usize) -> u64 {
    u64::from_le_bytes(*LOADER[offset..].first_chunk().unwrap())
}

/// File offset of the dynamic entry whose tag is `tag`.
fn dynamic_entry(tag: u64) -> usize {
    let start = usize::try_from(word(headers(DYNAMIC)[0] + 8)).unwrap();
    (start..).step_by(16).find(|offset| word(*offset) == tag).unwrap()
}

/// File offset of the relocation table (DT_RELA is 7), which the first segment maps from the file's start.
fn relocation_table() -> usize {
    usize::try_from(word(dynamic_entry(7) + 8)).unwrap()
}

#[test]
fn both_binaries_have_one_segment_of_code() {
    for elf in [LOADER, HYPERVISOR] {
        let program = Program::parse(elf, 0).unwrap();
        let code = program
            .segments
            .iter()
            .filter(|segment| segment.access == Access::Execute)
            .count();
        assert_eq!(code, 1);
    }
}

#[test]
fn relocated_words_point_into_the_program_at_its_base() {
    let base = 0x1000;
    let program = Program::parse(LOADER, base).unwrap();
    assert!(!program.relocations.is_empty());
    for address in &program.relocations {
        let segment = program
            .segments
            .iter()
            .rfind(|segment| segment.address <= *address)
            .unwrap();
        let at = usize::try_from(address - segment.address).unwrap();
        let target = u64::from_le_bytes(*segment.bytes[at..].first_chunk().unwrap());
        assert!(
            (u64::from(base)..=u64::from(program.end())).contains(&target),
            "{target:#x}"
        );
    }
}

#[test]
fn another_kind_of_file_is_refused() {
    assert_eq!(Program::parse(b"MZ", 0), Err(Error::NotStaticPie));
    assert_eq!(Program::parse(&changed(TYPE, &[2]), 0), Err(Error::NotStaticPie));
    assert_eq!(
        Program::parse(&changed(TYPE + 2, &[3]), 0),
        Err(Error::NotStaticPie)
    );
}

#[test]
fn a_file_cut_short_is_refused() {
    for length in (0..LOADER.len()).step_by(97) {
        let cut = Program::parse(&LOADER[..length], 0);
        // What lies behind the last segment is debug information.
        assert!(cut.is_err() || cut == Program::parse(LOADER, 0), "{length}");
    }
}

#[test]
fn an_interpreter_or_thread_local_storage_is_refused() {
    let stack = headers(STACK)[0];
    assert_eq!(
        Program::parse(&changed(stack, &INTERPRETER.to_le_bytes()), 0),
        Err(Error::Interpreter)
    );
    assert_eq!(
        Program::parse(&changed(stack, &THREAD_LOCAL.to_le_bytes()), 0),
        Err(Error::ThreadLocal)
    );
}

#[test]
fn writable_code_is_refused() {
    for header in headers(LOAD) {
        let elf = changed(header + 4, &[4 | WRITE | EXECUTE]);
        assert_eq!(
            Program::parse(&elf, 0),
            Err(Error::WritableCode {
                address: word(header + 16)
            })
        );
    }
}

#[test]
fn a_segment_off_its_page_or_over_another_is_refused() {
    let second = headers(LOAD)[1] + 16;
    for address in [word(second) + 1, 0, u64::MAX - 0xfff] {
        let elf = changed(second, &address.to_le_bytes());
        assert_eq!(Program::parse(&elf, 0), Err(Error::Placement { address }));
    }
}

#[test]
fn an_entry_point_that_is_not_code_is_refused() {
    for entry in [0, u64::MAX] {
        assert_eq!(
            Program::parse(&changed(ENTRY, &entry.to_le_bytes()), 0),
            Err(Error::Entry { address: entry })
        );
    }
}

#[test]
fn a_relocation_of_another_type_is_refused() {
    let info = relocation_table() + 8;
    assert_eq!(
        Program::parse(&changed(info, &[1]), 0),
        Err(Error::RelocationType { kind: 1 })
    );
}

#[test]
fn a_relocation_in_code_is_refused() {
    let code = word(ENTRY);
    let elf = changed(relocation_table(), &code.to_le_bytes());
    assert_eq!(Program::parse(&elf, 0), Err(Error::Relocation { address: code }));
}

#[test]
fn a_word_relocated_twice_is_refused() {
    let first = word(relocation_table());
    let elf = changed(relocation_table() + 24, &first.to_le_bytes());
    assert_eq!(Program::parse(&elf, 0), Err(Error::Relocation { address: first }));
}

#[test]
fn a_dynamic_entry_for_a_linker_is_refused() {
    // DT_HASH (4) is only looked up by dynamic linkers; in its place come a library, text relocations, RELR.
    for tag in [1, 22, 36] {
        let elf = changed(dynamic_entry(4), &u64::to_le_bytes(tag));
        assert_eq!(
            Program::parse(&elf, 0),
            Err(Error::Dynamic {
                tag: tag.cast_signed()
            })
        );
    }
}

#[test]
fn a_hypervisor_larger_than_its_region_is_refused() {
    let last = *headers(LOAD).last().unwrap();
    let elf = changed(last + 40, &REGION_SIZE.to_le_bytes());
    assert!(matches!(
        Hypervisor::from_elf(&elf),
        Err(layout::Error::TooLarge { .. })
    ));
}

#[test]
fn the_layout_accounts_for_every_byte() {
    let Hypervisor { layout, bytes } = Hypervisor::from_elf(HYPERVISOR).unwrap();
    let placed: u32 = layout.segments.iter().map(|segment| segment.file_size).sum();
    assert_eq!(usize::try_from(placed).unwrap(), bytes.len());
    assert!(layout.memory_size.is_multiple_of(4096));
}
