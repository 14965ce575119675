//! Where things are in the tree, and where the harness keeps what it makes.

use crate::failure::Failure;
use std::path::{Path, PathBuf};

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The harness's own folder below `target/`; made if it is not there.
///
/// # Errors
/// [`Failure::File`] if it cannot be made.
pub fn cache(folder: &str) -> Result<PathBuf, Failure> {
    let path = root().join("target/system").join(folder);
    std::fs::create_dir_all(&path).map_err(Failure::file(&path))?;
    path.canonicalize().map_err(Failure::file(&path))
}
