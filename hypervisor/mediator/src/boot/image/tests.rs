//! A sealed image as the firmware loads it, and every way of damaging it.

use super::*;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use sekisho_abi::boot::{Access, Segment};
use sekisho_abi::compiled::{FORMAT, Serial};
use sekisho_abi::selection::Selection;

const READ: u32 = 0x4000_0040;
const WRITE: u32 = READ | IMAGE_SCN_MEM_WRITE.0;
const DISCARDABLE: u32 = READ | IMAGE_SCN_MEM_DISCARDABLE.0;

struct Part {
    name: &'static str,
    flags: u32,
    bytes: Vec<u8>,
}

fn part(name: &'static str, flags: u32, bytes: &[u8]) -> Part {
    Part {
        name,
        flags,
        bytes: bytes.to_vec(),
    }
}

fn layout() -> HypervisorLayout {
    let segment = Segment {
        offset: 0,
        file_size: 5,
        memory_size: 5,
        access: Access::Execute,
    };
    HypervisorLayout {
        entry: 0,
        memory_size: 4096,
        segments: vec![segment],
        relocations: vec![],
    }
}

fn policy() -> CompiledPolicy {
    CompiledPolicy {
        format: FORMAT,
        name: "field-laptop".to_string(),
        source_hash: [7; 32],
        selection: Selection { entries: vec![] },
        origins: sekisho_abi::origin::Origins::default(),
        boot_next: None,
        guest_status: true,
        serial: Serial::Com1,
        network: sekisho_abi::network::Network::default(),
        storage: sekisho_abi::storage::Storage::default(),
    }
}

fn parts() -> Vec<Part> {
    vec![
        part(".text", READ, b"code"),
        part(".data", WRITE, b"data"),
        part(".reloc", DISCARDABLE, b"fixups"),
        part(SECTION_LAYOUT, READ, &postcard::to_allocvec(&layout()).unwrap()),
        part(SECTION_HYPERVISOR, READ, b"hyper"),
        part(SECTION_POLICY, READ, &policy().to_bytes()),
    ]
}

fn seal(parts: &[Part]) -> Manifest {
    let digest = |part: &Part| SectionDigest {
        name: part.name.to_string(),
        size: u32::try_from(part.bytes.len()).unwrap(),
        sha256: sha256(&part.bytes),
    };
    Manifest {
        version: env!("CARGO_PKG_VERSION").to_string(),
        policy: "field-laptop".to_string(),
        sections: parts.iter().map(digest).collect(),
    }
}

fn sealed(parts: Vec<Part>, manifest: &Manifest) -> Vec<u8> {
    let seal = part(SECTION_MANIFEST, READ, &postcard::to_allocvec(manifest).unwrap());
    load(&parts.into_iter().chain([seal]).collect::<Vec<_>>())
}

/// The memory of a PE32+ with these sections, one page each, as the firmware lays it out.
fn load(parts: &[Part]) -> Vec<u8> {
    let mut image = vec![0; 0x1000 * (parts.len() + 1)];
    image[..2].copy_from_slice(b"MZ");
    image[0x3c] = 0x40;
    image[0x40..0x44].copy_from_slice(b"PE\0\0");
    image[0x46] = u8::try_from(parts.len()).unwrap();
    image[0x54] = 112; // SizeOfOptionalHeader, without directories
    image[0x58..0x5a].copy_from_slice(&0x20bu16.to_le_bytes());
    for (index, part) in parts.iter().enumerate() {
        let header = &mut image[0x58 + 112 + 40 * index..][..40];
        let address = 0x1000 * (index + 1);
        header[..part.name.len()].copy_from_slice(part.name.as_bytes());
        header[8..12].copy_from_slice(&u32::try_from(part.bytes.len()).unwrap().to_le_bytes());
        header[12..16].copy_from_slice(&u32::try_from(address).unwrap().to_le_bytes());
        header[36..40].copy_from_slice(&part.flags.to_le_bytes());
        image[address..][..part.bytes.len()].copy_from_slice(&part.bytes);
    }
    image
}

fn error(image: &[u8]) -> Option<ImageError> {
    verify(image).err()
}

fn name(name: &str) -> SectionName {
    SectionName::new(name.as_bytes())
}

