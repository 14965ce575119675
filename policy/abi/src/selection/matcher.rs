//! Which entry decides a device.
//!
//! Every item of every entry is looked at for every device, also after an entry has taken it, because `number=`
//! counts all devices that reach it. So devices must be shown once each, in the order they are found.

use super::text::Text;
use super::{Driver, DriverOption, Entry, Item, Property, Selection};
use crate::pci::Identity;
use alloc::vec::Vec;
use core::slice;

/// Applies a selection to devices, one after the other.
#[derive(Clone, Debug)]
pub struct Matcher<'a> {
    selection: &'a Selection,
    /// One for each `number=` of the selection, in text order: how many devices reached it.
    counters: Vec<u32>,
}

/// The entry that decides a device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decision<'a> {
    /// Its index in [`Selection::entries`].
    pub entry: usize,
    /// What takes the device; `None` is `driver=none`: it is left alone.
    pub driver: Option<Driver>,
    /// The driver's options.
    pub options: &'a [DriverOption],
}

impl<'a> Matcher<'a> {
    /// A matcher that has seen no device yet.
    #[must_use]
    pub fn new(selection: &'a Selection) -> Self {
        let numbers = selection
            .entries
            .iter()
            .flat_map(|entry| entry.items())
            .filter(|item| matches!(item, Item::Number(_)))
            .count();
        Self {
            selection,
            counters: alloc::vec![0; numbers],
        }
    }

    /// The first entry that matches `device`, or `None`. Advances the counters, so show each device once. Takes no
    /// memory.
    pub fn decide(&mut self, device: &Identity) -> Option<Decision<'a>> {
        let mut decision = None;
        self.try_each(device, |index, entry, trial| {
            if trial == Trial::Matches && decision.is_none() {
                decision = Some(Decision {
                    entry: index,
                    driver: entry.driver(),
                    options: entry.options(),
                });
            }
        });
        decision
    }

    /// As [`Self::decide`], telling of every entry in order how `device` does against it.
    pub fn try_each(&mut self, device: &Identity, mut told: impl FnMut(usize, &'a Entry, Trial)) {
        let mut counters = self.counters.iter_mut();
        for (index, entry) in self.selection.entries.iter().enumerate() {
            // Asked of every entry, also behind the one that decides: its counters must see the device.
            told(index, entry, attempt(entry, device, &mut counters));
        }
    }
}

/// How a device does against one entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trial {
    /// Every item matches.
    Matches,
    /// The first item that does not, by its index in [`Entry::items`]; 0 where the entry has none and its driver's
    /// default pattern does not match.
    Fails(usize),
}

/// Tries all items of `entry`; takes the counter of each of its `number=` items from `counters`.
fn attempt(entry: &Entry, device: &Identity, counters: &mut slice::IterMut<'_, u32>) -> Trial {
    if entry.items().is_empty() {
        return match entry.driver() {
            Some(driver) if driver.fits(device) => Trial::Matches,
            _ => Trial::Fails(0),
        };
    }
    let mut trial = Trial::Matches;
    for (index, item) in entry.items().iter().enumerate() {
        // A counter is passed over even where it does not advance, so that the next item finds its own.
        let counter = match item {
            Item::Number(_) => counters.next(),
            Item::Property(..) | Item::Device(_) => None,
        };
        if trial != Trial::Matches {
            continue;
        }
        let fits = match item {
            Item::Property(property, patterns) => patterns.matches(&property.text(device)),
            Item::Device(driver) => driver.fits(device),
            Item::Number(patterns) => counter.is_some_and(|counter| patterns.matches(&count(counter))),
        };
        if !fits {
            trial = Trial::Fails(index);
        }
    }
    trial
}

/// The counter's text, before it advances.
fn count(counter: &mut u32) -> Text {
    let text = Text::of(format_args!("{counter}"));
    *counter = counter.saturating_add(1);
    text
}

impl Property {
    /// The text that patterns are compared with.
    pub(super) fn text(self, device: &Identity) -> Text {
        match self {
            Self::Slot => Text::of(format_args!("{}", device.address)),
            Self::Class => Text::of(format_args!("{:04x}", device.class())),
            Self::Id => Text::of(format_args!("{:04x}:{:04x}", device.vendor, device.device)),
            Self::Subsystem => Text::of(format_args!(
                "{:04x}:{:04x}",
                device.subsystem_vendor, device.subsystem
            )),
            Self::Revision => Text::of(format_args!("{:02x}", device.revision)),
            Self::ProgrammingInterface => Text::of(format_args!("{:02x}", device.programming_interface())),
            Self::ClassCode => Text::of(format_args!("{:06x}", device.class_code & 0x00ff_ffff)),
            Self::HeaderType => Text::of(format_args!("{:02x}", device.header_type)),
        }
    }
}
