//! A checked policy: what `compile` prints and the image builder takes.

use crate::context::Context;
use crate::lower::{network, storage};
use crate::schema::{Defaults, Document, Fate, SerialPort};
use crate::source::{Located, Source, Span};
use sekisho_abi::network::Network;
use sekisho_abi::selection::Entry;
use sekisho_abi::storage::Storage;

/// A policy without errors.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// The device rules in order.
    pub rules: Vec<Rule>,
    /// What becomes of devices that no rule names.
    pub defaults: Fates,
    /// `[boot] next`.
    pub boot_next: Option<String>,
    /// `[guest] status`.
    pub guest_status: bool,
    /// `[log] serial`.
    pub serial: SerialPort,
    /// Disks: volumes, sectors in clear, unlocking.
    pub storage: Storage,
    /// Networks: NICs, own addresses, syslog, services.
    pub network: Network,
    /// SHA-256 of the file; of several files, of their hashes in order, the policy's own first.
    pub source_hash: [u8; 32],
    /// The files, to tell where something is said.
    pub(crate) source: Source,
    /// What the files say, for everything that hangs on rules: tunnels, addresses.
    pub document: Document,
}

/// A device rule with its selection entry.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its header in the file.
    pub span: Span,
    /// 1-based line of the header.
    pub line: u32,
    /// What it is in the selection string.
    pub entry: Entry,
}

/// `[defaults]`, each with its line.
#[derive(Clone, Debug)]
pub struct Fates {
    /// Mass storage, class 01xx.
    pub storage: Decision,
    /// Network controllers, class 02xx.
    pub network: Decision,
    /// USB controllers, class 0c03, where the file says it.
    pub usb: Option<Decision>,
    /// Everything else.
    pub other: Decision,
}

/// One default.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    /// What becomes of the device.
    pub fate: Fate,
    /// Where the file says so.
    pub span: Span,
    /// 1-based line of it.
    pub line: u32,
}

impl Policy {
    /// The policy of a document, if nothing it needs is missing.
    pub(crate) fn new(context: &Context<'_>, source: &Source) -> Option<Self> {
        let document = context.document;
        document.policy.as_ref()?;
        let rules = context.rules().map(|(device, entry)| {
            Some(Rule {
                name: device.name.as_ref()?.value.as_str().to_owned(),
                span: device.span,
                line: line(source, device.span),
                entry: entry?.clone(),
            })
        });
        let boot = document.boot.as_ref().and_then(|boot| boot.next.as_ref());
        let status = document.guest.as_ref().and_then(|guest| guest.status.as_ref());
        let serial = document.log.as_ref().and_then(|log| log.serial.as_ref());
        Some(Self {
            name: document.name.as_ref()?.value.as_str().to_owned(),
            rules: rules.collect::<Option<_>>()?,
            defaults: Fates::new(document.defaults.as_ref()?, source)?,
            boot_next: boot.map(|next| next.value.0.clone()),
            guest_status: status.is_some_and(|status| status.value),
            serial: serial.map_or(SerialPort::Com1, |serial| serial.value),
            storage: storage::lower(document)?,
            network: network::lower(document)?,
            source_hash: source.hash(),
            source: source.clone(),
            document: document.clone(),
        })
    }
}

impl Policy {
    /// The name of the file that a place in the policy is in.
    #[must_use]
    pub fn file_at(&self, span: Span) -> &str {
        self.source.name_at(span.start)
    }
}

/// The names under which tunnels' keys are in the key store, each once, in file order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyNames {
    /// `private-key` of each tunnel.
    pub private: Vec<String>,
    /// `preshared-key` of their peers.
    pub preshared: Vec<String>,
}

impl Policy {
    /// What keys tunnels need from the key store.
    #[must_use]
    pub fn key_names(&self) -> KeyNames {
        let mut names = KeyNames::default();
        let note = |list: &mut Vec<String>, name: &str| {
            if !list.iter().any(|known| known == name) {
                list.push(name.to_owned());
            }
        };
        for tunnel in self.document.tunnels() {
            let peers = tunnel.table.peers().iter();
            if let Some(name) = &tunnel.table.private_key {
                note(&mut names.private, name.value.as_str());
            }
            for name in peers.filter_map(|peer| peer.preshared_key.as_ref()) {
                note(&mut names.preshared, name.value.as_str());
            }
        }
        names
    }
}

impl Fates {
    fn new(defaults: &Defaults, source: &Source) -> Option<Self> {
        let decision = |fate: &Located<Fate>| Decision {
            fate: fate.value,
            span: fate.span,
            line: line(source, fate.span),
        };
        Some(Self {
            storage: decision(defaults.storage.as_ref()?),
            network: decision(defaults.network.as_ref()?),
            usb: defaults.usb.as_ref().map(decision),
            other: decision(defaults.other.as_ref()?),
        })
    }
}

fn line(source: &Source, span: Span) -> u32 {
    u32::try_from(source.position(span.start).line).unwrap_or(u32::MAX)
}
