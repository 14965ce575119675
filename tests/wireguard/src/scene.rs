//! Our engine with a TUN device in one network namespace, wireguard-go in another, and a wire between them, good or bad.
//!
//! Takes the rights of root, and Debian's wireguard-go, wireguard-tools, socat and busybox. Whatever goes wrong is a panic:
//! this is for tests.
#![expect(clippy::missing_panics_doc, reason = "every function here may: see above")]

use crate::{Dice, private_key, public_key};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Numbers of the keys.
const OURS: u8 = 1;
const THEIRS: u8 = 2;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// A process that ends with its owner.
pub struct Running(Child);

/// A network namespace, held open by a process.
pub struct Namespace(Running);

/// Who knows where the other is, and so begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Initiator {
    /// Our engine.
    Ours,
    /// wireguard-go.
    Theirs,
}

/// What a wire does to datagrams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire {
    /// Nothing.
    Good,
    /// One in twenty is lost, and one in four comes up to twenty milliseconds late, behind others.
    Bad,
}

/// What a scene is made of.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'a> {
    /// wireguard-go's device. The socket by which it is told everything is the same file in every namespace.
    pub device: &'static str,
    /// Who begins.
    pub initiator: Initiator,
    /// The byte of the preshared key, 0 for none.
    pub preshared: u8,
    /// What is between them.
    pub wire: Wire,
    /// The programs `engine` and `relay`.
    pub programs: [&'a str; 2],
    /// Where files go.
    pub folder: &'a str,
}

