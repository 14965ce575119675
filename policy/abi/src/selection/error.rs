//! What can be wrong with a selection string, where, and what to write instead.

use super::suggest::nearest;
use super::{Driver, MAX_ENTRIES, MAX_LENGTH, Property};
use alloc::format;
use alloc::string::String;
use core::fmt;
use core::ops::Range;

/// The first error of a selection string. `Display` is one sentence; [`Self::help`] says what to write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    kind: ParseErrorKind,
    span: Range<usize>,
    column: usize,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ParseErrorKind {
    /// Longer than [`MAX_LENGTH`].
    TooLong,
    /// More than [`MAX_ENTRIES`] entries.
    TooManyEntries,
    /// A leading comma, two commas in a row, or an `=` without a name.
    EmptyItem,
    /// `and` where no entry precedes it.
    EmptyEntry,
    /// An item or option without `=`.
    MissingEquals {
        /// The text where a name and `=` should be.
        name: String,
    },
    /// A second `=` in one item or option.
    SecondEquals,
    /// No item has this name.
    UnknownItem {
        /// The name found.
        name: String,
    },
    /// `number=` counts what the items before it matched, so it cannot be the first.
    NumberFirst,
    /// The value of `driver=` is no driver.
    UnknownDriver {
        /// The value found.
        name: String,
    },
    /// The value of `device=` is no driver.
    UnknownDevice {
        /// The value found.
        name: String,
    },
    /// The driver has no such option.
    UnknownOption {
        /// The driver whose options these are.
        driver: Driver,
        /// The name found.
        name: String,
    },
    /// `driver=none` takes no options.
    OptionOfNone {
        /// The name found.
        name: String,
    },
    /// Items without the `driver=` that closes the entry.
    MissingDriver,
    /// A second `driver=` in one entry.
    MissingAnd,
    /// `and` without a comma on both sides.
    AndWithoutCommas,
    /// A `"` that is never closed.
    UnterminatedQuote,
    /// A `\` with nothing behind it.
    DanglingBackslash,
    /// `driver=` or `and,` where only the items of one entry are read.
    ItemsOnly,
    /// A NUL character: it ends the string where BitVisor reads it, and drops what follows.
    Nul,
    /// A single value with a `,` or `=` that is neither quoted nor escaped.
    UnquotedDelimiter,
}

