//! Cut off at any moment, a conversion goes on by the same call, and by no other.

use super::bench::{Bench, ends, told};
use crate::{root, text};
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Starts a call and kills it; says whether it had ended by itself.
fn killed(bench: &Bench, action: &str, after: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .current_dir(root())
        .args(bench.arguments(action, "passphrase"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(after);
    // It may have ended just before.
    let _ = child.kill();
    child.wait().unwrap().success()
}

#[test]
fn killed_at_a_hundred_moments_it_goes_on_and_loses_nothing() {
    let bench = Bench::new("killed");
    let plain = bench.image();
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    let encrypted = bench.image();
    let (mut kills, mut moment) = (0, 0_u64);
    let directions = [
        ("decrypt", "decrypted", &plain),
        ("encrypt", "encrypted", &encrypted),
    ];
    for (action, done, expected) in directions.into_iter().cycle() {
        if kills >= 100 {
            break;
        }
        // Until it ends by itself, or ten times.
        for _ in 0..10 {
            moment = (moment * 1_103_515_245 + 12_345) % (1 << 31);
            if killed(&bench, action, Duration::from_micros(moment % 200_000)) {
                break;
            }
            kills += 1;
        }
        let last = bench.disk(action);
        // Where the last kill came behind the end, there is nothing left to do.
        let nothing_left = ["already encrypted", "it is not encrypted"]
            .iter()
            .any(|it| text(&last.stdout).contains(it) || text(&last.stderr).contains(it));
        assert!(
            nothing_left || text(&last.stdout).contains(done),
            "{}",
            text(&last.stderr)
        );
        assert!(bench.image() == *expected, "after {kills} kills, {action}");
    }
}

/// A call that was cut off: killed until the journal is there and the volume half done.
fn half_done(name: &str) -> Bench {
    let bench = Bench::new(name);
    let journal = bench.path("keys/volumes/system.journal");
    let mut wait = 1000;
    loop {
        let ended = killed(&bench, "encrypt", Duration::from_micros(wait));
        let begun = fs::metadata(&journal).is_ok_and(|journal| journal.len() > 8192);
        if begun && !ended {
            return bench;
        }
        if ended {
            ends(&bench.disk("decrypt"), 0, "volume `system`: decrypted\n");
            wait /= 2;
        } else {
            wait += wait / 3;
        }
    }
}

#[test]
fn a_half_done_volume_is_kept_from_cryptsetup_and_goes_one_way_only() {
    let bench = half_done("half-done");
    told(&bench.disk("verify"), 1, "it is half converted");
    told(
        &bench.disk("decrypt"),
        1,
        "it is half converted in the other direction: finish that first",
    );
    let (header, recovery) = (bench.path("keys/volumes/system.luks2"), bench.path("recovery"));
    let refused = Command::new("cryptsetup")
        .args(["luksAddKey", "--key-file", &recovery, &header, &recovery])
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let told = text(&refused.stderr);
    assert!(told.contains("Unmet LUKS2 requirements"), "{told}");
}

#[test]
fn a_half_done_volume_without_its_whole_journal_is_refused() {
    let bench = half_done("no-journal");
    let journal = bench.path("keys/volumes/system.journal");
    let whole = fs::read(&journal).unwrap();
    fs::remove_file(&journal).unwrap();
    told(&bench.disk("encrypt"), 1, "its journal is not in the key store");
    let mut damaged = whole.clone();
    damaged[100] ^= 1;
    fs::write(&journal, damaged).unwrap();
    told(&bench.disk("encrypt"), 1, "its journal is damaged");
    fs::write(&journal, whole).unwrap();
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
}

#[test]
fn a_half_done_volume_goes_on_on_its_own_disk_only() {
    let (bench, other) = (half_done("own-disk"), Bench::new("other-disk"));
    fs::rename(bench.path("image"), bench.path("own")).unwrap();
    fs::copy(other.path("image"), bench.path("image")).unwrap();
    told(
        &bench.disk("encrypt"),
        1,
        "it was begun with another header, disk or place",
    );
    assert!(bench.image() == other.image());
    fs::rename(bench.path("own"), bench.path("image")).unwrap();
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
}
