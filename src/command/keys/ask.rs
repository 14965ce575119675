//! Passphrases from files and from the terminal.

use super::Stop;
use super::files::{self, Unusable};
use crate::command::report;
use sekisho_keys::SecretBytes;
use sekisho_keys::passphrase::{MAX_LENGTH, check, moving_keys, typed};
use std::fmt;
use std::path::{Path, PathBuf};

/// More bytes than this are no passphrase, but some other file.
const MAX_FILE: u64 = 4096;

/// There is no terminal to ask on.
#[derive(Debug)]
struct NoTerminal {
    option: &'static str,
}

impl fmt::Display for NoTerminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no terminal to ask on: give {} FILE", self.option)
    }
}

impl std::error::Error for NoTerminal {}

/// A passphrase or recovery key that is to open the store.
pub(in crate::command) fn existing(file: Option<&PathBuf>) -> Result<SecretBytes, Stop> {
    let given = match file {
        Some(file) => from_file(file)?,
        None => prompt("Passphrase or recovery key: ", "--passphrase-file")?,
    };
    typed(given.expose())
        .map_err(|error| Stop::refused(error, "compare that group with what was written down"))
}

/// A passphrase that is to be set; `option` is how its file is given.
pub(super) fn new(file: Option<&PathBuf>, option: &'static str) -> Result<SecretBytes, Stop> {
    let given = match file {
        Some(file) => from_file(file)?,
        None => twice(option)?,
    };
    check(given.expose()).map_err(|error| {
        let help = "letters, digits, spaces and signs of a US keyboard, without a newline";
        Stop::refused(error, help)
    })?;
    let moving = moving_keys(given.expose());
    if !moving.is_empty() {
        report(&format!(
            "warning: the keyboard at boot is US; on others these keys lie elsewhere: {moving}\n"
        ));
    }
    Ok(given)
}

fn twice(option: &'static str) -> Result<SecretBytes, Stop> {
    let first = prompt("New passphrase: ", option)?;
    if first == prompt("The same again: ", option)? {
        Ok(first)
    } else {
        Err(Stop::refused("the two are not the same", None))
    }
}

fn prompt(text: &str, option: &'static str) -> Result<SecretBytes, Stop> {
    let answer = rpassword::prompt_password(text);
    let answer = answer.map_err(|_| Stop::Failed(NoTerminal { option }.into()))?;
    Ok(SecretBytes::from(answer.into_bytes()))
}

/// The bytes of a file but for one final newline.
fn from_file(path: &Path) -> Result<SecretBytes, Stop> {
    let mut bytes = files::read_secret(path, MAX_FILE)?;
    if bytes.length() as u64 > MAX_FILE {
        let what = format!(
            "{} is no passphrase: it has more than {MAX_LENGTH} characters",
            path.display()
        );
        return Err(Stop::refused(what, None));
    }
    if bytes.expose().last() == Some(&b'\n') {
        bytes.pop();
    }
    Ok(bytes)
}

impl From<Unusable> for Stop {
    fn from(error: Unusable) -> Self {
        Self::Failed(error.into())
    }
}
