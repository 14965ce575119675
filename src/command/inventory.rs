//! `sekisho inventory`: this machine's devices, or those of machines that others described, as an inventory.

use super::{CommandResult, Outcome, Unreadable, print, read_file, report};
use sekisho_policy::inventory::{Machine, read_described, this_machine, write_machine};
use std::fs;
use std::path::{Path, PathBuf};

/// Write an inventory: of this machine, or of what `lspci` printed on others. One machine a line.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Output of `lspci -xxx` or `lspci -nnvmm`, or inventories; files, folders of files, or `-`. Without any, this
    /// machine.
    #[arg(conflicts_with = "root")]
    described: Vec<PathBuf>,
    /// The root folder of the Linux machine that is looked at.
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// The machine's name; else its host name, or the name of the file.
    #[arg(long)]
    name: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> CommandResult {
    if arguments.described.is_empty() {
        return write(arguments, vec![this_machine(&arguments.root)?]);
    }
    for path in &arguments.described {
        for path in files(path).map_err(|error| Unreadable::at(path, error))? {
            let source = read_file(&path)?;
            let stem = path.file_stem().filter(|_| path != Path::new("-"));
            let mut machines = match read_described(source.text()) {
                Ok(machines) => machines,
                Err(error) => {
                    report(&format!("error: {}: {error}\n", path.display()));
                    return Ok(Outcome::Refused);
                }
            };
            if let ([machine], Some(stem)) = (machines.as_mut_slice(), stem) {
                machine
                    .name
                    .get_or_insert_with(|| stem.to_string_lossy().into_owned());
            }
            write(arguments, machines)?;
        }
    }
    Ok(Outcome::Fine)
}

fn write(arguments: &Arguments, mut machines: Vec<Machine>) -> CommandResult {
    if let (Some(name), [machine]) = (&arguments.name, machines.as_mut_slice()) {
        machine.name = Some(name.clone());
    }
    print(&machines.iter().map(write_machine).collect::<String>())?;
    Ok(Outcome::Fine)
}

/// A folder's files in the order of their names, or the file itself.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if !hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
