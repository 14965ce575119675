//! Builds the UEFI programs of `tests/guests`: `$OUT_DIR/NAME.elf`.

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    match sekisho_nested::build("../guests".as_ref(), &["hostile", "exact", "bench"]) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}
