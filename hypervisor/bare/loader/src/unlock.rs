//! Unlocking: the key store beside the loader, the question, and what an answer brings.

use crate::console::{ask, say};
use crate::refuse::Refusal;
use crate::store;
use alloc::string::String;
use sekisho_abi::compiled::CompiledPolicy;
use sekisho_crypto::secret::SecretBytes;
use sekisho_keys::luks2::Condition;
use sekisho_keys::store::{Locked, Store};
use sekisho_mediator::boot::prompt::{Attempts, Wrong, question, wanted};
use uefi::boot;

/// The secrets of a policy that names keys, for the hypervisor. They are wiped when dropped, as is everything that led to
/// them.
pub(crate) fn unlock(policy: &CompiledPolicy) -> Result<Option<SecretBytes>, Refusal> {
    if !policy.needs_keys() {
        return Ok(None);
    }
    let storage = &policy.storage;
    let store = Store::read(storage, store::read)?;
    show(&store);
    let question = question(storage.unlock, names(policy));
    let mut attempts = Attempts::new(storage.unlock);
    loop {
        let answer = ask(&question);
        say!("unlocking");
        let mistyped = match store.unlock(storage.unlock, answer.expose()) {
            Ok(secrets) => {
                say!("unlocked");
                return Ok(Some(secrets.to_bytes()));
            }
            Err(Locked::Wrong { mistyped }) => mistyped,
            Err(locked) => return Err(Refusal::Locked(locked)),
        };
        drop(answer);
        if let Some(mistyped) = mistyped {
            say!("{mistyped}");
        }
        match attempts.wrong() {
            Wrong::NoneLeft => return Err(Refusal::Attempts(storage.unlock.attempts)),
            Wrong::Again { left, pause } => {
                say!(
                    "wrong {}: {left} of {} attempts left, the next in {} s",
                    wanted(storage.unlock),
                    storage.unlock.attempts,
                    pause.as_secs()
                );
                boot::stall(pause);
            }
        }
    }
}

/// What is unlocked: volumes, and tunnels.
fn names(policy: &CompiledPolicy) -> impl Iterator<Item = &str> {
    let volumes = policy.storage.volumes.iter().map(|volume| &volume.name);
    let tunnels = policy.network.tunnels.iter().map(|tunnel| &tunnel.name);
    volumes.chain(tunnels).map(String::as_str)
}

/// Says which keys are asked for, by what anyone may know of them, and what of the headers is damaged.
fn show(store: &Store) {
    for volume in &store.volumes {
        let (key, header) = (volume.header.key_id(), volume.header.uuid());
        say!("volume {}: key {key}, header {header}", volume.name);
    }
    for (path, header, _) in store.files() {
        match header.condition() {
            Condition::Whole => {}
            condition => say!("{path}: {condition}; going on with the other. Write the image anew"),
        }
    }
}
