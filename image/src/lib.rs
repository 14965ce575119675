//! The bootable image: ELF to PE, the seal over its sections, ESP and GPT; and the way back, which trusts nothing.
//!
//! Everything here is a function of its arguments: the same binaries and policy give the same bytes.

pub mod appliance;
pub mod disk;
pub mod elf;
pub mod fat;
pub mod inspect;
pub mod layout;
pub mod pe;
pub mod seal;
pub mod sections;
pub mod table;
