//! A checked policy as the hypervisor reads it, and what this build's hypervisor cannot enforce yet.

pub(crate) mod network;
pub(crate) mod storage;

use crate::diagnostic::Diagnostic;
use crate::policy::Policy;
use crate::rules::unsupported;
use crate::schema::{Document, SerialPort};
use sekisho_abi::compiled::{CompiledPolicy, FORMAT, Serial};
use sekisho_abi::origin::{Origin, Origins};
use sekisho_abi::selection::Selection;

/// Stable code of [`unsupported`]'s diagnostics.
pub const UNSUPPORTED: &str = unsupported::RULE.code;

/// The compiled policy of the image. [`unsupported`] says whether it enforces everything the file says.
#[must_use]
pub fn lower(policy: &Policy) -> CompiledPolicy {
    let entries = policy.selection();
    let origins = entries.iter().map(|traced| Origin {
        rule: traced.rule.clone(),
        file: policy.source.index_at(traced.span.start),
        line: traced.line,
    });
    let origins = Origins {
        files: policy.source.portable_names(),
        entries: origins.collect(),
    };
    CompiledPolicy {
        format: FORMAT,
        name: policy.name.clone(),
        source_hash: policy.source_hash,
        origins,
        selection: Selection {
            entries: entries.into_iter().map(|traced| traced.entry).collect(),
        },
        boot_next: policy.boot_next.clone(),
        guest_status: policy.guest_status,
        serial: match policy.serial {
            SerialPort::Com1 => Serial::Com1,
            SerialPort::Com2 => Serial::Com2,
            SerialPort::Off => Serial::Off,
        },
        storage: policy.storage.clone(),
        network: policy.network.clone(),
    }
}

/// Everything in the policy that this build's hypervisor cannot enforce, in file order.
///
/// An image that promised it would be protection that somebody believes in, so `image build` refuses it.
#[must_use]
pub fn unsupported(policy: &Policy) -> Vec<Diagnostic> {
    let document = &policy.document;
    let mut found = network::unsupported(document);
    found.extend(
        document
            .services()
            .filter(|service| service.name != Document::ECHO)
            .map(|it| unsupported::finding(it.span, &format!("`[{}]`", it.name))),
    );
    found.sort_by_key(|diagnostic| diagnostic.primary.span);
    found
}
