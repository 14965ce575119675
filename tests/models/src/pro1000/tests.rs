//! The model, driven bare by the guest's driver: what comes out is what went in, and a mistake is a breach.

use super::{Flavour, Pro1000, Segment, Sums, crc, finish, internet_sum};
use crate::guest::{Form, Pro1000Driver, Window};
use crate::memory::{Memory, Reach};
use crate::pro1000::spec::{control, register};
use crate::ram::Ram;
use sekisho_mediator::seam::Registers;

struct Bare(Pro1000);

impl Window for Bare {
    fn read(&mut self, offset: u32) -> u32 {
        self.0.read(offset)
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.0.write(offset, value);
    }

    fn wait(&mut self) {
        self.0.step();
    }
}

fn bare(flavour: Flavour) -> (Bare, Memory, Pro1000Driver) {
    let memory = Memory::new(Ram::new(64 << 20), Reach::Guest);
    let mut bare = Bare(Pro1000::new(&memory, flavour, [2, 0, 0, 0, 0, 1]));
    let driver = Pro1000Driver::start(&mut bare, &memory, 0x10_0000, Form::Legacy, control::BAM);
    (bare, memory, driver)
}

fn frame(length: usize) -> Vec<u8> {
    let mut frame = crate::sequence::Sequence::new(length as u64).bytes(length);
    crate::bytes::put(&mut frame, 0, &[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x12, 0x34]);
    frame
}

#[test]
fn a_frame_goes_out_and_one_comes_in() {
    for flavour in [Flavour::E82540, Flavour::E82574] {
        let (mut bare, memory, mut driver) = bare(flavour);
        driver.send(&mut bare, &frame(1000));
        bare.0.run();
        assert_eq!(bare.0.sent(), [frame(1000)]);
        assert_eq!(driver.unsent(), 0);
        bare.0.inject(&frame(200));
        bare.0.run();
        assert!(bare.0.interrupts());
        let (_, received) = driver.interrupt(&mut bare);
        let [received] = received.as_slice() else {
            panic!("{received:?}");
        };
        let (content, check) = received.bytes.split_at(200);
        assert_eq!(content, frame(200));
        assert_eq!(check, crc(&frame(200)).to_le_bytes());
        assert_eq!(memory.breaches(), []);
    }
}

#[test]
fn checksums_are_those_of_the_standards() {
    assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    // The example of RFC 1071, section 3.
    assert_eq!(
        internet_sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
        0xddf2
    );
}

#[test]
fn segments_have_their_own_lengths_numbers_and_flags() {
    let mut whole = vec![0; 54];
    crate::bytes::put(&mut whole, 12, &[8, 0, 0x45, 0, 0, 0, 0xff, 0xff]);
    crate::bytes::put(&mut whole, 38, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0x50, 0x19]);
    whole.extend_from_slice(&[7; 25]);
    let sums = Sums {
        network: Some((14, 33, 24)),
        transport: Some((34, 0, 50)),
    };
    let segment = Segment {
        headers: 54,
        payload: 10,
        network: 14,
    };
    let pieces = finish(&whole, sums, Some(segment), None);
    let seen: Vec<_> = pieces
        .iter()
        .map(|piece| {
            (
                piece.len(),
                piece[16..20].to_vec(),
                piece[38..42].to_vec(),
                piece[47],
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (64, vec![0, 50, 0xff, 0xff], vec![0xff; 4], 0x10),
            (64, vec![0, 50, 0, 0], vec![0, 0, 0, 9], 0x10),
            (59, vec![0, 45, 0, 1], vec![0, 0, 0, 19], 0x19),
        ]
    );
    assert!(pieces.iter().all(|piece| internet_sum(&piece[14..34]) == 0xffff));
}

#[test]
fn a_tail_beyond_its_ring_is_a_breach() {
    let (mut bare, memory, _) = bare(Flavour::E82540);
    bare.write(register::TDT, 64);
    assert_eq!(memory.breaches().len(), 1);
}

#[test]
fn a_descriptor_that_changes_under_the_device_is_found_in_buffers() {
    use sekisho_mediator::seam::Host;
    let mut memory = Memory::new(Ram::new(1 << 20), Reach::Buffers);
    let mut nic = Pro1000::new(&memory, Flavour::E82574, [2, 0, 0, 0, 0, 1]);
    let ring = memory.buffer(4096).share();
    let place = ring.address().0;
    for (register, value) in [
        (register::TDBAL, place),
        (register::TDLEN, 128),
        (register::TCTL, 2),
    ] {
        nic.write(register, crate::bytes::low_dword(value));
    }
    memory.store(&ring, 0, crate::bytes::low_dword(place + 1024));
    memory.store(&ring, 4, 0);
    memory.store(&ring, 8, 0x0b00_0040);
    memory.store(&ring, 12, 0);
    nic.write(register::TDT, 1);
    assert_eq!(memory.breaches(), []);
    memory.store(&ring, 8, 0x0b00_0041);
    assert_eq!(memory.breaches().len(), 1);
}
