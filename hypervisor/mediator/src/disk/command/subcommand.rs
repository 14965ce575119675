//! Commands that are many: SET FEATURES and SMART, by allow-list.

use super::judge::{PAGE, pages, pass};
use super::log;
use super::task::TaskFile;
use super::verdict::{After, Protocol, Reason, Verdict};

/// Subcommands of SET FEATURES that change how the device moves data, saves power or caches, and nothing else (ACS-4,
/// 7.42; ATA/ATAPI-7, 6.48).
const FEATURES: &[u8] = &[
    0x02, 0x82, // volatile write cache on, off
    0x03, // transfer mode
    0x05, 0x85, // advanced power management
    0x06, 0x86, 0x07, // power-up in standby on, off; spin up
    0x41, 0xc1, // free-fall control on, off
    0x42, 0xc2, // automatic acoustic management
    0x4a, // extended power conditions
    0x55, 0xaa, // read look-ahead off, on
    0x66, 0xcc, // power-on defaults after a reset: no, yes
    0xc3, // sense data reporting
];
/// SET FEATURES 10h and 90h turn a feature of Serial ATA on and off, which COUNT names.
const SERIAL_ATA: [u8; 2] = [0x10, 0x90];
/// Those of Serial ATA (ACS-4, 7.42.16; Serial ATA 3.x, 13.3): DMA setup auto-activate, device-initiated power
/// management, asynchronous notification, settings preserved over COMRESET, automatic partial to slumber, device sleep.
/// Not: non-zero buffer offsets and in-order delivery (how queued data moves), hardware feature control, hybrid
/// information, power disable.
const SERIAL_ATA_FEATURES: &[u8] = &[0x02, 0x03, 0x05, 0x06, 0x07, 0x09];

pub(super) fn set_features(task: &TaskFile) -> Verdict {
    let [subcommand, _] = task.features.to_le_bytes();
    let [feature, _] = task.count.to_le_bytes();
    let known = FEATURES.contains(&subcommand)
        || SERIAL_ATA.contains(&subcommand) && SERIAL_ATA_FEATURES.contains(&feature);
    if known {
        pass(Protocol::NonData, 0, After::Nothing)
    } else {
        Verdict::Refuse(Reason::Subcommand)
    }
}

/// Self-tests and off-line collection of SMART EXECUTE OFF-LINE IMMEDIATE (ACS-4, 7.46.5), with a few bits each:
/// off-line, short, extended, conveyance, selective, abort; 81h to 84h the same in captive mode.
const TESTS: &[u8] = &[0x00, 0x01, 0x02, 0x03, 0x04, 0x7f, 0x81, 0x82, 0x83, 0x84];

/// Without LBA mid 4Fh and high C2h the device aborts any of these (ACS-4, 7.46.1).
pub(super) fn smart(task: &TaskFile) -> Verdict {
    let [subcommand, _] = task.features.to_le_bytes();
    let [count, _] = task.count.to_le_bytes();
    let [low, ..] = task.lba.to_le_bytes();
    match subcommand {
        // READ DATA, READ THRESHOLDS.
        0xd0 | 0xd1 => pass(Protocol::PioIn, PAGE, After::Nothing),
        // Attribute autosave, save attributes; enable, disable, return status, automatic off-line collection.
        0xd2 | 0xd3 | 0xd8..=0xdb => pass(Protocol::NonData, 0, After::Nothing),
        0xd4 if TESTS.contains(&low) => pass(Protocol::NonData, 0, After::Nothing),
        0xd5 if !log::is_readable(low) => Verdict::Refuse(Reason::Log),
        0xd5 => match pages(u16::from(count)) {
            Ok(bytes) => pass(
                Protocol::PioIn,
                bytes,
                After::Log {
                    address: low,
                    page: 0,
                },
            ),
            Err(reason) => Verdict::Refuse(reason),
        },
        0xd6 => Verdict::Refuse(Reason::WritesLog),
        _ => Verdict::Refuse(Reason::Subcommand),
    }
}
