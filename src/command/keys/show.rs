//! `sekisho keys show`: what a store holds, without its secrets.

use super::change::open;
use super::{Stop, System, ask, files};
use crate::command::{print, report};
use sekisho_keys::luks2::{Conversion, Extent, Header, ReadError, RepairError, repaired};
use sekisho_keys::secrets::Secrets;
use sekisho_keys::store::{RECOVERY_SLOT, SECRETS_FILE};
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder of the store.
    store: PathBuf,
    /// A file with a passphrase or the recovery key, to tell what is sealed as well.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Ask for it on the terminal.
    #[arg(long, conflicts_with = "passphrase_file")]
    unlock: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Stop> {
    let store = &arguments.store;
    let mut told = String::new();
    for path in files::headers_in(&store.join("volumes"))? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        tell(&mut told, &format!("volume {name}"), &path, &header(&path)?);
        told.push('\n');
    }
    let path = store.join(SECRETS_FILE);
    tell(&mut told, "sealed secrets", &path, &header(&path)?);
    if arguments.unlock || arguments.passphrase_file.is_some() {
        let passphrase = ask::existing(arguments.passphrase_file.as_ref())?;
        tell_secrets(&mut told, &open(store, passphrase.expose())?.sealed.secrets);
    } else {
        told.push_str("  contents  sealed; --unlock or --passphrase-file tells pins and public keys\n");
    }
    print(&told)?;
    Ok(())
}

/// The header at the beginning of a file. Copies that are damaged are written again, as cryptsetup does when it opens one.
fn header(path: &Path) -> Result<Header, Stop> {
    let mut bytes = files::read(path)?;
    match repaired(&bytes, &mut System) {
        Ok(None) => {}
        Ok(Some(whole)) => {
            files::replace(&[(path.to_path_buf(), whole.clone())])?;
            report(&format!(
                "warning: {}: one copy of the header was damaged or old, and is written again\n",
                path.display()
            ));
            bytes = whole;
        }
        Err(RepairError::Read(error)) => return Err(unusable(path, &error)),
        Err(RepairError::Change(error)) => return Err(Stop::refused(error, None)),
    }
    Header::read(&bytes).map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &ReadError) -> Stop {
    let help = matches!(error, ReadError::Damaged | ReadError::NotLuks)
        .then_some("take the file from a backup of the key store, or from the appliance's partition");
    Stop::refused(format!("{}: {error}", path.display()), help)
}

/// Writing to a string cannot fail, so these results say nothing.
fn tell(told: &mut String, title: &str, path: &Path, header: &Header) {
    let segment = header.segment();
    let _ = writeln!(told, "{title}");
    let _ = writeln!(told, "  header    {}, UUID {}", path.display(), header.uuid());
    let _ = writeln!(told, "  key id    {}", header.key_id());
    let _ = writeln!(
        told,
        "  cipher    aes-xts-plain64, key of {} bits, sectors of {} bytes",
        segment.key_size * 8,
        segment.sector_size.bytes()
    );
    let _ = match segment.size {
        Extent::Dynamic => writeln!(told, "  place     from byte {} to the end", segment.offset),
        Extent::Fixed(size) => writeln!(
            told,
            "  place     {size} bytes from byte {} of the disk",
            segment.offset
        ),
    };
    if header.conversion() == Conversion::UnderWay {
        told.push_str(
            "  state     not encrypted throughout: call `sekisho disk encrypt` or `decrypt` again\n",
        );
    }
    for (slot, derivation) in header.slots() {
        let whose = if slot == RECOVERY_SLOT {
            "recovery key"
        } else {
            "passphrase"
        };
        let _ = writeln!(told, "  keyslot {slot} {whose}, {derivation}");
    }
}

fn tell_secrets(told: &mut String, secrets: &Secrets) {
    for key in &secrets.wireguard {
        let _ = match key.public_text() {
            Some(public) => writeln!(told, "  wireguard {}, public key {public}", key.name),
            None => writeln!(told, "  wireguard {}, preshared", key.name),
        };
    }
    for pin in &secrets.pins {
        let _ = writeln!(
            told,
            "  pin       {}, {}: blocks {} to {} of {} bytes, of {} on the disk with {}",
            pin.name, pin.kind, pin.first, pin.last, pin.block_size, pin.blocks, pin.disk
        );
    }
    if secrets.pins.is_empty() {
        told.push_str("  pin       none: no disk was encrypted with this store\n");
    }
    let _ = writeln!(told, "  revision  {} at least", secrets.least_revision);
}
