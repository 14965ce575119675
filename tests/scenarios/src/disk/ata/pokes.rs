//! Registers poked at random: whatever the guest does, the disk holds no plaintext of a volume, no harm comes to it,
//! and nothing that is not the guest's is read.

use super::layout::{self, SYSTEM, UNNAMED, content};
use super::{DATA_PLACE, Scene, TABLE};
use sekisho_abi::disk::BlockSize;
use sekisho_abi::storage::Atapi;
use sekisho_mediator::disk::ata::{Block, Channel, Ports};
use sekisho_mediator::pci::Width;
use sekisho_models::ata::spec::command;
use sekisho_models::ata::{Drive, PacketDrive};
use sekisho_models::sequence::Sequence;

const ROUNDS: u64 = 40;
const POKES: u64 = 3000;
/// Commands that get far, to be drawn more often than the others.
const LIKELY: [u8; 14] = [
    command::READ_SECTORS,
    command::WRITE_SECTORS,
    command::READ_SECTORS_EXT,
    command::WRITE_SECTORS_EXT,
    command::READ_MULTIPLE,
    command::WRITE_MULTIPLE,
    command::SET_MULTIPLE,
    command::READ_DMA,
    command::WRITE_DMA,
    command::READ_DMA_EXT,
    command::WRITE_DMA_EXT,
    command::IDENTIFY_DEVICE,
    command::DATA_SET_MANAGEMENT,
    command::NOP,
];

/// What the guest keeps everywhere, and what lies where it may not read.
struct Secrets {
    mine: Vec<u8>,
    theirs: Vec<u8>,
}

#[test]
fn random_pokes_never_leak_and_never_break() {
    for round in 0..ROUNDS {
        let secrets = Secrets {
            mine: content(round, 512),
            theirs: content(round ^ 0xffff, 512),
        };
        let mut scene = scene();
        let mut chance = Sequence::new(round);
        let everywhere: Vec<u8> = secrets.theirs.repeat(64);
        scene.disk_mut().platter.prepare(UNNAMED.first, &everywhere);
        lay_out(&scene, &mut chance, &secrets);
        for _ in 0..POKES {
            poke(&mut scene, &mut chance, &secrets);
        }
        let held = scene.disk().platter.ever_held(&secrets.mine[..16]);
        assert!(!held, "plaintext on the disk in round {round}");
        let seen = scene.memory.ram().bytes(0, 4 << 20);
        assert!(
            !contains(&seen, &secrets.theirs[..16]),
            "a foreign sector in memory in round {round}"
        );
    }
}

/// No place is empty: there the model keeps more than a drive that is not there can say.
fn scene() -> Scene {
    let disk = |serial| Some(layout::disk(serial, BlockSize::B512));
    let packet = Drive::Packet(PacketDrive::new(content(7, 64 * 2048)));
    Scene::of(
        [disk("FIRST"), disk("SECOND"), Some(packet), disk("THIRD")],
        Atapi::Refuse,
    )
}

/// Tables that make sense, nearly, over memory full of the secret.
fn lay_out(scene: &Scene, chance: &mut Sequence, secrets: &Secrets) {
    let ram = scene.memory.ram();
    ram.store(DATA_PLACE, &secrets.mine.repeat(64));
    for entry in 0..8 {
        let address = DATA_PLACE + chance.below(64) * 512;
        let bytes = pick(chance, [512, 1024, 2, 4096, 0]);
        let last = if entry == 7 { 0x8000_0000 } else { 0 };
        let raw = address | (bytes | last) << 32;
        ram.store(u64::from(TABLE) + entry * 8, &raw.to_le_bytes());
    }
}

fn poke(scene: &mut Scene, chance: &mut Sequence, secrets: &Secrets) {
    let channel = if chance.below(8) == 0 {
        Channel::Secondary
    } else {
        Channel::Primary
    };
    let block = Block::Command(channel);
    let byte = chance.next().to_le_bytes()[0];
    match chance.below(16) {
        0 => scene.write(block, 7, pick(chance, LIKELY)),
        1 => scene.write(block, 7, byte),
        2 => scene.write(block, 1 + below(chance, 6), byte),
        3 => aim(scene, chance, block),
        4 => scene.write(Block::BusMaster, below(chance, 16), byte),
        5 => scene.write(Block::BusMaster, 0, pick(chance, [0, 1, 8, 9])),
        6 => scene.write_table(channel, TABLE),
        7 if chance.below(8) == 0 => scene.write(Block::Control(channel), 2, byte),
        7 if chance.below(4) == 0 => scene.reset(),
        7 => {
            scene.ide.run();
        }
        8 | 9 => scene.write_data(channel, &secrets.mine),
        10 => scene.write_data(channel, &secrets.mine[..2]),
        11 => {
            let mut taken = [0; 512];
            scene.read_data(channel, &mut taken);
            assert!(!contains(&taken, &secrets.theirs[..16]));
        }
        12 => drop(scene.load(block, below(chance, 9), Width::Byte)),
        13 => drop(scene.load(Block::BusMaster, below(chance, 16), Width::Dword)),
        _ => {
            scene.ide.step();
        }
    }
}

/// Names blocks that exist, of a volume or of nobody.
fn aim(scene: &mut Scene, chance: &mut Sequence, block: Block) {
    let first = if chance.below(3) == 0 {
        UNNAMED.first
    } else {
        SYSTEM.first
    };
    let [low, mid, high, ..] = (first + chance.below(32)).to_le_bytes();
    for (offset, value) in [
        (2, 0),
        (3, 0),
        (4, 0),
        (5, 0),
        (2, 1 + pick(chance, [0, 1, 2, 3])),
        (3, low),
        (4, mid),
        (5, high),
        (6, 0x40),
    ] {
        scene.write(block, offset, value);
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn below(chance: &mut Sequence, bound: u16) -> u16 {
    chance.below(bound.into()).try_into().unwrap()
}

fn pick<T: Copy, const N: usize>(chance: &mut Sequence, from: [T; N]) -> T {
    from[usize::try_from(chance.below(N as u64)).unwrap()]
}
