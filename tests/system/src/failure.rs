//! Why a run could not be judged or was judged wrong, told with the end of both serial logs.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A run's failure. Its `Debug` is its `Display`, because that is what a test prints.
pub enum Failure {
    /// A file or directory could not be used.
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A program of the host is missing or failed.
    Tool {
        /// The program and its arguments.
        command: String,
        /// What it said.
        output: String,
    },
    /// The machine did not say what was waited for in time.
    Silence {
        /// What was waited for.
        awaited: String,
        /// The ends of the serial logs.
        tail: String,
    },
    /// The machine ended before it said what was waited for.
    Ended {
        /// What was waited for.
        awaited: String,
        /// The ends of the serial logs.
        tail: String,
    },
    /// A command in the guest failed.
    Command {
        /// The command.
        command: String,
        /// Its exit status.
        status: i32,
        /// What it printed.
        output: String,
    },
    /// What was seen is not what was claimed.
    Claim {
        /// The claim and what was seen instead.
        what: String,
        /// The ends of the serial logs.
        tail: String,
    },
}

impl Failure {
    /// Attaches the path to an I/O error.
    pub fn file(path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |error| Self::File { path, error }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Tool { command, output } => write!(f, "`{command}` failed:\n{output}"),
            Self::Silence { awaited, tail } => write!(f, "the machine never said {awaited}\n{tail}"),
            Self::Ended { awaited, tail } => write!(f, "the machine ended before it said {awaited}\n{tail}"),
            Self::Command {
                command,
                status,
                output,
            } => write!(f, "`{command}` in the guest ended with {status}:\n{output}"),
            Self::Claim { what, tail } => write!(f, "{what}\n{tail}"),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}