/// Both ends.
pub struct Scene {
    // Dropped in this order: programs before what holds their namespaces.
    programs: Vec<Running>,
    /// wireguard-go's side.
    pub theirs: Namespace,
    /// The engine's side.
    pub ours: Namespace,
    device: &'static str,
    folder: PathBuf,
    initiator: Initiator,
    preshared: u8,
    wire: Wire,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Namespace {
    fn new() -> Self {
        let holder = spawn(Command::new("unshare").args(["--net", "sleep", "infinity"]));
        let own = fs::read_link("/proc/self/ns/net").unwrap();
        let path = format!("/proc/{}/ns/net", holder.0.id());
        until("unshare --net, which takes the rights of root", || {
            fs::read_link(&path).is_ok_and(|namespace| namespace != own)
        });
        let namespace = Self(holder);
        namespace.run("ip link set lo up");
        namespace
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("nsenter");
        shell.arg(format!("--net=/proc/{}/ns/net", self.0.0.id()));
        shell.args(["sh", "-c", command]).stdin(Stdio::null());
        shell
    }

    /// Runs a command to its end and says what it printed.
    pub fn run(&self, command: &str) -> String {
        let output = self.shell(command).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {text}{errors}");
        text
    }

    /// Whether a command ends well.
    #[must_use]
    pub fn succeeds(&self, command: &str) -> bool {
        let output = self.shell(command).output().unwrap();
        output.status.success()
    }

    fn start(&self, command: &str) -> Running {
        spawn(
            self.shell(&format!("exec {command}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )
    }
}

fn spawn(command: &mut Command) -> Running {
    Running(
        command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}")),
    )
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(POLL);
    }
}

impl Scene {
    /// Both ends, started; no handshake yet.
    #[must_use]
    pub fn new(setup: Setup<'_>) -> Self {
        let folder = Path::new(setup.folder).join(setup.device);
        fs::create_dir_all(&folder).unwrap();
        let (ours, theirs) = (Namespace::new(), Namespace::new());
        let holder = theirs.0.0.id();
        ours.run(&format!(
            "ip link add wire type veth peer name wire netns {holder}"
        ));
        for (namespace, number) in [(&ours, OURS), (&theirs, THEIRS)] {
            namespace.run(&format!(
                "ip address add 192.0.2.{number}/24 dev wire && ip link set wire up"
            ));
        }
        let mut scene = Self {
            programs: Vec::new(),
            theirs,
            ours,
            device: setup.device,
            folder,
            initiator: setup.initiator,
            preshared: setup.preshared,
            wire: setup.wire,
        };
        let [engine, relay] = setup.programs;
        if scene.wire == Wire::Bad {
            // Outside it is where wireguard-go is otherwise.
            let sockets = "192.0.2.2:51820 192.0.2.1:51820 127.0.0.1:51821 127.0.0.1:51822";
            scene
                .programs
                .push(scene.theirs.start(&format!("{relay} {sockets}")));
        }
        scene.start_ours(engine);
        let theirs = scene.start_theirs();
        scene.programs.push(theirs);
        scene
    }

    fn start_ours(&mut self, engine: &str) {
        let endpoint = if self.initiator == Initiator::Ours {
            "192.0.2.2:51820"
        } else {
            ""
        };
        let preshared = self.preshared;
        let sockets = "0.0.0.0:51820 127.0.0.1:7000 127.0.0.1:7001";
        self.programs.push(self.ours.start(&format!(
            "{engine} {sockets} {OURS} {THEIRS} {preshared} {endpoint}"
        )));
        self.programs.push(self.ours.start(
            "socat -b 65536 TUN:10.0.0.1/24,tun-name=inside,iff-no-pi,iff-up UDP4-DATAGRAM:127.0.0.1:7000,bind=127.0.0.1:7001",
        ));
        until("our TUN device", || {
            self.ours.succeeds("ip link set inside mtu 1420")
        });
    }

    fn start_theirs(&self) -> Running {
        let device = self.device;
        let running = self.theirs.start(&format!("wireguard-go -f {device}"));
        until("wireguard-go", || {
            // Not by wg: it takes away a socket that nobody answers at, which may be the one that wireguard-go is making.
            self.theirs.succeeds(&format!(
                "socat -u OPEN:/dev/null UNIX-CONNECT:/var/run/wireguard/{device}.sock"
            ))
        });
        let private = self.key("private", private_key(THEIRS));
        let peer = BASE64_STANDARD.encode(public_key(OURS));
        let (port, endpoint) = match self.wire {
            Wire::Good => (51820, "192.0.2.1:51820"),
            Wire::Bad => (51822, "127.0.0.1:51821"),
        };
        let mut command = format!(
            "wg set {device} private-key {private} listen-port {port} peer {peer} allowed-ips 10.0.0.1/32"
        );
        if self.preshared != 0 {
            command += &format!(" preshared-key {}", self.key("preshared", [self.preshared; 32]));
        }
        if self.initiator == Initiator::Theirs {
            command += &format!(" endpoint {endpoint}");
        }
        self.theirs.run(&command);
        self.theirs.run(&format!(
            "ip address add 10.0.0.2/24 dev {device} && ip link set {device} mtu 1420 up"
        ));
        running
    }

    /// wireguard-go ends and begins anew: all its keys of sessions are forgotten.
    pub fn restart_theirs(&mut self) {
        drop(self.programs.pop());
        let device = self.device;
        until("the end of wireguard-go", || {
            !self.theirs.succeeds(&format!("ip link show {device}"))
        });
        let theirs = self.start_theirs();
        self.programs.push(theirs);
    }

    /// wireguard-go takes a preshared key of this byte for ours.
    pub fn change_preshared(&self, byte: u8) {
        let (device, preshared) = (self.device, self.key("preshared", [byte; 32]));
        let peer = BASE64_STANDARD.encode(public_key(OURS));
        self.theirs
            .run(&format!("wg set {device} peer {peer} preshared-key {preshared}"));
    }

    /// Seconds since 1970 at which wireguard-go's last handshake was done; 0 for never.
    #[must_use]
    pub fn last_handshake(&self) -> u64 {
        let shown = self
            .theirs
            .run(&format!("wg show {} latest-handshakes", self.device));
        let last = shown.split_whitespace().last();
        last.and_then(|last| last.parse().ok()).unwrap_or(0)
    }

    /// A file with a key, for wg.
    fn key(&self, name: &str, key: [u8; 32]) -> String {
        let path = self.folder.join(name);
        fs::write(&path, BASE64_STANDARD.encode(key)).unwrap();
        path.display().to_string()
    }

    /// An answer comes.
    pub fn ping(&self, from: Initiator) {
        let (namespace, to) = match from {
            Initiator::Ours => (&self.ours, "10.0.0.2"),
            Initiator::Theirs => (&self.theirs, "10.0.0.1"),
        };
        until(&format!("an answer from {to}"), || {
            namespace.succeeds(&format!("busybox ping -c 1 -W 2 {to}"))
        });
    }

    /// Carries so many MiB of random bytes by TCP, and compares what arrived.
    pub fn tcp(&self, from: Initiator, mebibytes: usize) {
        let (from, to, address) = match from {
            Initiator::Ours => (&self.ours, &self.theirs, "10.0.0.2"),
            Initiator::Theirs => (&self.theirs, &self.ours, "10.0.0.1"),
        };
        let (sent, got) = (self.folder.join("sent"), self.folder.join("got"));
        let mut dice = Dice(9);
        let bytes: Vec<u8> = (0..mebibytes << 17)
            .flat_map(|_| dice.roll(u64::MAX).to_le_bytes())
            .collect();
        fs::write(&sent, &bytes).unwrap();
        let mut sink = to.start(&format!(
            "socat -u TCP-LISTEN:9000,reuseaddr CREATE:{}",
            got.display()
        ));
        until("a listener", || {
            to.succeeds("busybox netstat -ltn | grep -q :9000")
        });
        from.run(&format!("socat -u FILE:{} TCP:{address}:9000", sent.display()));
        assert!(sink.0.wait().unwrap().success());
        assert!(fs::read(&got).unwrap() == bytes, "other bytes arrived");
    }
}
