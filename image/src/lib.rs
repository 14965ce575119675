//! The bootable image: ELF to PE, sections, ESP and GPT.
