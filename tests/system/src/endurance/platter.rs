//! What is on the platter, judged on the host: decrypted with the key that stock cryptsetup gives, checked by e2fsck,
//! its files read by debugfs.

use crate::command::{PASSPHRASE, Store};
use crate::failure::Failure;
use crate::guest::Laptop;
use crate::tool;
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Bytes that are decrypted at once.
const PIECE: usize = 4096;
/// Sectors of a piece.
const PIECE_SECTORS: u64 = 8;

/// The encrypted partition at a moment that others are compared with: only what differs is decrypted again.
pub struct Platter {
    cipher: SectorCipher,
    /// First sector of the partition on the disk.
    pub first: u64,
    /// The partition's bytes as they are on the disk.
    pub encrypted: Vec<u8>,
    plain: Vec<u8>,
    folder: PathBuf,
}

impl Platter {
    /// The partition of `laptop` as it is now. What is looked at is put into `folder`.
    ///
    /// # Errors
    /// [`Failure`] of the disk, or of cryptsetup.
    pub fn new(laptop: &Laptop, store: &Store, folder: &Path) -> Result<Self, Failure> {
        let key = volume_key(store, folder)?;
        let cipher = SectorCipher::new(&key, SectorSize::B512).map_err(failed)?;
        let encrypted = laptop.platter()?;
        let mut plain = encrypted.clone();
        cipher.decrypt(0, &mut plain).map_err(failed)?;
        Ok(Self {
            cipher,
            first: laptop.system,
            encrypted,
            plain,
            folder: folder.to_owned(),
        })
    }

    /// The same partition on the disk image `disk`, as it is on the disk.
    ///
    /// # Errors
    /// [`Failure::File`].
    pub fn read(&self, disk: &Path) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; self.encrypted.len()];
        let file = std::fs::File::open(disk).map_err(Failure::file(disk))?;
        file.read_exact_at(&mut bytes, self.first * 512)
            .map_err(Failure::file(disk))?;
        Ok(bytes)
    }

    /// Judges the partition that has the bytes `encrypted`: its journal is replayed, then it is clean, and holds each of
    /// `files` with its SHA-256. The error says what is not so.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn judge(&self, encrypted: &[u8], files: &BTreeMap<String, String>) -> Result<(), Failure> {
        let image = self.folder.join("plain.img");
        std::fs::write(&image, self.decrypt(encrypted)?).map_err(Failure::file(&image))?;
        // Replays the journal; says 1 where it did. What it would not repair unasked is 4.
        let replayed = Command::new("e2fsck").arg("-p").arg(&image).output();
        let replayed = replayed.map_err(Failure::file("e2fsck"))?;
        if !matches!(replayed.status.code(), Some(0 | 1)) {
            return Err(failed(String::from_utf8_lossy(&replayed.stdout)));
        }
        tool::run(Command::new("e2fsck").arg("-fn").arg(&image))?;
        self.compare(&image, files)
    }

    fn decrypt(&self, encrypted: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut plain = self.plain.clone();
        let pieces = encrypted.chunks(PIECE).zip(self.encrypted.chunks(PIECE));
        let places = plain.chunks_mut(PIECE).zip(pieces);
        for (number, (place, (now, before))) in (0..).zip(places) {
            if now != before {
                place.copy_from_slice(now);
                self.cipher
                    .decrypt(number * PIECE_SECTORS, place)
                    .map_err(failed)?;
            }
        }
        Ok(plain)
    }

    fn compare(&self, image: &Path, files: &BTreeMap<String, String>) -> Result<(), Failure> {
        if files.is_empty() {
            return Ok(());
        }
        let out = self.folder.join("files");
        if out.exists() {
            std::fs::remove_dir_all(&out).map_err(Failure::file(&out))?;
        }
        std::fs::create_dir_all(&out).map_err(Failure::file(&out))?;
        let mut script = String::new();
        for name in files.keys() {
            // Writing to a string does not fail.
            let _ = writeln!(script, "dump /{name} {}", out.join(name).display());
        }
        let list = self.folder.join("debugfs");
        std::fs::write(&list, script).map_err(Failure::file(&list))?;
        tool::run(Command::new("debugfs").arg("-f").arg(&list).arg(image))?;
        let mut sums = Command::new("sha256sum");
        let sums = tool::run(sums.args(files.keys()).current_dir(&out))?;
        let read: BTreeMap<String, String> = sums.lines().filter_map(checksum).collect();
        match files.iter().find(|(name, sum)| read.get(*name) != Some(sum)) {
            None => Ok(()),
            Some((name, sum)) => Err(failed(format!(
                "{name} is synced with {sum}, and has {:?}",
                read.get(name)
            ))),
        }
    }
}

/// Name, without folders, and checksum of a line of sha256sum.
#[must_use]
pub fn checksum(line: &str) -> Option<(String, String)> {
    let (sum, path) = line.trim().split_once("  ")?;
    let name = path.rsplit('/').next()?;
    Some((name.to_owned(), sum.to_owned()))
}

/// The volume's key, by cryptsetup from the header and the passphrase.
fn volume_key(store: &Store, folder: &Path) -> Result<Vec<u8>, Failure> {
    let (passphrase, key) = (folder.join("passphrase"), folder.join("volume-key"));
    std::fs::write(&passphrase, PASSPHRASE).map_err(Failure::file(&passphrase))?;
    if key.exists() {
        // cryptsetup does not write over one.
        std::fs::remove_file(&key).map_err(Failure::file(&key))?;
    }
    let mut dump = Command::new("cryptsetup");
    dump.args(["luksDump", "--batch-mode", "--dump-volume-key", "--key-file"]);
    dump.arg(&passphrase).arg("--volume-key-file").arg(&key);
    tool::run(dump.arg(store.header("system")))?;
    std::fs::read(&key).map_err(Failure::file(&key))
}

fn failed(what: impl std::fmt::Debug) -> Failure {
    Failure::Tool {
        command: "judging the platter".to_owned(),
        output: format!("{what:?}"),
    }
}
