//! Volumes are unlocked before anything of the machine is taken, and what cannot be unlocked is not booted: each a sentence
//! on the console, and power off.

use sekisho_abi::storage::{SECRETS_FILE, Storage};
use sekisho_policy::{Source, check};
use sekisho_system::appliance::Appliance;
use sekisho_system::command::PASSPHRASE;
use sekisho_system::failure::Failure;
use sekisho_system::key_store::KeyStore;
use sekisho_system::machine::{Ending, Machine, Running};
use sekisho_system::paths;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One volume called `system`.
const POLICY: &str = "examples/encrypted-disk.toml";
const HEADER: &str = "volumes/system.luks2";
const PROMPT: &str = "sekisho: passphrase or recovery key for system: ";
const PATIENCE: Duration = Duration::from_secs(120);

/// The policy with three attempts, and the hypervisor's log apart from the console.
pub(crate) fn policy() -> Result<String, Failure> {
    let path = paths::root().join(POLICY);
    let text = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
    Ok(text
        .replace("attempts = 5", "attempts = 3")
        .replace("serial = \"com1\"", "serial = \"com2\""))
}

/// What a policy says about disks.
pub(crate) fn storage(policy: &str) -> Storage {
    let report = check(&Source::new(POLICY.to_owned(), policy.as_bytes().to_vec()));
    report.policy.map(|policy| policy.storage).unwrap_or_default()
}

/// The disk of the policy's image with the files of `keys`.
pub(crate) fn image(name: &str, keys: &KeyStore) -> Result<PathBuf, Failure> {
    let appliance = Appliance::from_policy(POLICY, &policy()?)?;
    appliance.with_keys(keys.files.clone()).disk(name)
}

/// Boots the policy's image after `change` was made to its key store.
fn boot(name: &str, change: impl FnOnce(&mut KeyStore)) -> Result<(Running, KeyStore), Failure> {
    let mut keys = KeyStore::new(&storage(&policy()?), Vec::new())?;
    change(&mut keys);
    Ok((Machine::bare(&image(name, &keys)?).start(name)?, keys))
}

/// Waits for the prompt and types `answer`.
pub(crate) fn answer(machine: &mut Running, answer: &str) -> Result<(), Failure> {
    machine.expect_com1(PROMPT, PATIENCE)?;
    let typed = machine.com1.type_text(&format!("{answer}\r"));
    typed.map_err(Failure::file("COM1"))
}

/// Expects `reason`, what to do, and power off at a key.
pub(crate) fn refused(mut machine: Running, reason: &str) -> Result<(), Failure> {
    machine.expect_com1(&format!("sekisho: refused to boot: {reason}"), PATIENCE)?;
    machine.expect_com1("sekisho: what to do: ", PATIENCE)?;
    machine.expect_com1("powering off", PATIENCE)?;
    machine.com1.type_text("x").map_err(Failure::file("COM1"))?;
    match machine.wait_end(PATIENCE)? {
        Ending::PoweredOff => Ok(()),
        other => Err(machine.refute(format!("the machine did not power off: {other:?}"))),
    }
}

#[test]
fn wrong_answers_are_counted_cost_time_and_end_in_power_off() -> Result<(), Failure> {
    let (mut machine, _) = boot("unlock-wrong", |_| {})?;
    answer(&mut machine, "wrong horse")?;
    machine.expect_com1("2 of 3 attempts left, the next in 1 s", PATIENCE)?;
    answer(&mut machine, "wrong battery")?;
    machine.expect_com1("1 of 3 attempts left, the next in 2 s", PATIENCE)?;
    let told = Instant::now();
    answer(&mut machine, "wrong staple")?;
    let pause = told.elapsed();
    if pause < Duration::from_millis(1900) {
        return Err(machine.refute(format!("the next attempt was open after {pause:?}")));
    }
    if machine.com1.text().contains("horse") {
        return Err(machine.refute("an answer was shown"));
    }
    refused(machine, "3 wrong answers were given")
}

#[test]
fn the_passphrase_unlocks_after_it_was_corrected_while_typing() -> Result<(), Failure> {
    let (mut machine, _) = boot("unlock-passphrase", |_| {})?;
    // Ctrl-U takes all back, backspace one.
    answer(&mut machine, &format!("wrong\u{15}{PASSPHRASE}x\u{8}"))?;
    machine.expect_com1("sekisho: unlocked", PATIENCE)?;
    Ok(())
}

#[test]
fn the_recovery_key_unlocks_without_its_dashes_and_a_mistyped_one_says_where() -> Result<(), Failure> {
    let (mut machine, keys) = boot("unlock-recovery", |_| {})?;
    let swapped: String = [&keys.recovery[1..2], &keys.recovery[..1], &keys.recovery[2..]].concat();
    answer(&mut machine, &swapped)?;
    machine.expect_com1("group 1 of the recovery key is mistyped", PATIENCE)?;
    answer(&mut machine, &keys.recovery.replace('-', ""))?;
    machine.expect_com1("sekisho: unlocked", PATIENCE)?;
    Ok(())
}

/// Damages the first `copies` of both headers' metadata.
fn damage(keys: &mut KeyStore, copies: usize) {
    for bytes in keys.files.values_mut() {
        // Each copy of ours has 16 KiB; its JSON begins behind 4 KiB.
        let in_json = bytes.iter_mut().skip(4100).step_by(16 << 10);
        in_json.take(copies).for_each(|byte| *byte ^= 1);
    }
}

#[test]
fn damaged_first_copies_of_the_headers_are_told_and_the_second_ones_serve() -> Result<(), Failure> {
    let (mut machine, _) = boot("unlock-primary", |keys| damage(keys, 1))?;
    for path in [SECRETS_FILE, HEADER] {
        let sentence = format!("sekisho: {path}: the first copy of the header is damaged");
        machine.expect_com1(&sentence, PATIENCE)?;
    }
    answer(&mut machine, PASSPHRASE)?;
    machine.expect_com1("sekisho: unlocked", PATIENCE)?;
    Ok(())
}

#[test]
fn two_damaged_copies_are_refused() -> Result<(), Failure> {
    let (machine, _) = boot("unlock-both", |keys| damage(keys, 2))?;
    refused(
        machine,
        "secrets.sealed: both copies of the LUKS2 header are damaged",
    )
}

#[test]
fn a_missing_file_is_refused_by_its_name() -> Result<(), Failure> {
    for path in [SECRETS_FILE, HEADER] {
        let name = path.replace('/', "-");
        let (machine, _) = boot(&format!("unlock-without-{name}"), |keys| {
            keys.files.remove(path);
        })?;
        refused(machine, &format!("{path} cannot be read: it is not there"))?;
    }
    Ok(())
}
