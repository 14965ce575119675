//! Names the ELF entry point, the one function the loader calls.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-bins=--entry=sekisho_entry");
}
