//! Content, by every way that an IDE driver has.

use super::layout::{self, CLEAR, DATA, SYSTEM, UNNAMED, content, encrypted};
use super::{COMMAND_BLOCK, DATA_PLACE, Scene, TABLE};
use sekisho_abi::disk::BlockSize;
use sekisho_abi::storage::Atapi;
use sekisho_mediator::disk::ata::{Channel, Ports};
use sekisho_mediator::disk::incident::Incident;
use sekisho_models::ata::spec::{command, status};
use sekisho_models::ata::{Disk, Drive, Fault, Geometry, TaskFile};
use sekisho_models::guest::{Failure, IdeDriver, Request};
use sekisho_models::ide::spec::{bus_master, register};

type Move = fn(&IdeDriver, &mut Scene, &Request) -> Result<Vec<u8>, Failure>;

/// Writes by one command and reads by another; the disk has ciphertext in between.
fn goes_and_comes_back(by: Move, seed: u64, sectors: usize, write: TaskFile, read: TaskFile) {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(seed, sectors * 512));
    by(&driver, &mut scene, &Request::sends(write, &data)).unwrap();
    let image = scene.disk().platter.image(write.lba, sectors as u64);
    assert!(image == encrypted(write.lba, &data, BlockSize::B512), "{write:?}");
    let back = by(&driver, &mut scene, &Request::brings(read, data.len())).unwrap();
    assert!(back == data, "{read:?}");
    assert!(!scene.disk().platter.ever_held(&data[..64]));
}

#[test]
fn programmed_io_with_28_and_48_bits_is_encrypted() {
    let short = |code, count| TaskFile::short(code, SYSTEM.first + 77, count);
    let long = |code, count| TaskFile::long(code, DATA.first + 5, count);
    let cases = [
        (
            5,
            short(command::WRITE_SECTORS, 5),
            short(command::READ_SECTORS, 5),
        ),
        (
            256,
            short(command::WRITE_SECTORS, 0),
            short(command::READ_SECTORS, 0),
        ),
        (
            40,
            long(command::WRITE_SECTORS_EXT, 40),
            long(command::READ_SECTORS_EXT, 40),
        ),
        (
            300,
            long(command::WRITE_SECTORS_EXT, 300),
            long(command::READ_SECTORS_EXT, 300),
        ),
    ];
    for ((sectors, write, read), seed) in cases.into_iter().zip(1..) {
        goes_and_comes_back(IdeDriver::pio, seed, sectors, write, read);
    }
}

#[test]
fn the_multiple_commands_move_whole_blocks_and_a_shorter_last_one() {
    let short = |code| TaskFile::short(code, SYSTEM.first, 40);
    let long = |code| TaskFile::long(code, DATA.first + 5, 7);
    let (write, read) = (short(command::WRITE_MULTIPLE), short(command::READ_MULTIPLE));
    goes_and_comes_back(IdeDriver::pio, 1, 40, write, read);
    let (write, read) = (
        long(command::WRITE_MULTIPLE_EXT),
        long(command::READ_MULTIPLE_EXT),
    );
    goes_and_comes_back(IdeDriver::pio, 2, 7, write, read);
}

#[test]
fn the_multiple_commands_follow_the_number_that_the_guest_sets() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(9, 20 * 512));
    let set = TaskFile {
        count: 8,
        ..TaskFile::plain(command::SET_MULTIPLE)
    };
    driver.pio(&mut scene, &Request::plain(set)).unwrap();
    let write = TaskFile::short(command::WRITE_MULTIPLE, SYSTEM.first, 20);
    driver.pio(&mut scene, &Request::sends(write, &data)).unwrap();
    let read = TaskFile::short(command::READ_MULTIPLE, SYSTEM.first, 20);
    let back = driver
        .pio(&mut scene, &Request::brings(read, data.len()))
        .unwrap();
    assert!(back == data);
}

