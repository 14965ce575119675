//! The register window: what is hidden, what is kept, and accesses in odd forms.

use super::Scene;
use sekisho_mediator::cpu::registers::Width;
use sekisho_models::ahci::spec::{PORT_SIZE, PORTS, generic, port};
use sekisho_models::guest::Window;

impl Scene {
    fn read_wide(&mut self, offset: u64, width: Width) -> u64 {
        self.ahci.read(offset, width, &mut self.hba, &mut self.memory)
    }
}

#[test]
fn what_is_not_carried_out_is_not_offered() {
    let mut scene = Scene::new();
    let capabilities = scene.read(generic::CAP);
    let hidden = [
        ("external ports", 1 << 5),
        ("enclosure management", 1 << 6),
        ("coalescing", 1 << 7),
        ("FIS-based switching", 1 << 16),
        ("port multipliers", 1 << 17),
    ];
    for (name, bit) in hidden {
        assert_eq!(capabilities & bit, 0, "{name}");
    }
    let kept = [
        ("queueing", 1 << 30),
        ("64-bit addresses", 1 << 31),
        ("32 slots", 31 << 8),
    ];
    for (name, bits) in kept {
        assert_eq!(capabilities & bits, bits, "{name}");
    }
    assert_eq!(scene.read(generic::BOHC), 0, "there is no hand-off left to do");
    assert_eq!(scene.read(generic::PI), 1);
}

#[test]
fn list_and_fis_addresses_read_as_the_guest_wrote_them() {
    let mut scene = Scene::new();
    let wrote = [
        (port::CLB, 0x12_3400),
        (port::CLBU, 1),
        (port::FB, 0x12_3800),
        (port::FBU, 1),
    ];
    for (register, value) in wrote {
        scene.write(PORTS + register, value);
    }
    for (register, value) in wrote {
        assert_eq!(scene.read(PORTS + register), value);
    }
}

#[test]
fn parts_and_pairs_of_registers_read_as_the_whole() {
    let mut scene = Scene::new();
    let low = u64::from(scene.read(generic::CAP));
    let high = u64::from(scene.read(generic::GHC));
    assert_eq!(scene.read_wide(0, Width::Eight), high << 32 | low);
    assert_eq!(scene.read_wide(2, Width::Two), low >> 16);
    assert_eq!(scene.read_wide(3, Width::One), low >> 24);
}

#[test]
fn every_offset_in_every_width_is_answered() {
    let mut scene = Scene::new();
    let end = u64::from(PORTS + 33 * PORT_SIZE);
    for offset in (0..end).chain([u64::from(u32::MAX), u64::MAX]) {
        for width in [Width::One, Width::Two, Width::Four, Width::Eight] {
            scene.read_wide(offset, width);
        }
    }
}
