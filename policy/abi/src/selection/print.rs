//! Canonical text: long item names, one blank behind each comma, a backslash before each character that would
//! mean something. Reading it gives the same selection again.

use super::pattern::{Part, Pattern, Patterns};
use super::{DriverOption, Entry, Item, Property, Selection};
use core::fmt::{self, Write};

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.entries.iter().enumerate() {
            if index > 0 {
                f.write_str(", and, ")?;
            }
            write!(f, "{entry}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for item in self.items() {
            write!(f, "{item}, ")?;
        }
        match self.driver() {
            Some(driver) => write!(f, "driver={driver}")?,
            None => f.write_str("driver=none")?,
        }
        for option in self.options() {
            write!(f, ", {option}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(property, patterns) => write!(f, "{property}={patterns}"),
            Self::Device(driver) => write!(f, "device={driver}"),
            Self::Number(patterns) => write!(f, "number={patterns}"),
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for DriverOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value is text as it was written; it needs no escapes added.
        write!(f, "{}={}", self.name, self.value)
    }
}

impl fmt::Display for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pattern) in self.alternatives().iter().enumerate() {
            if index > 0 {
                f.write_char('|')?;
            }
            write!(f, "{pattern}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.parts() {
            match part {
                Part::AnyCharacter => f.write_char('?')?,
                Part::AnyRun => f.write_char('*')?,
                Part::Literal(character) => {
                    if matches!(character, ' ' | '\t' | '"' | '\\' | '*' | '?' | '|' | ',' | '=') {
                        f.write_char('\\')?;
                    }
                    f.write_char(*character)?;
                }
            }
        }
        Ok(())
    }
}