impl ParseError {
    /// An error at the bytes `span` of `source`.
    pub(super) fn new(kind: ParseErrorKind, source: &str, span: Range<usize>) -> Self {
        let before = source.get(..span.start).unwrap_or(source);
        Self {
            kind,
            column: before.chars().count() + 1,
            span,
        }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> &ParseErrorKind {
        &self.kind
    }

    /// Where, in bytes of the string; empty at the place where something is missing.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Where, as the 1-based column in characters.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> String {
        match &self.kind {
            ParseErrorKind::TooLong => format!("a string holds at most {MAX_LENGTH} bytes"),
            ParseErrorKind::TooManyEntries => format!("a string holds at most {MAX_ENTRIES} entries"),
            ParseErrorKind::EmptyItem => "remove this comma, or write the missing `name=value`".into(),
            ParseErrorKind::EmptyEntry => "write an entry before it, or remove this `and,`".into(),
            ParseErrorKind::MissingEquals { name } => match name.split_once(':') {
                Some((name, value)) => format!("write `{name}={value}`"),
                None => format!("write `{name}=value`"),
            },
            ParseErrorKind::SecondEquals => {
                "put a comma between two items; an `=` inside a value is written `\\=`".into()
            }
            ParseErrorKind::UnknownItem { name } => item_help(name),
            ParseErrorKind::NumberFirst => {
                "write the item whose devices are counted first: `device=pro1000, number=0`".into()
            }
            ParseErrorKind::UnknownDriver { name } => driver_help(name, "driver", Some("none")),
            ParseErrorKind::UnknownDevice { name } => driver_help(name, "device", None),
            ParseErrorKind::UnknownOption { driver, name } => option_help(*driver, name),
            ParseErrorKind::OptionOfNone { .. } => "remove it: no driver is there to read it".into(),
            ParseErrorKind::MissingDriver => {
                "close the entry with `driver=NAME`, or with `driver=none` to leave the devices alone".into()
            }
            ParseErrorKind::MissingAnd => "write `and,` before this `driver=` to start a new entry".into(),
            ParseErrorKind::AndWithoutCommas => "write `, and,` between two entries".into(),
            ParseErrorKind::UnterminatedQuote => {
                "close it with `\"`, or write `\\\"` for the character".into()
            }
            ParseErrorKind::DanglingBackslash => "remove it, or write `\\\\` for the character".into(),
            ParseErrorKind::ItemsOnly => "remove this and what follows: the driver is named elsewhere".into(),
            ParseErrorKind::Nul => "remove it".into(),
            ParseErrorKind::UnquotedDelimiter => "quote the value, or put `\\` before the character".into(),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ParseErrorKind::TooLong => f.write_str("the selection string is too long"),
            ParseErrorKind::TooManyEntries => f.write_str("the selection string has too many entries"),
            ParseErrorKind::EmptyItem => f.write_str("an item is missing here"),
            ParseErrorKind::EmptyEntry => f.write_str("`and` has no entry before it"),
            ParseErrorKind::MissingEquals { name } => write!(f, "`{name}` has no `=`"),
            ParseErrorKind::SecondEquals => f.write_str("a value cannot have an `=` of its own"),
            ParseErrorKind::UnknownItem { name } => write!(f, "there is no item `{name}`"),
            ParseErrorKind::NumberFirst => f.write_str("`number` has no item before it to count"),
            ParseErrorKind::UnknownDriver { name } => write!(f, "there is no driver `{name}`"),
            ParseErrorKind::UnknownDevice { name } => {
                write!(f, "there is no driver `{name}` to match devices of")
            }
            ParseErrorKind::UnknownOption { driver, name } => {
                write!(f, "driver `{driver}` has no option `{name}`")
            }
            ParseErrorKind::OptionOfNone { name } => {
                write!(f, "`driver=none` takes no options, but here is `{name}`")
            }
            ParseErrorKind::MissingDriver => f.write_str("the entry has no `driver=`"),
            ParseErrorKind::MissingAnd => f.write_str("the entry has a second `driver=`"),
            ParseErrorKind::AndWithoutCommas => f.write_str("`and` needs a comma on both sides"),
            ParseErrorKind::UnterminatedQuote => f.write_str("the quote is never closed"),
            ParseErrorKind::DanglingBackslash => f.write_str("nothing follows the backslash"),
            ParseErrorKind::ItemsOnly => f.write_str("only the items of one entry stand here"),
            ParseErrorKind::Nul => f.write_str("a string cannot hold a NUL character"),
            ParseErrorKind::UnquotedDelimiter => f.write_str("a single value ends at `,` or `=`"),
        }
    }
}

impl core::error::Error for ParseError {}

fn item_names() -> impl Iterator<Item = &'static str> + Clone {
    ["driver", "number", "device"]
        .into_iter()
        .chain(Property::NAMES.into_iter().map(|(name, _)| name))
}

fn item_help(name: &str) -> String {
    let any_option = Driver::ALL.iter().any(|driver| driver.options().contains(&name));
    if any_option {
        return format!("options such as `{name}` follow the `driver=` that takes them");
    }
    match nearest(name, item_names()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("the items are {}", list(item_names())),
    }
}

fn driver_help(name: &str, item: &str, other: Option<&'static str>) -> String {
    if name.contains(['|', '*', '?', '"', '\\']) {
        return format!("`{item}=` takes one exact name, no pattern: write an entry for each");
    }
    let names = Driver::ALL.into_iter().map(Driver::name).chain(other);
    match nearest(name, names.clone()) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("the drivers are {}", list(names)),
    }
}

fn option_help(driver: Driver, name: &str) -> String {
    if item_names().any(|known| known == name) {
        return format!("items such as `{name}` stand before `driver=`; `and,` starts a new entry");
    }
    let options = driver.options().iter().copied();
    match nearest(name, options.clone()) {
        Some(known) => format!("did you mean `{known}`?"),
        None if driver.options().is_empty() => format!("`{driver}` takes no options: remove it"),
        None => format!("its options are {}", list(options)),
    }
}

/// `a, b, c`.
fn list(names: impl Iterator<Item = &'static str>) -> String {
    let mut text = String::new();
    for name in names {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(name);
    }
    text
}
