//! Whatever the guest does, in whatever order and width: what is promised of configuration space holds.

use super::*;
use proptest::prelude::*;
use sekisho_models::pci::{Hostile, Lie};

/// One thing that a guest, or the world, does.
#[derive(Clone, Debug)]
enum Step {
    Read(Address, u16, Width),
    Write(Address, u16, Width, u32),
    Port(u16, Width, Option<u32>),
    Plug(u8),
    Swap,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_accesses_reaches_what_is_hidden_or_protected(
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let Laptop { machine, bridge, first_nic, second_nic } = laptop();
        let mut scene = Scene::take_over(machine, "slot=02:00.0, driver=conceal");
        for step in &steps {
            play(&mut scene, step, first_nic);
            prop_assert_eq!(scene.hardware.command(second_nic) & ALL_ON, 0, "{:?}", step);
            prop_assert_eq!(scene.hardware.dword(bridge, 0x18) & 0xff_ffff, 0x04_0200, "{:?}", step);
            prop_assert!(scene.hardware.decoded().all(|range| !range.overlaps(hypervisor())), "{:?}", step);
            prop_assert!(scene.hardware.windows().all(|range| !range.overlaps(hypervisor())), "{:?}", step);
            let window = scene.mediator.read(&mut scene.hardware, at(0, 0, 0), 0x60, Width::Dword);
            prop_assert_eq!(window, 0xb000_0001, "{:?}", step);
            prop_assert_eq!(scene.read_dword(place(SECOND_NIC), 0), u32::MAX, "{:?}", step);
        }
    }

    #[test]
    fn a_device_that_answers_noise_breaks_nothing(
        seed: u32,
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let Laptop { machine, second_nic, .. } = laptop();
        let hardware = Hostile::new(machine, place(FIRST_NIC), Lie::Noise(seed));
        let mut scene = Scene::take_over(hardware, "slot=02:00.0, driver=conceal");
        for step in &steps {
            play_on(&mut scene, step);
            prop_assert_eq!(scene.hardware.inner().command(second_nic) & ALL_ON, 0, "{:?}", step);
        }
    }
}

/// Addresses where something is or could come, more often than any other.
fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        4 => prop::sample::select(vec![at(0, 0, 0), at(0, 1, 0), place(FIRST_NIC), place(BRIDGE), place(SECOND_NIC)]),
        1 => (0..10_u8, 0..32_u8, 0..8_u8).prop_map(|(bus, device, function)| at(bus, device, function)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(bus, devfn)| Address::from_devfn(bus, devfn)),
    ]
}

fn offset() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 0..0x40_u16, 2 => 0x40..0x110_u16, 1 => any::<u16>()]
}

fn width() -> impl Strategy<Value = Width> {
    prop::sample::select(vec![Width::Byte, Width::Word, Width::Dword])
}

/// Values that mean something to some register, more often than any other.
fn value() -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => prop::sample::select(vec![0, 1, 2, 6, 7, 0x40, 0x7e00_0000, 0x7e80_0001, 0x7ef0_7e00, 0x09_0900, u32::MAX]),
        1 => any::<u32>(),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (address(), offset(), width()).prop_map(|(a, o, w)| Step::Read(a, o, w)),
        6 => (address(), offset(), width(), value()).prop_map(|(a, o, w, v)| Step::Write(a, o, w, v)),
        3 => (0xcf0..0xd04_u16, width(), prop::option::of(value())).prop_map(|(p, w, v)| Step::Port(p, w, v)),
        1 => (0..32_u8).prop_map(Step::Plug),
        1 => Just(Step::Swap),
    ]
}

fn play(scene: &mut Scene<Machine>, step: &Step, swapped: Slot) {
    match step {
        Step::Plug(device) if *device > 8 => {
            scene.hardware.plug(Place::Root(0), device << 3, nic(0xfe80_0000));
        }
        Step::Swap => scene
            .hardware
            .swap(swapped, Some(Function::endpoint(0x10ec, 0x8168, NIC_CLASS))),
        other => play_on(scene, other),
    }
}

fn play_on<C: ConfigSpace>(scene: &mut Scene<C>, step: &Step) {
    let Scene {
        hardware,
        mediator,
        ports,
    } = scene;
    match *step {
        Step::Read(address, offset, width) => {
            let value = mediator.read(hardware, address, offset, width);
            assert_eq!(value & !width.ones(), 0);
        }
        Step::Write(address, offset, width, value) => {
            mediator.write(hardware, address, offset, width, value & width.ones());
        }
        Step::Port(port, width, None) => {
            ports.read(mediator, hardware, port, width);
        }
        Step::Port(port, width, Some(value)) => {
            ports.write(mediator, hardware, port, width, value & width.ones());
        }
        Step::Plug(_) | Step::Swap => {}
    }
    while mediator.take_notice().is_some() {}
}
