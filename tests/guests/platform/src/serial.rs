//! COM1, by polling: lines out, lines in. The firmware has set its speed.

use crate::port;
use core::fmt;

const COM1: u16 = 0x3f8;
const LINE_STATUS: u16 = COM1 + 5;
const DATA_READY: u8 = 1;
const TRANSMITTER_EMPTY: u8 = 1 << 5;

/// COM1 as a place for `write!`.
pub struct Com1;

impl fmt::Write for Com1 {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while port::read8(LINE_STATUS) & TRANSMITTER_EMPTY == 0 {}
            port::write8(COM1, byte);
        }
        Ok(())
    }
}

/// Prints one line on COM1.
#[macro_export]
macro_rules! line {
    ($($argument:tt)*) => {{
        use core::fmt::Write as _;
        let _ = writeln!($crate::serial::Com1, $($argument)*);
    }};
}

/// Waits for one line of at most `N` characters; what exceeds it is dropped.
#[must_use]
pub fn read_line<const N: usize>() -> Line<N> {
    let mut line = Line {
        bytes: [0; N],
        length: 0,
    };
    loop {
        while port::read8(LINE_STATUS) & DATA_READY == 0 {}
        match port::read8(COM1) {
            b'\n' | b'\r' if line.length > 0 => return line,
            b'\n' | b'\r' => {}
            byte => {
                if let Some(place) = line.bytes.get_mut(line.length) {
                    *place = byte;
                    line.length += 1;
                }
            }
        }
    }
}

/// A line read.
pub struct Line<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Line<N> {
    /// Its text; empty if it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> &str {
        core::str::from_utf8(self.bytes.get(..self.length).unwrap_or_default()).unwrap_or_default()
    }
}
