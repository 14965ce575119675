//! What `--inventory` names: files, folders of files, and `-`; opened one after the other, with a bar of how far it is.

use super::{CommandResult, Outcome, Unreadable, report};
use indicatif::{ProgressBar, ProgressStyle};
use sekisho_policy::inventory::{File, Machine, Problem, SurveyError, survey};
use std::fs;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// How the files of a folder end that are read.
const ENDS: [&str; 3] = ["json", "jsonl", "ndjson"];

/// The files of an inventory.
pub(crate) struct Files {
    paths: Vec<PathBuf>,
    /// Nothing is drawn where stderr is no terminal.
    bar: ProgressBar,
}

impl Files {
    /// Of these files and folders; a folder stands for its files in the order of their names.
    pub(crate) fn of(named: &[PathBuf]) -> Result<Self, Unreadable> {
        let mut paths = Vec::new();
        for path in named {
            if path.is_dir() {
                paths.extend(of_folder(path).map_err(|error| Unreadable::at(path, error))?);
            } else {
                paths.push(path.clone());
            }
        }
        let lengths = paths.iter().filter_map(|path| fs::metadata(path).ok());
        let bar = ProgressBar::new(lengths.map(|known| known.len()).sum());
        if let Ok(style) =
            ProgressStyle::with_template("[{wide_bar}] {percent}% {binary_bytes_per_sec} {eta} left")
        {
            bar.set_style(style);
        }
        Ok(Self { paths, bar })
    }

    /// Opens them, each when the one before was read.
    pub(crate) fn open(&self) -> impl Iterator<Item = Result<File, SurveyError>> + Send + '_ {
        self.paths.iter().map(|path| {
            let name = path.display().to_string();
            let input: io::Result<Box<dyn Read + Send>> = if path == Path::new("-") {
                Ok(Box::new(io::stdin()))
            } else {
                fs::File::open(path).map(|file| Box::new(self.bar.wrap_read(file)) as _)
            };
            match input {
                Ok(input) => Ok(File { name, input }),
                Err(error) => Err(SurveyError {
                    file: Some(name),
                    problem: Problem::Io(error),
                }),
            }
        })
    }

    /// Every machine, held in memory.
    pub(crate) fn machines(&self) -> Result<Vec<Machine>, SurveyError> {
        let mut machines = Vec::new();
        let read = survey(self.open(), &|_| (), &mut |seen| {
            machines.push(Machine {
                name: seen.name,
                model: seen.make,
                devices: seen.model.devices.clone(),
                disks: seen.disks,
            });
            ControlFlow::Continue(())
        });
        self.done();
        read.map(|()| machines)
    }

    /// Takes the bar away.
    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

fn of_folder(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|end| ENDS.iter().any(|known| end == *known))
    });
    paths.sort();
    Ok(paths)
}

/// How a subcommand ends whose inventory could not be read.
pub(crate) fn unread(error: SurveyError) -> CommandResult {
    match error.problem {
        Problem::Io(_) => Err(error.into()),
        Problem::Inventory(_) => {
            report(&format!("error: {error}\n"));
            Ok(Outcome::Refused)
        }
    }
}
