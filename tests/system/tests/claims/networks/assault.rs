//! A peer on the wire that keeps no rule: the guest's traffic goes on, and the appliance is there when it is over.

use super::{APPLIANCE, OWN, PATIENCE, answers, wait_inside};
use crate::{Failure, Running, assert_same};
use sekisho_system::hypervisor_log::lines;
use sekisho_system::network::Network;
use sekisho_system::peer::{ICMP, Ipv4, Peer, UDP, arp, echo_request, ethernet, ipv4, udp};
use sekisho_system::wired::{self, get_lease};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// MiB that the guest downloads meanwhile.
const SIZE: u32 = 4;
/// Frames a second meanwhile: as many of the shortest as a line of 10 Mbit/s carries. The emulated wire has no rate of its
/// own; as fast as the peer can, some 33,000, is more than a guest takes under the hypervisor here, 22,000.
const RATE: u32 = 14_880;
/// How long it sends as fast as it can, afterwards.
const STORM: Duration = Duration::from_secs(5);
/// Ethernet's types.
const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
const EVERYBODY: [u8; 6] = [0xff; 6];
/// Frames of each kind of flood in a row.
const FLOOD: u16 = 500;
/// Fragments that never become whole, each of another packet.
const TORN: u16 = 64;

#[test]
#[ignore = "long: make test-long"]
fn a_hostile_peer_stops_neither_the_guest_nor_the_appliance_on_e1000() -> Result<(), Failure> {
    withstands("assault-e1000", "e1000")
}

#[test]
fn a_hostile_peer_stops_neither_the_guest_nor_the_appliance_on_e1000e() -> Result<(), Failure> {
    withstands("assault-e1000e", "e1000e")
}

fn withstands(name: &str, model: &'static str) -> Result<(), Failure> {
    let rule = "net = \"ippass\"\nlog = true";
    let (mut machine, mut network, wire) = wired::under(name, model, rule, OWN)?;
    network.lease(&wire)?;
    let peer = network.join(&mut machine, &wire)?;
    let mut machine = machine.start(name)?;
    wait_inside(&mut machine)?;
    machine.wait_shell()?;
    let guest = get_lease(&mut machine, &wire)?;
    let folder = network.folder().display().to_string();
    let sent = network.run(&format!(
        "cd {folder} && head -c {SIZE}M /dev/urandom > file && md5sum < file"
    ))?;
    network.serve(&format!("exec busybox httpd -f -p 80 -h {folder}"))?;
    let frames = frames(wire.hardware_bytes(), &guest);
    let download = format!("wget -q -O - http://{}/file | md5sum", wire.outside());
    let received = during(
        |over| attack(&peer, &frames, Some(RATE), over),
        || machine.run_within(&download, PATIENCE),
    )?;
    assert_same(&mut machine, "what the guest downloaded", &received, &sent)?;
    during(
        |over| attack(&peer, &frames, None, over),
        || machine.run(&format!("sleep {}", STORM.as_secs())),
    )?;
    is_there(&mut machine, &network)?;
    machine.power_off()
}

/// The appliance answers again, and its log tells what was.
fn is_there(machine: &mut Running, network: &Network) -> Result<(), Failure> {
    // The host outside was lied to as well: it believes that the peer is the appliance.
    network.run("ip neighbour flush all")?;
    answers(machine, network, APPLIANCE, "the flood is over")?;
    let log = lines(machine.com2.text());
    for reason in ["malformed", "fragment"] {
        let told = log
            .iter()
            .any(|line| line.event == "H0602" && line.text.contains(reason));
        if !told {
            return Err(machine.refute(format!("nothing was told of frames lost as {reason}")));
        }
    }
    if log
        .iter()
        .any(|line| line.level == "fatal" || line.level == "error")
    {
        return Err(machine.refute("the hypervisor has an error of its own"));
    }
    Ok(())
}

/// Runs `work` while the peer attacks, which it does once at least.
fn during<T>(
    attack: impl FnOnce(&AtomicBool) -> u32 + Send,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let attack = scope.spawn(|| attack(&over));
        let done = work();
        over.store(true, Ordering::Relaxed);
        let rounds = attack.join().unwrap_or(0);
        assert!(rounds > 0, "the peer sent everything at least once");
        done
    })
}

