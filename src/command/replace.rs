//! Files written as a whole or not at all.

use std::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// A file or folder that could not be used, and why.
#[derive(Debug)]
pub(crate) struct Unusable {
    path: PathBuf,
    error: io::Error,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl Error for Unusable {}

impl Unusable {
    /// Attaches the path to what the system said.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |error| Self { path, error }
    }
}

/// Writes beside `path` and renames, so that the file under the name is the old one or the new one, with the permissions it had.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Unusable> {
    // A link stays, and what it leads to is replaced.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut beside = OsString::from(&place);
    beside.push(".part");
    write(&place, Path::new(&beside), bytes).map_err(|error| {
        // The first failure is the one to tell; the rest may not even exist.
        let _ = fs::remove_file(&beside);
        Unusable::at(path)(error)
    })
}

fn write(place: &Path, beside: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(beside, bytes)?;
    if let Ok(replaced) = fs::metadata(place) {
        fs::set_permissions(beside, replaced.permissions())?;
    }
    fs::File::open(beside)?.sync_all()?;
    fs::rename(beside, place)
}
