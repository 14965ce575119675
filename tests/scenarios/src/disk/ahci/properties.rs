//! Any guest at all: random task files, headers, regions and registers.

use super::{Guest, Scene};
use crate::disk::layout::{BLOCKS, CLEAR, SYSTEM, content};
use proptest::prelude::*;
use sekisho_mediator::cpu::registers::Width;
use sekisho_models::ahci::spec::{PORTS, generic, ghc, port};
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Direction, TaskFile};
use sekisho_models::guest::{AhciDriver, Request, Window};
use sekisho_models::memory::BUFFERS;

/// What a guest sends everywhere: if it is found outside of the clear blocks, something is wrong.
const MARK_SEED: u64 = 77;

/// One thing that a hostile guest does.
#[derive(Clone, Debug)]
enum Step {
    /// A command as it likes.
    Command {
        task: TaskFile,
        direction: Direction,
        blocks: usize,
        place: u64,
    },
    /// Bytes of its list or tables.
    Scribble { offset: u64, bytes: Vec<u8> },
    /// A register.
    Register { offset: u64, width: Width, value: u64 },
    /// Nothing, for a while.
    Wait(u8),
    /// It recovers.
    Reset,
}

fn lba() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..BLOCKS + 8,
        2 => SYSTEM.first - 4..SYSTEM.first + 64,
        1 => any::<u64>().prop_map(|lba| lba & 0xffff_ffff_ffff),
    ]
}

fn task() -> impl Strategy<Value = TaskFile> {
    let count = prop_oneof![3 => 0..9_u16, 1 => any::<u16>()];
    let features = prop_oneof![3 => 0..9_u16, 1 => any::<u16>()];
    let device = prop_oneof![3 => Just(0x40_u8), 1 => any::<u8>()];
    let content = prop::sample::select(vec![
        command::READ_DMA_EXT,
        command::WRITE_DMA_EXT,
        command::WRITE_DMA,
        command::WRITE_SECTORS_EXT,
        command::WRITE_MULTIPLE_FUA_EXT,
        command::READ_FPDMA_QUEUED,
        command::WRITE_FPDMA_QUEUED,
        command::DATA_SET_MANAGEMENT,
        command::FLUSH_CACHE_EXT,
    ]);
    let code = prop_oneof![2 => content, 1 => any::<u8>()];
    (code, features, count, lba(), device).prop_map(|(command, features, count, lba, device)| TaskFile {
        command,
        features,
        count,
        lba,
        device,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let direction = prop::sample::select(vec![Direction::None, Direction::In, Direction::Out]);
    let place = prop_oneof![
        6 => Just(super::BASE + 0x80_0000),
        1 => Just(super::BASE),
        1 => Just(BUFFERS),
        1 => any::<u64>(),
    ];
    let width = prop::sample::select(vec![Width::One, Width::Two, Width::Four, Width::Eight]);
    let offset = prop_oneof![
        3 => (0..0x12_u64).prop_map(|index| u64::from(PORTS) + 4 * index),
        1 => 0..0x300_u64,
    ];
    let value = prop_oneof![
        2 => prop::sample::select(vec![0, 1, 0x11, 0x17, u64::from(ghc::AE), u64::from(u32::MAX)]),
        1 => any::<u64>(),
    ];
    prop_oneof![
        8 => (task(), direction, 0..20_usize, place).prop_map(|(task, direction, blocks, place)| Step::Command {
            task,
            direction,
            blocks,
            place,
        }),
        2 => (0..0x3000_u64, prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(offset, bytes)| Step::Scribble { offset, bytes }),
        4 => (offset, width, value).prop_map(|(offset, width, value)| Step::Register { offset, width, value }),
        3 => any::<u8>().prop_map(Step::Wait),
        1 => Just(Step::Reset),
    ]
}

fn play(scene: &mut Scene, driver: &mut AhciDriver, step: &Step) {
    match step {
        Step::Command {
            task,
            direction,
            blocks,
            place,
        } => {
            let length = blocks * 512;
            let mark = content(MARK_SEED, length);
            let request = match direction {
                Direction::None => Request::plain(*task),
                Direction::In => Request::brings(*task, length).in_regions(&[(*place, length)]),
                Direction::Out => Request::sends(*task, &mark).in_regions(&[(*place, length)]),
            };
            driver.issue(scene, &request);
        }
        Step::Scribble { offset, bytes } => scene.memory.ram().store(super::BASE + offset, bytes),
        Step::Register { offset, width, value } => {
            let Scene {
                hba, ahci, memory, ..
            } = scene;
            ahci.write(*offset, *width, *value & width.mask(), hba, memory);
        }
        Step::Wait(times) => {
            for _ in 0..*times {
                scene.wait();
            }
            driver.look(scene);
        }
        Step::Reset => {
            scene.write(generic::GHC, ghc::AE);
            let _ = driver.give_up(scene);
            let _ = driver.identify(scene);
        }
    }
}

/// What a mark looks like on the platter, where it must not be.
fn is_marked(sector: &[u8], mark: &[u8]) -> bool {
    mark.chunks(512)
        .any(|part| sector.windows(512).any(|window| window == part))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_guest_does_no_plaintext_is_on_the_disk_and_the_mediator_lives(
        steps in prop::collection::vec(step(), 1..40),
        seed: u64,
    ) {
        let disk = crate::disk::layout::disk("SYSTEM", sekisho_abi::disk::BlockSize::B512);
        let mut scene = Scene::of(vec![Some(disk)], seed);
        let mut driver = scene.driver(0);
        scene.guest = Guest::Careless;
        for step in &steps {
            play(&mut scene, &mut driver, step);
        }
        let mark = content(MARK_SEED, 20 * 512);
        for (lba, sector) in scene.disk(0).platter.written() {
            let is_clear = (CLEAR.first..=CLEAR.last).contains(lba);
            prop_assert!(is_clear || !is_marked(sector, &mark), "block {lba}");
        }
    }
}

/// The register that a guest of the kind above rings by chance too rarely.
#[test]
fn a_doorbell_for_slots_of_noise_is_harmless() {
    let mut chance = sekisho_models::sequence::Sequence::new(5);
    for _ in 0..200 {
        let mut scene = Scene::new();
        let driver = scene.driver(0);
        scene.memory.ram().store(super::BASE, &chance.bytes(0x4000));
        driver.write(&mut scene, port::CI, u32::MAX);
        for _ in 0..20 {
            scene.wait();
        }
        driver.read(&mut scene, port::CI);
    }
}
