//! The guest Linux's side of the system tests: reports what only an instruction on a given CPU can tell.
//!
//! Runs as root in the test guest; prints one machine-readable line a fact. It trusts nothing and is trusted
//! with nothing: the harness judges what it prints.

mod counters;
mod cpus;
mod disk;
mod frames;
mod msr;
mod nic;
mod vectors;

use std::process::ExitCode;

const USAGE: &str = "usage: agent cpus | counters | rdmsr CPU INDEX | wrmsr CPU INDEX VALUE | disk LOAD DEVICE | \
     frames INTERFACE FAR | nic REGISTERS | vectors SECONDS";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["cpus"] => cpus::report(),
        ["counters"] => counters::report(),
        ["rdmsr", cpu, index] => msr::read(cpu, index),
        ["wrmsr", cpu, index, value] => msr::write(cpu, index, value),
        ["disk", load, device] => disk::load(load, device),
        ["frames", interface, far] => frames::send(interface, far),
        ["nic", registers] => nic::drive(registers),
        ["vectors", seconds] => vectors::hold(seconds),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(report) => {
            print!("{report}");
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            eprintln!("agent: {sentence}");
            ExitCode::FAILURE
        }
    }
}
