//! Reads a selection string. Trusts nothing about it; works through it once, without recursion.

use super::error::{ParseError, ParseErrorKind};
use super::token::{Delimiter, Token, check_source, token};
use super::{Driver, DriverOption, Entry, Item, Property, Selection};
use alloc::vec::Vec;

/// The longest string that is read, in bytes.
pub const MAX_LENGTH: usize = 64 * 1024;
/// The most entries that are read.
pub const MAX_ENTRIES: usize = 1024;

/// Reads a selection string; the empty string selects nothing.
///
/// # Errors
/// [`ParseError`]: the first thing wrong with it.
pub fn parse(source: &str) -> Result<Selection, ParseError> {
    check_source(source)?;
    let mut reader = Reader { source, position: 0 };
    let mut entries = Vec::new();
    while let Some(entry) = reader.entry()? {
        if entries.len() == MAX_ENTRIES {
            let rest = reader.position..source.len();
            return Err(ParseError::new(ParseErrorKind::TooManyEntries, source, rest));
        }
        entries.push(entry);
    }
    Ok(Selection { entries })
}

/// Reads the items of one entry, without the `driver=` that would close it.
///
/// # Errors
/// [`ParseError`]: the first thing wrong with it; an entry's end is [`ParseErrorKind::ItemsOnly`].
pub fn parse_items(source: &str) -> Result<Vec<Item>, ParseError> {
    check_source(source)?;
    let mut reader = Reader { source, position: 0 };
    let mut items = Vec::new();
    loop {
        let name = reader.token()?;
        if is_end(&name) {
            return Ok(items);
        }
        if is_and(&name) {
            return Err(reader.error(ParseErrorKind::ItemsOnly, &name));
        }
        match reader.item(&name, &items)? {
            Step::Item(item) => items.push(item),
            Step::Driver(_) => return Err(reader.error(ParseErrorKind::ItemsOnly, &name)),
        }
    }
}

/// Nothing but blanks up to the end of the string.
fn is_end(name: &Token<'_>) -> bool {
    name.span.is_empty() && name.delimiter == Delimiter::End
}

/// `and,`, which like any name may be a pattern.
fn is_and(name: &Token<'_>) -> bool {
    name.delimiter == Delimiter::Comma && name.patterns.matches("and")
}

/// The string and how far it has been read.
struct Reader<'a> {
    source: &'a str,
    position: usize,
}

/// What stands in an entry: an item, or the driver that ends the items.
enum Step {
    Item(Item),
    Driver(Option<Driver>),
}

/// What an item's name selects.
enum Name {
    Driver,
    Number,
    Device,
    Property(Property),
}

impl<'a> Reader<'a> {
    /// The next entry with the `and,` behind it, or `None` at the end of the string.
    fn entry(&mut self) -> Result<Option<Entry>, ParseError> {
        let mut items = Vec::new();
        loop {
            let name = self.token()?;
            match (is_end(&name), items.is_empty()) {
                (true, true) => return Ok(None),
                (true, false) => return Err(self.error(ParseErrorKind::MissingDriver, &name)),
                (false, _) => {}
            }
            match self.item(&name, &items)? {
                Step::Item(item) => items.push(item),
                Step::Driver(driver) => {
                    let mut entry = Entry {
                        items,
                        driver,
                        options: Vec::new(),
                    };
                    self.options(&mut entry)?;
                    return Ok(Some(entry));
                }
            }
        }
    }

    /// The item, or the `driver=`, whose name has been read.
    fn item(&mut self, name: &Token<'_>, items: &[Item]) -> Result<Step, ParseError> {
        self.check_item_name(name, items)?;
        let value = self.value()?;
        Ok(match self.resolve(name, items)? {
            Name::Driver => Step::Driver(self.driver(&value)?),
            Name::Number => Step::Item(Item::Number(value.patterns)),
            Name::Device => Step::Item(Item::Device(self.device(&value)?)),
            Name::Property(property) => Step::Item(Item::Property(property, value.patterns)),
        })
    }