#[test]
fn the_bus_master_moves_ciphertext_only() {
    let long = |code, count| TaskFile::long(code, DATA.first + 1, count);
    let short = |code, count| TaskFile::short(code, SYSTEM.first + 3, count);
    let cases = [
        (short(command::WRITE_DMA, 1), short(command::READ_DMA, 1)),
        (long(command::WRITE_DMA_EXT, 8), long(command::READ_DMA_EXT, 8)),
        // In pieces: more than the buffer holds.
        (
            long(command::WRITE_DMA_EXT, 257),
            long(command::READ_DMA_EXT, 257),
        ),
        (
            long(command::WRITE_DMA_EXT, 2000),
            long(command::READ_DMA_EXT, 2000),
        ),
        (
            long(command::WRITE_DMA_FUA_EXT, 9),
            long(command::READ_DMA_EXT, 9),
        ),
    ];
    for ((write, read), seed) in cases.into_iter().zip(1..) {
        goes_and_comes_back(IdeDriver::dma, seed, write.count.into(), write, read);
    }
}

#[test]
fn a_disk_with_blocks_of_4096_bytes_is_served_alike() {
    for (by, write, read) in [
        (
            IdeDriver::pio as Move,
            command::WRITE_SECTORS_EXT,
            command::READ_SECTORS_EXT,
        ),
        (IdeDriver::dma, command::WRITE_DMA_EXT, command::READ_DMA_EXT),
    ] {
        let disk = layout::disk("LARGE", BlockSize::B4096);
        let mut scene = Scene::of([Some(disk), None, None, None], Atapi::Refuse);
        let (driver, data) = (scene.driver(), content(4, 40 * 4096));
        let write = TaskFile::long(write, SYSTEM.first + 2, 40);
        by(&driver, &mut scene, &Request::sends(write, &data)).unwrap();
        let image = scene.disk().platter.image(write.lba, 40);
        assert!(image == encrypted(write.lba, &data, BlockSize::B4096));
        let read = TaskFile::long(read, SYSTEM.first + 2, 40);
        assert!(by(&driver, &mut scene, &Request::brings(read, data.len())).unwrap() == data);
    }
}

#[test]
fn a_48_bit_address_reaches_the_drive_whole() {
    let disk = Drive::Disk(Box::new(Disk::new(Geometry {
        sectors: 1 << 47,
        sector_size: 512,
        serial: "VAST".to_owned(),
    })));
    let mut scene = Scene::of([Some(disk), None, None, None], Atapi::Refuse);
    let driver = scene.driver();
    let read = TaskFile::long(command::READ_DMA_EXT, 0x1234_5678_9abc, 0x0203);
    driver
        .dma(&mut scene, &Request::brings(read, 0x0203 * 512))
        .unwrap();
    let given: Vec<_> = scene
        .disk()
        .commands()
        .iter()
        .rev()
        .take(3)
        .map(|task| (task.lba, task.count))
        .collect();
    assert_eq!(
        given,
        [
            (0x1234_5678_9cbc, 3),
            (0x1234_5678_9bbc, 256),
            (0x1234_5678_9abc, 256)
        ]
    );
}

#[test]
fn the_largest_command_is_one_completion_for_the_guest() {
    let mut scene = Scene::new();
    let driver = scene.driver();
    let read = TaskFile::long(command::READ_DMA_EXT, SYSTEM.first, 0);
    let regions: Vec<(u64, usize)> = (0..512)
        .map(|part| (0x100_0000 + part * 0x1_0000, 0x1_0000))
        .collect();
    let request = Request::brings(read, 65_536 * 512).in_regions(&regions);
    driver.dma(&mut scene, &request).unwrap();
    let given = scene.disk().commands().iter();
    assert_eq!(
        given.filter(|task| task.command == command::READ_DMA_EXT).count(),
        256
    );
}

