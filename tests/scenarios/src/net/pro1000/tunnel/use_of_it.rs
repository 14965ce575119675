//! A guest that wants nothing but its network.

use super::*;
use crate::net::pro1000::FLAVOURS;
use sekisho_models::sequence::Sequence;

#[test]
fn a_guest_configures_itself_and_speaks_tcp_through_the_tunnel_and_nothing_else_is_on_the_wire() {
    for flavour in FLAVOURS {
        let mut all = Tunnelled::configured(flavour, Case::default());
        let bytes = Sequence::new(1).bytes(100_000);
        assert!(all.exchange(&bytes, 60_000) == bytes);
        all.assert_tight();
        assert_eq!(
            all.notices(),
            ["H0605 tunnel hq, peer 0: handshake done"],
            "{flavour:?}"
        );
    }
}

#[test]
fn before_anything_is_sent_nothing_is_on_the_wire() {
    let mut all = Tunnelled::configured(Flavour::E82574, Case::default());
    all.run(60_000);
    assert_eq!(all.wire, [] as [Vec<u8>; 0]);
}

#[test]
fn a_guest_sees_a_link_though_the_cable_is_out() {
    let mut all = Tunnelled::new(Flavour::E82540, Case::default());
    all.scene.device.plug(sekisho_models::pro1000::Link::Down);
    all.run(12_000);
    assert!(all.guest.is_configured());
    assert_eq!(all.exchange(b"x", 3000), b"");
    assert_eq!(all.wire, [] as [Vec<u8>; 0]);
    all.scene.device.plug(sekisho_models::pro1000::Link::Up);
    all.run(30_000);
    assert!(!all.wire.is_empty());
    all.assert_tight();
}

#[test]
fn keys_are_renewed_while_a_guest_works() {
    let mut all = Tunnelled::configured(Flavour::E82574, Case::default());
    for round in 0..5 {
        let bytes = Sequence::new(round).bytes(3000);
        assert!(all.exchange(&bytes, 20_000) == bytes, "round {round}");
        all.scene.memory.pass(100_000 * MILLISECOND);
    }
    let handshakes = all.notices().len();
    assert!((3..=5).contains(&handshakes), "{handshakes}");
    all.assert_tight();
}

#[test]
fn the_log_leaves_through_the_tunnel_line_by_line() {
    let case = Case {
        syslog: Some(Via::Tunnel),
        ..Case::default()
    };
    let mut all = Tunnelled::configured(Flavour::E82574, case);
    for number in 0..40 {
        all.write_line(&format!("line {number}"));
    }
    all.run(20_000);
    let texts: Vec<String> = all
        .server
        .packets
        .iter()
        .filter(|packet| packet.get(22..24) == Some(&514_u16.to_be_bytes()))
        .map(|packet| String::from_utf8_lossy(&packet[28..]).into_owned())
        .collect();
    let numbers: Vec<bool> = (0..40)
        .map(|n| texts[n].ends_with(&format!("line {n}")))
        .collect();
    assert_eq!(texts.len(), 40);
    assert!(numbers.iter().all(|is_there| *is_there), "{texts:#?}");
    all.assert_tight();
}

#[test]
fn the_log_leaves_beside_the_tunnel_where_that_is_said() {
    let case = Case {
        syslog: Some(Via::Outside),
        ..Case::default()
    };
    let mut all = Tunnelled::configured(Flavour::E82574, case);
    all.server.address = FAR.into();
    all.write_line("line 0");
    all.run(5000);
    // The collector is in no network of ours, and there is no router: not even a question leaves.
    assert_eq!(all.wire, [] as [Vec<u8>; 0]);
}
