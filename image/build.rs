//! Builds the two bare-metal binaries that every image carries: `$OUT_DIR/sekisho-loader.elf` and
//! `$OUT_DIR/sekisho-hypervisor.elf`.

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    match sekisho_nested::build(
        "../hypervisor/bare".as_ref(),
        &["sekisho-loader", "sekisho-hypervisor"],
    ) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}