#[test]
fn regions_of_every_size_are_served_in_their_order() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(4, 3 * 512));
    let regions = [
        (0x20_0002, 2),
        (0x30_0000, 512),
        (0x20_0100, 1000),
        (0x2f_fffe, 2),
        (0x40_0000, 20),
    ];
    let write = TaskFile::short(command::WRITE_DMA, SYSTEM.first, 3);
    driver
        .dma(&mut scene, &Request::sends(write, &data).in_regions(&regions))
        .unwrap();
    let image = scene.disk().platter.image(SYSTEM.first, 3);
    assert!(image == encrypted(SYSTEM.first, &data, BlockSize::B512));
    let read = TaskFile::short(command::READ_DMA, SYSTEM.first, 3);
    let back = driver.dma(
        &mut scene,
        &Request::brings(read, data.len()).in_regions(&regions),
    );
    assert!(back.unwrap() == data);
}

#[test]
fn the_engine_may_be_started_before_the_command_is_given() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(5, 2 * 512));
    let write = TaskFile::short(command::WRITE_DMA, SYSTEM.first, 2);
    driver.dma(&mut scene, &Request::sends(write, &data)).unwrap();
    scene.memory.ram().store(DATA_PLACE, &[0; 1024]);
    scene.write_table(Channel::Primary, TABLE);
    scene.drive_engine(bus_master::TO_MEMORY | bus_master::START);
    scene.write_registers(&[(register::STATUS, command::READ_DMA)]);
    scene.ide.run();
    assert_eq!(scene.engine(), bus_master::INTERRUPT);
    assert!(scene.memory.ram().bytes(DATA_PLACE, 1024) == data);
}

#[test]
fn between_pieces_the_guest_sees_one_command_under_way() {
    let mut scene = Scene::new();
    let driver = scene.driver();
    let read = TaskFile::long(command::READ_DMA_EXT, SYSTEM.first, 600);
    driver.dma(&mut scene, &Request::brings(read, 600 * 512)).unwrap();
    scene.write_table(Channel::Primary, TABLE);
    scene.write_registers(&[(register::STATUS, command::READ_DMA_EXT)]);
    scene.drive_engine(bus_master::TO_MEMORY | bus_master::START);
    // The drive interrupts for the first of three pieces; the handler asks the bus master, and the next one begins.
    scene.ide.run();
    assert!(scene.ide.is_interrupting(Channel::Primary));
    assert_eq!(scene.engine(), bus_master::ACTIVE);
    assert!(!scene.ide.is_interrupting(Channel::Primary));
    assert_eq!(scene.status() & status::BSY, status::BSY);
    // For the second one it asks the alternate status.
    scene.ide.run();
    assert_eq!(scene.alternate() & status::BSY, status::BSY);
    // The third one's interrupt stays until the guest itself takes it back.
    scene.ide.run();
    assert_eq!(scene.engine(), bus_master::INTERRUPT);
    assert!(scene.ide.is_interrupting(Channel::Primary));
    assert_eq!(scene.status() & (status::BSY | status::DRQ | status::ERR), 0);
    assert!(!scene.ide.is_interrupting(Channel::Primary));
}

#[test]
fn every_block_of_programmed_io_has_its_own_interrupt() {
    let mut scene = Scene::new();
    let before = scene.ide.edges(Channel::Primary);
    scene.write_registers(&[
        (2, 3),
        (3, 0),
        (4, 8),
        (5, 0),
        (6, 0x40),
        (7, command::READ_SECTORS),
    ]);
    for taken in 1..=3 {
        scene.ide.run();
        assert_eq!(scene.ide.edges(Channel::Primary), before + taken);
        assert_eq!(scene.status() & (status::BSY | status::DRQ), status::DRQ);
        scene.read_data(Channel::Primary, &mut [0; 512]);
    }
    assert_eq!(scene.status() & (status::BSY | status::DRQ), 0);
}