/// Sends all frames again and again until it is over, so many a second, and says how often.
fn attack(peer: &Peer, frames: &[Vec<u8>], rate: Option<u32>, over: &AtomicBool) -> u32 {
    let start = Instant::now();
    let (mut rounds, mut sent) = (0, 0);
    while rounds == 0 || !over.load(Ordering::Relaxed) {
        for frame in frames {
            // One that is too long for the wire itself is lost, as it should be.
            let _ = peer.send(frame);
            sent += 1;
            if let Some(rate) = rate {
                let due = start + Duration::from_secs(1) * sent / rate;
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
        }
        rounds += 1;
    }
    rounds
}

fn frames(nic: [u8; 6], guest: &str) -> Vec<Vec<u8>> {
    let own = octets(APPLIANCE);
    let guest = octets(guest);
    let whole = ethernet(nic, IPV4, &ipv4(datagram_to(own), &udp(7, 0, &[0x5a; 40])));
    let mut frames: Vec<Vec<u8>> = (1..whole.len())
        .filter_map(|length| whole.get(..length).map(<[u8]>::to_vec))
        .collect();
    for length in [1515, 1519, 2048, 4096, 9014, 16_000] {
        let mut long = whole.clone();
        long.resize(length, 0);
        frames.push(long);
    }
    frames.extend(lies(nic, own));
    frames.extend(fragments(nic, own));
    for number in 0..FLOOD {
        let ping = ipv4(
            Ipv4 {
                protocol: ICMP,
                ..datagram_to(own)
            },
            &echo_request(number, &[0; 32]),
        );
        frames.push(ethernet(nic, IPV4, &ping));
        frames.push(ethernet(
            nic,
            IPV4,
            &ipv4(datagram_to(own), &udp(number, 0, b"flood")),
        ));
        frames.push(ethernet(
            nic,
            IPV4,
            &ipv4(datagram_to(guest), &udp(9, 0, b"flood")),
        ));
        frames.push(ethernet(EVERYBODY, ARP, &arp(1, [198, 51, 100, 66], own)));
    }
    frames
}

/// Wrong checksums, ARP in the appliance's name and from nobody, leases that nobody asked for.
fn lies(nic: [u8; 6], own: [u8; 4]) -> Vec<Vec<u8>> {
    const REPLY: u16 = 2;
    let mut wrong_header = ipv4(datagram_to(own), &udp(7, 0, b"header"));
    if let Some(byte) = wrong_header.get_mut(10) {
        *byte ^= 0xff;
    }
    let mut wrong_ping = echo_request(1, b"wrong");
    if let Some(byte) = wrong_ping.get_mut(2) {
        *byte ^= 0xff;
    }
    let icmp = Ipv4 {
        protocol: ICMP,
        ..datagram_to(own)
    };
    let lease = [
        &[2, 1, 6, 0, 0x12, 0x34, 0x56, 0x78][..],
        &[0; 8],
        &[224, 0, 0, 1],
        &[0; 300],
    ]
    .concat();
    vec![
        ethernet(nic, IPV4, &wrong_header),
        ethernet(nic, IPV4, &ipv4(datagram_to(own), &udp(7, 0xdead, b"payload"))),
        ethernet(nic, IPV4, &ipv4(icmp, &wrong_ping)),
        ethernet(EVERYBODY, ARP, &arp(REPLY, own, own)),
        ethernet(nic, ARP, &arp(REPLY, own, own)),
        ethernet(nic, ARP, &arp(REPLY, [0; 4], own)),
        ethernet(nic, ARP, &arp(REPLY, [255; 4], own)),
        ethernet(nic, ARP, &arp(99, [198, 51, 100, 66], own)),
        ethernet(EVERYBODY, IPV4, &ipv4(datagram_to([255; 4]), &udp(68, 0, &lease))),
        ethernet(nic, IPV4, &ipv4(datagram_to(own), &udp(68, 0, &lease))),
    ]
}

/// Fragments that overlap, that end past every packet, and that never become whole.
fn fragments(nic: [u8; 6], own: [u8; 4]) -> Vec<Vec<u8>> {
    const MORE: u16 = 0x2000;
    let of = |identification, fragment, data: &[u8]| {
        let header = Ipv4 {
            identification,
            fragment,
            ..datagram_to(own)
        };
        ethernet(nic, IPV4, &ipv4(header, data))
    };
    let mut frames = vec![
        of(1, MORE, &[1; 64]),
        of(1, MORE | 4, &[2; 64]),
        of(1, 2, &[3; 64]),
        of(2, 0x1fff, &[4; 1400]),
        of(3, MORE | 0x1fff, &[5; 8]),
        of(4, MORE | 500, &[6; 1400]),
    ];
    frames.extend((0..TORN).map(|number| of(100 + number, MORE, &[7; 1400])));
    frames
}

fn datagram_to(to: [u8; 4]) -> Ipv4 {
    Ipv4 {
        to,
        protocol: UDP,
        identification: 0,
        fragment: 0,
    }
}

fn octets(address: &str) -> [u8; 4] {
    address.parse().unwrap_or(Ipv4Addr::UNSPECIFIED).octets()
}
