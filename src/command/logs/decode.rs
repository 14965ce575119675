//! `sekisho logs decode`: a log that was kept, explained. Lines of others, the firmware's among them, are left out.

use super::Format;
use super::message::Message;
use super::show::Show;
use crate::command::{CommandResult, Outcome, Unreadable, report};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes of a line that are looked at.
const LONGEST: u64 = 1 << 16;

/// Explain a serial log, or what a collector wrote.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The log; `-` is standard input.
    file: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> CommandResult {
    let path = &arguments.file;
    let unreadable = |error| Unreadable::at(path, error);
    let mut source: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(unreadable)?))
    };
    let mut show = Show::new(arguments.format);
    let mut shown = false;
    let mut line = Vec::new();
    while source
        .by_ref()
        .take(LONGEST)
        .read_until(b'\n', &mut line)
        .map_err(unreadable)?
        != 0
    {
        if let Some(message) = Message::read(&String::from_utf8_lossy(&line)) {
            show.message(&message, "this machine")?;
            shown = true;
        }
        line.clear();
    }
    if shown {
        return Ok(Outcome::Fine);
    }
    report(&format!(
        "error: {}: no line of the hypervisor's log\n",
        path.display()
    ));
    report(
        "  = help: such a line has `sekisho: `, a number and a code like H0101; a collector's file must keep the text whole\n",
    );
    Ok(Outcome::Refused)
}
