//! The device-selection language of `vmm.driver.pci`: parsed, printed, matched.
//!
//! A [`Selection`] is an ordered list of entries; for each device the first entry whose items all match decides
//! which driver takes it. Text is read by [`parse()`], written by `Display`, and decided by [`Matcher`], which is
//! the same code on the laptop that reviews a policy and in the hypervisor that enforces it.
//!
//! Trust: text and serialised bytes are hostile. What deserialises is checked like what is parsed, so every
//! value of these types is one that a string could have said.
//!
//! ```
//! use sekisho_abi::selection::parse;
//! let text = "device=pro1000, number=0, driver=pro1000, net=vpn, and, class=02*, driver=conceal";
//! assert_eq!(parse(text).unwrap().to_string(), text);
//! ```

mod drivers;
mod error;
mod matcher;
mod parse;
mod pattern;
mod print;
mod suggest;
mod text;
mod token;

pub use drivers::{DefaultItem, Driver};
pub use error::{ParseError, ParseErrorKind};
pub use matcher::{Decision, Matcher, Trial};
pub use parse::{MAX_ENTRIES, MAX_LENGTH, parse, parse_items};
pub use pattern::{Part, Pattern, Patterns};

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A parsed selection string.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Selection {
    /// In order; the first that matches a device decides.
    pub entries: Vec<Entry>,
}

/// One entry: which devices, and what takes them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "UncheckedEntry")]
pub struct Entry {
    items: Vec<Item>,
    driver: Option<Driver>,
    options: Vec<DriverOption>,
}

/// One condition on a device. Values are compared as lower-case hexadecimal text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Item {
    /// `NAME=pattern`: what the device's registers or place say.
    Property(Property, Patterns),
    /// `device=NAME`: that driver's default pattern matches.
    Device(Driver),
    /// `number=pattern`: how many devices matched all items before this one, this device not counted.
    Number(Patterns),
}

/// A property of a device that an item can name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Property {
    /// `slot=%02x:%02x.%u`: initial bus, device, function.
    Slot,
    /// `class=%04x`: the class code without its programming interface.
    Class,
    /// `id=%04x:%04x`: vendor and device.
    Id,
    /// `subsystem=%04x:%04x`: subsystem vendor and subsystem.
    Subsystem,
    /// `revision=%02x`, also `rev`.
    Revision,
    /// `programming_interface=%02x`, also `if`.
    ProgrammingInterface,
    /// `class_code=%06x`.
    ClassCode,
    /// `header_type=%02x`.
    HeaderType,
}

/// `name=value` behind a driver. The value is kept as written, quotes included.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DriverOption {
    /// One of [`Driver::options`].
    pub name: String,
    /// The value's text; it never has an unquoted `,` or `=`, nor blanks around it.
    pub value: String,
}

/// Why parts do not make an [`Entry`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EntryError {
    /// [`Item::Number`] counts what the items before it matched, so it cannot be the first.
    NumberFirst,
    /// `driver=none` takes no options.
    OptionOfNone {
        /// The option's name.
        name: String,
    },
    /// The driver has no such option.
    UnknownOption {
        /// The driver.
        driver: Driver,
        /// The option's name.
        name: String,
    },
    /// The value could not be written in a string: an unquoted `,` or `=`, an open quote, blanks around it.
    UnwritableValue {
        /// The option's name.
        name: String,
    },
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NumberFirst => f.write_str("number cannot be the first item"),
            Self::OptionOfNone { name } => write!(f, "driver=none takes no options, but `{name}` is given"),
            Self::UnknownOption { driver, name } => write!(f, "driver {driver} has no option `{name}`"),
            Self::UnwritableValue { name } => write!(f, "the value of `{name}` needs quotes"),
        }
    }
}

impl core::error::Error for EntryError {}

impl Entry {
    /// The entry with these parts. `driver` is `None` for `driver=none`; of a repeated option the last value
    /// counts; without items the driver's own default pattern selects.
    ///
    /// # Errors
    /// [`EntryError`] if no selection string could say this.
    pub fn new(
        items: Vec<Item>,
        driver: Option<Driver>,
        options: Vec<DriverOption>,
    ) -> Result<Self, EntryError> {
        if matches!(items.first(), Some(Item::Number(_))) {
            return Err(EntryError::NumberFirst);
        }
        let mut entry = Self {
            items,
            driver,
            options: Vec::new(),
        };
        for option in options {
            let DriverOption { name, value } = option;
            let Some(driver) = driver else {
                return Err(EntryError::OptionOfNone { name });
            };
            if !driver.options().contains(&name.as_str()) {
                return Err(EntryError::UnknownOption { driver, name });
            }
            if !token::whole(&value).is_ok_and(|token| token.text == value) {
                return Err(EntryError::UnwritableValue { name });
            }
            entry.set_option(DriverOption { name, value });
        }
        Ok(entry)
    }

    /// The conditions; all must match. Without any, the driver's own default pattern selects.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// What takes the device; `None` is `driver=none`: nothing does, and no later entry decides.
    #[must_use]
    pub const fn driver(&self) -> Option<Driver> {
        self.driver
    }

    /// The driver's options, each name once, in the order first written.
    #[must_use]
    pub fn options(&self) -> &[DriverOption] {
        &self.options
    }

    /// Adds a checked option; a repeated one replaces its value.
    fn set_option(&mut self, option: DriverOption) {
        match self.options.iter_mut().find(|known| known.name == option.name) {
            Some(known) => known.value = option.value,
            None => self.options.push(option),
        }
    }
}

/// [`Entry`] as it lies in a compiled policy, before it is checked.
#[derive(Deserialize)]
struct UncheckedEntry {
    items: Vec<Item>,
    driver: Option<Driver>,
    options: Vec<DriverOption>,
}

impl TryFrom<UncheckedEntry> for Entry {
    type Error = EntryError;

    fn try_from(entry: UncheckedEntry) -> Result<Self, EntryError> {
        Self::new(entry.items, entry.driver, entry.options)
    }
}

impl Property {
    /// Every property with its name, in the order in which a pattern for an item's name tries them.
    pub const NAMES: [(&'static str, Self); 10] = [
        ("slot", Self::Slot),
        ("class", Self::Class),
        ("id", Self::Id),
        ("subsystem", Self::Subsystem),
        ("revision", Self::Revision),
        ("rev", Self::Revision),
        ("programming_interface", Self::ProgrammingInterface),
        ("if", Self::ProgrammingInterface),
        ("class_code", Self::ClassCode),
        ("header_type", Self::HeaderType),
    ];

    /// The property called `name`, short forms included.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let (_, property) = Self::NAMES.into_iter().find(|(known, _)| *known == name)?;
        Some(property)
    }

    /// Its name in canonical text.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slot => "slot",
            Self::Class => "class",
            Self::Id => "id",
            Self::Subsystem => "subsystem",
            Self::Revision => "revision",
            Self::ProgrammingInterface => "programming_interface",
            Self::ClassCode => "class_code",
            Self::HeaderType => "header_type",
        }
    }
}
