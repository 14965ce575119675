//! The FAT file system of an image.
//!
//! `fatfs` writes it. Reading is done here, because `fatfs` follows cluster numbers before it looks at them: a
//! damaged table makes it panic, and a circle never ends.

mod long_name;
mod read;
mod write;

pub use read::Error as ReadError;
pub(crate) use read::{Content, read};
pub(crate) use write::{LARGEST, write};
