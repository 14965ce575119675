//! `sekisho keys init`: a new key store.

use super::{CostArguments, Stop, System, ask, files, peer};
use crate::command::{print, report_policy};
use sekisho_keys::recovery::RecoveryKey;
use sekisho_keys::secrets::{WireGuardKey, WireGuardKind};
use sekisho_keys::store::{DEFAULT_COSTS, OpenStore, Openers, create};
use sekisho_policy::{Policy, lower};
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder of the store. It must not hold one yet.
    store: PathBuf,
    /// The policy whose volumes and tunnels need keys.
    #[arg(long, value_name = "POLICY")]
    policy: PathBuf,
    /// A file with the passphrase; it is asked for on the terminal, twice, unless given.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Where the recovery key is written; it is printed unless given.
    #[arg(long, value_name = "FILE")]
    recovery_file: Option<PathBuf>,
    #[command(flatten)]
    costs: CostArguments,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Stop> {
    let store = &arguments.store;
    refuse_existing(store)?;
    let policy = match report_policy(&arguments.policy) {
        Ok(Some((_, policy))) => policy,
        Ok(None) => return Err(Stop::told()),
        Err(error) => return Err(Stop::Failed(error.into())),
    };
    let costs = arguments.costs.costs(DEFAULT_COSTS);
    let passphrase = ask::new(arguments.passphrase_file.as_ref(), "--passphrase-file")?;
    let recovery = RecoveryKey::generate(&mut System)?;
    let openers = Openers {
        passphrase: passphrase.expose(),
        recovery: &recovery,
        costs,
    };
    let made = create(&policy.storage, &openers, &mut System);
    let mut made = made.map_err(|error| Stop::refused(error, None))?;
    let mut told = add_wireguard_keys(&policy, &mut made)?;
    // Before the store: a store whose recovery key was lost looks like any other.
    told += &tell_recovery_key(&recovery, arguments.recovery_file.as_deref())?;
    write(store, &made)?;
    print(&told)?;
    Ok(())
}

/// A store is never overwritten: its keys would be gone, and the disks with them.
fn refuse_existing(store: &Path) -> Result<(), Stop> {
    for name in ["secrets.sealed", "volumes"] {
        let path = store.join(name);
        if path.symlink_metadata().is_ok() {
            return Err(Stop::refused(
                format!(
                    "{} is there already, and a key store is never overwritten",
                    path.display()
                ),
                "name another folder, or see what is in this one with `sekisho keys show`",
            ));
        }
    }
    Ok(())
}

/// Adds each key that tunnels name, and returns what is told of them.
fn add_wireguard_keys(policy: &Policy, store: &mut OpenStore) -> Result<String, Stop> {
    let names = policy.key_names();
    let private = names.private.iter().map(|name| (name, WireGuardKind::Private));
    let preshared = names
        .preshared
        .iter()
        .map(|name| (name, WireGuardKind::Preshared));
    let mut told = String::new();
    for (name, kind) in private.chain(preshared) {
        let key = WireGuardKey::generate(name, kind, &mut System)?;
        if let Some(public) = key.public_text() {
            // Writing to a string cannot fail.
            let _ = writeln!(told, "wireguard public key {name}: {public}");
        }
        store.sealed.secrets.wireguard.push(key);
    }
    let network = lower(policy).network;
    told += &peer::sections(&policy.name, &network, &store.sealed.secrets);
    Ok(told)
}

/// Writes the recovery key to `file`, or returns what is printed of it.
pub(super) fn tell_recovery_key(recovery: &RecoveryKey, file: Option<&Path>) -> Result<String, Stop> {
    if let Some(file) = file {
        files::write_new(file, recovery.text())?;
        return Ok(String::new());
    }
    Ok(format!(
        "recovery key, shown this once: {}\n",
        String::from_utf8_lossy(recovery.text())
    ))
}

/// The sealed secrets come last: without them there is no store.
fn write(store: &Path, made: &OpenStore) -> Result<(), Stop> {
    let contents = made
        .files(&mut System)
        .map_err(|error| Stop::refused(error, None))?;
    files::make_folder(store)?;
    for (path, bytes) in contents {
        let path = store.join(path);
        let folder = path.parent().unwrap_or(store);
        files::make_folder(folder)?;
        files::write_new(&path, &bytes)?;
        files::sync_folder(folder)?;
    }
    Ok(())
}
