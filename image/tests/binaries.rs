//! What the linked loader and hypervisor must not contain, and how large they may be.
#![cfg(test)]

use sekisho_abi::compiled::{CompiledPolicy, FORMAT, Serial};
use sekisho_abi::selection::Selection;
use sekisho_image::seal::{self, HYPERVISOR, LOADER};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What the issue allows for the application with loader and hypervisor.
const LARGEST_APPLICATION: usize = 2 << 20;

/// The lines of `disassembly` that read or write below the stack pointer, where an interrupt would write too.
///
/// LEA only computes the address. With an index register the sum is not in the instruction: Argon2's loops over a block on
/// the stack count from above it, and code that keeps its variables there reaches some of them without an index.
fn red_zone_users(disassembly: &str) -> Vec<&str> {
    let uses = |line: &&str| line.contains("[rsp-0x") && !line.contains("\tlea ");
    disassembly.lines().filter(uses).collect()
}

#[test]
fn an_access_below_the_stack_pointer_is_recognised() {
    let disassembly = "  10:\t48 89 44 24 f8\tmov    QWORD PTR [rsp-0x8],rax\n\
                       \x20 15:\t48 89 44 24 08\tmov    QWORD PTR [rsp+0x8],rax\n\
                       \x20 1a:\t48 8d 44 24 f8\tlea    rax,[rsp-0x8]\n\
                       \x20 1f:\t4a 8b 54 14 f8\tmov    rdx,QWORD PTR [rsp+r10*1-0x8]";
    let users = red_zone_users(disassembly);
    assert_eq!(users.len(), 1, "{users:?}");
    assert!(users[0].starts_with("  10:"), "{users:?}");
}

#[test]
fn no_code_uses_the_red_zone() {
    for (name, elf) in [("loader", LOADER), ("hypervisor", HYPERVISOR)] {
        assert_eq!(red_zone_users(&disassemble(name, elf)), [""; 0], "{name}");
    }
}

/// What may use wide vectors, once the guest's are kept (`machine/src/vectors.rs`): by a part of the symbol's name.
const KERNEL: &str = "sekisho_crypto4aead4avx2";

/// The functions of `disassembly` with an instruction of AVX: all registers but SSE's, and VEX-encoded ones of SSE's, which
/// write zeros above.
fn users_of_wide_vectors(disassembly: &str) -> BTreeSet<&str> {
    let mut users = BTreeSet::new();
    let mut function = "";
    for line in disassembly.lines() {
        if let Some(name) = line.strip_suffix(">:") {
            function = name.split_once('<').map_or(name, |(_, name)| name);
        }
        let instruction = line.rsplit('\t').next().unwrap_or_default();
        let registers = ["ymm", "zmm"].iter().any(|name| instruction.contains(name));
        let is_vex = instruction.starts_with('v') && instruction.contains("xmm");
        if registers || is_vex || instruction.starts_with("vzero") || instruction.starts_with('k') {
            users.insert(function);
        }
    }
    users
}

#[test]
fn an_instruction_of_avx_is_recognised() {
    let line = |instruction: &str| format!("0000000000001000 <one>:\n    1000:\tc5 f8 77\t{instruction}\n");
    for instruction in [
        "vpaddd ymm0,ymm0,ymm1",
        "vpxor  xmm1,xmm1,xmm1",
        "vzeroupper",
        "vmovdqu64 zmm0,ZMMWORD PTR [rdi]",
        "kmovw  k1,eax",
    ] {
        assert_eq!(
            users_of_wide_vectors(&line(instruction)),
            BTreeSet::from(["one"]),
            "{instruction}"
        );
    }
    for instruction in ["paddd  xmm0,xmm1", "vmrun  rax", "verw   ax", "vmmcall"] {
        assert!(
            users_of_wide_vectors(&line(instruction)).is_empty(),
            "{instruction}"
        );
    }
}

/// Crates that find AVX at run time would use it, and the guest's upper halves are kept for one kernel alone.
#[test]
fn wide_vectors_are_in_no_code_of_the_hypervisor_but_the_tunnels_kernel() {
    let disassembly = disassemble("hypervisor-vectors", HYPERVISOR);
    let users = users_of_wide_vectors(&disassembly);
    assert!(!users.is_empty(), "the kernel has them");
    let others: Vec<_> = users.iter().filter(|user| !user.contains(KERNEL)).collect();
    assert!(others.is_empty(), "{others:?}");
}

/// What objdump makes of a binary.
fn disassemble(name: &str, elf: &[u8]) -> String {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.elf"));
    fs::write(&file, elf).unwrap();
    let mut objdump = Command::new("objdump");
    let output = objdump.args(["-d", "-M", "intel"]).arg(&file).output().unwrap();
    let disassembly = String::from_utf8(output.stdout).unwrap();
    // Every function returns: a disassembly without would be none.
    assert!(disassembly.contains("\tret"), "{name}");
    disassembly
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
        origins: sekisho_abi::origin::Origins::default(),
        boot_next: None,
        guest_status: false,
        serial: Serial::Off,
        network: sekisho_abi::network::Network::default(),
        storage: sekisho_abi::storage::Storage::default(),
    };
    seal::application(&policy).unwrap()
}
