//! wireguard-go as the other end: real sockets, and Linux's TCP through the tunnel.
//!
//! How much TCP carries each way is 20 MiB, or as many as the variable MEBIBYTES says; over a bad wire a tenth of it, again
//! and again for as many minutes as MINUTES says.
#![cfg(test)]

use sekisho_wireguard::scene::{Initiator, Scene, Setup, Wire};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Seconds after which the initiator makes new keys, and after which the oldest must be gone (the paper, 6.1).
const REKEY: u64 = 120;
const REJECT: u64 = 180;
/// Between two transfers over a bad wire.
const PAUSE: Duration = Duration::from_secs(15);

fn setup(device: &'static str, initiator: Initiator, preshared: u8) -> Setup<'static> {
    Setup {
        device,
        initiator,
        preshared,
        wire: Wire::Good,
        programs: [env!("CARGO_BIN_EXE_engine"), env!("CARGO_BIN_EXE_relay")],
        folder: env!("CARGO_TARGET_TMPDIR"),
    }
}

fn from_environment(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn ping_and_tcp_go_both_ways_whoever_initiates_with_and_without_a_preshared_key() {
    for (name, initiator, preshared) in [
        ("we-begin", Initiator::Ours, 0),
        ("we-begin-psk", Initiator::Ours, 7),
        ("they-begin", Initiator::Theirs, 0),
        ("they-begin-psk", Initiator::Theirs, 7),
    ] {
        let scene = Scene::new(setup(name, initiator, preshared));
        scene.ping(initiator);
        let mebibytes = from_environment("MEBIBYTES", 20);
        scene.tcp(Initiator::Ours, mebibytes);
        scene.tcp(Initiator::Theirs, mebibytes);
        assert!(scene.last_handshake() != 0);
    }
}

#[test]
fn a_preshared_key_of_theirs_alone_lets_nothing_through() {
    let scene = Scene::new(setup("unequal", Initiator::Ours, 7));
    scene.change_preshared(8);
    assert!(!scene.ours.succeeds("busybox ping -c 4 -W 4 10.0.0.2"));
}

#[test]
fn the_peer_moves_and_restarts_and_is_followed() {
    let mut scene = Scene::new(setup("moves", Initiator::Ours, 7));
    scene.ping(Initiator::Ours);
    // Another port: its next packet tells.
    scene.theirs.run("wg set moves listen-port 51999");
    scene.ping(Initiator::Theirs);
    scene.ping(Initiator::Ours);
    scene.theirs.run("wg set moves listen-port 51820");
    scene.ping(Initiator::Theirs);
    // All keys forgotten: we notice after fifteen seconds.
    scene.restart_theirs();
    scene.ping(Initiator::Ours);
}

#[test]
fn over_a_wire_that_loses_and_reorders_tcp_arrives_whole_and_keys_are_made_anew() {
    let scenes = [Initiator::Ours, Initiator::Theirs].map(|initiator| {
        let device = match initiator {
            Initiator::Ours => "bad-ours",
            Initiator::Theirs => "bad-theirs",
        };
        let wire = Wire::Bad;
        (
            initiator,
            Scene::new(Setup {
                wire,
                ..setup(device, initiator, 7)
            }),
            BTreeSet::new(),
        )
    });
    carry(scenes);
}

/// Transfers both ways in each scene until the time is over, and judges how often keys were made.
fn carry(mut scenes: [(Initiator, Scene, BTreeSet<u64>); 2]) {
    let minutes = from_environment("MINUTES", 0);
    let mebibytes = from_environment("MEBIBYTES", 20).div_ceil(10);
    let time = Duration::from_secs(60 * u64::try_from(minutes).unwrap());
    let start = Instant::now();
    loop {
        for (initiator, scene, handshakes) in &mut scenes {
            scene.ping(*initiator);
            scene.tcp(Initiator::Ours, mebibytes);
            scene.tcp(Initiator::Theirs, mebibytes);
            handshakes.insert(scene.last_handshake());
        }
        if start.elapsed() >= time {
            break;
        }
        println!("{:?}: all transfers whole", start.elapsed());
        std::thread::sleep(PAUSE.min(time.saturating_sub(start.elapsed())));
    }
    let elapsed = start.elapsed().as_secs();
    for (initiator, _, handshakes) in &scenes {
        let count = u64::try_from(handshakes.len()).unwrap();
        println!("{initiator:?} began: {count} handshakes in {elapsed} s");
        assert!(!handshakes.contains(&0), "{handshakes:?}");
        // Between the two, whatever is lost; one more at the start.
        assert!(count >= elapsed / REJECT, "{handshakes:?}");
        assert!(count <= elapsed / (REKEY / 2) + 2, "{handshakes:?}");
    }
}
