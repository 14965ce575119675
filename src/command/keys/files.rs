//! The files of a key store: nobody else may read them, nothing is overwritten that was not read, and whatever happens in
//! between, each is the old one or the new one.

use sekisho_keys::SecretBytes;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::{error, fmt};

/// More bytes than this are no file of a store: the largest LUKS2 header has 136 MiB, and none of ours 2.
const MAX_STORE_FILE: u64 = 160 << 20;

/// A file or folder that could not be used, and why.
#[derive(Debug)]
pub(super) struct Unusable {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl error::Error for Unusable {}

/// For `map_err`: what happened at `path`.
fn at(path: &Path) -> impl FnOnce(io::Error) -> Unusable {
    let path = path.to_path_buf();
    move |error| Unusable { path, error }
}

/// Reads a file of a store.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Unusable> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(at(path))?;
    file.take(MAX_STORE_FILE)
        .read_to_end(&mut bytes)
        .map_err(at(path))?;
    Ok(bytes)
}

/// Reads at most one byte more than `limit`, without leaving a copy in memory.
pub(super) fn read_secret(path: &Path, limit: u64) -> Result<SecretBytes, Unusable> {
    let room = usize::try_from(limit).unwrap_or_default() + 1;
    // With its room from the start the vector does not move, and nothing stays behind.
    let mut bytes = Vec::with_capacity(room + 64);
    let file = File::open(path).map_err(at(path))?;
    let read = file.take(limit + 1).read_to_end(&mut bytes);
    let secret = SecretBytes::from(bytes);
    read.map_err(at(path))?;
    Ok(secret)
}

/// Writes a file that is not there yet, or empty.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Unusable> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    let mut file = match options.clone().create_new(true).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && is_empty(path) => options.open(path),
        other => other,
    }
    .map_err(at(path))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(at(path))
}

fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() == 0)
}

/// Makes a folder that only its owner can enter, if it is not there.
pub(super) fn make_folder(path: &Path) -> Result<(), Unusable> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(at(path))
}

/// Replaces files by their new bytes: first all are written beside, then each is put in place, in their order.
pub(super) fn replace(files: &[(PathBuf, Vec<u8>)]) -> Result<(), Unusable> {
    for (path, bytes) in files {
        let beside = beside(path);
        // What a call that was interrupted left behind.
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(at(&beside)(error)),
            _ => write_new(&beside, bytes)?,
        }
    }
    for (path, _) in files {
        fs::rename(beside(path), path).map_err(at(path))?;
    }
    let mut folders: Vec<&Path> = files.iter().filter_map(|(path, _)| path.parent()).collect();
    folders.dedup();
    folders.into_iter().try_for_each(sync_folder)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

/// Makes names in a folder last.
pub(super) fn sync_folder(path: &Path) -> Result<(), Unusable> {
    // The parent of a bare name is an empty path.
    let folder = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(at(folder))
}

/// The headers in a folder, by name; none where there is no folder.
pub(super) fn headers_in(folder: &Path) -> Result<Vec<PathBuf>, Unusable> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(at(folder))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(at(folder))?.path();
        if path.extension().is_some_and(|extension| extension == "luks2") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
