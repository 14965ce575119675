//! Laws of the selection language, over generated strings, selections and devices.

#![cfg(test)]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sekisho_abi::pci::{Address, Identity};
use sekisho_abi::selection::{
    Driver, DriverOption, Entry, Item, MAX_LENGTH, Matcher, Part, Pattern, Patterns, Property, Selection,
    parse,
};

/// Characters that mean something somewhere, and some that never do.
const CHARACTERS: &[char] = &[
    '0', '1', '2', '8', 'a', 'f', ':', '.', ' ', '\t', '"', '\\', '*', '?', '|', ',', '=', '\n', '\0', 'é',
    '界',
];

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        6 => select(CHARACTERS).prop_map(Part::Literal),
        1 => Just(Part::AnyCharacter),
        1 => Just(Part::AnyRun),
    ]
}

fn patterns() -> impl Strategy<Value = Patterns> {
    vec(vec(part(), 0..8).prop_map(Pattern::new), 0..4).prop_map(Patterns::from)
}

fn property() -> impl Strategy<Value = Property> {
    select(Property::NAMES.map(|(_, property)| property).to_vec())
}

fn driver() -> impl Strategy<Value = Driver> {
    select(Driver::ALL.to_vec())
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        3 => (property(), patterns()).prop_map(|(property, patterns)| Item::Property(property, patterns)),
        1 => driver().prop_map(Item::Device),
        1 => patterns().prop_map(Item::Number),
    ]
}

/// Entries as a caller may try to build them; those that no string can say are refused and left out.
fn selection() -> impl Strategy<Value = Selection> {
    let option = (any::<prop::sample::Index>(), vec(select(CHARACTERS), 0..6));
    let entry =
        (vec(item(), 0..5), option::of(driver()), vec(option, 0..3)).prop_map(|(items, driver, options)| {
            let names = driver.map(Driver::options).unwrap_or_default();
            let options = options
                .into_iter()
                .filter(|_| !names.is_empty())
                .map(|(name, value)| DriverOption {
                    name: name.get(names).to_string(),
                    value: value.into_iter().collect(),
                });
            Entry::new(items, driver, options.collect()).ok()
        });
    vec(entry, 0..6).prop_map(|entries| Selection {
        entries: entries.into_iter().flatten().collect(),
    })
}

/// Few enough values that devices resemble each other, as on a real bus.
fn device() -> impl Strategy<Value = Identity> {
    let class = select(vec![0x01_0601, 0x02_0000, 0x06_0400, 0x0c_0330, 0xff_ffff]);
    let ids = (
        select(vec![0x8086, 0x10ec, 0x1b36]),
        select(vec![0x100e, 0x10d3, 0x2922, 0x8139]),
    );
    (any::<u8>(), any::<u8>(), class, ids, any::<u8>()).prop_map(|(bus, devfn, class_code, ids, revision)| {
        Identity {
            address: Address::from_devfn(bus, devfn),
            vendor: ids.0,
            device: ids.1,
            revision,
            class_code,
            header_type: 0,
            subsystem_vendor: 0x1af4,
            subsystem: 0x1100,
        }
    })
}

/// Index and driver of the decision for each device in turn.
fn decisions(selection: &Selection, devices: &[Identity]) -> Vec<Option<(usize, Option<Driver>)>> {
    let mut matcher = Matcher::new(selection);
    let decide = |device| {
        matcher
            .decide(device)
            .map(|decision| (decision.entry, decision.driver))
    };
    devices.iter().map(decide).collect()
}

