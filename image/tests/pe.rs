//! The UEFI application's headers, byte for byte as Microsoft's PE Format says, and as binutils reads them.
#![cfg(test)]

use sekisho_abi::boot::Access;
use sekisho_image::elf::{Program, Segment};
use sekisho_image::pe::{self, Error, HEADERS};
use sekisho_image::seal::LOADER;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Code that returns zero, and data with one address in it.
fn program() -> Program {
    let code = Segment {
        address: HEADERS,
        bytes: b"\x31\xc0\xc3".to_vec(),
        memory_size: 3,
        access: Access::Execute,
    };
    let word = u64::from(HEADERS).to_le_bytes().to_vec();
    let data = Segment {
        address: 2 * HEADERS,
        bytes: word,
        memory_size: 16,
        access: Access::Write,
    };
    Program {
        entry: HEADERS,
        segments: vec![code, data],
        relocations: vec![2 * HEADERS],
    }
}

/// `file[at..]` begins with `bytes`.
#[track_caller]
fn assert_bytes(file: &[u8], at: usize, bytes: &[u8]) {
    let found = file.get(at..at + bytes.len());
    assert_eq!(found, Some(bytes), "at {at:#x}");
}

#[test]
fn the_file_headers_are_as_specified() {
    let file = pe::write(&program(), &[]).unwrap();
    assert_bytes(&file, 0, b"MZ");
    assert_bytes(&file, 0x3c, &[0x40, 0, 0, 0]); // e_lfanew
    assert_bytes(&file, 0x40, b"PE\0\0");
    assert_bytes(&file, 0x44, &[0x64, 0x86, 3, 0]); // Machine AMD64, NumberOfSections
    assert_bytes(&file, 0x48, &[0; 12]); // TimeDateStamp, PointerToSymbolTable, NumberOfSymbols
    assert_bytes(&file, 0x54, &[0xf0, 0, 0x22, 0]); // SizeOfOptionalHeader; EXECUTABLE_IMAGE, LARGE_ADDRESS_AWARE
}

#[test]
fn the_optional_header_is_as_specified() {
    let file = pe::write(&program(), &[]).unwrap();
    let optional = 0x58;
    assert_bytes(&file, optional, &[0x0b, 0x02]); // PE32+
    assert_bytes(&file, optional + 16, &[0, 0x10, 0, 0]); // AddressOfEntryPoint
    assert_bytes(&file, optional + 24, &[0; 8]); // ImageBase
    assert_bytes(&file, optional + 32, &[0, 0x10, 0, 0, 0, 2, 0, 0]); // SectionAlignment, FileAlignment
    assert_bytes(&file, optional + 56, &[0, 0x40, 0, 0, 0, 2, 0, 0]); // SizeOfImage, SizeOfHeaders
    assert_bytes(&file, optional + 68, &[10, 0, 0x40, 1]); // EFI_APPLICATION; NX_COMPAT, DYNAMIC_BASE
    assert_bytes(&file, optional + 108, &[16, 0, 0, 0]); // NumberOfRvaAndSizes
    assert_bytes(&file, optional + 112 + 5 * 8, &[0, 0x30, 0, 0, 12, 0, 0, 0]); // Base Relocation Table
}

#[test]
fn each_section_has_one_access() {
    let file = pe::write(&program(), &[(".policy", b"text")]).unwrap();
    let table = 0x58 + 0xf0;
    assert_bytes(
        &file,
        table,
        b".text0\0\0\x03\0\0\0\x00\x10\0\0\x00\x02\0\0\x00\x02\0\0",
    );
    assert_bytes(&file, table + 36, &[0x20, 0, 0, 0x60]); // CNT_CODE, MEM_EXECUTE, MEM_READ
    assert_bytes(
        &file,
        table + 40,
        b".data1\0\0\x10\0\0\0\x00\x20\0\0\x00\x02\0\0\x00\x04\0\0",
    );
    assert_bytes(&file, table + 76, &[0x40, 0, 0, 0xc0]); // CNT_INITIALIZED_DATA, MEM_READ, MEM_WRITE
    assert_bytes(
        &file,
        table + 80,
        b".reloc\0\0\x0c\0\0\0\x00\x30\0\0\x00\x02\0\0\x00\x06\0\0",
    );
    assert_bytes(&file, table + 116, &[0x40, 0, 0, 0x42]); // CNT_INITIALIZED_DATA, MEM_DISCARDABLE, MEM_READ
    assert_bytes(
        &file,
        table + 120,
        b".policy\0\x04\0\0\0\x00\x40\0\0\x00\x02\0\0\x00\x08\0\0",
    );
    assert_bytes(&file, table + 156, &[0x40, 0, 0, 0x40]); // CNT_INITIALIZED_DATA, MEM_READ
    assert_bytes(&file, 0x800, b"text\0");
}

#[test]
fn a_relocated_word_is_in_the_reloc_section() {
    let file = pe::write(&program(), &[]).unwrap();
    // Page RVA, block size, one DIR64 (type 10) at offset 0, one entry of padding.
    assert_bytes(&file, 0x600, &[0, 0x20, 0, 0, 12, 0, 0, 0, 0, 0xa0, 0, 0]);
}

#[test]
fn pages_without_a_segment_are_refused() {
    let mut program = program();
    program.segments.remove(0);
    assert_eq!(pe::write(&program, &[]), Err(Error::Gap { address: HEADERS }));
}

#[test]
fn a_section_without_bytes_or_with_a_long_name_is_refused() {
    for data in [(".policy", b"".as_slice()), (".ninechar", b"x")] {
        assert_eq!(pe::write(&program(), &[data]), Err(Error::Section));
    }
}

#[test]
fn more_sections_than_headers_hold_are_refused() {
    let many = vec![(".x", b"x".as_slice()); 100];
    assert_eq!(pe::write(&program(), &many), Err(Error::TooLarge));
}

#[test]
fn objdump_reads_the_loader_as_a_uefi_application() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("loader.efi");
    fs::write(&path, pe::from_elf(LOADER).unwrap()).unwrap();
    let output = Command::new("objdump")
        .args(["--private-headers", "--section-headers"])
        .arg(&path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "pei-x86-64",
        "Subsystem\t\t0000000a\t(EFI application)",
        "NX_COMPAT",
        "ImageBase\t\t0000000000000000",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
