//! One test's image, key store and passphrase, made by gdisk and `sekisho keys init`.

use crate::{root, sekisho, text};
use sekisho_keys::secrets::{self, Secrets};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const POLICY: &str = "examples/encrypted-disk.toml";
const PASSPHRASE: &str = "correct horse battery";
/// The volume: partition 3, not a whole number of chunks.
pub(super) const FIRST: u64 = 10240;
pub(super) const LAST: u64 = 10240 + 20 * 2048 + 79;
/// Bytes of an image.
pub(super) const SIZE: u64 = 32 << 20;

pub(super) struct Bench {
    folder: PathBuf,
}

impl Bench {
    /// The example's policy, and an image that gdisk partitioned.
    pub(super) fn new(name: &str) -> Self {
        let bench = Self::with_policy(name, &[]);
        run(Command::new("sgdisk").args([
            "--zap-all",
            "--new=1:2048:+1M",
            "--typecode=1:ef00",
            "--change-name=1:guest",
            "--new=2:6144:+1M",
            "--typecode=2:ef00",
            "--change-name=2:sekisho",
            &format!("--new=3:{FIRST}:{LAST}"),
            &bench.path("image"),
        ]));
        bench
    }

    /// The example's policy with words of it replaced, and an image without partitions.
    pub(super) fn with_policy(name: &str, edits: &[(&str, &str)]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("disk").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let bench = Self { folder };
        let mut policy = fs::read_to_string(root().join(POLICY)).unwrap();
        for (from, to) in edits {
            assert!(policy.contains(from), "{from}");
            policy = policy.replace(from, to);
        }
        fs::write(bench.path("policy.toml"), policy).unwrap();
        fs::write(bench.path("image"), lines()).unwrap();
        fs::write(bench.path("passphrase"), format!("{PASSPHRASE}\n")).unwrap();
        bench.make_keys();
        bench
    }

    /// Its policy becomes the base of another, for which keys are made anew.
    pub(super) fn extend(&self, upper: &str) {
        fs::rename(self.path("policy.toml"), self.path("base.toml")).unwrap();
        let text = format!("policy = 1\nextends = \"base.toml\"\n{upper}");
        fs::write(self.path("policy.toml"), text).unwrap();
        fs::remove_dir_all(self.path("keys")).unwrap();
        fs::remove_file(self.path("recovery")).unwrap();
        self.make_keys();
    }

    /// Cheap to open.
    fn make_keys(&self) {
        let [keys, policy, passphrase, recovery] =
            ["keys", "policy.toml", "passphrase", "recovery"].map(|name| self.path(name));
        let made = sekisho(&[
            "keys",
            "init",
            &keys,
            "--policy",
            &policy,
            "--passphrase-file",
            &passphrase,
            "--recovery-file",
            &recovery,
            "--argon2-memory",
            "32",
            "--argon2-time",
            "4",
        ]);
        assert_eq!(made.status.code(), Some(0), "{}", text(&made.stderr));
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// The words of a call, which the file `opener` opens.
    pub(super) fn arguments(&self, action: &str, opener: &str) -> Vec<String> {
        let [image, policy, keys, opener] =
            ["image", "policy.toml", "keys", opener].map(|name| self.path(name));
        let words = ["disk", action, &image, "--policy", &policy, "--keys", &keys];
        let more = ["--passphrase-file", &opener, "--threads", "2"];
        words.into_iter().chain(more).map(str::to_owned).collect()
    }

    /// Calls `sekisho disk`, with the passphrase.
    pub(super) fn disk(&self, action: &str) -> Output {
        self.opened_by(action, "passphrase")
    }

    /// Calls `sekisho disk`, with what is in the file `opener`.
    pub(super) fn opened_by(&self, action: &str, opener: &str) -> Output {
        let arguments = self.arguments(action, opener);
        sekisho(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    pub(super) fn image(&self) -> Vec<u8> {
        fs::read(self.path("image")).unwrap()
    }

    pub(super) fn secrets(&self) -> Secrets {
        let file = fs::read(self.path("keys/secrets.sealed")).unwrap();
        secrets::unlock(&file, PASSPHRASE.as_bytes()).unwrap().secrets
    }

    /// What stock cryptsetup makes of a volume's ciphertext, with the recovery key.
    pub(super) fn decrypted_by_cryptsetup(&self, volume: &[u8]) -> Vec<u8> {
        fs::write(self.path("partition"), volume).unwrap();
        run(Command::new("cryptsetup").args([
            "reencrypt",
            "--decrypt",
            "--force-offline-reencrypt",
            "--batch-mode",
            "--key-file",
            &self.path("recovery"),
            "--header",
            &self.path("keys/volumes/system.luks2"),
            &self.path("partition"),
        ]));
        fs::read(self.path("partition")).unwrap()
    }
}

/// The files of a test that failed stay, to be looked at.
impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// Every sector says where it is.
fn lines() -> Vec<u8> {
    let sector = |number| {
        format!("plaintext of sector {number:08} ")
            .repeat(18)
            .into_bytes()
    };
    (0..SIZE / 512)
        .flat_map(|number| sector(number).into_iter().take(512))
        .collect()
}

/// Where a block of 512 bytes begins.
pub(super) fn at(block: u64) -> usize {
    usize::try_from(block * 512).unwrap()
}

pub(super) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
}

/// Ends with this code, says this on stdout, and nothing on stderr.
pub(super) fn ends(output: &Output, code: i32, stdout: &str) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), out, err), (Some(code), stdout, ""));
}

/// Ends with this code, and says this among others on stderr.
pub(super) fn told(output: &Output, code: i32, stderr: &str) {
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{err}");
    assert!(err.contains(stderr), "{err}");
}
