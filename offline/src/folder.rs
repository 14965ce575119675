//! The key store's folder: files replaced whole and durably, or not at all.

use sekisho_abi::storage::{SECRETS_FILE, header_file};
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What only its owner may read.
const PRIVATE: u32 = 0o600;

/// The folder that `--keys` names.
pub struct Folder(PathBuf);

/// A file of the folder that could not be used.
#[derive(Debug)]
pub struct Error {
    /// Its path.
    pub path: PathBuf,
    /// What the operating system says.
    pub error: io::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for Error {}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    |error| Error { path, error }
}

impl Folder {
    /// At `path`, which is not looked at yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// The sealed secrets.
    ///
    /// # Errors
    /// [`Error`].
    pub fn secrets(&self) -> Result<Vec<u8>, Error> {
        read(&self.0.join(SECRETS_FILE))
    }

    /// The header of a volume.
    ///
    /// # Errors
    /// [`Error`].
    pub fn header(&self, volume: &str) -> Result<Vec<u8>, Error> {
        read(&self.0.join(header_file(volume)))
    }

    /// Replaces the sealed secrets.
    ///
    /// # Errors
    /// [`Error`].
    pub fn replace_secrets(&self, bytes: &[u8]) -> Result<(), Error> {
        replace(&self.0.join(SECRETS_FILE), bytes)
    }

    /// Replaces the header of a volume.
    ///
    /// # Errors
    /// [`Error`].
    pub fn replace_header(&self, volume: &str, bytes: &[u8]) -> Result<(), Error> {
        replace(&self.0.join(header_file(volume)), bytes)
    }

    /// The journal of a volume, if there is one.
    ///
    /// # Errors
    /// [`Error`].
    pub fn journal(&self, volume: &str) -> Result<Option<File>, Error> {
        let path = self.journal_path(volume);
        match File::options().read(true).write(true).open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    /// An empty journal, whose name is durable.
    ///
    /// # Errors
    /// [`Error`].
    pub fn new_journal(&self, volume: &str) -> Result<File, Error> {
        let path = self.journal_path(volume);
        let mut options = File::options();
        let options = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(PRIVATE);
        let file = options.open(&path).map_err(at(&path))?;
        sync_folder(&path)?;
        Ok(file)
    }

    /// Removes the journal of a volume, durably.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_journal(&self, volume: &str) -> Result<(), Error> {
        let path = self.journal_path(volume);
        fs::remove_file(&path).map_err(at(&path))?;
        sync_folder(&path)
    }

    /// Where the journal of a volume is.
    #[must_use]
    pub fn journal_path(&self, volume: &str) -> PathBuf {
        self.0.join(header_file(volume)).with_extension("journal")
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(at(path))
}

/// A name that leads to the old bytes or the new, whole, whenever the power fails: the new ones are durable under
/// another name first, and renaming is one step.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut beside = OsString::from(path);
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(true).mode(PRIVATE);
    let mut file = options.open(&beside).map_err(at(&beside))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(at(&beside))?;
    fs::rename(&beside, path).map_err(at(path))?;
    sync_folder(path)
}

/// Makes the names in a file's folder durable.
fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path
        .parent()
        .filter(|it| !it.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(at(folder))
}
