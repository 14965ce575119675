//! Unlocking: the key store beside the loader, the question, and what an answer brings.

use crate::console::{ask, say};
use crate::refuse::Refusal;
use crate::store;
use sekisho_abi::storage::Storage;
use sekisho_crypto::secret::SecretBytes;
use sekisho_keys::luks2::Condition;
use sekisho_keys::store::{Locked, Store};
use sekisho_mediator::boot::prompt::{Attempts, Wrong, question, wanted};
use uefi::boot;

/// The secrets of a policy with volumes, for the hypervisor. They are wiped when dropped, as is everything that led to
/// them.
pub(crate) fn unlock(storage: &Storage) -> Result<Option<SecretBytes>, Refusal> {
    if storage.volumes.is_empty() {
        return Ok(None);
    }
    let store = Store::read(storage, store::read)?;
    show(&store);
    let question = question(
        storage.unlock,
        storage.volumes.iter().map(|volume| volume.name.as_str()),
    );
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
