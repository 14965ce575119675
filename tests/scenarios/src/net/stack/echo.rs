//! The echo service and its client, with another stack at the other end of a wire that may lose frames.

use super::bench::{Bench, Policy, SECOND, prefix};
use super::peer::Peer;
use sekisho_abi::network::{Echo, Module as Kind};
use sekisho_mediator::net::EchoCounts;
use smoltcp::iface::SocketHandle;
use smoltcp::socket::{tcp, udp};
use std::net::IpAddr;

const OURS: &str = "192.0.2.11";
const BYTES: usize = 100_000;

fn echoing(allow: &str, client: Option<&str>) -> Bench {
    Policy {
        echo: Some(Echo {
            allow: vec![prefix(allow)],
            client: client.map(|client| client.parse().unwrap()),
        }),
        ..Policy::new(Kind::IpPass, "192.0.2.11/24")
    }
    .bench()
}

fn connect(peer: &mut Peer, local: u16) -> SocketHandle {
    let buffer = || tcp::SocketBuffer::new(vec![0; 16 * 1024]);
    let mut socket = tcp::Socket::new(buffer(), buffer());
    let server = (OURS.parse::<IpAddr>().unwrap(), 7);
    socket.connect(peer.interface.context(), server, local).unwrap();
    peer.sockets.add(socket)
}

/// Sends so many bytes and takes back what comes, for so many milliseconds at most; what came.
fn exchange(peer: &mut Peer, bench: &mut Bench, handle: SocketHandle, patience: usize) -> Vec<u8> {
    let content: Vec<u8> = (0..=250).cycle().take(BYTES).collect();
    let (mut sent, mut returned) = (0, Vec::new());
    for _ in 0..patience {
        let socket = peer.sockets.get_mut::<tcp::Socket<'_>>(handle);
        if socket.can_send() && sent < BYTES {
            sent += socket.send_slice(&content[sent..]).unwrap();
        }
        while socket.can_recv() {
            socket
                .recv(|bytes| (bytes.len(), returned.extend_from_slice(bytes)))
                .unwrap();
        }
        if returned.len() == BYTES {
            break;
        }
        peer.step(bench);
    }
    assert!(content.starts_with(&returned));
    returned
}

#[test]
fn what_is_sent_by_tcp_comes_back_whole_over_a_wire_that_loses_frames() {
    for loses_one_in in [0, 50, 7] {
        let mut bench = echoing("192.0.2.0/24", None);
        let mut peer = Peer::new("192.0.2.1/24");
        peer.loses_one_in = loses_one_in;
        let handle = connect(&mut peer, 40_000);
        let returned = exchange(&mut peer, &mut bench, handle, 600_000);
        assert_eq!(returned.len(), BYTES, "one in {loses_one_in} lost");
        assert_eq!(bench.module.echo_counts().served, BYTES as u64);
    }
}

#[test]
fn a_connection_ends_when_its_client_ends_it_and_the_next_one_is_served() {
    let mut bench = echoing("192.0.2.0/24", None);
    let mut peer = Peer::new("192.0.2.1/24");
    // More than there are connections at a time.
    for local in 0..12 {
        let handle = connect(&mut peer, 40_000 + local);
        assert_eq!(exchange(&mut peer, &mut bench, handle, 60_000).len(), BYTES);
        peer.sockets.get_mut::<tcp::Socket<'_>>(handle).close();
        for _ in 0..100 {
            peer.step(&mut bench);
        }
        let state = peer.sockets.get_mut::<tcp::Socket<'_>>(handle).state();
        assert_eq!(state, tcp::State::TimeWait);
    }
}

#[test]
fn who_is_not_on_the_list_is_reset_before_the_connection_is_open() {
    let mut bench = echoing("192.0.2.128/25", None);
    let mut peer = Peer::new("192.0.2.1/24");
    let handle = connect(&mut peer, 40_000);
    for _ in 0..2000 {
        peer.step(&mut bench);
        assert!(!peer.sockets.get_mut::<tcp::Socket<'_>>(handle).may_send());
    }
    assert_eq!(
        peer.sockets.get_mut::<tcp::Socket<'_>>(handle).state(),
        tcp::State::Closed
    );
    assert!(bench.module.echo_counts().refused > 0);
    assert_eq!(bench.module.echo_counts().served, 0);
}

fn datagram(peer: &mut Peer, bench: &mut Bench, local: u16) -> Option<Vec<u8>> {
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 4096]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(local).unwrap();
    let server = (OURS.parse::<IpAddr>().unwrap(), 7);
    socket.send_slice(b"datagram", server).unwrap();
    let handle = peer.sockets.add(socket);
    for _ in 0..3000 {
        peer.step(bench);
    }
    let socket = peer.sockets.get_mut::<udp::Socket<'_>>(handle);
    let answer = socket.recv().ok().map(|(data, _)| data.to_vec());
    peer.sockets.remove(handle);
    answer
}

#[test]
fn a_datagram_comes_back_unless_it_is_from_another_echo_service_or_from_nobody_on_the_list() {
    let mut peer = Peer::new("192.0.2.1/24");
    let mut bench = echoing("192.0.2.0/24", None);
    assert_eq!(
        datagram(&mut peer, &mut bench, 5000).as_deref(),
        Some(&b"datagram"[..])
    );
    assert_eq!(datagram(&mut peer, &mut bench, 7), None);
    let mut bench = echoing("192.0.2.128/25", None);
    assert_eq!(datagram(&mut peer, &mut bench, 5000), None);
    assert_eq!(bench.module.echo_counts().refused, 1);
}

#[test]
fn the_client_compares_what_comes_back_and_connects_again_when_the_server_left() {
    let mut bench = echoing("192.0.2.0/24", Some("192.0.2.1:7"));
    let mut peer = Peer::new("192.0.2.1/24");
    let buffer = || tcp::SocketBuffer::new(vec![0; 4096]);
    let handle = peer.sockets.add(tcp::Socket::new(buffer(), buffer()));
    let mut served = 0;
    for _ in 0..3 {
        let end = bench.now.0 + 20 * SECOND;
        peer.sockets.get_mut::<tcp::Socket<'_>>(handle).listen(7).unwrap();
        while bench.now.0 < end {
            peer.step(&mut bench);
            let socket = peer.sockets.get_mut::<tcp::Socket<'_>>(handle);
            let mut chunk = [0; 64];
            while socket.can_recv() && socket.can_send() {
                let length = socket.recv_slice(&mut chunk).unwrap();
                served += socket.send_slice(&chunk[..length]).unwrap();
            }
        }
        peer.sockets.get_mut::<tcp::Socket<'_>>(handle).abort();
        peer.step(&mut bench);
    }
    let EchoCounts {
        sent,
        returned,
        wrong,
        ..
    } = bench.module.echo_counts();
    assert!(served > 3 * 10 * 64, "{served} bytes");
    assert_eq!(wrong, 0);
    assert!(sent >= returned);
    // A message may be on its way when the server leaves.
    let lost = served as u64 - returned;
    assert!(lost <= 3 * 64, "{lost} bytes");
}
