//! The model, driven bare: a frame out, a frame in, and mistakes that are breaches.

use super::Pro100;
use super::spec::{block, cause, command, register};
use crate::breach::Breach;
use crate::bytes;
use crate::memory::{Memory, Reach};
use crate::ram::Ram;
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::pro100::Ports;

fn put(memory: &Memory, place: u64, words: [u32; 4]) {
    memory
        .ram()
        .store(place, words.map(u32::to_le_bytes).as_flattened());
}

fn start(nic: &mut Pro100, order: u8, place: u32) {
    nic.write(register::POINTER, Width::Four, place);
    nic.write(register::COMMAND, Width::One, order.into());
}

#[test]
fn a_frame_goes_out_and_one_comes_in() {
    let memory = Memory::new(Ram::new(1 << 20), Reach::Guest);
    let mut nic = Pro100::new(&memory, [2, 0, 0, 0, 0, 1]);
    put(
        &memory,
        0x1000,
        [
            block::EL | block::I | block::TRANSMIT,
            0,
            u32::MAX,
            0xe0_8000 | 60,
        ],
    );
    memory.ram().store(0x1010, &[7; 60]);
    start(&mut nic, command::CU_START, 0x1000);
    put(&memory, 0x2000, [block::EL, 0, u32::MAX, 1600 << 16]);
    start(&mut nic, command::RU_START, 0x2000);
    nic.inject(&[0xff; 100]);
    nic.run();
    assert_eq!(nic.take_sent(), [[7; 60]]);
    let received = memory.ram().bytes(0x2000, 116);
    assert_eq!(bytes::word(&received, 0), 0xa000);
    assert_eq!(bytes::word(&received, 12), 0xc000 | 100);
    assert_eq!(received[16..], [0xff; 100]);
    let causes = nic.read(register::STAT_ACK, Width::One);
    assert_eq!(causes, (cause::CX | cause::CNA | cause::FR | cause::RNR).into());
    assert_eq!(memory.breaches(), []);
}

#[test]
fn a_unit_that_is_started_while_it_works_is_a_breach() {
    let memory = Memory::new(Ram::new(1 << 20), Reach::Guest);
    let mut nic = Pro100::new(&memory, [2, 0, 0, 0, 0, 1]);
    put(&memory, 0x1000, [block::EL, 0, 0, 0]);
    start(&mut nic, command::CU_START, 0x1000);
    start(&mut nic, command::CU_START, 0x1000);
    assert!(matches!(memory.breaches().as_slice(), [Breach::Untimely(..)]));
}