/// Recursive and obvious, to hold the fast matcher against.
fn matches_by_definition(parts: &[Part], text: &[char]) -> bool {
    match (parts.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((Part::AnyRun, rest)), _) => {
            (0..=text.len()).any(|taken| matches_by_definition(rest, &text[taken..]))
        }
        (Some((Part::AnyCharacter, rest)), Some((_, text))) => matches_by_definition(rest, text),
        (Some((Part::Literal(wanted), rest)), Some((found, text))) => {
            wanted == found && matches_by_definition(rest, text)
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn printing_and_reading_gives_the_same_selection(selection in selection()) {
        prop_assert_eq!(parse(&selection.to_string()), Ok(selection));
    }

    #[test]
    fn any_string_is_read_or_refused_at_a_place_inside_it(text in "\\PC*") {
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.span()).is_some());
            prop_assert!(error.column() <= text.chars().count() + 1);
            prop_assert!(!error.help().is_empty());
        }
    }

    #[test]
    fn a_string_of_the_languages_own_words_is_read_or_refused(
        words in vec(select(vec!["driver", "device", "number", "class", "id", "and", "ahci", "pro1000", "net", "none",
            "=", "=", "=", ",", ",", ",", "|", "\"", "\\", "*", "?", " ", "\t", "02", "8086:100e"]), 0..40)
    ) {
        let text = words.concat();
        if let Ok(selection) = parse(&text) {
            let printed = selection.to_string();
            prop_assert!(printed.len() <= MAX_LENGTH);
            prop_assert_eq!(parse(&printed), Ok(selection));
        }
    }

    #[test]
    fn the_compiled_form_survives_serialisation(selection in selection()) {
        let bytes = postcard::to_allocvec(&selection).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Selection>(&bytes), Ok(selection));
    }

    #[test]
    fn damaged_bytes_are_refused_or_still_a_selection_that_can_be_said(
        selection in selection(),
        place in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
        devices in vec(device(), 0..4),
    ) {
        let mut bytes = postcard::to_allocvec(&selection).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        if let Ok(damaged) = postcard::from_bytes::<Selection>(&bytes) {
            decisions(&damaged, &devices);
            prop_assert_eq!(parse(&damaged.to_string()), Ok(damaged));
        }
    }

    #[test]
    fn a_pattern_matches_what_its_definition_says(parts in vec(part(), 0..8), text in vec(select(CHARACTERS), 0..8)) {
        let expected = matches_by_definition(&parts, &text);
        let text: String = text.into_iter().collect();
        prop_assert_eq!(Pattern::new(parts).matches(&text), expected);
    }

    #[test]
    fn the_first_entry_that_matches_alone_decides(selection in selection(), devices in vec(device(), 0..8)) {
        let alone: Vec<_> = selection
            .entries
            .iter()
            .map(|entry| decisions(&Selection { entries: vec![entry.clone()] }, &devices))
            .collect();
        for (place, decision) in decisions(&selection, &devices).into_iter().enumerate() {
            let first = alone.iter().position(|decisions| decisions[place].is_some());
            prop_assert_eq!(decision.map(|(entry, _)| entry), first);
        }
    }

    #[test]
    fn number_counts_the_devices_that_reached_it(devices in vec(device(), 0..12), wanted in 0..6_usize) {
        let text = format!("class=02*, number={wanted}, driver=conceal");
        let taken: Vec<usize> = decisions(&parse(&text).unwrap(), &devices)
            .iter()
            .enumerate()
            .filter_map(|(place, decision)| decision.map(|_| place))
            .collect();
        let networks = devices.iter().enumerate().filter(|(_, device)| device.class() >> 8 == 2);
        let expected: Vec<usize> = networks.skip(wanted).take(1).map(|(place, _)| place).collect();
        prop_assert_eq!(taken, expected);
    }

    #[test]
    fn an_item_behind_number_refuses_without_giving_the_count_back(devices in vec(device(), 0..12)) {
        let narrowed = parse("class=*, number=0|1, id=8086:*, driver=conceal").unwrap();
        for (place, decision) in decisions(&narrowed, &devices).into_iter().enumerate() {
            prop_assert_eq!(decision.is_some(), place < 2 && devices[place].vendor == 0x8086);
        }
    }

    #[test]
    fn none_takes_the_device_from_every_later_entry(selection in selection(), devices in vec(device(), 0..6)) {
        let mut exempted = parse("id=8086:*, driver=none").unwrap();
        exempted.entries.extend(selection.entries);
        for (device, decision) in devices.iter().zip(decisions(&exempted, &devices)) {
            prop_assert_eq!(decision == Some((0, None)), device.vendor == 0x8086);
        }
    }

    #[test]
    fn without_items_only_a_drivers_own_devices_are_taken(driver in option::of(driver()), device in device()) {
        let selection = Selection { entries: vec![Entry::new(Vec::new(), driver, Vec::new()).unwrap()] };
        let expected = driver.is_some_and(|driver| driver.fits(&device));
        prop_assert_eq!(decisions(&selection, &[device])[0].is_some(), expected);
    }
}

#[test]
fn an_entry_that_no_string_can_say_is_not_built() {
    let number = || Item::Number(Patterns::exactly("0"));
    let option = |name: &str, value: &str| DriverOption {
        name: name.into(),
        value: value.into(),
    };
    assert!(Entry::new(vec![number()], Some(Driver::Ahci), vec![]).is_err());
    assert!(Entry::new(vec![], None, vec![option("net", "vpn")]).is_err());
    assert!(Entry::new(vec![], Some(Driver::Ahci), vec![option("net", "vpn")]).is_err());
    for value in [" vpn", "vpn ", "a,b", "a=b", "\"a", "a\\"] {
        assert!(
            Entry::new(vec![], Some(Driver::Pro1000), vec![option("net", value)]).is_err(),
            "{value}"
        );
    }
    let twice = Entry::new(
        vec![],
        Some(Driver::Pro1000),
        vec![option("net", "pass"), option("net", "vpn")],
    );
    assert_eq!(twice.unwrap().options(), [option("net", "vpn")]);
}

#[test]
fn serialised_entries_are_checked_as_parsed_ones_are() {
    // One entry: one item `number=*`, driver ata, no options. As an item of its own it would count nothing.
    let bytes = [1, 1, 2, 1, 1, 2, 1, 0, 0];
    assert!(postcard::from_bytes::<Selection>(&bytes).is_err());
    // The same item as `class=*`.
    let bytes = [1, 1, 0, 1, 1, 1, 2, 1, 0, 0];
    let selection: Selection = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(selection.to_string(), "class=*, driver=ata");
}
