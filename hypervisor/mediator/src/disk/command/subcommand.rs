//! Commands that are many: SET FEATURES and SMART, by allow-list.

use super::judge::{PAGE, pass};
use super::log;
use super::table::{Named, lists};
use super::task::TaskFile;
use super::verdict::{After, Protocol, Reason, Verdict};

/// Subcommands of SET FEATURES that change how the device moves data, saves power or caches, and nothing else (ACS-4;
/// ATA/ATAPI-7 for those that are obsolete).
pub(super) const FEATURES: &[Named] = &[
    (0x02, "volatile write cache on"),
    (0x03, "transfer mode"),
    (0x05, "advanced power management on"),
    (0x06, "power-up in standby on"),
    (0x07, "spin up"),
    (0x41, "free-fall control on"),
    (0x42, "automatic acoustic management on"),
    (0x4a, "extended power conditions"),
    (0x55, "read look-ahead off"),
    (0x66, "settings stay over a software reset"),
    (0x82, "volatile write cache off"),
    (0x85, "advanced power management off"),
    (0x86, "power-up in standby off"),
    (0xaa, "read look-ahead on"),
    (0xc1, "free-fall control off"),
    (0xc2, "automatic acoustic management off"),
    (0xc3, "sense data reporting"),
    (0xcc, "settings return to their defaults at a software reset"),
];
/// SET FEATURES 10h and 90h turn a feature of Serial ATA on and off, which COUNT names.
const SERIAL_ATA: [u8; 2] = [0x10, 0x90];
/// Those of Serial ATA (Serial ATA 3.1, 13.3). Not: non-zero buffer offsets and in-order delivery (how
/// queued data moves), hardware feature control, hybrid information, power disable.
pub(super) const SERIAL_ATA_FEATURES: &[Named] = &[
    (0x02, "DMA setup auto-activate"),
    (0x03, "device-initiated power management"),
    (0x05, "asynchronous notification"),
    (0x06, "settings stay over COMRESET"),
    (0x07, "automatic partial to slumber"),
    (0x09, "device sleep"),
];

pub(super) fn set_features(task: &TaskFile) -> Verdict {
    let [subcommand, _] = task.features.to_le_bytes();
    let [feature, _] = task.count.to_le_bytes();
    let known = lists(FEATURES, subcommand)
        || SERIAL_ATA.contains(&subcommand) && lists(SERIAL_ATA_FEATURES, feature);
    if known {
        pass(Protocol::NonData, 0, After::Nothing)
    } else {
        Verdict::Refuse(Reason::Subcommand)
    }
}

/// Subcommands of SMART that pass (ACS-4; ATA/ATAPI-7 for those that are obsolete), but for reading logs. 512 bytes of
/// data or none.
pub(super) const SMART: &[Named] = &[
    (SMART_READ_DATA, "READ DATA"),
    (SMART_READ_THRESHOLDS, "READ THRESHOLDS"),
    (0xd2, "ENABLE/DISABLE ATTRIBUTE AUTOSAVE"),
    (0xd3, "SAVE ATTRIBUTE VALUES"),
    (SMART_TEST, "EXECUTE OFF-LINE IMMEDIATE"),
    (0xd8, "ENABLE OPERATIONS"),
    (0xd9, "DISABLE OPERATIONS"),
    (0xda, "RETURN STATUS"),
    (0xdb, "ENABLE/DISABLE AUTOMATIC OFF-LINE"),
];
const SMART_READ_DATA: u8 = 0xd0;
const SMART_READ_THRESHOLDS: u8 = 0xd1;
const SMART_TEST: u8 = 0xd4;
const SMART_READ_LOG: u8 = 0xd5;
const SMART_WRITE_LOG: u8 = 0xd6;

/// Tests that EXECUTE OFF-LINE IMMEDIATE starts (ACS-4, same subcommand); others are vendor specific.
pub(super) const TESTS: &[Named] = &[
    (0x00, "off-line collection"),
    (0x01, "short"),
    (0x02, "extended"),
    (0x03, "conveyance"),
    (0x04, "selective"),
    (0x7f, "abort"),
    (0x81, "short, captive"),
    (0x82, "extended, captive"),
    (0x83, "conveyance, captive"),
    (0x84, "selective, captive"),
];

/// Without LBA mid 4Fh and high C2h the device aborts any of these (ACS-4, SMART).
pub(super) fn smart(task: &TaskFile) -> Verdict {
    let [subcommand, _] = task.features.to_le_bytes();
    let [low, ..] = task.lba.to_le_bytes();
    match subcommand {
        SMART_READ_LOG => {
            let [pages, _] = task.count.to_le_bytes();
            log::read(Protocol::PioIn, low, 0, u16::from(pages))
        }
        SMART_WRITE_LOG => Verdict::Refuse(Reason::WritesLog),
        SMART_TEST if !lists(TESTS, low) => Verdict::Refuse(Reason::Subcommand),
        SMART_READ_DATA | SMART_READ_THRESHOLDS => pass(Protocol::PioIn, PAGE, After::Nothing),
        _ if lists(SMART, subcommand) => pass(Protocol::NonData, 0, After::Nothing),
        _ => Verdict::Refuse(Reason::Subcommand),
    }
}
