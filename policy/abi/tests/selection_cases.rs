//! The selection language against what BitVisor's own matcher answered: 51 strings, 17 devices, 22 drivers.
//!
//! `selection/cases.json` and `selection/drivers.json` were taken by running it; strings that it accepts silently
//! although they drop what follows are marked as errors there.

#![cfg(test)]

use sekisho_abi::pci::{Address, Identity};
use sekisho_abi::selection::{Driver, Item, Matcher, ParseErrorKind, Selection, parse, parse_items};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Cases {
    devices: Vec<Device>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Device {
    slot: String,
    vendor: String,
    device: String,
    sub_vendor: String,
    sub_device: String,
    revision: String,
    class_code: String,
    header_type: String,
}

#[derive(Deserialize)]
struct Case {
    config: String,
    note: String,
    error: bool,
    results: Option<Vec<Outcome>>,
}

#[derive(Deserialize, PartialEq, Debug)]
struct Outcome {
    slot: String,
    driver: String,
    options: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct KnownDriver {
    name: String,
    device: String,
    options: Vec<String>,
}

fn hex<T: TryFrom<u32>>(text: &str) -> Option<T> {
    u32::from_str_radix(text, 16).ok()?.try_into().ok()
}

fn identity(device: &Device) -> Option<Identity> {
    let (bus, place) = device.slot.split_once(':')?;
    let (number, function) = place.split_once('.')?;
    Some(Identity {
        address: Address::new(hex(bus)?, hex(number)?, hex(function)?)?,
        vendor: hex(&device.vendor)?,
        device: hex(&device.device)?,
        revision: hex(&device.revision)?,
        class_code: hex(&device.class_code)?,
        header_type: hex(&device.header_type)?,
        subsystem_vendor: hex(&device.sub_vendor)?,
        subsystem: hex(&device.sub_device)?,
    })
}

fn cases() -> Cases {
    serde_json::from_str(include_str!("selection/cases.json")).unwrap()
}

fn outcomes(selection: &Selection, devices: &[Device]) -> Vec<Outcome> {
    let mut matcher = Matcher::new(selection);
    let decide = |device: &Device| {
        let decision = matcher.decide(&identity(device).unwrap())?;
        let options = decision
            .options
            .iter()
            .map(|option| (option.name.clone(), option.value.clone()));
        Some(Outcome {
            slot: device.slot.clone(),
            driver: decision.driver?.to_string(),
            options: options.collect(),
        })
    };
    devices.iter().filter_map(decide).collect()
}

#[test]
fn every_case_has_the_outcome_that_bitvisor_gave() {
    let Cases { devices, cases } = cases();
    assert_eq!((devices.len(), cases.len()), (17, 51));
    for case in cases {
        let parsed = parse(&case.config);
        assert_eq!(parsed.is_err(), case.error, "{} ({})", case.config, case.note);
        if let Ok(selection) = parsed {
            let expected = case.results.unwrap_or_default();
            assert_eq!(
                outcomes(&selection, &devices),
                expected,
                "{} ({})",
                case.config,
                case.note
            );
        }
    }
}

#[test]
fn printing_a_case_and_reading_it_again_changes_nothing() {
    for case in cases().cases {
        if let Ok(selection) = parse(&case.config) {
            assert_eq!(parse(&selection.to_string()), Ok(selection), "{}", case.config);
        }
    }
}

#[test]
fn the_table_of_drivers_is_bitvisors() {
    let known: Vec<KnownDriver> = serde_json::from_str(include_str!("selection/drivers.json")).unwrap();
    let names: Vec<&str> = known.iter().map(|driver| driver.name.as_str()).collect();
    assert_eq!(names, Driver::ALL.map(Driver::name));
    for KnownDriver {
        name,
        device,
        options,
    } in known
    {
        let driver = Driver::from_name(&name).unwrap();
        assert_eq!(driver.options(), options, "{name}");
        // The pattern is a list of items; `driver=none` behind it makes it an entry that can be parsed.
        let selection = parse(&format!("{device}, driver=none")).unwrap();
        let expected: Vec<String> = selection.entries[0].items().iter().map(Item::to_string).collect();
        let items = driver.default_items().iter();
        let found: Vec<String> = items.map(|item| format!("{}={}", item.0, item.1)).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_default_pattern_decides_as_its_items_do() {
    let known: Vec<KnownDriver> = serde_json::from_str(include_str!("selection/drivers.json")).unwrap();
    for KnownDriver { name, device, .. } in known {
        let explicit = parse(&format!("{device}, driver={name}")).unwrap();
        let implied = parse(&format!("driver={name}")).unwrap();
        let devices = cases().devices;
        assert_eq!(
            outcomes(&explicit, &devices),
            outcomes(&implied, &devices),
            "{name}"
        );
    }
}

#[test]
fn the_boot_log_names_each_driver_that_fits() {
    let mut fitting = Vec::new();
    for device in cases().devices {
        let names: Vec<&str> = Driver::fitting(&identity(&device).unwrap())
            .map(Driver::name)
            .collect();
        if !names.is_empty() {
            fitting.push(format!("{} {}", device.slot, names.join(" ")));
        }
    }
    let expected = [
        "00:02.0 pro1000",
        "00:03.0 pro1000",
        "00:04.0 nvme",
        "00:05.0 xhci",
        "00:06.0 re",
        "00:1d.0 uhci",
        "00:1d.7 ehci ehci_conceal",
        "00:1f.2 ahci",
        "11:1e.3 pro1000",
        "a5:02.0 ahci",
        "03:00.0 pro100",
        "04:00.0 raid",
    ];
    assert_eq!(fitting, expected);
}

/// The string, its column, its sentence and what to write instead.
const ERRORS: &[(&str, usize, &str, &str)] = &[
    (
        "driver=ahci, driver=nvme",
        14,
        "the entry has a second `driver=`",
        "write `and,` before this `driver=` to start a new entry",
    ),
    (
        "driver=ahci, and driver=nvme",
        14,
        "`and` needs a comma on both sides",
        "write `, and,` between two entries",
    ),
    (
        "driver=ahci and, driver=nvme",
        8,
        "`and` needs a comma on both sides",
        "write `, and,` between two entries",
    ),
    (
        "driver=ahci and driver=nvme",
        8,
        "`and` needs a comma on both sides",
        "write `, and,` between two entries",
    ),
    (
        "driver=ahci, and",
        14,
        "`and` needs a comma on both sides",
        "write `, and,` between two entries",
    ),
    (
        ",driver=ahci",
        1,
        "an item is missing here",
        "remove this comma, or write the missing `name=value`",
    ),
    (
        "driver=ahci,,and,driver=nvme",
        13,
        "an item is missing here",
        "remove this comma, or write the missing `name=value`",
    ),
    (
        "driver=ahci, and, and, driver=nvme",
        19,
        "`and` has no entry before it",
        "write an entry before it, or remove this `and,`",
    ),
    (
        "number=0, driver=ahci",
        1,
        "`number` has no item before it to count",
        "write the item whose devices are counted first: `device=pro1000, number=0`",
    ),
    (
        "driver=foobar",
        8,
        "there is no driver `foobar`",
        "the drivers are ata, ahci, raid, ieee1394, ieee1394log, thunderbolt_conceal, aq, bnx, pro100, pro1000, re, rtl8169, nvme, nvme_apple, conceal, monitor, ehci, ehci_conceal, uhci, xhci, vga_intel, x540, none",
    ),
    (
        "driver=AHCI",
        8,
        "there is no driver `AHCI`",
        "did you mean `ahci`?",
    ),
    (
        "driver=ahci|nvme",
        8,
        "there is no driver `ahci|nvme`",
        "`driver=` takes one exact name, no pattern: write an entry for each",
    ),
    (
        "device=pro10000, driver=conceal",
        8,
        "there is no driver `pro10000` to match devices of",
        "did you mean `pro1000`?",
    ),
    (
        "driver=ahci, net=pass",
        14,
        "driver `ahci` has no option `net`",
        "`ahci` takes no options: remove it",
    ),
    (
        "driver=pro1000, nett=pass",
        17,
        "driver `pro1000` has no option `nett`",
        "did you mean `net`?",
    ),
    (
        "driver=conceal, class=02*",
        17,
        "driver `conceal` has no option `class`",
        "items such as `class` stand before `driver=`; `and,` starts a new entry",
    ),
    (
        "slot=00:02.0, driver=none, net=pass",
        28,
        "`driver=none` takes no options, but here is `net`",
        "remove it: no driver is there to read it",
    ),
    (
        "clas=02*, driver=conceal",
        1,
        "there is no item `clas`",
        "did you mean `class`?",
    ),
    (
        "net=vpn, driver=pro1000",
        1,
        "there is no item `net`",
        "options such as `net` follow the `driver=` that takes them",
    ),
    (
        "id=8086:2922",
        13,
        "the entry has no `driver=`",
        "close the entry with `driver=NAME`, or with `driver=none` to leave the devices alone",
    ),
    (
        "id=8086:2922, and, driver=ahci",
        15,
        "the entry has no `driver=`",
        "close the entry with `driver=NAME`, or with `driver=none` to leave the devices alone",
    ),
    (
        "id=8086:2922=1, driver=ahci",
        13,
        "a value cannot have an `=` of its own",
        "put a comma between two items; an `=` inside a value is written `\\=`",
    ),
    ("ahci, driver=ahci", 1, "`ahci` has no `=`", "write `ahci=value`"),
    (
        "id=é\"8086, driver=ahci",
        5,
        "the quote is never closed",
        "close it with `\"`, or write `\\\"` for the character",
    ),
    (
        "driver=conceal\0, and, driver=ahci",
        15,
        "a string cannot hold a NUL character",
        "remove it",
    ),
    (
        "driver=ahci\\",
        12,
        "nothing follows the backslash",
        "remove it, or write `\\\\` for the character",
    ),
];

#[test]
fn each_error_names_its_column_and_what_to_write_instead() {
    for (text, column, sentence, help) in ERRORS {
        let error = parse(text).unwrap_err();
        let found = (error.column(), error.to_string(), error.help());
        assert_eq!(found, (*column, sentence.to_string(), help.to_string()), "{text}");
    }
}

#[test]
fn a_string_beyond_the_bounds_is_refused() {
    let many = "driver=ahci,and,".repeat(1025);
    assert_eq!(parse(&many).unwrap_err().kind(), &ParseErrorKind::TooManyEntries);
    let long = " ".repeat(64 * 1024 + 1);
    assert_eq!(parse(&long).unwrap_err().kind(), &ParseErrorKind::TooLong);
}

#[test]
fn blanks_count_only_within_quotes_and_escapes() {
    let same = parse("id=8086:100e|8086:10d3,driver=conceal").unwrap();
    assert_eq!(
        parse(" \tid = 8086:100e  |\t8086:10d3 , driver  =conceal  "),
        Ok(same)
    );
    // A tab behind a token is part of it.
    assert!(parse("id=8086:100e, driver=conceal\t").is_err());
    let quoted = parse("id=\" a, b\", driver=conceal").unwrap();
    assert_eq!(quoted.to_string(), "id=\\ a\\,\\ b, driver=conceal");
}

#[test]
fn option_values_are_kept_as_written() {
    let text = "driver=pro1000, net=\"a, b\"|\\,c, tty=";
    let selection = parse(text).unwrap();
    assert_eq!(selection.entries[0].options()[0].value, "\"a, b\"|\\,c");
    assert_eq!(selection.entries[0].options()[1].value, "");
    assert_eq!(selection.to_string(), text);
}

#[test]
fn the_canonical_text_is_that_of_the_example_policy() {
    let text = "device=ahci, driver=ahci, and, device=pro1000, number=0, driver=pro1000, net=vpn, tty=1, and, \
                class=02*, driver=conceal";
    assert_eq!(parse(text).unwrap().to_string(), text);
    let short = parse("rev=03|0a,if=30,driver=none,").unwrap();
    assert_eq!(
        short.to_string(),
        "revision=03|0a, programming_interface=30, driver=none"
    );
}

#[test]
fn the_items_of_one_entry_are_read_alone() {
    let entry = &parse("device=pro1000, number=0, driver=none").unwrap().entries[0];
    assert_eq!(parse_items("device=pro1000, number=0").unwrap(), entry.items());
    assert_eq!(parse_items(" ").unwrap(), []);
    for (text, column) in [
        ("class=02*, driver=none", 12),
        ("class=02*, and, class=03*", 12),
        ("and,", 1),
    ] {
        let error = parse_items(text).unwrap_err();
        assert_eq!(
            (error.kind(), error.column()),
            (&ParseErrorKind::ItemsOnly, column),
            "{text}"
        );
    }
}
