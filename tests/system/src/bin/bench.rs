//! `make bench [ONLY=GROUP]`: the cost of the hypervisor, as a table and in `target/bench.json`.
#![forbid(unsafe_code)]

use sekisho_system::bench::{Group, as_json, as_table};
use sekisho_system::failure::Failure;
use sekisho_system::paths;
use std::process::ExitCode;

fn main() -> ExitCode {
    let groups = match std::env::args().nth(1) {
        None => Group::ALL.to_vec(),
        Some(name) => match Group::named(&name) {
            Some(group) => vec![group],
            None => {
                let names = Group::ALL.map(Group::name).join(", ");
                eprintln!("bench: there is no group {name}; there are {names}");
                return ExitCode::from(2);
            }
        },
    };
    match measure(&groups) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn measure(groups: &[Group]) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for group in groups {
        eprintln!("bench: measuring {}", group.name());
        rows.extend(group.measure()?);
    }
    print!("{}", as_table(&rows));
    let path = paths::root().join("target/bench.json");
    let json = as_json(&rows).map_err(|error| Failure::file(&path)(error.into()))?;
    std::fs::write(&path, json).map_err(Failure::file(&path))
}
