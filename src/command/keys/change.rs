//! `sekisho keys add`, `remove`, `passwd` and `recovery`: every header of a store, changed together.

use super::init::tell_recovery_key;
use super::{CostArguments, Stop, System, ask, files};
use crate::command::{print, report};
use sekisho_keys::luks2::Condition;
use sekisho_keys::recovery::RecoveryKey;
use sekisho_keys::store::{OpenStore, RECOVERY_SLOT, SECRETS_FILE, header_file};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Add {
    #[command(flatten)]
    opener: Opener,
    /// A file with the passphrase to add; it is asked for on the terminal, twice, unless given.
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    costs: CostArguments,
}

#[derive(clap::Args)]
pub(super) struct Remove {
    #[command(flatten)]
    opener: Opener,
    /// The number of the keyslot, as `sekisho keys show` tells it.
    #[arg(long, value_name = "N")]
    slot: u32,
}

#[derive(clap::Args)]
pub(super) struct Passwd {
    #[command(flatten)]
    opener: Opener,
    /// A file with the new passphrase; it is asked for on the terminal, twice, unless given.
    #[arg(long, value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    costs: CostArguments,
}

#[derive(clap::Args)]
pub(super) struct Recovery {
    #[command(flatten)]
    opener: Opener,
    /// Where the new recovery key is written; it is printed unless given.
    #[arg(long, value_name = "FILE")]
    recovery_file: Option<PathBuf>,
    #[command(flatten)]
    costs: CostArguments,
}

/// A store, and what opens it.
#[derive(clap::Args)]
pub(super) struct Opener {
    /// The folder of the store.
    store: PathBuf,
    /// A file with a passphrase or the recovery key; it is asked for on the terminal unless given.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

pub(super) fn add(arguments: &Add) -> Result<(), Stop> {
    let mut store = arguments.opener.open()?;
    let costs = arguments.costs.costs(store.costs());
    let passphrase = ask::new(arguments.new_passphrase_file.as_ref(), "--new-passphrase-file")?;
    let slot = store.add(passphrase.expose(), costs, &mut System)?;
    write(&arguments.opener.store, &store)?;
    print(&format!("keyslot {slot} opens with the new passphrase\n"))?;
    Ok(())
}

pub(super) fn remove(arguments: &Remove) -> Result<(), Stop> {
    let mut store = arguments.opener.open()?;
    if store.sealed.slot == arguments.slot {
        return Err(Stop::refused(
            "this passphrase is the one of the keyslot to be removed",
            "give one that stays, so that the store can be opened afterwards",
        ));
    }
    store.remove(arguments.slot, &mut System)?;
    write(&arguments.opener.store, &store)
}

pub(super) fn passwd(arguments: &Passwd) -> Result<(), Stop> {
    let mut store = arguments.opener.open()?;
    let slot = store.sealed.slot;
    if slot == RECOVERY_SLOT {
        return Err(Stop::refused(
            "this is the recovery key, not a passphrase",
            "`sekisho keys add` adds a passphrase; `sekisho keys recovery` makes a new recovery key",
        ));
    }
    let costs = arguments.costs.costs(store.costs());
    let passphrase = ask::new(arguments.new_passphrase_file.as_ref(), "--new-passphrase-file")?;
    store.replace(slot, passphrase.expose(), costs, &mut System)?;
    write(&arguments.opener.store, &store)
}

pub(super) fn recovery(arguments: &Recovery) -> Result<(), Stop> {
    let mut store = arguments.opener.open()?;
    let costs = arguments.costs.costs(store.costs());
    let recovery = RecoveryKey::generate(&mut System)?;
    store.set_recovery(&recovery, costs, &mut System)?;
    // Before the store: the key before it opens nothing once that is written.
    let told = tell_recovery_key(&recovery, arguments.recovery_file.as_deref())?;
    write(&arguments.opener.store, &store)?;
    print(&told)?;
    Ok(())
}

impl Opener {
    fn open(&self) -> Result<OpenStore, Stop> {
        let passphrase = ask::existing(self.passphrase_file.as_ref())?;
        let opened = open(&self.store, passphrase.expose())?;
        tell_damage(&opened);
        Ok(opened)
    }
}

/// Tells of headers with a damaged copy: a change writes both copies of every header.
fn tell_damage(opened: &OpenStore) {
    let volumes = opened.volumes.iter();
    let headers = volumes.map(|volume| (header_file(&volume.name), &volume.header));
    let sealed = (SECRETS_FILE.to_owned(), &opened.sealed.header);
    for (path, header) in headers.chain([sealed]) {
        if header.condition() != Condition::Whole {
            let condition = header.condition();
            report(&format!(
                "warning: {path}: {condition}; the change writes both copies again\n"
            ));
        }
    }
}

/// Opens the store in a folder.
pub(super) fn open(store: &Path, passphrase: &[u8]) -> Result<OpenStore, Stop> {
    Ok(OpenStore::read(passphrase, |path| {
        files::read(&store.join(path))
    })?)
}

fn write(store: &Path, changed: &OpenStore) -> Result<(), Stop> {
    let contents = changed
        .files(&mut System)
        .map_err(|error| Stop::refused(error, None))?;
    let contents: Vec<_> = contents
        .into_iter()
        .map(|(path, bytes)| (store.join(path), bytes))
        .collect();
    files::replace(&contents)?;
    Ok(())
}
