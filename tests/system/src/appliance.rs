//! The appliance's own disk: made from a policy by the same libraries as `sekisho image build`.

use crate::failure::Failure;
use crate::key_store::KeyStore;
use crate::paths;
use sekisho_abi::storage::APPLIANCE_FOLDER;
use sekisho_image::disk::{self, File};
use sekisho_image::inspect::{APPLICATION, FALLBACK, LABEL};
use sekisho_image::seal;
use sekisho_policy::{Colour, Source, check, lower, render_human};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `sekisho.efi` of one policy, and the key store beside it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appliance {
    application: Vec<u8>,
    keys: BTreeMap<String, Vec<u8>>,
}

impl Appliance {
    /// From a policy of `examples/`.
    ///
    /// # Errors
    /// [`Failure`] with the policy's diagnostics, or what the image builder says.
    pub fn example(file: &str) -> Result<Self, Failure> {
        let path = paths::root().join("examples").join(file);
        let text = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
        Self::from_policy(file, &text)
    }

    /// From a policy's text.
    ///
    /// # Errors
    /// As [`Self::example`].
    pub fn from_policy(name: &str, text: &str) -> Result<Self, Failure> {
        let failed = |output: String| Failure::Tool {
            command: format!("building the image of {name}"),
            output,
        };
        let source = Source::new(name.to_owned(), text.as_bytes().to_vec());
        let report = check(&source);
        let policy = report
            .policy
            .ok_or_else(|| failed(render_human(&source, &report.diagnostics, Colour::Plain)))?;
        let application = seal::application(&lower(&policy)).map_err(|error| failed(error.to_string()))?;
        let keys = if policy.storage.volumes.is_empty() {
            BTreeMap::new()
        } else {
            KeyStore::new(&policy.storage, Vec::new())?.files
        };
        Ok(Self { application, keys })
    }

    /// The UEFI application's bytes.
    #[must_use]
    pub fn application(&self) -> &[u8] {
        &self.application
    }

    /// With other bytes in place of the application: what damage leaves.
    #[must_use]
    pub const fn damaged(application: Vec<u8>) -> Self {
        Self {
            application,
            keys: BTreeMap::new(),
        }
    }

    /// With other files in place of the key store's, by their paths in it.
    #[must_use]
    pub fn with_keys(self, keys: BTreeMap<String, Vec<u8>>) -> Self {
        Self { keys, ..self }
    }

    /// The disk to boot from, in a file called `name`.
    ///
    /// # Errors
    /// [`Failure`] where it cannot be made.
    pub fn disk(&self, name: &str) -> Result<PathBuf, Failure> {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|(path, bytes)| (format!("{APPLIANCE_FOLDER}/{path}"), bytes))
            .collect();
        let programs = [APPLICATION, FALLBACK].map(|path| File {
            path: path.trim_start_matches('/'),
            bytes: &self.application,
        });
        let keys = keys.iter().map(|(path, bytes)| File { path, bytes });
        let files: Vec<_> = programs.into_iter().chain(keys).collect();
        let image = disk::build(LABEL, &files).map_err(|error| Failure::Tool {
            command: format!("building the disk of {name}"),
            output: error.to_string(),
        })?;
        let path = paths::cache("images")?.join(format!("{name}.img"));
        std::fs::write(&path, image).map_err(Failure::file(&path))?;
        Ok(path)
    }
}
