//! wireguard-go as the other end: two network namespaces, real sockets, and Linux's TCP through the tunnel.
//!
//! Takes the rights of root, and Debian's wireguard-go, wireguard-tools, socat and busybox. How much TCP carries each way
//! is 20 MiB, or as many as the variable MEBIBYTES says.
#![cfg(test)]

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sekisho_wireguard::{Dice, private_key, public_key};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const OURS: u8 = 1;
const THEIRS: u8 = 2;
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);

/// A process that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A network namespace, held open by a process.
struct Namespace(Running);

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
    fn run(&self, command: &str) -> String {
        let output = self.shell(command).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {text}{errors}");
        text
    }

    fn succeeds(&self, command: &str) -> bool {
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

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(POLL);
    }
}

/// Who knows where the other is, and so begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Initiator {
    Ours,
    Theirs,
}

/// Our engine with a TUN device in one namespace, wireguard-go in another, and a cable between them.
struct Scene {
    // Dropped in this order: programs before what holds their namespaces.
    programs: Vec<Running>,
    theirs: Namespace,
    ours: Namespace,
    /// wireguard-go's device. The socket by which it is told everything is the same file in every namespace.
    device: &'static str,
    folder: PathBuf,
    initiator: Initiator,
    preshared: u8,
}

impl Scene {
    fn new(device: &'static str, initiator: Initiator, preshared: u8) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(device);
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
            device,
            folder,
            initiator,
            preshared,
        };
        scene.start_ours();
        let theirs = scene.start_theirs();
        scene.programs.push(theirs);
        scene
    }

    fn start_ours(&mut self) {
        let endpoint = if self.initiator == Initiator::Ours {
            "192.0.2.2:51820"
        } else {
            ""
        };
        let engine = env!("CARGO_BIN_EXE_engine");
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
            self.theirs.succeeds(&format!("wg show {device}"))
        });
        let private = self.key("private", private_key(THEIRS));
        let peer = BASE64_STANDARD.encode(public_key(OURS));
        let mut command = format!(
            "wg set {device} private-key {private} listen-port 51820 peer {peer} allowed-ips 10.0.0.1/32"
        );
        if self.preshared != 0 {
            command += &format!(" preshared-key {}", self.key("preshared", [self.preshared; 32]));
        }
        if self.initiator == Initiator::Theirs {
            command += " endpoint 192.0.2.1:51820";
        }
        self.theirs.run(&command);
        self.theirs.run(&format!(
            "ip address add 10.0.0.2/24 dev {device} && ip link set {device} mtu 1420 up"
        ));
        running
    }

    /// A file with a key, for wg.
    fn key(&self, name: &str, key: [u8; 32]) -> String {
        let path = self.folder.join(name);
        fs::write(&path, BASE64_STANDARD.encode(key)).unwrap();
        path.display().to_string()
    }

    fn ping(&self, from: Initiator) {
        let (namespace, to) = match from {
            Initiator::Ours => (&self.ours, "10.0.0.2"),
            Initiator::Theirs => (&self.theirs, "10.0.0.1"),
        };
        until(&format!("an answer from {to}"), || {
            namespace.succeeds(&format!("busybox ping -c 1 -W 2 {to}"))
        });
    }

    /// Carries random bytes by TCP, and compares what arrived.
    fn tcp(&self, from: &Namespace, to: &Namespace, address: &str) {
        let (sent, got) = (self.folder.join("sent"), self.folder.join("got"));
        let mebibytes: usize = std::env::var("MEBIBYTES").map_or(20, |text| text.parse().unwrap());
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

#[test]
fn ping_and_tcp_go_both_ways_whoever_initiates_with_and_without_a_preshared_key() {
    for (name, initiator, preshared) in [
        ("we-begin", Initiator::Ours, 0),
        ("they-begin", Initiator::Theirs, 7),
    ] {
        let scene = Scene::new(name, initiator, preshared);
        scene.ping(initiator);
        scene.tcp(&scene.ours, &scene.theirs, "10.0.0.2");
        scene.tcp(&scene.theirs, &scene.ours, "10.0.0.1");
        let shown = scene.theirs.run(&format!("wg show {name} latest-handshakes"));
        assert!(!shown.trim_end().ends_with("\t0"), "{shown}");
    }
}

#[test]
fn a_preshared_key_of_theirs_alone_lets_nothing_through() {
    let mut scene = Scene::new("unequal", Initiator::Ours, 7);
    scene.preshared = 8;
    let preshared = scene.key("preshared", [8; 32]);
    let peer = BASE64_STANDARD.encode(public_key(OURS));
    scene
        .theirs
        .run(&format!("wg set unequal peer {peer} preshared-key {preshared}"));
    assert!(!scene.ours.succeeds("busybox ping -c 4 -W 4 10.0.0.2"));
}

#[test]
fn the_peer_moves_and_restarts_and_is_followed() {
    let mut scene = Scene::new("moves", Initiator::Ours, 7);
    scene.ping(Initiator::Ours);
    // Another port: its next packet tells.
    scene.theirs.run("wg set moves listen-port 51999");
    scene.ping(Initiator::Theirs);
    scene.ping(Initiator::Ours);
    scene.theirs.run("wg set moves listen-port 51820");
    scene.ping(Initiator::Theirs);
    // All keys forgotten: we notice after fifteen seconds.
    drop(scene.programs.pop());
    until("the end of wireguard-go", || {
        !scene.theirs.succeeds("ip link show moves")
    });
    let theirs = scene.start_theirs();
    scene.programs.push(theirs);
    scene.ping(Initiator::Ours);
}
