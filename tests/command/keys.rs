//! `sekisho keys`: what is made opens with stock cryptsetup, nothing is overwritten, and each call says what went wrong.

use super::{GOOD, command, sekisho, text};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A guess that costs next to nothing.
const CHEAP: [&str; 4] = ["--argon2-memory", "64", "--argon2-time", "4"];

/// One test's folder, with passphrases in files and perhaps a store.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let folder = Self(folder);
        fs::write(folder.path("first"), "correct horse\n").unwrap();
        fs::write(folder.path("second"), "bold brick").unwrap();
        folder
    }

    /// With the store of the example policy.
    fn with_store(name: &str) -> Self {
        let folder = Self::new(name);
        let made = folder.init("store");
        assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn init(&self, store: &str) -> Output {
        let (store, first, recovery) = (self.path(store), self.path("first"), self.path("recovery"));
        let fixed = [
            "keys",
            "init",
            &store,
            "--policy",
            GOOD,
            "--passphrase-file",
            &first,
        ];
        sekisho(&[fixed.as_slice(), &["--recovery-file", &recovery], &CHEAP].concat())
    }

    /// Calls `sekisho keys ACTION STORE --passphrase-file OPENER …`.
    fn keys(&self, action: &str, opener: &str, more: &[&str]) -> Output {
        let (store, opener) = (self.path("store"), self.path(opener));
        sekisho(&[&["keys", action, &store, "--passphrase-file", &opener], more].concat())
    }

    /// Whether cryptsetup opens the volume's header with the passphrase in a file, and the store opens as well.
    fn opens(&self, passphrase: &str) -> bool {
        let bytes = fs::read_to_string(self.path(passphrase)).unwrap();
        fs::write(self.path("bare"), bytes.trim_end_matches('\n')).unwrap();
        fs::write(self.path("device"), [0; 1 << 20]).unwrap();
        let (header, bare) = (self.path("store/volumes/system.luks2"), self.path("bare"));
        let theirs = Command::new("cryptsetup")
            .args([
                "open",
                "--test-passphrase",
                "--key-file",
                &bare,
                "--header",
                &header,
            ])
            .arg(self.path("device"))
            .output()
            .expect("cryptsetup; `make setup` installs it");
        let ours = self.keys("show", passphrase, &[]);
        assert_eq!(
            theirs.status.success(),
            ours.status.success(),
            "{}",
            text(&ours.stderr)
        );
        ours.status.success()
    }
}

