//! `sekisho keys`: the key store of a policy. What is done to headers and secrets is `sekisho-keys`'; here are files, the
//! terminal, and what a person is told.

pub(super) mod ask;
mod change;
mod files;
mod init;
mod peer;
mod show;

use super::{CommandResult, Outcome, report};
use clap::Subcommand;
use sekisho_keys::store::{EditError, OpenStoreError};
use sekisho_keys::{Costs, NoRandomness, Random};
use std::error::Error;
use std::fmt::Display;
use std::io;

/// Make and change a key store: LUKS2 headers, sealed secrets, WireGuard keys.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make the key store of a policy, with a passphrase and a recovery key.
    Init(init::Arguments),
    /// Tell what a key store holds: volumes, key ids, keyslots, pins. No secrets.
    Show(show::Arguments),
    /// Add another passphrase.
    Add(change::Add),
    /// Remove a keyslot: who knows only its passphrase gets in no more.
    Remove(change::Remove),
    /// Change a passphrase.
    Passwd(change::Passwd),
    /// Make a new recovery key; the one before opens nothing more.
    Recovery(change::Recovery),
}

/// What a guess shall cost; higher is slower for a thief, and for everyone at boot.
#[derive(clap::Args)]
struct CostArguments {
    /// Memory of Argon2id in KiB; unless said 262144, or as the keyslot that opened the store.
    #[arg(long, value_name = "KIB", value_parser = clap::value_parser!(u32).range(32..=1_048_576))]
    argon2_memory: Option<u32>,
    /// Passes of Argon2id over that memory; unless said 4, or as the keyslot that opened the store.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(4..=65_536))]
    argon2_time: Option<u32>,
}

/// Below this much memory a guess is cheap on a graphics card.
const LITTLE_MEMORY: u32 = 64 << 10;

impl CostArguments {
    /// What they say, and `otherwise` where they do not.
    fn costs(&self, otherwise: Costs) -> Costs {
        let costs = Costs {
            memory: self.argon2_memory.unwrap_or(otherwise.memory),
            passes: self.argon2_time.unwrap_or(otherwise.passes),
            lanes: 1,
        };
        if costs.memory < LITTLE_MEMORY {
            report(&format!(
                "warning: with {} KiB of memory a passphrase is cheap to guess; 65536 and more are not\n",
                costs.memory
            ));
        }
        costs
    }
}

/// Why a call ends early.
pub(super) enum Stop {
    /// What was given is wrong: exit code 1, with what to do about it.
    Refused {
        what: String,
        help: Option<&'static str>,
    },
    /// It could not run: exit code 2.
    Failed(Box<dyn Error>),
}

/// The operating system's randomness.
pub(super) struct System;

impl Random for System {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(bytes).map_err(|_| NoRandomness)
    }
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    let done = match &arguments.action {
        Action::Init(arguments) => init::run(arguments),
        Action::Show(arguments) => show::run(arguments),
        Action::Add(arguments) => change::add(arguments),
        Action::Remove(arguments) => change::remove(arguments),
        Action::Passwd(arguments) => change::passwd(arguments),
        Action::Recovery(arguments) => change::recovery(arguments),
    };
    end(done)
}

/// Tells why a call ended early.
pub(super) fn end(done: Result<(), Stop>) -> CommandResult {
    match done {
        Ok(()) => Ok(Outcome::Fine),
        Err(Stop::Refused { what, help }) => {
            if !what.is_empty() {
                report(&format!("error: {what}\n"));
            }
            if let Some(help) = help {
                report(&format!("help: {help}\n"));
            }
            Ok(Outcome::Refused)
        }
        Err(Stop::Failed(error)) => Err(error),
    }
}

impl Stop {
    pub(super) fn refused(what: impl Display, help: impl Into<Option<&'static str>>) -> Self {
        Self::Refused {
            what: what.to_string(),
            help: help.into(),
        }
    }

    /// For diagnostics that were printed already.
    pub(super) fn told() -> Self {
        Self::refused("", None)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<NoRandomness> for Stop {
    fn from(error: NoRandomness) -> Self {
        Self::Failed(error.into())
    }
}

impl From<EditError> for Stop {
    fn from(error: EditError) -> Self {
        Self::refused(error, None)
    }
}

impl From<OpenStoreError<files::Unusable>> for Stop {
    fn from(error: OpenStoreError<files::Unusable>) -> Self {
        match error {
            OpenStoreError::File { error, .. } => Self::Failed(error.into()),
            other => Self::refused(other, None),
        }
    }
}
