//! fio with verification on a file system in the volume: block sizes from 512 bytes to 256 KiB, several depths, direct
//! and buffered; then e2fsck.

use super::dice::Dice;
use super::scene::FORMAT;
use crate::failure::Failure;
use crate::machine::Running;
use std::time::Duration;

/// For one run of fio under emulation.
const PATIENCE: Duration = Duration::from_secs(900);
/// The deepest queue: what NCQ has.
const DEEPEST: u64 = 32;
/// Runs, each with another depth; the first has the deepest.
const RUNS: u64 = 4;
/// What each run reads, writes and verifies.
const SIZE: &str = "12m";

/// Exercises the volume; returns how the runs were.
///
/// # Errors
/// [`Failure`] where data are not what they were, or the file system is not clean.
pub fn run(machine: &mut Running, dice: &mut Dice) -> Result<String, Failure> {
    machine.run(&format!("{FORMAT} && mount $part /volume"))?;
    let mut told = Vec::new();
    for number in 0..RUNS {
        let depth = if number == 0 {
            DEEPEST
        } else {
            1 + dice.below(DEEPEST)
        };
        let direct = 1 - number % 2;
        let engine = if direct == 1 { "libaio" } else { "psync" };
        machine.run_within(
            &format!(
                "fio --name=run{number} --directory=/volume --size={SIZE} --rw=randrw --bsrange=512-256k \
                 --blockalign=512 --iodepth={depth} --ioengine={engine} --direct={direct} --fsync=64 \
                 --verify=crc32c --verify_fatal=1 --do_verify=1 --randseed={seed} --eta=never --output=/fio{number} \
                 || cat /fio{number}; grep -q 'err= 0' /fio{number}",
                seed = dice.below(1 << 31),
            ),
            PATIENCE,
        )?;
        told.push(format!("{engine} depth {depth}"));
    }
    machine.run("sync; umount /volume && e2fsck -fn $part")?;
    Ok(told.join(", "))
}
