//! The firmware's console: the screen, and the serial port where the firmware mirrors it.

use core::fmt::{Arguments, Write};
use uefi::system;

/// Prints one line behind the mark that scripts look for.
macro_rules! say {
    ($($argument:tt)*) => { $crate::console::line(format_args!($($argument)*)) };
}
pub(crate) use say;

/// Prints one line; use [`say!`].
pub(crate) fn line(text: Arguments<'_>) {
    // A console that cannot print is no reason to boot unprotected, nor to stop.
    let _ = system::with_stdout(|console| writeln!(console, "sekisho: {text}"));
}