fn done(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// What a call that is refused says.
fn refused(output: &Output) -> &str {
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

#[test]
fn a_new_store_opens_with_passphrase_and_recovery_key_and_is_its_owners_alone() {
    let folder = Folder::new("init");
    let made = folder.init("store");
    let told = done(&made);
    assert!(told.contains("wireguard public key hq: "), "{told}");
    assert!(
        !told.contains("recovery"),
        "the recovery key went to its file: {told}"
    );
    assert!(folder.opens("first") && folder.opens("recovery") && !folder.opens("second"));
    assert_eq!(fs::read(folder.path("recovery")).unwrap().len(), 55);
    let mode = |name: &str| fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777;
    for (name, expected) in [
        ("store", 0o700),
        ("store/volumes", 0o700),
        ("store/volumes/system.luks2", 0o600),
        ("store/secrets.sealed", 0o600),
        ("recovery", 0o600),
    ] {
        assert_eq!(mode(name), expected, "{name}");
    }
}

#[test]
fn what_is_printed_for_the_server_is_what_wg_reads() {
    let folder = Folder::new("peer");
    let made = folder.init("store");
    let told = done(&made);
    let section: String = told
        .lines()
        .skip_while(|line| !line.starts_with("# "))
        .map(|line| format!("{line}\n"))
        .collect();
    let server =
        "[Interface]\nPrivateKey = YAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nListenPort = 51820\n";
    fs::write(folder.path("server.conf"), format!("{server}{section}")).unwrap();
    let script = "wireguard-go -f keys-init & go=$!; for try in $(seq 100); do wg show keys-init >&2 && break; sleep 0.1; done; \
                  wg setconf keys-init \"$0\" && wg show keys-init dump; result=$?; kill $go; wait $go; exit $result";
    let shown = Command::new("unshare")
        .args(["--net", "sh", "-c", script, &folder.path("server.conf")])
        .output()
        .expect("unshare, with the rights of root; wireguard-go and wg: `make setup` installs them");
    let peer = done(&shown).lines().nth(1).unwrap_or_default();
    let public = told.lines().next().unwrap_or_default();
    let public = public.strip_prefix("wireguard public key hq: ").unwrap();
    let fields: Vec<&str> = peer.split('\t').collect();
    assert_eq!([fields[0], fields[3]], [public, "10.66.0.2/32"], "{peer}");
    assert_eq!(fields[1].len(), 44, "a preshared key: {peer}");
}

#[test]
fn without_a_file_the_recovery_key_is_printed_once() {
    let folder = Folder::new("printed");
    let (store, first) = (folder.path("store"), folder.path("first"));
    let fixed = [
        "keys",
        "init",
        &store,
        "--policy",
        GOOD,
        "--passphrase-file",
        &first,
    ];
    let made = sekisho(&[fixed.as_slice(), &CHEAP].concat());
    let line = done(&made).lines().last().unwrap();
    let key = line.strip_prefix("recovery key, shown this once: ").unwrap();
    fs::write(folder.path("written-down"), key.replace('-', " ")).unwrap();
    assert_eq!(folder.keys("show", "written-down", &[]).status.code(), Some(0));
}

#[test]
fn a_store_is_never_overwritten() {
    let folder = Folder::with_store("overwrite");
    let before = fs::read(folder.path("store/secrets.sealed")).unwrap();
    assert!(refused(&folder.init("store")).contains("never overwritten"));
    // Nor a recovery key of another store.
    assert_eq!(folder.init("other").status.code(), Some(2));
    assert!(!Path::new(&folder.path("other")).exists());
    assert!(fs::read(folder.path("store/secrets.sealed")).unwrap() == before);
}

#[test]
fn show_tells_everything_but_secrets_and_pins_only_to_who_can_open() {
    let folder = Folder::with_store("show");
    let sealed = sekisho(&["keys", "show", &folder.path("store")]);
    let told = done(&sealed);
    for part in [
        "volume system\n",
        "key id",
        "key of 512 bits, sectors of 512 bytes",
        "keyslot 1 recovery key",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("wireguard"), "{told}");
    let opened = folder.keys("show", "first", &[]);
    let told = done(&opened);
    assert!(
        told.contains("wireguard hq, public key") && told.contains("pin "),
        "{told}"
    );
}

#[test]
fn a_changed_passphrase_opens_nothing_more() {
    let folder = Folder::with_store("passwd");
    let new = folder.path("second");
    done(&folder.keys("passwd", "first", &["--new-passphrase-file", &new]));
    assert!(folder.opens("second") && folder.opens("recovery") && !folder.opens("first"));
}

#[test]
fn passphrases_are_added_and_removed_in_every_header() {
    let folder = Folder::with_store("add");
    let new = folder.path("second");
    let added = folder.keys("add", "recovery", &["--new-passphrase-file", &new]);
    assert!(done(&added).contains("keyslot 2"));
    assert!(folder.opens("first") && folder.opens("second"));
    done(&folder.keys("remove", "second", &["--slot", "0"]));
    assert!(!folder.opens("first") && folder.opens("second") && folder.opens("recovery"));
    assert!(refused(&folder.keys("remove", "second", &["--slot", "2"])).contains("to be removed"));
    assert!(refused(&folder.keys("remove", "second", &["--slot", "7"])).contains("no keyslot 7"));
}

#[test]
fn a_new_recovery_key_takes_the_place_of_the_old_one() {
    let folder = Folder::with_store("recovery");
    let new = folder.path("new-recovery");
    done(&folder.keys("recovery", "first", &["--recovery-file", &new]));
    assert!(folder.opens("new-recovery") && folder.opens("first") && !folder.opens("recovery"));
}

#[test]
fn a_wrong_passphrase_changes_nothing() {
    let folder = Folder::with_store("wrong");
    let before = fs::read(folder.path("store/secrets.sealed")).unwrap();
    let new = folder.path("first");
    for action in ["add", "passwd"] {
        let output = folder.keys(action, "second", &["--new-passphrase-file", &new]);
        assert!(refused(&output).contains("no keyslot opens"));
    }
    assert!(refused(&folder.keys("recovery", "second", &[])).contains("no keyslot opens"));
    assert!(fs::read(folder.path("store/secrets.sealed")).unwrap() == before);
}

#[test]
fn a_mistyped_recovery_key_names_its_group() {
    let folder = Folder::with_store("mistyped");
    let mut key = fs::read_to_string(folder.path("recovery")).unwrap();
    let wrong = if key.ends_with('0') { "1" } else { "0" };
    key.replace_range(54.., wrong);
    fs::write(folder.path("mistyped"), key).unwrap();
    assert!(refused(&folder.keys("show", "mistyped", &[])).contains("group 8"));
}

#[test]
fn a_passphrase_that_cannot_be_typed_at_boot_is_refused() {
    let folder = Folder::new("untypable");
    fs::write(folder.path("first"), "caf\u{e9}\n").unwrap();
    assert!(refused(&folder.init("store")).contains("character 4"));
    assert!(!Path::new(&folder.path("store")).exists());
}

#[test]
fn keys_that_move_between_keyboards_are_warned_of() {
    let folder = Folder::new("moving");
    fs::write(folder.path("first"), "zebra").unwrap();
    let made = folder.init("store");
    assert_eq!(made.status.code(), Some(0));
    assert!(
        text(&made.stderr).contains("lie elsewhere: az\n"),
        "{}",
        text(&made.stderr)
    );
}

#[test]
fn a_damaged_copy_of_a_header_is_told_and_repaired() {
    let folder = Folder::with_store("damaged");
    for name in ["store/volumes/system.luks2", "store/secrets.sealed"] {
        let mut bytes = fs::read(folder.path(name)).unwrap();
        bytes[..512].fill(0);
        fs::write(folder.path(name), bytes).unwrap();
    }
    let first = folder.keys("show", "first", &[]);
    assert_eq!(
        text(&first.stderr).matches("written again").count(),
        2,
        "{}",
        text(&first.stderr)
    );
    let again = folder.keys("show", "first", &[]);
    assert_eq!((again.status.code(), text(&again.stderr)), (Some(0), ""));
    assert!(folder.opens("first"));
}

#[test]
fn a_change_tells_of_a_damaged_copy_and_writes_it_again() {
    let folder = Folder::with_store("damaged-change");
    for name in ["store/volumes/system.luks2", "store/secrets.sealed"] {
        let mut bytes = fs::read(folder.path(name)).unwrap();
        bytes[..512].fill(0);
        fs::write(folder.path(name), bytes).unwrap();
    }
    let new = folder.path("second");
    let changed = folder.keys("passwd", "first", &["--new-passphrase-file", &new]);
    assert_eq!(changed.status.code(), Some(0), "{}", text(&changed.stderr));
    let told = text(&changed.stderr);
    assert_eq!(told.matches("writes both copies again").count(), 2, "{told}");
    let shown = folder.keys("show", "second", &[]);
    assert_eq!((shown.status.code(), text(&shown.stderr)), (Some(0), ""));
}

#[test]
fn what_an_interrupted_change_left_behind_is_no_hindrance() {
    let folder = Folder::with_store("interrupted");
    fs::write(folder.path("store/secrets.sealed.new"), "half").unwrap();
    let new = folder.path("second");
    done(&folder.keys("passwd", "first", &["--new-passphrase-file", &new]));
    assert!(folder.opens("second"));
    assert!(!Path::new(&folder.path("store/secrets.sealed.new")).exists());
}

#[test]
fn a_policy_with_errors_makes_no_store() {
    let folder = Folder::new("wrong-policy");
    let store = folder.path("store");
    let wrong = super::broken("lba-order");
    let output = sekisho(&[
        "keys",
        "init",
        &store,
        "--policy",
        &wrong,
        "--passphrase-file",
        &folder.path("first"),
    ]);
    assert!(refused(&output).contains("E0306"));
    assert!(!Path::new(&store).exists());
}

#[test]
fn without_a_terminal_a_call_says_which_file_to_give() {
    let folder = Folder::with_store("no-terminal");
    // In a session of its own there is no terminal to open.
    let output = Command::new("setsid")
        .args([
            "--wait",
            env!("CARGO_BIN_EXE_sekisho"),
            "keys",
            "passwd",
            &folder.path("store"),
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("give --passphrase-file FILE"));
}

#[test]
fn wrong_usage_and_missing_files_are_exit_code_2() {
    let folder = Folder::with_store("usage");
    assert_eq!(folder.keys("show", "nowhere", &[]).status.code(), Some(2));
    assert_eq!(folder.keys("remove", "first", &[]).status.code(), Some(2));
    assert_eq!(
        folder.keys("add", "first", &["--argon2-time", "1"]).status.code(),
        Some(2)
    );
    let elsewhere = command(&["keys", "show", &folder.path("elsewhere")])
        .output()
        .unwrap();
    assert_eq!(elsewhere.status.code(), Some(2));
}
