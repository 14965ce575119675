//! Where each entry of a compiled policy was written: rule, file and line, for the boot log and `sekisho image inspect`.
//!
//! Nothing is decided by it. Files are named as the policy's author wrote them, from the folder of the policy's own file,
//! so that the same policy gives the same bytes on whatever machine it is compiled.

use crate::selection::Selection;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// Files that a policy can be composed of.
pub const MOST_FILES: usize = 8;
/// Bytes of the longest name of a file.
pub const LONGEST_NAME: usize = 255;

/// The origins of a selection list.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Origins {
    /// The policy's files, its own first: at most [`MOST_FILES`] names of at most [`LONGEST_NAME`] bytes, none of them
    /// empty or with a control character.
    pub files: Vec<String>,
    /// One for each entry of the selection, in the same order.
    pub entries: Vec<Origin>,
}

/// Where a selection entry came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Origin {
    /// The rule's name, or `defaults`.
    pub rule: String,
    /// Index of the file that says it in [`Origins::files`].
    pub file: u8,
    /// 1-based line of the rule in that file.
    pub line: u32,
}

/// One entry's origin, displayed as `FILE:LINE RULE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'a> {
    file: &'a str,
    origin: &'a Origin,
}

impl Origins {
    /// Where the entry with this index was written.
    #[must_use]
    pub fn of(&self, entry: usize) -> Option<Place<'_>> {
        let origin = self.entries.get(entry)?;
        let file = self.files.get(usize::from(origin.file))?;
        Some(Place { file, origin })
    }

    /// The places of all entries, in order.
    pub fn places(&self) -> impl Iterator<Item = Place<'_>> {
        (0..self.entries.len()).filter_map(|entry| self.of(entry))
    }

    /// Whether there is one for each entry of `selection`, each in a file of the table, and the table is within bounds.
    pub(crate) fn are_of(&self, selection: &Selection) -> bool {
        let named = |name: &String| {
            !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control)
        };
        let mut files = self.entries.iter().map(|origin| usize::from(origin.file));
        self.entries.len() == selection.entries.len()
            && self.files.len() <= MOST_FILES
            && self.files.iter().all(named)
            && files.all(|file| file < self.files.len())
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { rule, line, .. } = self.origin;
        write!(f, "{}:{line} {rule}", self.file)
    }
}
