//! Stock `cryptsetup` as the judge: it takes every header we write, we take every header it writes, and both do the same
//! with damaged ones.

#![cfg(test)]

mod damage;
mod ours;
mod theirs;

use sekisho_crypto::argon2::Costs;
use sekisho_crypto::secret::SecretBytes;
use sekisho_crypto::xts::SectorSize;
use sekisho_keys::luks2::{Extent, Header, New, Segment};
use sekisho_keys::{NoRandomness, Random};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const CHEAP: Costs = Costs {
    memory: 32,
    passes: 4,
    lanes: 1,
};
/// Bytes of the device that headers are tried on.
const DEVICE_SIZE: u64 = 4 << 20;

/// The operating system's randomness.
struct System;

impl Random for System {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(bytes));
        read.map_err(|_| NoRandomness)
    }
}

/// One test's files.
struct Bench {
    folder: PathBuf,
}

impl Bench {
    /// An empty folder with an empty device.
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("cryptsetup")
            .join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let bench = Self { folder };
        let device = File::create(bench.path("device")).unwrap();
        device.set_len(DEVICE_SIZE).unwrap();
        bench
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    fn header(&self) -> Vec<u8> {
        fs::read(self.path("header")).unwrap()
    }

    /// Whether cryptsetup opens the file `header` for the device with `passphrase`.
    fn opens(&self, passphrase: &[u8]) -> bool {
        let passphrase = self.write("passphrase", passphrase);
        let (header, device) = (self.path("header"), self.path("device"));
        cryptsetup(&[
            "open",
            "--test-passphrase",
            "--key-file",
            &passphrase,
            "--header",
            &header,
            &device,
        ])
        .status
        .success()
    }

    /// The volume key that cryptsetup finds in the file `header`.
    fn volume_key(&self, passphrase: &[u8]) -> SecretBytes {
        let passphrase = self.write("passphrase", passphrase);
        let (header, key) = (self.path("header"), self.path("volume-key"));
        let _ = fs::remove_file(&key);
        done(&[
            "luksDump",
            "--dump-volume-key",
            "--key-file",
            &passphrase,
            "--volume-key-file",
            &key,
            &header,
        ]);
        SecretBytes::from(fs::read(key).unwrap())
    }
}

/// The files of a test that failed stay, to be looked at.
impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Runs cryptsetup, never asking anything.
fn cryptsetup(arguments: &[&str]) -> Output {
    Command::new("cryptsetup")
        .arg("--batch-mode")
        .args(arguments)
        .output()
        .expect("cryptsetup; `make setup` installs it")
}

/// Runs cryptsetup, which must succeed, and returns what it said.
fn done(arguments: &[&str]) -> String {
    let output = cryptsetup(arguments);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap() + &told
}

/// A volume to the end of its device.
fn segment(key_size: usize, sector_size: SectorSize) -> Segment {
    Segment {
        offset: 0,
        size: Extent::Dynamic,
        sector_size,
        key_size,
    }
}

/// A header of ours that opens with `first`, in the file `header`.
fn ours(bench: &Bench, segment: Segment) -> (Header, SecretBytes) {
    let new = New {
        label: "system",
        segment,
    };
    let (header, key) = Header::create(&new, b"first", CHEAP, &mut System).unwrap();
    bench.write("header", header.file());
    (header, key)
}
