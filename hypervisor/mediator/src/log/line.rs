//! One line of the log: fixed memory, printable ASCII.

use core::fmt::{self, Write};
use sekisho_abi::event::Event;

/// Bytes of text in one line.
pub const TEXT_SIZE: usize = 112;
/// What ends a text that did not fit.
const TRUNCATED: &[u8; 3] = b"...";

/// One event that happened. Displayed as `sekisho: <sequence> <level> <code> <text>`.
#[derive(Clone, Debug)]
pub struct Line {
    sequence: u64,
    event: Event,
    length: usize,
    text: [u8; TEXT_SIZE],
}

impl Line {
    /// The line with this number. Text that does not fit is cut and ends in `...`.
    pub(super) fn new(sequence: u64, event: Event, text: fmt::Arguments<'_>) -> Self {
        let mut line = Self {
            sequence,
            event,
            length: 0,
            text: [b' '; TEXT_SIZE],
        };
        if line.write_fmt(text).is_err()
            && let Some(end) = line.text.last_chunk_mut()
        {
            *end = *TRUNCATED;
        }
        line
    }

    /// Its number: one more than that of the line before it, from zero.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What kind of event it tells.
    #[must_use]
    pub const fn event(&self) -> Event {
        self.event
    }

    /// What it says.
    #[must_use]
    pub fn text(&self) -> &str {
        let bytes = self.text.get(..self.length).unwrap_or(&self.text);
        // Only ASCII is ever written into it.
        core::str::from_utf8(bytes).unwrap_or("")
    }
}

impl Write for Line {
    /// Fails once the line is full.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let place = self.text.get_mut(self.length).ok_or(fmt::Error)?;
            *place = match u8::try_from(character) {
                Ok(byte) if byte == b' ' || byte.is_ascii_graphic() => byte,
                _ => b'?',
            };
            self.length += 1;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sequence, event, .. } = self;
        write!(f, "sekisho: {sequence} {} {event} {}", event.level(), self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_line_has_number_level_code_and_text() {
        let line = Line::new(7, Event::STARTED, format_args!("{} CPUs", 4));
        assert_eq!(line.to_string(), "sekisho: 7 info H0101 4 CPUs");
    }

    #[test]
    fn a_text_that_does_not_fit_ends_in_dots() {
        let line = Line::new(0, Event::STARTED, format_args!("{:x>200}", ""));
        assert_eq!(line.text().len(), TEXT_SIZE);
        assert!(line.text().ends_with("xxx..."));
        let exact = Line::new(0, Event::STARTED, format_args!("{:x>112}", ""));
        assert!(exact.text().ends_with('x'));
    }

    #[test]
    fn only_printable_ascii_gets_in() {
        let line = Line::new(0, Event::STARTED, format_args!("a\r\n\x1b[2J\u{e9}\0b"));
        assert_eq!(line.text(), "a???[2J??b");
    }
}
