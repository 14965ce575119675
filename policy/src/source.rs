//! The text of a policy and of the files it extends, and the places in it.
//!
//! The bytes are kept as read, because the compiled policy carries their hash.

use sekisho_abi::origin::{LONGEST_NAME, MOST_FILES};
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};
use toml::de::DeTable;

/// A policy: its file, and the files it extends, each behind the one that names it.
///
/// A [`Span`] counts bytes in all of them, so that it means one place in one file.
#[derive(Clone, Debug)]
pub struct Source {
    /// At least one.
    files: Vec<File>,
    /// The files' texts with a line break between them.
    text: String,
    /// Why the file that the last one extends is not here, if it extends one.
    missing_base: MissingBase,
}

/// One file of a policy.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// As shown in messages.
    name: String,
    /// As the files name each other, from the folder of the policy's own: the same wherever that is.
    portable: PathBuf,
    bytes: Vec<u8>,
    /// Where its text is in that of all files.
    pub(crate) span: Span,
    /// Place of the first byte that is not UTF-8, in the text of all files.
    pub(crate) damaged_at: Option<usize>,
}

/// Why a file that another one extends was not read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum MissingBase {
    /// Nobody read it.
    Unasked,
    /// The system's words.
    Unreadable(String),
    /// It is one of those that were read.
    Cycle,
    /// There are [`LONGEST_CHAIN`] files already.
    TooDeep,
}

/// Files in a chain of `extends`. Three are a company's, a model's and a machine's; the rest is room.
pub(crate) const LONGEST_CHAIN: usize = MOST_FILES;

impl Source {
    /// The file `name` with these bytes. Bytes that are not UTF-8 are reported by [`crate::check`].
    #[must_use]
    pub fn new(name: String, bytes: Vec<u8>) -> Self {
        let mut source = Self {
            files: Vec::new(),
            text: String::new(),
            missing_base: MissingBase::Unasked,
        };
        let portable = Path::new(&name).file_name().unwrap_or_default().into();
        source.add(name, portable, bytes);
        source
    }

    /// With the files that it extends, read by `read`. What cannot be read is reported by [`crate::check`].
    ///
    /// A file is named relative to the one that extends it; the file `-` is in the working folder.
    #[must_use]
    pub fn with_bases(mut self, mut read: impl FnMut(&Path) -> io::Result<Vec<u8>>) -> Self {
        while let Some(file) = self.files.last()
            && let Some(base) = extended_by(self.slice(file.span))
        {
            let path = beside(Path::new(&file.name), &base);
            let portable = beside(&file.portable, &base);
            let known = |file: &File| normal(Path::new(&file.name)) == normal(&path);
            let missing = if self.files.iter().any(known) {
                MissingBase::Cycle
            } else if self.files.len() >= LONGEST_CHAIN {
                MissingBase::TooDeep
            } else {
                match read(&path) {
                    Ok(bytes) => {
                        self.add(path.display().to_string(), normal(&portable), bytes);
                        continue;
                    }
                    Err(error) => MissingBase::Unreadable(error.to_string()),
                }
            };
            self.missing_base = missing;
            break;
        }
        self
    }

    fn add(&mut self, name: String, portable: PathBuf, bytes: Vec<u8>) {
        if !self.files.is_empty() {
            self.text.push('\n');
        }
        let start = self.text.len();
        let damaged_at = std::str::from_utf8(&bytes).err();
        self.text.push_str(&String::from_utf8_lossy(&bytes));
        self.files.push(File {
            name,
            portable,
            bytes,
            span: (start..self.text.len()).into(),
            damaged_at: damaged_at.map(|error| start + error.valid_up_to()),
        });
    }

    /// The name of the policy's own file.
    #[must_use]
    pub fn name(&self) -> &str {
        self.files.first().map_or("", |file| &file.name)
    }

    /// The name of the file that a byte offset is in.
    #[must_use]
    pub fn name_at(&self, offset: usize) -> &str {
        self.file_at(offset).map_or("", |file| &file.name)
    }

