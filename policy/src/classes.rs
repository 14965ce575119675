//! Which device classes an entry can be about, as far as its items tell.
//!
//! `class`, `class_code` and `device` bound the class of a device; `slot` and `id` do not. The rules on
//! bridges, on drivers and on order reason with this, and so does `compile` when it leaves out a default that
//! is implied.

use sekisho_abi::selection::{DefaultItem, Driver, Entry, Item, Part, Pattern, Patterns, Property};

/// Base classes in use: PCI Code and ID Assignment Specification 1.16, section 1.
const BASE_CLASSES: [std::ops::RangeInclusive<u8>; 3] = [0x00..=0x14, 0x40..=0x40, 0xff..=0xff];
/// Sub-classes in use in any of them.
const SUB_CLASSES: [std::ops::RangeInclusive<u8>; 2] = [0x00..=0x21, 0x80..=0x80];

/// Every class (base class and sub-class) that a device may have.
fn classes() -> impl Iterator<Item = u16> {
    let sub_classes = || SUB_CLASSES.into_iter().flatten();
    let bases = BASE_CLASSES.into_iter().flatten();
    bases.flat_map(move |base| sub_classes().map(move |sub| u16::from_be_bytes([base, sub])))
}

/// A set of classes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ClassSet {
    /// One for each of [`classes`].
    members: Vec<bool>,
}

impl ClassSet {
    /// The classes for which `belongs` holds.
    pub(crate) fn of(belongs: impl Fn(u16) -> bool) -> Self {
        Self {
            members: classes().map(belongs).collect(),
        }
    }

    /// The classes that an entry's items leave possible: all, where no item bounds them.
    pub(crate) fn of_entry(entry: &Entry) -> Self {
        let mut set = Self::all();
        if entry.items().is_empty() {
            set = entry.driver().map_or(set, Self::of_driver);
        }
        for item in entry.items() {
            match item {
                Item::Property(Property::Class, patterns) => set.intersect(&Self::of_patterns(patterns)),
                Item::Property(Property::ClassCode, patterns) => set.intersect(&Self::of_codes(patterns)),
                Item::Device(driver) => set.intersect(&Self::of_driver(*driver)),
                Item::Property(..) | Item::Number(_) => {}
            }
        }
        set
    }

    /// The classes that a driver's default pattern leaves possible.
    pub(crate) fn of_driver(driver: Driver) -> Self {
        let mut set = Self::all();
        for DefaultItem(property, alternatives) in driver.default_items() {
            // The table's texts have no character that could be refused.
            let Ok(patterns) = Patterns::parse(alternatives) else {
                continue;
            };
            match property {
                Property::Class => set.intersect(&Self::of_patterns(&patterns)),
                Property::ClassCode => set.intersect(&Self::of_codes(&patterns)),
                _ => {}
            }
        }
        set
    }

    /// Whether every member is in `other`.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.members
            .iter()
            .zip(&other.members)
            .all(|(here, there)| !*here || *there)
    }

    /// The lowest class that is in both.
    pub(crate) fn common(&self, other: &Self) -> Option<u16> {
        let mut both = classes().zip(self.members.iter().zip(&other.members));
        both.find(|(_, (here, there))| **here && **there)
            .map(|(class, _)| class)
    }

    /// Whether no class is left.
    pub(crate) fn is_empty(&self) -> bool {
        !self.members.contains(&true)
    }

    /// Whether no item bounded it.
    pub(crate) fn is_all(&self) -> bool {
        self.members.iter().all(|member| *member)
    }

    fn all() -> Self {
        Self::of(|_| true)
    }

    fn intersect(&mut self, other: &Self) {
        for (here, there) in self.members.iter_mut().zip(&other.members) {
            *here &= *there;
        }
    }

    fn of_patterns(patterns: &Patterns) -> Self {
        Self::of(|class| patterns.matches(&format!("{class:04x}")))
    }

    /// Classes with a programming interface that matches.
    fn of_codes(patterns: &Patterns) -> Self {
        let interfaces: Vec<String> = patterns.alternatives().iter().map(likely_interface).collect();
        Self::of(|class| {
            interfaces
                .iter()
                .any(|interface| patterns.matches(&format!("{class:04x}{interface}")))
        })
    }
}

/// Two digits that the end of a `class_code` pattern takes.
fn likely_interface(pattern: &Pattern) -> String {
    let digit = |part: &Part| match part {
        Part::Literal(digit) => *digit,
        Part::AnyCharacter | Part::AnyRun => '0',
    };
    let parts = pattern.parts();
    parts
        .iter()
        .skip(parts.len().saturating_sub(2))
        .map(digit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sekisho_abi::selection::parse;

    fn set(items: &str) -> ClassSet {
        ClassSet::of_entry(&parse(&format!("{items}, driver=conceal")).unwrap().entries[0])
    }

    #[test]
    fn items_on_classes_bound_the_set() {
        assert_eq!(set("class=0200").common(&set("class=02*")), Some(0x0200));
        assert!(set("class_code=010601").is_within(&set("class=01*")));
        assert!(set("class_code=0106*").is_within(&set("class=0106")));
        assert!(set("device=pro1000").is_within(&set("class=0200")));
        assert_eq!(set("device=ahci").common(&set("class=02*|03*")), None);
        assert_eq!(set("class=01*, class_code=02*").common(&set("class=*")), None);
    }

    #[test]
    fn other_items_leave_every_class_possible() {
        assert!(set("id=8086:*, slot=00:*").is_all());
        assert!(!set("class=0*").is_all());
    }
}
