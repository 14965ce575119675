//! How two engines come to keys, and what passes then.

use crate::scene::{MTU, Scene, packet};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn the_first_packet_waits_for_a_handshake_and_arrives() {
    let mut scene = Scene::pair(|_, _| {});
    let there = packet(1, 2, b"there");
    scene.send(0, &there);
    assert_eq!(scene.nodes[0].tunnel.state(0).unwrap().held, 1);
    scene.run(SECOND);
    assert_eq!(scene.nodes[1].said.packets, [there]);
    assert_eq!((scene.nodes[0].handshakes(), scene.nodes[1].handshakes()), (1, 1));
    let back = packet(2, 1, b"and back");
    scene.send(1, &back);
    scene.run(SECOND);
    assert_eq!(scene.nodes[0].said.packets, [back]);
    assert_eq!(scene.nodes[0].drops(), []);
    assert_eq!(scene.nodes[1].drops(), []);
}

#[test]
fn packets_of_every_length_arrive_as_they_were() {
    let mut scene = Scene::pair(|_, _| {});
    for length in 0..=usize::from(MTU) - 20 {
        let content: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
        let sent = packet(1, 2, &content);
        scene.send(0, &sent);
        scene.run(SECOND / 10);
        assert_eq!(scene.nodes[1].said.packets.pop(), Some(sent), "{length}");
    }
}
