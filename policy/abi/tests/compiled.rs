//! A compiled policy is read as it was written, and damage to what it says about its files is refused.

#![cfg(test)]

use sekisho_abi::compiled::{CompiledPolicy, DecodeError, FORMAT, Serial};
use sekisho_abi::network::Network;
use sekisho_abi::origin::{LONGEST_NAME, MOST_FILES, Origin, Origins};
use sekisho_abi::selection::parse;
use sekisho_abi::storage::Storage;

fn policy() -> CompiledPolicy {
    let origin = |rule: &str, file, line| Origin {
        rule: rule.to_owned(),
        file,
        line,
    };
    CompiledPolicy {
        format: FORMAT,
        name: "kiosk".to_owned(),
        source_hash: [7; 32],
        selection: parse("id=8086:100e, driver=conceal, and, class=02*, driver=conceal").unwrap(),
        origins: Origins {
            files: vec!["kiosk.toml".to_owned(), "../company.toml".to_owned()],
            entries: vec![origin("second-nic", 0, 4), origin("defaults", 1, 12)],
        },
        boot_next: None,
        guest_status: false,
        serial: Serial::Off,
        storage: Storage::default(),
        network: Network::default(),
    }
}

/// What is read of the policy with `damage` done to it before it was written.
fn read_with(damage: impl FnOnce(&mut Origins)) -> Result<CompiledPolicy, DecodeError> {
    let mut policy = policy();
    damage(&mut policy.origins);
    CompiledPolicy::from_bytes(&policy.to_bytes())
}

#[test]
fn each_entry_has_rule_file_and_line_as_written() {
    let read = read_with(|_| ()).unwrap();
    assert_eq!(read, policy());
    let places: Vec<String> = read.origins.places().map(|place| place.to_string()).collect();
    assert_eq!(places, ["kiosk.toml:4 second-nic", "../company.toml:12 defaults"]);
    assert_eq!(read.origins.of(2), None);
}

#[test]
fn a_table_of_files_out_of_bounds_is_refused() {
    let refused = Err(DecodeError::Origins);
    assert_eq!(read_with(|it| it.entries[1].file = 2), refused);
    assert_eq!(read_with(|it| it.entries[0].file = u8::MAX), refused);
    assert_eq!(read_with(|it| it.files.clear()), refused);
    assert_eq!(read_with(|it| it.entries.truncate(1)), refused);
    assert_eq!(read_with(|it| it.files[0].clear()), refused);
    assert_eq!(read_with(|it| it.files[0].push('\n')), refused);
    assert_eq!(
        read_with(|it| it.files[1] = "a".repeat(LONGEST_NAME + 1)),
        refused
    );
    assert_eq!(
        read_with(|it| it.files = vec!["a".to_owned(); MOST_FILES + 1]),
        refused
    );
    assert!(read_with(|it| it.files[1] = "a".repeat(LONGEST_NAME)).is_ok());
    assert!(read_with(|it| it.files.resize(MOST_FILES, "a".to_owned())).is_ok());
}

#[test]
fn bytes_cut_anywhere_or_changed_anywhere_never_panic_and_never_leave_the_table() {
    let bytes = policy().to_bytes();
    for end in 0..bytes.len() {
        let cut = bytes.get(..end).unwrap();
        assert!(CompiledPolicy::from_bytes(cut).is_err(), "{end}");
    }
    for place in 0..bytes.len() {
        for value in 0..=u8::MAX {
            let mut damaged = bytes.clone();
            damaged[place] = value;
            if let Ok(read) = CompiledPolicy::from_bytes(&damaged) {
                assert_eq!(read.origins.places().count(), read.selection.entries.len());
            }
        }
    }
}

#[test]
fn another_format_is_refused_by_its_number() {
    let mut bytes = policy().to_bytes();
    bytes[0] = 4;
    assert_eq!(
        CompiledPolicy::from_bytes(&bytes),
        Err(DecodeError::Format { found: 4 })
    );
}
