//! The ring of lines: the newest are kept, the oldest overwritten, and what was lost is told.

use super::line::Line;
use alloc::vec::Vec;
use core::fmt;
use sekisho_abi::event::Event;

/// Where lines are shown as they are written.
pub trait Sink {
    /// Shows one line, without a line end of its own.
    fn line(&mut self, line: &Line);
}

/// The last lines, in memory taken once.
pub struct Log {
    /// The line with number `n` is at `n % capacity`.
    lines: Vec<Line>,
    capacity: usize,
    next: u64,
}

impl Log {
    /// An empty log that keeps the last `capacity` lines (one at least).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        Self {
            lines: Vec::with_capacity(capacity),
            capacity,
            next: 0,
        }
    }

    /// Writes one line, and shows it.
    pub fn write(&mut self, sink: &mut impl Sink, event: Event, text: fmt::Arguments<'_>) {
        let line = Line::new(self.next, event, text);
        sink.line(&line);
        let place = self.place(self.next);
        self.next += 1;
        match self.lines.get_mut(place) {
            Some(oldest) => *oldest = line,
            None => self.lines.push(line),
        }
    }

    /// The number that the next line will have: how many were written.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The line with this number, unless it was overwritten or not yet written.
    #[must_use]
    pub fn line(&self, sequence: u64) -> Option<&Line> {
        self.lines
            .get(self.place(sequence))
            .filter(|line| line.sequence() == sequence)
    }

    /// Everything from the line with number `first` on that is still there.
    #[must_use]
    pub fn replay(&self, first: u64) -> Replay<'_> {
        let oldest = self.next.saturating_sub(self.lines.len() as u64);
        let start = first.max(oldest);
        Replay {
            log: self,
            next: start,
            lost: start - first,
        }
    }

    fn place(&self, sequence: u64) -> usize {
        // A remainder of a `usize` fits one.
        usize::try_from(sequence % self.capacity as u64).unwrap_or(0)
    }
}

/// Lines in the order written.
pub struct Replay<'l> {
    log: &'l Log,
    next: u64,
    lost: u64,
}

impl Replay<'_> {
    /// How many of the lines asked for were overwritten before.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.lost
    }
}

impl<'l> Iterator for Replay<'l> {
    type Item = &'l Line;

    fn next(&mut self) -> Option<&'l Line> {
        let line = self.log.line(self.next)?;
        self.next += 1;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    struct Shown(Vec<String>);

    impl Sink for Shown {
        fn line(&mut self, line: &Line) {
            self.0.push(line.to_string());
        }
    }

    fn filled(lines: u64, capacity: usize) -> (Log, Shown) {
        let (mut log, mut shown) = (Log::new(capacity), Shown(Vec::new()));
        for number in 0..lines {
            log.write(&mut shown, Event::STARTED, format_args!("line {number}"));
        }
        (log, shown)
    }

    #[test]
    fn every_line_is_shown_as_it_is_written() {
        let (_, shown) = filled(3, 2);
        assert_eq!(shown.0.len(), 3);
        assert_eq!(shown.0[2], "sekisho: 2 info H0101 line 2");
    }

    #[test]
    fn a_full_ring_overwrites_the_oldest_and_tells_the_loss() {
        let (log, _) = filled(10, 4);
        let replay = log.replay(3);
        assert_eq!(replay.lost(), 3);
        let texts: Vec<_> = replay.map(Line::text).collect();
        assert_eq!(texts, ["line 6", "line 7", "line 8", "line 9"]);
        assert!(log.line(5).is_none());
    }

    #[test]
    fn a_reader_that_keeps_up_loses_nothing() {
        let (log, _) = filled(3, 4);
        assert_eq!(log.replay(1).lost(), 0);
        assert_eq!(log.replay(1).count(), 2);
        assert_eq!(log.replay(99).count(), 0);
        assert_eq!(log.replay(99).lost(), 0);
    }

    #[test]
    fn the_ring_never_grows() {
        let (log, _) = filled(1000, 4);
        assert_eq!(log.lines.len(), 4);
    }
}
