//! `make endurance [COUNT=20] [ONLY=ahci|ata] [SEED=n]`: an encrypted disk under load and through COUNT power cuts, on an
//! AHCI and on an IDE controller. Prints a table; ends with 1 and a reason at what is not as it should be.
#![forbid(unsafe_code)]

use sekisho_system::endurance::cuts::Cuts;
use sekisho_system::endurance::dice::Dice;
use sekisho_system::endurance::exerciser;
use sekisho_system::endurance::identity::{Answers, differences, unexpected};
use sekisho_system::endurance::scene::Scene;
use sekisho_system::failure::Failure;
use sekisho_system::machine::{Controller, Disk};
use std::process::ExitCode;

/// Power cuts on each controller where nothing else is said.
const COUNT: u64 = 20;
/// MiB of the volume.
const MEBIBYTES: u64 = 64;

/// A line of the table: what was judged, and how it was.
type Row = (String, String);

fn main() -> ExitCode {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (count, seed) = (
        number("COUNT").unwrap_or(COUNT),
        number("SEED").unwrap_or_else(Dice::seed),
    );
    let only = std::env::var("ONLY").unwrap_or_default();
    println!("endurance: {count} power cuts, SEED={seed}");
    let mut rows = Vec::new();
    let controllers = [("ahci", Controller::Ahci), ("ata", Controller::Ide)];
    let mut wanted = controllers
        .iter()
        .filter(|(name, _)| only.is_empty() || only == *name);
    let done =
        wanted.try_for_each(|&(_, controller)| endure(controller, count, &mut Dice::new(seed), &mut rows));
    for (what, how) in rows {
        println!("endurance: {what:<16} {how}");
    }
    match done {
        Ok(()) => {
            println!("endurance: PASS");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("endurance: FAIL (SEED={seed}): {failure}");
            ExitCode::FAILURE
        }
    }
}

fn endure(controller: Controller, count: u64, dice: &mut Dice, rows: &mut Vec<Row>) -> Result<(), Failure> {
    let scene = Scene::new(controller, MEBIBYTES)?;
    let mut bare = scene.boot_bare()?;
    let answers = Answers::of(&mut bare)?;
    bare.power_off()?;
    let mut machine = scene.boot("load", Disk::kept(&scene.laptop.path))?;
    let differences = differences(&answers, &Answers::of(&mut machine)?);
    for line in &differences {
        println!("endurance: {}: {line}", scene.driver);
    }
    let unexpected = unexpected(&differences);
    if !unexpected.is_empty() {
        return Err(machine.refute(format!("the disk shows another face: {unexpected:#?}")));
    }
    rows.push((
        format!("{} identity", scene.driver),
        format!("as bare but for {} lines hidden on purpose", differences.len()),
    ));
    let runs = exerciser::run(&mut machine, dice)?;
    machine.power_off()?;
    rows.push((
        format!("{} fio", scene.driver),
        format!("verified, e2fsck clean: {runs}"),
    ));
    let tally = Cuts::new(&scene)?.run(count, dice)?;
    rows.push((
        format!("{} power cuts", scene.driver),
        format!(
            "{} cuts ({} emulators killed, the others in their logs) and {} flushes: clean, {} synced files whole",
            tally.cuts, tally.kills, tally.flushes, tally.files
        ),
    ));
    Ok(())
}
