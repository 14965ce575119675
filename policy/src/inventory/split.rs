//! Where each machine of an inventory begins and ends, found without reading it: so that a file of any length can be
//! read piece by piece, and pieces on several cores.
//!
//! Only braces, brackets and quotes are looked at. Whether a piece is JSON is seen by whoever reads it.

use super::InventoryError;
use std::ops::Range;

/// Bytes of the longest description of one machine. One of 256 functions and 64 disks has less than a tenth.
const LONGEST: usize = 16 << 20;

/// One machine's text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    /// Where it is in the text that was split.
    pub(super) range: Range<usize>,
    /// 1-based line of its first character.
    line: usize,
    /// 0-based column of it, in bytes.
    column: usize,
}

impl Piece {
    /// What the JSON reader said about this piece, with the place in the whole file.
    pub(super) fn layout(&self, error: &serde_json::Error) -> InventoryError {
        let text = error.to_string();
        let problem = text.split(" at line ").next().unwrap_or_default();
        let column = match error.line() {
            0 | 1 => self.column + error.column(),
            _ => error.column(),
        };
        let line = self.line + error.line().saturating_sub(1);
        InventoryError::Layout {
            problem: format!("{problem} at line {line} column {column}"),
        }
    }
}

/// Finds machines in a text that comes in parts.
#[derive(Debug)]
pub(super) struct Splitter {
    form: Form,
    within: Within,
    /// Open braces and brackets of the machine.
    depth: usize,
    /// Where the machine that is not at its end began.
    begin: Piece,
    /// 1-based line.
    line: usize,
    /// Bytes of this line before the part that comes next.
    column: usize,
}

/// What may come between machines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// Nothing was seen yet.
    Start,
    /// One machine after the other.
    Stream,
    /// In a list, a machine or its end.
    ListStart,
    /// In a list, a comma or its end.
    BehindMachine,
    /// In a list, a machine.
    BehindComma,
    /// Nothing more.
    BehindList,
}

/// Where in JSON the next byte is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Within {
    /// Between machines.
    Nothing,
    /// In a machine.
    Machine,
    /// In a string of one.
    Text,
    /// Behind a backslash in that.
    Escape,
}

impl Default for Splitter {
    fn default() -> Self {
        Self {
            form: Form::Start,
            within: Within::Nothing,
            depth: 0,
            begin: Piece {
                range: 0..0,
                line: 1,
                column: 0,
            },
            line: 1,
            column: 0,
        }
    }
}

impl Splitter {
    /// The machines that end in `text`, which goes on where the part before ended. A machine that is not at its end
    /// begins at [`Self::open`]; the next part must begin with what is there.
    pub(super) fn split(&mut self, text: &[u8]) -> Result<Vec<Piece>, InventoryError> {
        self.split_from(text, 0)
    }

    /// As [`Self::split`], of a text whose first `seen` bytes belong to the open machine and were looked at.
    pub(super) fn split_from(&mut self, text: &[u8], seen: usize) -> Result<Vec<Piece>, InventoryError> {
        let mut pieces = Vec::new();
        // So that `at - line_start` is the column.
        let mut column = self.column;
        let mut line_start = seen;
        self.begin.range = 0..0;
        for (at, byte) in text.iter().enumerate().skip(seen) {
            if *byte == b'\n' {
                self.line += 1;
                column = 0;
                line_start = at + 1;
            }
            match (self.within, *byte) {
                (Within::Text, b'"') => self.within = Within::Machine,
                (Within::Text, b'\\') => self.within = Within::Escape,
                (Within::Text, _) => {}
                (Within::Escape, _) => self.within = Within::Text,
                (Within::Machine, b'"') => self.within = Within::Text,
                (Within::Machine, b'{' | b'[') => self.depth += 1,
                (Within::Machine, b'}' | b']') => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        self.within = Within::Nothing;
                        let mut piece = self.begin.clone();
                        piece.range.end = at + 1;
                        pieces.push(piece);
                    }
                }
                (Within::Machine, _) | (Within::Nothing, b' ' | b'\t' | b'\r' | b'\n') => {}
                (Within::Nothing, b'{') if self.may_begin() => {
                    self.within = Within::Machine;
                    self.depth = 1;
                    self.begin = Piece {
                        range: at..at,
                        line: self.line,
                        column: column + at - line_start,
                    };
                }
                (Within::Nothing, other) => self.form = self.between(other, column + at - line_start)?,
            }
        }
        self.column = column + text.len() - line_start;
        if self.open(text).len() > LONGEST {
            return Err(InventoryError::TooLong {
                line: self.begin.line,
            });
        }
        Ok(pieces)
    }

    /// The bytes of `text`, which was split last, that belong to the machine that is not at its end.
    pub(super) fn open(&self, text: &[u8]) -> Range<usize> {
        match self.within {
            Within::Nothing => text.len()..text.len(),
            _ => self.begin.range.start..text.len(),
        }
    }

    /// Says that no text follows.
    pub(super) fn end(&self) -> Result<(), InventoryError> {
        let open = self.within != Within::Nothing;
        match self.form {
            Form::Start | Form::Stream | Form::BehindList if !open => Ok(()),
            _ => Err(self.unexpected("it ends", self.column)),
        }
    }

    fn may_begin(&mut self) -> bool {
        match self.form {
            Form::Start | Form::Stream => self.form = Form::Stream,
            Form::ListStart | Form::BehindComma => self.form = Form::BehindMachine,
            Form::BehindMachine | Form::BehindList => return false,
        }
        true
    }

    /// What may follow a byte between machines.
    fn between(&self, byte: u8, column: usize) -> Result<Form, InventoryError> {
        match (self.form, byte) {
            (Form::Start, b'[') => Ok(Form::ListStart),
            (Form::BehindMachine, b',') => Ok(Form::BehindComma),
            (Form::BehindMachine | Form::ListStart, b']') => Ok(Form::BehindList),
            _ => {
                let found = format!("there is `{}`", char::from(byte).escape_default());
                Err(self.unexpected(&found, column))
            }
        }
    }

    fn unexpected(&self, found: &str, column: usize) -> InventoryError {
        let wanted = match (self.within, self.form) {
            (Within::Nothing, Form::BehindMachine) => "`,` or the end of the list",
            (Within::Nothing, Form::BehindList) => "nothing behind the list",
            (Within::Nothing, _) => "a machine in braces",
            _ => "the end of the machine",
        };
        InventoryError::Layout {
            problem: format!(
                "expected {wanted}, but {found}, at line {} column {}",
                self.line,
                column + 1
            ),
        }
    }
}
