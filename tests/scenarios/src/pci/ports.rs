//! The ports 0xCF8 to 0xCFF, in every width and at every offset.

use super::*;
use sekisho_mediator::pci::ports::PortWrite;

const ENABLE: u32 = 1 << 31;

#[test]
fn the_address_port_reads_back_what_was_written() {
    let mut scene = scene();
    assert_eq!(
        write(&mut scene, 0xcf8, Width::Dword, 0x8000_1864),
        PortWrite::Done
    );
    assert_eq!(
        read(&mut scene, 0xcf8, Width::Dword),
        PortRead::Value(0x8000_1864)
    );
}

#[test]
fn every_byte_and_word_of_the_data_ports_reaches_its_own_lanes() {
    let mut scene = scene();
    write(&mut scene, 0xcf8, Width::Dword, ENABLE | 3 << 11 | 0x64);
    write(&mut scene, 0xcfc, Width::Dword, 0x4433_2211);
    for (lane, byte) in (0..4).zip([0x11, 0x22, 0x33, 0x44]) {
        assert_eq!(read(&mut scene, 0xcfc + lane, Width::Byte), PortRead::Value(byte));
    }
    assert_eq!(read(&mut scene, 0xcfc, Width::Word), PortRead::Value(0x2211));
    assert_eq!(read(&mut scene, 0xcfe, Width::Word), PortRead::Value(0x4433));
    write(&mut scene, 0xcfd, Width::Byte, 0xaa);
    write(&mut scene, 0xcfe, Width::Word, 0xbbcc);
    assert_eq!(
        read(&mut scene, 0xcfc, Width::Dword),
        PortRead::Value(0xbbcc_aa11)
    );
}

#[test]
fn without_the_enable_bit_the_data_ports_are_nobody() {
    let mut scene = scene();
    write(&mut scene, 0xcf8, Width::Dword, 3 << 11 | 0x64);
    let before = scene.hardware.accesses();
    write(&mut scene, 0xcfc, Width::Dword, 1);
    assert_eq!(read(&mut scene, 0xcfc, Width::Word), PortRead::Value(0xffff));
    assert_eq!(scene.hardware.accesses(), before);
}

#[test]
fn less_than_four_bytes_at_the_address_port_are_other_ports() {
    let mut scene = scene();
    write(&mut scene, 0xcf8, Width::Dword, 0x8000_1864);
    for (port, width) in [
        (0xcf8, Width::Byte),
        (0xcf8, Width::Word),
        (0xcf9, Width::Byte),
        (0xcfa, Width::Word),
        (0xcfb, Width::Byte),
    ] {
        assert_eq!(
            read(&mut scene, port, width),
            PortRead::Hardware,
            "{port:#x} {width:?}"
        );
        assert_eq!(
            write(&mut scene, port, width, 0x06),
            PortWrite::Hardware,
            "{port:#x} {width:?}"
        );
    }
    assert_eq!(
        read(&mut scene, 0xcf8, Width::Dword),
        PortRead::Value(0x8000_1864)
    );
}

#[test]
fn an_access_that_reaches_into_the_ports_is_never_handed_to_the_hardware() {
    let mut scene = scene();
    write(&mut scene, 0xcf8, Width::Dword, 0x8000_1864);
    for (port, width) in [
        (0xcf5, Width::Dword),
        (0xcf7, Width::Word),
        (0xcf9, Width::Dword),
        (0xcfb, Width::Word),
        (0xcfd, Width::Dword),
        (0xcff, Width::Word),
    ] {
        assert_eq!(
            read(&mut scene, port, width),
            PortRead::Value(width.ones()),
            "{port:#x} {width:?}"
        );
        assert_eq!(
            write(&mut scene, port, width, 0),
            PortWrite::Done,
            "{port:#x} {width:?}"
        );
    }
}

#[test]
fn the_upper_register_number_reaches_the_extended_space() {
    let mut scene = scene();
    scene.write_dword(at(0, 3, 0), 0x104, 0x5555_aaaa);
    write(&mut scene, 0xcf8, Width::Dword, ENABLE | 1 << 24 | 3 << 11 | 0x04);
    assert_eq!(
        read(&mut scene, 0xcfc, Width::Dword),
        PortRead::Value(0x5555_aaaa)
    );
}

fn scene() -> Scene<Machine> {
    Scene::take_over(laptop().machine, "slot=02:00.0, driver=conceal")
}

fn read(scene: &mut Scene<Machine>, port: u16, width: Width) -> PortRead {
    scene
        .ports
        .read(&mut scene.mediator, &mut scene.hardware, port, width)
}

fn write(scene: &mut Scene<Machine>, port: u16, width: Width, value: u32) -> PortWrite {
    scene
        .ports
        .write(&mut scene.mediator, &mut scene.hardware, port, width, value)
}