#[test]
fn an_image_as_it_was_built_gives_its_parts() {
    let image = sealed(parts(), &seal(&parts()));
    let verified = verify(&image).ok().unwrap();
    assert_eq!(verified.layout, layout());
    assert_eq!(verified.hypervisor, b"hyper");
    assert_eq!(verified.policy, policy());
    assert_eq!(verified.policy_bytes, policy().to_bytes());
}

#[test]
fn a_flipped_bit_is_refused_naming_the_section() {
    let image = sealed(parts(), &seal(&parts()));
    for (index, part) in parts().iter().enumerate().filter(|(_, part)| part.flags == READ) {
        for byte in 0..part.bytes.len() {
            let mut damaged = image.clone();
            damaged[0x1000 * (index + 1) + byte] ^= 1;
            assert_eq!(error(&damaged), Some(ImageError::Damaged(name(part.name))));
        }
    }
}

#[test]
fn what_the_firmware_relocates_is_not_compared() {
    let mut image = sealed(parts(), &seal(&parts()));
    image[0x2000] ^= 1;
    image[0x3000] ^= 1;
    assert_eq!(error(&image), None);
}

#[test]
fn a_payload_section_is_compared_whatever_its_header_says() {
    let mut changed = parts();
    changed[4].flags = WRITE | DISCARDABLE;
    changed[4].bytes = b"hYper".to_vec();
    assert_eq!(
        error(&sealed(changed, &seal(&parts()))),
        Some(ImageError::Damaged(name(SECTION_HYPERVISOR)))
    );
}

#[test]
fn a_missing_or_renamed_section_is_refused() {
    for wanted in [".text", SECTION_LAYOUT, SECTION_HYPERVISOR, SECTION_POLICY] {
        let left: Vec<_> = parts().into_iter().filter(|part| part.name != wanted).collect();
        assert_eq!(
            error(&sealed(left, &seal(&parts()))),
            Some(ImageError::Missing(name(wanted)))
        );
    }
    assert_eq!(
        error(&load(&parts())),
        Some(ImageError::Missing(name(SECTION_MANIFEST)))
    );
}

#[test]
fn a_section_the_seal_does_not_know_is_refused() {
    for unknown in [".text", SECTION_LAYOUT, SECTION_HYPERVISOR, SECTION_POLICY] {
        let known: Vec<_> = parts().into_iter().filter(|part| part.name != unknown).collect();
        assert_eq!(
            error(&sealed(parts(), &seal(&known))),
            Some(ImageError::Unsealed(name(unknown)))
        );
    }
}

#[test]
fn a_truncated_image_is_refused_at_every_length() {
    let image = sealed(parts(), &seal(&parts()));
    for length in (0..image.len() - 0x1000).step_by(97) {
        assert!(verify(&image[..length]).is_err(), "{length} bytes");
    }
    assert_eq!(
        error(&image[..0x6000]),
        Some(ImageError::Truncated(name(SECTION_MANIFEST)))
    );
}

#[test]
fn a_section_of_another_size_is_refused() {
    let mut shorter = parts();
    shorter[4].bytes.pop();
    assert_eq!(
        error(&sealed(shorter, &seal(&parts()))),
        Some(ImageError::Truncated(name(SECTION_HYPERVISOR)))
    );
}

#[test]
fn a_seal_of_another_version_or_with_bytes_left_over_is_refused() {
    let other = Manifest {
        version: "0.0.9".to_string(),
        ..seal(&parts())
    };
    assert_eq!(
        error(&sealed(parts(), &other)),
        Some(ImageError::OtherBuild {
            sealed: "0.0.9".to_string()
        })
    );
    let bytes = [postcard::to_allocvec(&seal(&parts())).unwrap(), vec![0]].concat();
    let left_over = parts()
        .into_iter()
        .chain([part(SECTION_MANIFEST, READ, &bytes)])
        .collect::<Vec<_>>();
    assert_eq!(error(&load(&left_over)), Some(ImageError::SealUnreadable));
}

#[test]
fn a_policy_of_another_format_is_refused_with_both_numbers() {
    let mut other = parts();
    other[5].bytes[0] = 9;
    let manifest = seal(&other);
    let error = error(&sealed(other, &manifest)).unwrap();
    assert_eq!(
        error.to_string(),
        format!("the compiled policy has format 9, this build reads format {FORMAT}")
    );
}

#[test]
fn names_in_messages_cannot_bring_control_characters() {
    assert_eq!(SectionName::new(b"\x1b[2J\0\0\0\0").to_string(), "\\x1b[2J");
}