#[test]
fn data_may_be_taken_in_accesses_of_any_width() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(2, 2 * 512));
    let write = TaskFile::short(command::WRITE_SECTORS, SYSTEM.first, 2);
    driver.pio(&mut scene, &Request::sends(write, &data)).unwrap();
    scene.write_registers(&[
        (2, 2),
        (3, 0),
        (4, 8),
        (5, 0),
        (6, 0x40),
        (7, command::READ_SECTORS),
    ]);
    scene.ide.run();
    let first = scene.load(COMMAND_BLOCK, register::DATA, super::Width::Word);
    let second = scene.load(COMMAND_BLOCK, register::DATA, super::Width::Dword);
    let mut rest = [0; 506];
    scene.read_data(Channel::Primary, &mut rest);
    assert_eq!(first.to_le_bytes()[..2], data[..2]);
    assert_eq!(second.to_le_bytes(), data[2..6]);
    assert!(rest == data[6..512]);
    scene.ide.run();
    let mut block = [0; 512];
    scene.read_data(Channel::Primary, &mut block);
    assert!(block == data[512..]);
}

#[test]
fn sectors_in_clear_are_as_the_guest_writes_them() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(6, 4 * 512));
    let write = TaskFile::short(command::WRITE_DMA, CLEAR.first, 4);
    driver.dma(&mut scene, &Request::sends(write, &data)).unwrap();
    assert!(scene.disk().platter.image(CLEAR.first, 4) == data);
}

#[test]
fn a_write_over_the_border_of_two_volumes_is_split_where_it_lies() {
    let mut scene = Scene::new();
    let (driver, data) = (scene.driver(), content(7, 4 * 512));
    let write = TaskFile::short(command::WRITE_SECTORS, DATA.first - 2, 4);
    driver.pio(&mut scene, &Request::sends(write, &data)).unwrap();
    let image = scene.disk().platter.image(DATA.first - 2, 4);
    assert!(image[..1024] == encrypted(DATA.first - 2, &data[..1024], BlockSize::B512));
    assert!(image[1024..] == encrypted(DATA.first, &data[1024..], BlockSize::B512));
}

#[test]
fn what_nobody_named_reads_zeros_and_is_counted() {
    for (by, code) in [
        (IdeDriver::pio as Move, command::READ_SECTORS),
        (IdeDriver::dma, command::READ_DMA),
    ] {
        let mut scene = Scene::new();
        scene
            .disk_mut()
            .platter
            .prepare(UNNAMED.first, &content(3, 2 * 512));
        let driver = scene.driver();
        let read = TaskFile::short(code, UNNAMED.first, 2);
        assert_eq!(
            by(&driver, &mut scene, &Request::brings(read, 1024)),
            Ok(vec![0; 1024])
        );
        assert_eq!(scene.ata.incidents().count(Incident::ZeroedBlocks), 2);
    }
}

#[test]
fn a_bad_sector_fails_the_guests_command_with_its_own_address() {
    for (by, code) in [
        (IdeDriver::dma as Move, command::READ_DMA_EXT),
        (IdeDriver::pio, command::READ_SECTORS_EXT),
    ] {
        let mut scene = Scene::new();
        let bad = SYSTEM.first + 500;
        scene.disk_mut().platter.spoil(bad);
        let driver = scene.driver();
        let read = TaskFile::long(code, SYSTEM.first, 600);
        let failure = by(&driver, &mut scene, &Request::brings(read, 600 * 512)).unwrap_err();
        let says = |failure| matches!(failure, Failure::Device { error: 0x40, lba, .. } if lba == bad);
        assert!(says(failure), "{failure:?}");
        // The drive goes on.
        driver.identify(&mut scene).unwrap();
    }
}

#[test]
fn a_drive_that_is_slow_is_waited_for() {
    let mut scene = Scene::new();
    let next = scene.disk().commands().len() as u64 + 1;
    scene.disk_mut().inject(Fault::Slow {
        command: next,
        steps: 50,
    });
    let (driver, data) = (scene.driver(), content(8, 2 * 512));
    let write = TaskFile::short(command::WRITE_DMA, SYSTEM.first, 2);
    driver.dma(&mut scene, &Request::sends(write, &data)).unwrap();
    let image = scene.disk().platter.image(SYSTEM.first, 2);
    assert!(image == encrypted(SYSTEM.first, &data, BlockSize::B512));
}
