//! The selection language: any text is read or refused at a place inside it; what is read can be printed, read
//! again as the same, and decides the devices of a machine as before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_abi::selection::{MAX_LENGTH, Selection, parse};
use sekisho_policy::inventory::{Machine, read_inventory};
use sekisho_policy::matching::{decide, matches_as_json};
use std::sync::LazyLock;

/// The 17 devices that BitVisor's matcher was asked about.
static MACHINES: LazyLock<Vec<Machine>> = LazyLock::new(|| {
    let cases = include_str!("../../../../policy/abi/tests/selection/cases.json");
    read_inventory(cases).expect("the cases file lists devices as an inventory does")
});

fuzz_target!(|text: &str| {
    let selection = match parse(text) {
        Ok(selection) => selection,
        Err(error) => {
            assert!(
                text.get(error.span()).is_some(),
                "{error:?} is not inside the text"
            );
            assert!(!error.help().is_empty());
            return;
        }
    };
    let printed = selection.to_string();
    // Escapes can make a string that just fits too long.
    let again = if printed.len() > MAX_LENGTH {
        selection.clone()
    } else {
        reread(&printed)
    };
    assert_eq!(again, selection);
    for machine in MACHINES.iter() {
        assert_eq!(decide(&again, machine), decide(&selection, machine));
    }
    assert!(matches_as_json(&selection, &MACHINES).ends_with('\n'));
});

fn reread(printed: &str) -> Selection {
    parse(printed).unwrap_or_else(|error| panic!("{printed:?}: {error}"))
}