    /// The options up to the end of the entry.
    fn options(&mut self, entry: &mut Entry) -> Result<(), ParseError> {
        loop {
            let name = self.token()?;
            if is_end(&name) || is_and(&name) {
                return Ok(());
            }
            self.check_name(&name)?;
            let kind = match entry.driver {
                Some(driver) if driver.options().contains(&name.text) => {
                    let value = self.value()?;
                    entry.set_option(DriverOption {
                        name: name.text.into(),
                        value: value.text.into(),
                    });
                    continue;
                }
                _ if name.patterns.matches("driver") => ParseErrorKind::MissingAnd,
                Some(driver) => ParseErrorKind::UnknownOption {
                    driver,
                    name: name.text.into(),
                },
                None => ParseErrorKind::OptionOfNone {
                    name: name.text.into(),
                },
            };
            return Err(self.error(kind, &name));
        }
    }

    /// Refuses what cannot be the name of an item behind `items`.
    fn check_item_name(&self, name: &Token<'_>, items: &[Item]) -> Result<(), ParseError> {
        match (is_and(name), items) {
            (true, []) => Err(self.error(ParseErrorKind::EmptyEntry, name)),
            (true, _) => Err(self.error(ParseErrorKind::MissingDriver, name)),
            (false, _) => self.check_name(name),
        }
    }

    /// Refuses what cannot be the name of an item or option.
    fn check_name(&self, name: &Token<'_>) -> Result<(), ParseError> {
        let kind = if name.span.is_empty() {
            ParseErrorKind::EmptyItem
        } else if name.text == "and" || name.text.starts_with("and ") || name.text.starts_with("and\t") {
            ParseErrorKind::AndWithoutCommas
        } else if name.delimiter != Delimiter::Equals {
            ParseErrorKind::MissingEquals {
                name: name.text.into(),
            }
        } else {
            return Ok(());
        };
        Err(self.error(kind, name))
    }

    /// The value behind a name.
    fn value(&mut self) -> Result<Token<'a>, ParseError> {
        let value = self.token()?;
        if value.delimiter != Delimiter::Equals {
            return Ok(value);
        }
        if value.text.contains(" and ") {
            return Err(self.error(ParseErrorKind::AndWithoutCommas, &value));
        }
        let equals = value.next.saturating_sub(1)..value.next;
        Err(ParseError::new(ParseErrorKind::SecondEquals, self.source, equals))
    }

    /// What an item's name means behind `items`: a name is a pattern, tried in a fixed order.
    fn resolve(&self, name: &Token<'_>, items: &[Item]) -> Result<Name, ParseError> {
        let is = |known: &str| name.patterns.matches(known);
        if is("driver") {
            return Ok(Name::Driver);
        }
        if is("number") && !items.is_empty() {
            return Ok(Name::Number);
        }
        if is("device") {
            return Ok(Name::Device);
        }
        if let Some((_, property)) = Property::NAMES.into_iter().find(|(known, _)| is(known)) {
            return Ok(Name::Property(property));
        }
        let kind = match is("number") {
            true => ParseErrorKind::NumberFirst,
            false => ParseErrorKind::UnknownItem {
                name: name.text.into(),
            },
        };
        Err(self.error(kind, name))
    }

    fn driver(&self, value: &Token<'_>) -> Result<Option<Driver>, ParseError> {
        if value.text == "none" {
            return Ok(None);
        }
        let driver = Driver::from_name(value.text);
        if driver.is_some() {
            return Ok(driver);
        }
        let kind = if value.text.ends_with(" and") {
            ParseErrorKind::AndWithoutCommas
        } else {
            ParseErrorKind::UnknownDriver {
                name: value.text.into(),
            }
        };
        Err(self.error(kind, value))
    }

    fn device(&self, value: &Token<'_>) -> Result<Driver, ParseError> {
        Driver::from_name(value.text).ok_or_else(|| {
            self.error(
                ParseErrorKind::UnknownDevice {
                    name: value.text.into(),
                },
                value,
            )
        })
    }

    fn token(&mut self) -> Result<Token<'a>, ParseError> {
        let token = token(self.source, self.position)?;
        self.position = token.next;
        Ok(token)
    }

    fn error(&self, kind: ParseErrorKind, token: &Token<'_>) -> ParseError {
        ParseError::new(kind, self.source, token.span.clone())
    }
}
