//! Disk images, judged by gdisk, dosfstools and mtools.

#![cfg(test)]

use sekisho_image::disk::{self, Error, File};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const FILES: &[File<'static>] = &[
    File {
        path: "EFI/sekisho/sekisho.efi",
        bytes: b"one",
    },
    File {
        path: "EFI/BOOT/BOOTX64.EFI",
        bytes: &[0xa5; 100_000],
    },
    File {
        path: "a rather long name.txt",
        bytes: b"three",
    },
];

/// The partition starts here.
const MEBIBYTE: usize = 1 << 20;

#[test]
fn the_same_files_give_the_same_bytes() {
    assert_eq!(
        disk::build("sekisho", FILES).unwrap(),
        disk::build("sekisho", FILES).unwrap()
    );
}

#[test]
fn other_files_give_another_disk_guid() {
    let [one, other] = [&FILES[..1], &FILES[1..]].map(|files| disk::build("sekisho", files).unwrap());
    // UEFI 2.10, table 5.5: DiskGUID is at offset 56 of the header in block 1.
    assert_ne!(one[512 + 56..512 + 72], other[512 + 56..512 + 72]);
}

#[test]
fn sgdisk_finds_no_problem_in_the_table() {
    let image = stored("sgdisk", &disk::build("sekisho", FILES).unwrap());
    let verdict = judge("sgdisk", &["--verify", "--print"], &image);
    assert!(verdict.contains("No problems found"), "{verdict}");
    assert!(verdict.contains("EF00  sekisho"), "{verdict}");
}

#[test]
fn fsck_finds_no_problem_in_the_file_system() {
    for (name, files) in [("small", FILES.to_vec()), ("large", large())] {
        let image = disk::build("guest", &files).unwrap();
        let partition = stored(&format!("fsck-{name}"), &image[MEBIBYTE..image.len() - MEBIBYTE]);
        let verdict = judge("fsck.fat", &["-n", "-v"], &partition);
        // Each complaint names a path; the last line, which counts the files, starts with that of the image.
        let named = verdict.lines().filter(|line| line.starts_with('/')).count();
        assert_eq!(named, 1, "{verdict}");
    }
}

#[test]
fn mtools_reads_every_file_back() {
    let image = disk::build("guest", FILES).unwrap();
    let partition = stored("mtools", &image[MEBIBYTE..image.len() - MEBIBYTE]);
    for file in FILES {
        let target = partition.with_extension("out");
        let source = format!("::/{}", file.path);
        let status = Command::new("mcopy")
            .arg("-no")
            .arg("-i")
            .arg(&partition)
            .args([source.as_ref(), target.as_os_str()])
            .status();
        assert!(status.unwrap().success());
        assert_eq!(fs::read(target).unwrap(), file.bytes, "{}", file.path);
    }
}

#[test]
fn a_label_that_fat_cannot_hold_is_refused() {
    for label in ["", "twelve-chars", "no blanks", "NAME.EXT"] {
        assert!(matches!(disk::build(label, FILES), Err(Error::Label)), "{label}");
    }
}

#[test]
fn a_path_that_is_a_file_and_a_folder_is_refused() {
    let files = [
        File {
            path: "EFI",
            bytes: b"",
        },
        File {
            path: "EFI/BOOT/BOOTX64.EFI",
            bytes: b"",
        },
    ];
    assert!(matches!(disk::build("guest", &files), Err(Error::File { .. })));
}

/// A guest's disk: a kernel and an initial file system.
fn large() -> Vec<File<'static>> {
    let content: &'static [u8] = Box::leak(vec![0x5a; 45 << 20].into_boxed_slice());
    vec![
        File {
            path: "boot/vmlinuz",
            bytes: &content[..8 << 20],
        },
        File {
            path: "boot/initrd.img",
            bytes: content,
        },
    ]
}

/// A file under the test's own temporary folder.
fn stored(name: &str, bytes: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("disk-{name}.img"));
    fs::write(&path, bytes).unwrap();
    path
}

/// What a tool prints about an image that it accepts. `make setup` installs the tools.
fn judge(tool: &str, arguments: &[&str], image: &Path) -> String {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap());
    let output = Command::new(tool)
        .env("PATH", path)
        .args(arguments)
        .arg(image)
        .output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}; `make setup` installs it"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{tool}: {text}");
    text
}
