//! What becomes of registers, one by one.

use super::frames::{GUEST, PEER, frame};
use super::{FLAVOURS, Scene, number};
use sekisho_mediator::cpu::registers::Width;
use sekisho_mediator::net::incident::Incident;
use sekisho_mediator::net::module::Module;
use sekisho_mediator::net::port::Guest;
use sekisho_mediator::net::pro1000::{AttachError, Identity, Pro1000};
use sekisho_models::guest::{Form, Window};
use sekisho_models::memory::{Memory, Reach};
use sekisho_models::pro1000::spec::{control, register};
use sekisho_models::pro1000::{Flavour, Pro1000 as Device};
use sekisho_models::ram::Ram;

/// What a guest can neither read nor write: the packet buffer and its pointers, captured frames, filters of those, the
/// host interface.
const CLOSED: [u32; 14] = [
    0x2410, 0x2418, 0x2430, 0x3410, 0x3418, 0x5900, 0x5a00, 0x5f00, 0x8f00, 0x9000, 0x9800, 0x1_0000,
    0x1_0800, 0x1_fffc,
];
/// What it can read and not write: flash and EEPROM, what answers by itself.
const READ_ONLY: [u32; 5] = [0x001c, 0x5820, 0x5838, 0x5840, 0x5880];
/// Of 82574 too: EEWR, the flash, MANC2H.
const READ_ONLY_NEWER: [u32; 6] = [0x102c, 0x1030, 0x1034, 0x103c, 0x5860, 0x1024];
/// What is not done: MSI-X, the second queues, hashes.
const HOLLOW_NEWER: [u32; 12] = [
    0x00dc, 0x00e4, 0x00e8, 0x2900, 0x2908, 0x2918, 0x3900, 0x3908, 0x3918, 0x5818, 0x5c00, 0x5c80,
];
/// What is the hardware's own.
const PASSED: [u32; 12] = [
    0x0028, 0x0030, 0x0038, 0x00c4, 0x0170, 0x0410, 0x0e00, 0x1000, 0x2820, 0x3820, 0x5600, 0x5800,
];

#[test]
fn a_register_that_could_move_a_frame_is_not_the_guests() {
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        for offset in CLOSED {
            sekisho_mediator::seam::Registers::write(&mut scene.device, offset, 0x5a5a_5a5a);
            assert_eq!(scene.read(offset), 0, "{offset:#x}");
            scene.write(offset, 0x1234_5678);
            assert_eq!(scene.device.value(offset), 0x5a5a_5a5a, "{offset:#x}");
        }
        let refused = scene.nic.incidents().count(Incident::RefusedRegister);
        assert_eq!(refused, 2 * CLOSED.len() as u64);
    }
}

#[test]
fn non_volatile_memory_and_what_answers_by_itself_can_only_be_looked_at() {
    for flavour in FLAVOURS {
        let newer: &[u32] = match flavour {
            Flavour::E82540 => &[],
            Flavour::E82574 => &READ_ONLY_NEWER,
        };
        let mut scene = Scene::new(flavour);
        for offset in READ_ONLY.iter().chain(newer) {
            sekisho_mediator::seam::Registers::write(&mut scene.device, *offset, 0x5a5a_5a5a);
            scene.write(*offset, 0x1234_5678);
            assert_eq!(scene.read(*offset), 0x5a5a_5a5a, "{offset:#x}");
        }
    }
}

#[test]
fn what_is_not_done_reads_zero_and_keeps_nothing() {
    let mut scene = Scene::new(Flavour::E82574);
    for offset in HOLLOW_NEWER {
        scene.write(offset, u32::MAX);
        assert_eq!(scene.device.value(offset), 0, "{offset:#x}");
        assert_eq!(scene.read(offset), 0, "{offset:#x}");
    }
    assert_eq!(scene.nic.incidents().count(Incident::RefusedRegister), 0);
}

#[test]
fn what_moves_nothing_is_the_hardwares_own() {
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        for offset in PASSED {
            scene.write(offset, 0x0012_3456);
            assert_eq!(scene.device.value(offset), 0x0012_3456, "{offset:#x}");
            assert_eq!(scene.read(offset), 0x0012_3456, "{offset:#x}");
        }
    }
}

#[test]
fn the_rings_in_hardware_are_never_the_guests() {
    // With their old addresses.
    const RINGS: [u32; 16] = [
        0x2800, 0x2804, 0x2808, 0x2810, 0x3800, 0x3804, 0x3808, 0x3810, 0x0110, 0x0114, 0x0118, 0x0120,
        0x0420, 0x0424, 0x0428, 0x0430,
    ];
    for flavour in FLAVOURS {
        let mut scene = Scene::new(flavour);
        let before = RINGS.map(|offset| scene.device.value(offset));
        for offset in RINGS {
            scene.write(offset, 0x0002_0000 + offset);
        }
        assert_eq!(RINGS.map(|offset| scene.device.value(offset)), before);
        // An old address is the same register.
        assert_eq!(scene.read(0x2800), 0x0002_0110);
        assert_eq!(scene.read(0x3800), 0x0002_0420);
    }
}

