//! `sekisho disk`: a partitioned image, encrypted in place, judged by stock cryptsetup, and refused where going on would
//! lose data.

mod bench;
mod killed;
mod shapes;

use crate::{sekisho, text};
use bench::{Bench, FIRST, LAST, SIZE, at, ends, run, told};
use sekisho_abi::storage::PinKind;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

#[test]
fn stock_cryptsetup_turns_what_was_encrypted_into_the_original() {
    let bench = Bench::new("cryptsetup");
    let before = bench.image();
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    let after = bench.image();
    assert!(before[..at(FIRST)] == after[..at(FIRST)], "before the volume");
    assert!(
        before[at(LAST + 1)..] == after[at(LAST + 1)..],
        "behind the volume"
    );
    let volume = &after[at(FIRST)..at(LAST + 1)];
    let original = &before[at(FIRST)..at(LAST + 1)];
    assert!(
        volume
            .chunks(16)
            .zip(original.chunks(16))
            .all(|(now, then)| now != then)
    );
    assert!(bench.decrypted_by_cryptsetup(volume) == original);
}

#[test]
fn a_policy_that_extends_another_serves_keys_disks_and_images() {
    let bench = Bench::new("extends");
    bench.extend("name = \"site\"\n");
    let before = bench.image();
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    assert!(bench.image() != before);
    ends(&bench.disk("decrypt"), 0, "volume `system`: decrypted\n");
    assert!(bench.image() == before);
    let [policy, keys, image] = ["policy.toml", "keys", "appliance.img"].map(|name| bench.path(name));
    let built = sekisho(&["image", "build", &policy, "--keys", &keys, "-o", &image]);
    assert_eq!(built.status.code(), Some(0), "{}", text(&built.stderr));
    let told = sekisho(&["image", "inspect", &image]);
    let told = text(&told.stdout);
    assert!(
        told.contains("policy       site\n") && told.contains("system"),
        "{told}"
    );
}

#[test]
fn decrypting_gives_the_image_back_and_each_state_is_told() {
    let bench = Bench::new("there-and-back");
    let before = bench.image();
    let never = "error: volume `system` was never encrypted: run `sekisho disk encrypt`";
    told(&bench.disk("verify"), 1, never);
    told(&bench.disk("decrypt"), 1, "volume `system`: it is not encrypted");
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    let encrypted = bench.image();
    let verified = bench.disk("verify");
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stderr));
    let fits = "blocks 10240 to 51279, 1001 sectors looked at: fits policy, keys and disk\n";
    assert!(
        text(&verified.stdout).ends_with(fits),
        "{}",
        text(&verified.stdout)
    );
    ends(&bench.disk("encrypt"), 0, "volume `system`: already encrypted\n");
    assert!(bench.image() == encrypted);
    ends(&bench.disk("decrypt"), 0, "volume `system`: decrypted\n");
    assert!(bench.image() == before);
    assert_eq!(bench.secrets().pins, []);
    told(&bench.disk("verify"), 1, never);
}

#[test]
fn the_volume_and_the_partition_in_clear_are_pinned() {
    let bench = Bench::new("pins");
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    let pins = bench.secrets().pins;
    let places: Vec<_> = pins
        .iter()
        .map(|pin| (pin.name.as_str(), pin.kind, pin.first, pin.last))
        .collect();
    let expected = [
        ("system", PinKind::Volume, FIRST, LAST),
        ("\"esp\"", PinKind::Clear, 2048, 4095),
    ];
    assert_eq!(places, expected);
    assert!(
        pins.iter()
            .all(|pin| (pin.block_size, pin.blocks) == (512, SIZE / 512))
    );
    // The table is edited: the partition begins eight sectors later.
    let moved = format!("--new=3:{}:{LAST}", FIRST + 8);
    run(Command::new("sgdisk").args(["--set-alignment=1", "--delete=3", &moved, &bench.path("image")]));
    let sentence = "system: its first block was 10240 when its disk was encrypted, and is 10248";
    told(&bench.disk("verify"), 1, sentence);
    told(&bench.disk("encrypt"), 1, sentence);
}

#[test]
fn a_partition_in_clear_that_does_not_exist_is_told_and_no_error() {
    let bench = Bench::new("absent");
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    let policy = fs::read_to_string(bench.path("policy.toml")).unwrap();
    let with_boot = policy.replace("[\"esp\"]", "[\"esp\", \"boot\"]");
    fs::write(bench.path("policy.toml"), with_boot).unwrap();
    let verified = bench.disk("verify");
    let warning = "warning: no partition of the disk is the \"boot\" of [clear]\n";
    assert_eq!(
        (verified.status.code(), text(&verified.stderr)),
        (Some(0), warning)
    );
}

#[test]
fn plaintext_in_a_volume_that_should_be_encrypted_is_found() {
    let bench = Bench::new("plain");
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    let image = File::options().write(true).open(bench.path("image")).unwrap();
    image.write_all_at(&[b'x'; 512], 10240 * 512).unwrap();
    told(
        &bench.disk("verify"),
        1,
        "1 of its sectors look like plaintext, the first at block 10240",
    );
}

#[test]
fn a_wrong_passphrase_changes_nothing() {
    let bench = Bench::new("wrong-passphrase");
    let before = bench.image();
    fs::write(bench.path("passphrase"), "incorrect").unwrap();
    told(&bench.disk("encrypt"), 1, "no keyslot opens with this passphrase");
    assert!(bench.image() == before);
    assert!(!Path::new(&bench.path("keys/volumes/system.journal")).exists());
}

#[test]
fn an_image_that_somebody_works_on_is_left_alone() {
    let bench = Bench::new("in-use");
    let image = File::open(bench.path("image")).unwrap();
    image.lock().unwrap();
    told(&bench.disk("encrypt"), 2, "it is in use");
}

#[test]
fn a_damaged_partition_table_is_not_believed() {
    let bench = Bench::new("table");
    let image = File::options().write(true).open(bench.path("image")).unwrap();
    image.write_all_at(b"x", SIZE - 512).unwrap();
    told(
        &bench.disk("encrypt"),
        1,
        "the second copy of the partition table is damaged",
    );
}

#[test]
fn a_header_of_another_key_store_is_refused() {
    let (bench, other) = (Bench::new("own-store"), Bench::new("other-store"));
    let header = "keys/volumes/system.luks2";
    fs::copy(other.path(header), bench.path(header)).unwrap();
    told(
        &bench.disk("encrypt"),
        1,
        "the sealed secrets and its header are of different key stores",
    );
}

#[test]
fn one_store_encrypts_one_disk() {
    let (bench, other) = (Bench::new("first-disk"), Bench::new("second-disk"));
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n");
    // The same partitions under another disk's GUID.
    fs::copy(other.path("image"), bench.path("image")).unwrap();
    told(
        &bench.disk("encrypt"),
        1,
        "system is on another disk than when it was encrypted",
    );
    assert!(bench.image() == other.image());
}