    /// `FILE:LINE` of a byte offset.
    #[must_use]
    pub fn place(&self, offset: usize) -> String {
        format!("{}:{}", self.name_at(offset), self.position(offset).line)
    }

    /// SHA-256 of the file; of several files, of their hashes in order.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        match self.files.as_slice() {
            [file] => sekisho_crypto::sha256(&file.bytes),
            files => {
                let hashes: Vec<u8> = files
                    .iter()
                    .flat_map(|file| sekisho_crypto::sha256(&file.bytes))
                    .collect();
                sekisho_crypto::sha256(&hashes)
            }
        }
    }

    /// The text of all files; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The part of the text in `span`; empty if the span is not within it.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// Line and column of a byte offset in its file; an offset behind the end is the end.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let before = before.get(self.span_at(offset).start..).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }

    /// Where the file of a byte offset is in the text.
    pub(crate) fn span_at(&self, offset: usize) -> Span {
        self.file_at(offset).map(|file| file.span).unwrap_or_default()
    }

    /// The files, the policy's own first.
    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// Why the file that the last one extends is not here.
    pub(crate) fn missing_base(&self) -> &MissingBase {
        &self.missing_base
    }

    /// `a.toml -> b.toml -> c.toml`: each file and what it extends.
    pub(crate) fn chain(&self) -> String {
        let names: Vec<&str> = self.files.iter().map(|file| file.name.as_str()).collect();
        names.join(" -> ")
    }

    /// The files' names for an image, the policy's own first: nothing of the machine that compiles is in them.
    pub(crate) fn portable_names(&self) -> Vec<String> {
        self.files
            .iter()
            .map(|file| portable_name(&file.portable))
            .collect()
    }

    /// The index of the file of a byte offset in [`Self::portable_names`].
    pub(crate) fn index_at(&self, offset: usize) -> u8 {
        let files = self.files.iter();
        let behind = files.skip(1).take_while(|file| file.span.start <= offset);
        // There are at most `LONGEST_CHAIN`.
        u8::try_from(behind.count()).unwrap_or(u8::MAX)
    }

    fn file_at(&self, offset: usize) -> Option<&File> {
        self.files.iter().rev().find(|file| file.span.start <= offset)
    }
}

/// The file that this one extends.
fn extended_by(text: &str) -> Option<String> {
    let (table, _) = DeTable::parse_recoverable(text);
    let base = table.get_ref().get("extends")?.get_ref().as_str()?;
    (!base.is_empty()).then(|| base.to_owned())
}

/// The path `base` as the file at `path` says it.
fn beside(path: &Path, base: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(base)
}

/// A path as the table of an image holds it: of an absolute one, which is of somebody's machine, the last part.
fn portable_name(path: &Path) -> String {
    let relative = if path.is_absolute() {
        Path::new(path.file_name().unwrap_or_default())
    } else {
        path
    };
    let name = relative.display().to_string().replace(char::is_control, "?");
    let mut start = name.len().saturating_sub(LONGEST_NAME);
    while !name.is_char_boundary(start) {
        start += 1;
    }
    match name.get(start..) {
        Some(end) if !end.is_empty() => end.to_owned(),
        _ => "-".to_owned(),
    }
}

/// A path without `.` and without folders that `..` leaves again: the same file, unless links lead elsewhere.
///
/// Where they do, the length of the chain ends a cycle.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// A place a person can find in an editor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
}

/// A range of byte offsets in the text of a policy's files.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
}

impl Span {
    /// As the standard range.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

/// A value and where the file says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Located<T> {
    /// What was written.
    pub value: T,
    /// Where.
    pub span: Span,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_characters_from_one() {
        let source = Source::new("p".into(), "a\nüb = 1\n".into());
        let position = |offset| {
            let Position { line, column } = source.position(offset);
            (line, column)
        };
        assert_eq!(position(0), (1, 1));
        assert_eq!(position(2), (2, 1));
        assert_eq!(position(4), (2, 2));
        assert_eq!(position(9_999), (3, 1));
    }
}