#[test]
fn no_bit_of_a_control_register_makes_the_hardware_use_other_descriptors() {
    let mut scene = Scene::new(Flavour::E82574);
    for bit in 0..32 {
        for offset in [
            register::RCTL,
            register::RFCTL,
            register::PSRCTL,
            register::RXCSUM,
        ] {
            scene.write(offset, 1 << bit);
            assert_eq!(scene.read(offset), 1 << bit, "{offset:#x} {bit}");
        }
        assert_eq!(scene.device.value(register::RFCTL) & 1 << 15, 0);
        let size = control::BSIZE | control::BSEX | control::DTYP | 0x7800_0000;
        assert_eq!(scene.device.value(register::RCTL) & size, 0);
        assert_eq!(scene.device.value(register::PSRCTL), 0);
        assert_eq!(scene.device.value(register::RXCSUM) & 0x3000, 0);
        scene.write(register::RCTL, 0);
    }
}

#[test]
fn registers_are_read_in_parts_and_written_whole() {
    let mut scene = Scene::new(Flavour::E82574);
    scene.write(0x0e00, 0x1234_5678);
    let Scene { device, nic, memory } = &mut scene;
    assert_eq!(nic.read(0x0e00, Width::One, device, memory), 0x78);
    assert_eq!(nic.read(0x0e02, Width::Two, device, memory), 0x1234);
    assert_eq!(nic.read(0x0e01, Width::Four, device, memory), 0xffff_ffff);
    assert_eq!(nic.read(u64::MAX, Width::Four, device, memory), 0xffff_ffff);
    nic.write(0x0e00, Width::One, 0xff, device, memory);
    nic.write(0x0e02, Width::Four, 0xff, device, memory);
    assert_eq!(nic.read(0x0e00, Width::Four, device, memory), 0x1234_5678);
    nic.write(0x5600, Width::Eight, 0x1111_2222_3333_4444, device, memory);
    assert_eq!(
        nic.read(0x5600, Width::Eight, device, memory),
        0x1111_2222_3333_4444
    );
}

#[test]
fn the_window_of_ports_leads_to_the_same_registers() {
    let mut scene = Scene::new(Flavour::E82540);
    let mut driver = scene.driver(Form::Legacy);
    let out = frame(PEER, GUEST, 100, 1);
    driver.post_pieces(&[&out], sekisho_models::guest::Wanted::default());
    let tail = driver.next_sent();
    let Scene { device, nic, memory } = &mut scene;
    nic.port_write(0, Width::Four, register::TDT.into(), device, memory);
    nic.port_write(4, Width::Four, tail.into(), device, memory);
    assert_eq!(
        nic.port_read(0, Width::Four, device, memory),
        register::TDT.into()
    );
    assert_eq!(nic.port_read(4, Width::Four, device, memory), tail.into());
    assert_eq!(nic.port_read(8, Width::Four, device, memory), 0xffff_ffff);
    scene.device.run();
    assert_eq!(scene.device.sent(), [out]);
}

#[test]
fn a_nic_of_other_descriptors_one_that_is_not_there_and_one_without_memory_are_refused() {
    let attach = |number: u16, buffers: usize, power: u32| {
        let mut memory = Memory::new(Ram::new(1 << 20), Reach::Buffers);
        let mut device = Absent(Device::new(&memory, Flavour::E82574, GUEST), power);
        let source = memory.clone();
        let mut left = buffers;
        let mut give = |length, _| {
            left = left.checked_sub(1)?;
            Some(source.buffer(length))
        };
        let identity = Identity {
            device: number,
            guest: Guest::Present,
            own: None,
        };
        let attached = Pro1000::attach(identity, |_| Module::Pass, &mut device, &mut memory, &mut give);
        attached.map(|nic| nic.address().0)
    };
    assert_eq!(attach(0x1533, 100, 0), Err(AttachError::Unsupported(0x1533)));
    assert_eq!(attach(0x10d3, 100, u32::MAX), Err(AttachError::Absent));
    for buffers in 0..10 {
        assert_eq!(attach(0x10d3, buffers, 0), Err(AttachError::Memory), "{buffers}");
    }
    assert_eq!(attach(0x10d3, 10, 0), Ok(GUEST));
    assert_eq!(number(Flavour::E82574), 0x10d3);
}

/// A device, or where there is none: ones.
struct Absent(Device, u32);

impl sekisho_mediator::seam::Registers for Absent {
    fn read(&mut self, offset: u32) -> u32 {
        self.0.read(offset) | self.1
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.0.write(offset, value);
    }
}
