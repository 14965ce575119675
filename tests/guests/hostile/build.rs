//! Names the ELF entry point, which becomes the PE's.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-link-arg-bins=--entry=efi_main");
}
