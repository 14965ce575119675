//! Damage anywhere in an image is found, and what was built is what is told.
#![cfg(test)]

use proptest::prelude::*;
use sekisho_abi::compiled::{CompiledPolicy, FORMAT, Serial};
use sekisho_abi::selection::Selection;
use sekisho_image::disk::{self, File};
use sekisho_image::inspect::{APPLICATION, Error, FALLBACK, LABEL, inspect};
use sekisho_image::{seal, sections};
use std::sync::LazyLock;

/// An application with a policy that selects nothing.
static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| seal::application(&policy()).unwrap());

/// The disk image that `image build` makes of it.
static DISK: LazyLock<Vec<u8>> = LazyLock::new(|| disk_of(&SEALED, &SEALED));

fn policy() -> CompiledPolicy {
    CompiledPolicy {
        format: FORMAT,
        name: "claims".to_owned(),
        source_hash: [0x5a; 32],
        selection: Selection { entries: Vec::new() },
        origins: sekisho_abi::origin::Origins::default(),
        boot_next: None,
        guest_status: true,
        serial: Serial::Com1,
        network: sekisho_abi::network::Network::default(),
        storage: sekisho_abi::storage::Storage::default(),
    }
}

fn disk_of(application: &[u8], fallback: &[u8]) -> Vec<u8> {
    let [path, other] = [APPLICATION, FALLBACK].map(|path| path.trim_start_matches('/'));
    disk::build(
        LABEL,
        &[
            File {
                path,
                bytes: application,
            },
            File {
                path: other,
                bytes: fallback,
            },
        ],
    )
    .unwrap()
}

/// `file` with one byte exclusive-ored.
fn flipped(file: &[u8], at: usize, mask: u8) -> Vec<u8> {
    let mut file = file.to_vec();
    file[at] ^= mask;
    file
}

/// Where each section's bytes are in the file, by its name.
fn places() -> Vec<(String, std::ops::Range<usize>)> {
    let sections = sections::read(&SEALED).unwrap();
    let places = sections.into_iter().map(|section| {
        let [start, size] =
            [section.file_offset, section.file_size].map(|bytes| usize::try_from(bytes).unwrap());
        (section.name, start..start + size)
    });
    places.collect()
}

#[test]
fn the_same_policy_gives_the_same_bytes() {
    assert_eq!(seal::application(&policy()).unwrap(), *SEALED);
}

#[test]
fn an_image_tells_its_policy_and_every_section() {
    let report = inspect(&DISK).unwrap();
    assert_eq!(report.policy.name, "claims");
    assert_eq!(report.policy.source_sha256, "5a".repeat(32));
    assert_eq!(report.version, env!("CARGO_PKG_VERSION"));
    let names: Vec<&str> = report
        .sections
        .iter()
        .map(|section| section.name.as_str())
        .collect();
    assert!(
        names.ends_with(&[".reloc", ".hvlay", ".hvimg", ".policy", ".seal"]),
        "{names:?}"
    );
    let files: Vec<&str> = report
        .disk
        .iter()
        .flat_map(|disk| &disk.files)
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(files, ["/EFI/sekisho/sekisho.efi", "/EFI/BOOT/BOOTX64.EFI"]);
}

#[test]
fn no_section_is_writable_and_executable() {
    let report = inspect(&SEALED).unwrap();
    let accesses: Vec<&str> = report
        .sections
        .iter()
        .map(|section| section.access.as_str())
        .collect();
    assert!(
        accesses.contains(&"r-x") && !accesses.contains(&"rwx"),
        "{accesses:?}"
    );
}

#[test]
fn a_changed_byte_is_told_with_its_section() {
    for (name, place) in places() {
        for at in [
            place.start,
            usize::midpoint(place.start, place.end),
            place.end - 1,
        ] {
            let refusal = inspect(&flipped(&SEALED, at, 0x80)).unwrap_err();
            let told = refusal.to_string();
            // A change in the seal itself may read as damage of the section it speaks of.
            assert!(
                told.contains(&name) || name == ".seal",
                "{at:#x} in {name}: {told}"
            );
        }
    }
}

#[test]
fn a_changed_header_is_refused() {
    for at in 0..places()[0].1.start {
        assert!(inspect(&flipped(&SEALED, at, 0x01)).is_err(), "{at:#x}");
    }
}

#[test]
fn an_application_cut_short_is_refused() {
    let lengths = (0..1024)
        .chain((1024..SEALED.len()).step_by(509))
        .chain([SEALED.len() - 1]);
    for length in lengths {
        assert!(inspect(&SEALED[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_section_cut_short_is_told_by_name() {
    for (name, place) in places() {
        let refusal = inspect(&SEALED[..place.end - 1]).unwrap_err();
        assert_eq!(refusal.to_string(), format!("section {name} is cut short"));
    }
}

#[test]
fn a_disk_cut_short_is_refused() {
    let lengths = (0..4096)
        .step_by(64)
        .chain((4096..DISK.len()).step_by(99_991))
        .chain([DISK.len() - 512]);
    for length in lengths {
        assert!(inspect(&DISK[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_changed_partition_table_is_refused() {
    let end = DISK.len();
    let headers = (512..512 + 92).chain(end - 512..end - 512 + 92);
    let entries = (1024..1024 + 128).chain(end - 33 * 512..end - 33 * 512 + 128);
    for at in headers.chain(entries) {
        assert!(
            matches!(inspect(&flipped(&DISK, at, 0x10)), Err(Error::Table(_))),
            "{at:#x}"
        );
    }
}

#[test]
fn two_applications_that_differ_are_refused() {
    let disk = disk_of(&SEALED, &flipped(&SEALED, 0x800, 1));
    assert!(matches!(inspect(&disk), Err(Error::CopiesDiffer)));
}

#[test]
fn another_disk_is_not_taken_for_an_image() {
    let guest = disk::build(
        "guest",
        &[File {
            path: "EFI/BOOT/BOOTX64.EFI",
            bytes: &SEALED,
        }],
    )
    .unwrap();
    assert!(matches!(inspect(&guest), Err(Error::Label)));
    assert!(matches!(inspect(b"policy = 1\n"), Err(Error::UnknownFormat)));
    assert!(matches!(inspect(&[]), Err(Error::UnknownFormat)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_changed_byte_is_refused(position in any::<prop::sample::Index>(), mask in 1..=u8::MAX) {
        let at = position.index(SEALED.len());
        prop_assert!(inspect(&flipped(&SEALED, at, mask)).is_err(), "{:#x}", at);
    }

    #[test]
    fn a_damaged_disk_is_whole_or_refused(position in any::<prop::sample::Index>(), mask in 1..=u8::MAX) {
        // Free space and dates may change unnoticed; what is told then is what was built.
        let start = 1 << 20;
        let at = start + position.index(SEALED.len());
        if let Ok(report) = inspect(&flipped(&DISK, at, mask)) {
            prop_assert_eq!(report.sections, inspect(&SEALED).unwrap().sections);
        }
    }
}
