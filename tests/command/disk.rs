//! `sekisho disk`: a partitioned image, encrypted in place, judged by stock cryptsetup; killed at random moments, and
//! refused where going on would lose data.

use super::{root, sekisho, text};
use sekisho_abi::storage::PinKind;
use sekisho_keys::recovery::RecoveryKey;
use sekisho_keys::secrets::{self, Secrets};
use sekisho_keys::store::{Openers, create};
use sekisho_keys::{NoRandomness, Random};
use sekisho_policy::{Source, check, lower};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

const POLICY: &str = "examples/encrypted-disk.toml";
const PASSPHRASE: &str = "correct horse battery";
/// The volume: partition 3, not a whole number of chunks.
const FIRST: u64 = 10240;
const LAST: u64 = 10240 + 20 * 2048 + 79;
const SIZE: u64 = 32 << 20;

/// The operating system's randomness.
struct System;

impl Random for System {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        let read = File::open("/dev/urandom").and_then(|mut source| source.read_exact(bytes));
        read.map_err(|_| NoRandomness)
    }
}

/// One test's image, key store and passphrase.
struct Bench {
    folder: PathBuf,
}

impl Bench {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("keys/volumes")).unwrap();
        let bench = Self { folder };
        bench.make_image();
        bench.make_keys();
        bench
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Every sector says where it is; the table is gdisk's.
    fn make_image(&self) {
        let lines: Vec<u8> = (0..SIZE / 512)
            .flat_map(|sector| {
                format!("plaintext of sector {sector:08} ")
                    .into_bytes()
                    .repeat(18)[..512]
                    .to_vec()
            })
            .collect();
        fs::write(self.path("image"), lines).unwrap();
        run(Command::new("sgdisk").args([
            "--zap-all",
            "--new=1:2048:+1M",
            "--typecode=1:ef00",
            "--change-name=1:guest",
            "--new=2:6144:+1M",
            "--typecode=2:ef00",
            "--change-name=2:sekisho",
            &format!("--new=3:{FIRST}:{LAST}"),
            &self.path("image"),
        ]));
    }

    /// As `sekisho keys init` makes them, but cheap to open.
    fn make_keys(&self) {
        let source = Source::new(POLICY.to_owned(), fs::read(root().join(POLICY)).unwrap());
        let storage = lower(&check(&source).policy.unwrap()).storage;
        let recovery = RecoveryKey::generate(&mut System).unwrap();
        let openers = Openers {
            passphrase: PASSPHRASE.as_bytes(),
            recovery: &recovery,
            costs: sekisho_crypto::argon2::Costs {
                memory: 32,
                passes: 4,
                lanes: 1,
            },
        };
        let store = create(&storage, &openers, &mut System).unwrap();
        let header = store.volumes[0].header.file();
        fs::write(self.path("keys/volumes/system.luks2"), header).unwrap();
        let sealed = store.sealed.seal(&mut System).unwrap();
        fs::write(self.path("keys/secrets.sealed"), sealed).unwrap();
        fs::write(self.path("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
        fs::write(self.path("recovery"), recovery.text()).unwrap();
    }

    fn arguments(&self, action: &str) -> Vec<String> {
        let (image, keys, passphrase) = (self.path("image"), self.path("keys"), self.path("passphrase"));
        let words = [
            "disk",
            action,
            &image,
            "--policy",
            POLICY,
            "--keys",
            &keys,
            "--passphrase-file",
            &passphrase,
            "--threads",
            "2",
        ];
        words.map(str::to_owned).to_vec()
    }

    fn disk(&self, action: &str) -> Output {
        let arguments = self.arguments(action);
        sekisho(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn image(&self) -> Vec<u8> {
        fs::read(self.path("image")).unwrap()
    }

    fn volume(&self) -> Vec<u8> {
        self.image()[at(FIRST)..at(LAST + 1)].to_vec()
    }

    fn secrets(&self) -> Secrets {
        let file = fs::read(self.path("keys/secrets.sealed")).unwrap();
        secrets::unlock(&file, PASSPHRASE.as_bytes()).unwrap().secrets
    }
}

fn at(block: u64) -> usize {
    usize::try_from(block * 512).unwrap()
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
}

fn ends(output: &Output, code: i32, stdout: &str, stderr: &str) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), out), (Some(code), stdout), "{err}");
    assert!(
        err.contains(stderr) && stderr.is_empty() == err.is_empty(),
        "{err}"
    );
}

/// Ends with this code, and says this among others on stderr.
fn told(output: &Output, code: i32, stderr: &str) {
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{err}");
    assert!(err.contains(stderr), "{err}");
}

#[test]
fn stock_cryptsetup_turns_what_was_encrypted_into_the_original() {
    let bench = Bench::new("cryptsetup");
    let before = bench.image();
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n", "");
    let after = bench.image();
    assert!(before[..at(FIRST)] == after[..at(FIRST)], "before the volume");
    assert!(
        before[at(LAST + 1)..] == after[at(LAST + 1)..],
        "behind the volume"
    );
    let volume = bench.volume();
    assert!(
        volume
            .chunks(16)
            .zip(before[at(FIRST)..].chunks(16))
            .all(|(now, then)| now != then)
    );
    // On the partition alone, with the recovery key.
    fs::write(bench.path("partition"), volume).unwrap();
    run(Command::new("cryptsetup").args([
        "reencrypt",
        "--decrypt",
        "--force-offline-reencrypt",
        "--batch-mode",
        "--key-file",
        &bench.path("recovery"),
        "--header",
        &bench.path("keys/volumes/system.luks2"),
        &bench.path("partition"),
    ]));
    assert!(fs::read(bench.path("partition")).unwrap() == before[at(FIRST)..at(LAST + 1)]);
}

#[test]
fn decrypting_gives_the_image_back_and_each_state_is_told() {
    let bench = Bench::new("there-and-back");
    let before = bench.image();
    let never = "volume `system` was never encrypted: run `sekisho disk encrypt`";
    told(&bench.disk("verify"), 1, never);
    told(&bench.disk("decrypt"), 1, "volume `system`: it is not encrypted");
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n", "");
    let encrypted = bench.image();
    let verified = bench.disk("verify");
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stderr));
    let fits = "blocks 10240 to 51279, 1001 sectors looked at: fits policy, keys and disk\n";
    assert!(
        text(&verified.stdout).ends_with(fits),
        "{}",
        text(&verified.stdout)
    );
    ends(
        &bench.disk("encrypt"),
        0,
        "volume `system`: already encrypted\n",
        "",
    );
    assert!(bench.image() == encrypted);
    ends(&bench.disk("decrypt"), 0, "volume `system`: decrypted\n", "");
    assert!(bench.image() == before);
    assert_eq!(bench.secrets().pins, []);
    told(&bench.disk("verify"), 1, never);
}

#[test]
fn the_volume_and_the_partition_in_clear_are_pinned() {
    let bench = Bench::new("pins");
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n", "");
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
fn plaintext_in_a_volume_that_should_be_encrypted_is_found() {
    let bench = Bench::new("plain");
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n", "");
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

/// Starts a call and kills it; says whether it had ended by itself.
fn killed(bench: &Bench, action: &str, after: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sekisho"))
        .current_dir(root())
        .args(bench.arguments(action))
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
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n", "");
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
            ends(&bench.disk("decrypt"), 0, "volume `system`: decrypted\n", "");
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
    ends(&bench.disk("encrypt"), 0, "volume `system`: encrypted\n", "");
}
