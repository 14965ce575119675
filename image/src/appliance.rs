//! The appliance's own disk: the application where firmware looks for it, and the key store beside it.

use crate::disk::{self, Error, File};
use crate::inspect::{APPLICATION, FALLBACK, LABEL};
use sekisho_abi::storage::APPLIANCE_FOLDER;
use sekisho_keys::store::Store;

/// The bytes of the disk; `store` is that of a policy that names keys.
///
/// # Errors
/// [`Error`].
pub fn disk(application: &[u8], store: Option<&Store>) -> Result<Vec<u8>, Error> {
    let kept: Vec<_> = store.into_iter().flat_map(Store::files).collect();
    let kept: Vec<_> = kept
        .iter()
        .map(|(path, _, bytes)| (format!("{APPLIANCE_FOLDER}/{path}"), *bytes))
        .collect();
    // Boot entries name the first path; firmware that has no entry for this disk looks for the second.
    let programs = [APPLICATION, FALLBACK].map(|path| File {
        path: path.trim_start_matches('/'),
        bytes: application,
    });
    let keys = kept.iter().map(|(path, bytes)| File { path, bytes });
    let files: Vec<_> = programs.into_iter().chain(keys).collect();
    disk::build(LABEL, &files)
}
