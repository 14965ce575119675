//! The log's way out while there is nothing better: a 16550 serial port.
//!
//! Source: National Semiconductor PC16550D data sheet, section 8 (registers). The guest shares the port and may
//! have programmed it in any way, so nothing is assumed of it and every wait is bounded.

use core::fmt::{self, Write};
use sekisho_abi::compiled::Serial;
use sekisho_mediator::log::{Line, Sink};
use x86_64::instructions::port::Port;

/// Offset of the line status register.
const LINE_STATUS: u16 = 5;
/// Line status: the transmitter holding register is empty.
const EMPTY: u8 = 1 << 5;
/// Looks at the line status before a byte is given up: over 10 ms, longer than a byte at 1200 baud.
const PATIENCE: u32 = 10_000;

/// The port, where there is one.
pub(crate) struct SerialPort {
    base: Option<u16>,
}

impl SerialPort {
    /// The port that the policy names. A port that reads all ones is not there.
    pub(crate) fn new(serial: Serial) -> Self {
        let base = match serial {
            Serial::Off => return Self { base: None },
            Serial::Com1 => 0x3f8,
            Serial::Com2 => 0x2f8,
        };
        let present = read(base + LINE_STATUS) != 0xff;
        Self {
            base: present.then_some(base),
        }
    }

    fn byte(base: u16, byte: u8) {
        let mut patience = PATIENCE;
        while read(base + LINE_STATUS) & EMPTY == 0 && patience > 0 {
            patience -= 1;
        }
        // SAFETY: the data register of a serial port; sends a byte (or sets the divisor, if the guest left DLAB on).
        unsafe { Port::<u8>::new(base).write(byte) };
    }
}

fn read(port: u16) -> u8 {
    // SAFETY: reading the line status has no effect but to clear error bits.
    unsafe { Port::<u8>::new(port).read() }
}

impl Sink for SerialPort {
    fn line(&mut self, line: &Line) {
        // Writing to a port cannot fail; what is missing of it, nobody could be told.
        let _ = write!(self, "{line}\r\n");
    }
}

impl Write for SerialPort {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let Some(base) = self.base else { return Ok(()) };
        text.bytes().for_each(|byte| Self::byte(base, byte));
        Ok(())
    }
}
