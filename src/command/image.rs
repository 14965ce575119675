//! `sekisho image build` and `sekisho image inspect`: the bootable image, and what is in one.

use super::replace::{Unusable, replace};
use super::{CommandResult, Outcome, colour_of_stderr, print, report, report_policy};
use clap::{Subcommand, ValueEnum};
use sekisho_image::inspect::inspect;
use sekisho_image::{appliance, seal};
use sekisho_keys::store::{Store, StoreError};
use sekisho_policy::{lower, render_human, unsupported};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// Build a bootable image, or tell what is in one.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Build the bootable disk image of a policy.
    Build(BuildArguments),
    /// Verify an image and tell what is in it.
    Inspect(InspectArguments),
}

#[derive(clap::Args)]
struct BuildArguments {
    /// The policy file; `-` reads standard input.
    policy: PathBuf,
    /// The key store of the policy's volumes and tunnels; a policy without them needs none.
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Where the image goes. A file that is there already is replaced at once, or not at all.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(clap::Args)]
struct InspectArguments {
    /// A disk image, or a bare `sekisho.efi`.
    image: PathBuf,
    /// Form of the result.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Human,
    Json,
}

/// The policy names keys, and no key store was named.
#[derive(Debug)]
struct NoKeys {
    policy: PathBuf,
}

impl fmt::Display for NoKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let policy = self.policy.display();
        write!(
            f,
            "{policy} has volumes or tunnels, so the image needs its key store: add `--keys DIR`; \
             `sekisho keys init DIR --policy {policy}` makes one"
        )
    }
}

impl Error for NoKeys {}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    match &arguments.action {
        Action::Build(arguments) => build(arguments),
        Action::Inspect(arguments) => tell(arguments),
    }
}

fn build(arguments: &BuildArguments) -> CommandResult {
    if let Some(keys) = &arguments.keys {
        fs::read_dir(keys).map_err(Unusable::at(keys))?;
    }
    let Some((source, policy)) = report_policy(&arguments.policy)? else {
        return Ok(Outcome::Refused);
    };
    let refusals = unsupported(&policy);
    if !refusals.is_empty() {
        report(&render_human(&source, &refusals, colour_of_stderr()));
        return Ok(Outcome::Refused);
    }
    let compiled = lower(&policy);
    let store = match &arguments.keys {
        _ if !compiled.needs_keys() => None,
        None => {
            return Err(Box::new(NoKeys {
                policy: arguments.policy.clone(),
            }));
        }
        Some(keys) => match Store::read(&policy.storage, |path| fs::read(keys.join(path))) {
            Ok(store) => Some(store),
            Err(error) => {
                report(&refusal(keys, &error));
                return Ok(Outcome::Refused);
            }
        },
    };
    let application = seal::application(&compiled)?;
    replace(&arguments.output, &appliance::disk(&application, store.as_ref())?)?;
    Ok(Outcome::Fine)
}

/// Why the key store is not taken, and what to do.
fn refusal(keys: &Path, error: &StoreError<io::Error>) -> String {
    let help = match error {
        StoreError::File { .. } => "`sekisho keys init` makes the files of every volume of a policy",
        StoreError::Header { .. } => "take the file from a copy of the key store",
        StoreError::Differs { .. } => {
            "a header is of one policy: change the policy back, or make another store"
        }
        StoreError::Converting { .. } => "let `sekisho disk encrypt` or `decrypt` end what it began",
    };
    format!("error: {}: {error}\n  = help: {help}\n", keys.display())
}

fn tell(arguments: &InspectArguments) -> CommandResult {
    let path = &arguments.image;
    let bytes = fs::read(path).map_err(Unusable::at(path))?;
    match inspect(&bytes) {
        Ok(found) => {
            print(&match arguments.format {
                Format::Human => found.to_string(),
                Format::Json => serde_json::to_string_pretty(&found)? + "\n",
            })?;
            Ok(Outcome::Fine)
        }
        Err(refusal) => {
            report(&format!("error: {}: {refusal}\n", path.display()));
            Ok(Outcome::Refused)
        }
    }
}
