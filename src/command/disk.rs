//! `sekisho disk encrypt`, `decrypt` and `verify`: the volumes of a disk or an image, while no hypervisor runs.

use super::keys::{Stop, System, ask, end};
use super::{CommandResult, print, report, report_policy};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use sekisho_offline::folder::Folder;
use sekisho_offline::journal::Direction;
use sekisho_offline::session::Job;
use sekisho_offline::target::{Access, Target};
use sekisho_offline::verify::{self, Findings, Report, verify};
use sekisho_offline::work::{self, Outcome, Step, work};
use sekisho_offline::{session, target};
use sekisho_policy::lower;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

/// Encrypt, decrypt or verify a disk or a disk image.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Encrypt the policy's volumes on a disk, in place. Interrupted at any moment, the same call goes on.
    Encrypt(Call),
    /// Turn the policy's volumes on a disk into plaintext again, in place. Interrupted, the same call goes on.
    Decrypt(Call),
    /// Tell whether a disk, the policy and the key store fit each other. Changes nothing.
    Verify(Call),
}

#[derive(clap::Args)]
struct Call {
    /// The disk, or an image of one. Nothing on it may be mounted.
    disk: PathBuf,
    /// The policy file; `-` reads standard input.
    #[arg(long, value_name = "POLICY")]
    policy: PathBuf,
    /// The key store.
    #[arg(long, value_name = "DIR")]
    keys: PathBuf,
    /// This volume alone, and not all that the policy puts on the disk.
    #[arg(long, value_name = "NAME")]
    volume: Option<String>,
    /// A file with the passphrase or the recovery key; without it, the terminal asks.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Chunks that are worked on at once; as many as there are cores unless said. What was begun goes on with as many.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroU32>,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    end(match &arguments.action {
        Action::Encrypt(call) => call.convert(Direction::Encrypt),
        Action::Decrypt(call) => call.convert(Direction::Decrypt),
        Action::Verify(call) => call.with_job(Access::Read, tell),
    })
}

impl Call {
    fn convert(&self, direction: Direction) -> Result<(), Stop> {
        let cores = thread::available_parallelism().ok();
        let cores = cores.and_then(|cores| NonZeroU32::try_from(cores).ok());
        let lanes = self.threads.or(cores).unwrap_or(NonZeroU32::MIN);
        self.with_job(Access::Write, |target, job| {
            convert(target, job, direction, lanes)
        })
    }

    /// Opens what the call names, and does `work` with it.
    fn with_job(
        &self,
        access: Access,
        work: impl FnOnce(&Target, &Job<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let policy = report_policy(&self.policy).map_err(|error| Stop::Failed(error.into()))?;
        let (_, policy) = policy.ok_or_else(Stop::told)?;
        let storage = lower(&policy).storage;
        let target = Target::open(&self.disk, access).map_err(|error| not_opened(&self.disk, &error))?;
        let passphrase = ask::existing(self.passphrase_file.as_ref())?;
        let job = Job {
            storage: &storage,
            folder: &Folder::new(&self.keys),
            volume: self.volume.as_deref(),
            passphrase: passphrase.expose(),
        };
        work(&target, &job)
    }
}

fn convert(target: &Target, job: &Job<'_>, direction: Direction, lanes: NonZeroU32) -> Result<(), Stop> {
    let bar = Mutex::new(ProgressBar::hidden());
    let outcomes = work(target, job, direction, lanes, &mut System, &|step| {
        show(&bar, step);
    });
    if let Ok(bar) = bar.lock() {
        bar.finish_and_clear();
    }
    let outcomes = outcomes.map_err(|error| match is_data(&error) {
        true => Stop::refused(error, None),
        false => Stop::Failed(error.into()),
    })?;
    let lines = outcomes.iter().map(|(name, outcome)| {
        let done = match (outcome, direction) {
            (Outcome::Already, _) => "already encrypted",
            (Outcome::Converted, Direction::Encrypt) => "encrypted",
            (Outcome::Converted, Direction::Decrypt) => "decrypted",
        };
        format!("volume `{name}`: {done}\n")
    });
    Ok(print(&lines.collect::<String>())?)
}

/// Whether the policy, the disk and the store do not fit, and not the machine has failed.
fn is_data(error: &work::Error) -> bool {
    match error {
        work::Error::Session(session::Error::Folder(_)) => false,
        work::Error::Session(_) | work::Error::Pin(_) | work::Error::State { .. } => true,
        work::Error::Folder(_)
        | work::Error::Convert(_)
        | work::Error::Journal(_)
        | work::Error::Change(_)
        | work::Error::Seal(_)
        | work::Error::NoRandomness => false,
    }
}

/// Nothing is drawn where stderr is no terminal.
fn show(bar: &Mutex<ProgressBar>, step: Step<'_>) {
    let Ok(mut bar) = bar.lock() else { return };
    match step {
        Step::Done(bytes) => bar.inc(bytes),
        Step::Volume { name, bytes } => {
            *bar = ProgressBar::new(bytes).with_prefix(name.to_owned());
            let form = "{prefix} [{wide_bar}] {percent}% {binary_bytes_per_sec} {eta} left";
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style);
            }
        }
    }
}

fn tell(target: &Target, job: &Job<'_>) -> Result<(), Stop> {
    let Findings { volumes, absent } = verify(target, job).map_err(|error| match error {
        verify::Error::Session(session::Error::Folder(_))
        | verify::Error::Folder(_)
        | verify::Error::Disk(_) => Stop::Failed(error.into()),
        verify::Error::Session(error) => Stop::refused(error, None),
    })?;
    print(&volumes.iter().map(line).collect::<String>())?;
    for partition in absent {
        report(&format!(
            "warning: no partition of the disk is the {partition} of [clear]\n"
        ));
    }
    let faults = volumes.iter().flat_map(Report::sentences);
    let faults: String = faults.map(|fault| format!("error: {fault}\n")).collect();
    report(&faults);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Stop::told())
    }
}

fn line(volume: &Report) -> String {
    let Report {
        name, key, sampled, ..
    } = volume;
    let (first, last) = volume.blocks;
    let verdict = if volume.faults.is_empty() {
        "fits"
    } else {
        "does not fit"
    };
    format!(
        "volume `{name}`: key {key}, blocks {first} to {last}, {sampled} sectors looked at: {verdict} policy, keys and \
         disk\n"
    )
}

fn not_opened(path: &Path, error: &target::Error) -> Stop {
    let what = format!("{}: {error}", path.display());
    match error {
        target::Error::Io(_) | target::Error::InUse => Stop::Failed(what.into()),
        _ => Stop::refused(what, None),
    }
}
