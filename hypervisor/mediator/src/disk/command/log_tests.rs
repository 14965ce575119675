//! Logs: what may be read, and what of it is hidden.

use super::samples::{SOLID_STATE, page};
use super::words::{PAGE_BYTES, set, sum, word};
use super::{Identity, Known, TaskFile, amend_identify, amend_log, queued_error};
use alloc::vec::Vec;
use proptest::prelude::*;

fn disk() -> Known {
    Identity::of_disk(&page(SOLID_STATE)).unwrap().known()
}

#[test]
fn the_directory_lists_what_may_be_read() {
    let mut directory = [0; PAGE_BYTES];
    set(&mut directory, 0, 1);
    (1..256).for_each(|log| set(&mut directory, log, 16));
    amend_log(0x00, 0, &mut directory, &disk());
    assert_eq!(word(&directory, 0), 1, "the version stays");
    let listed: Vec<usize> = (1..256).filter(|log| word(&directory, *log) != 0).collect();
    assert_eq!(
        listed,
        [
            0x01, 0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0c, 0x10, 0x11, 0x30
        ]
    );
}

#[test]
fn the_identify_log_lists_and_has_the_pages_that_say_nothing_of_what_is_refused() {
    let mut log = [0xee; 10 * PAGE_BYTES];
    log[8..18].copy_from_slice(&[9, 0, 1, 2, 3, 4, 5, 6, 8, 0x77]);
    log[512..1024].copy_from_slice(&page(SOLID_STATE));
    amend_log(0x30, 0, &mut log, &disk());
    assert_eq!(log[8..18], [4, 0, 1, 2, 5, 0, 0, 0, 0, 0], "the list");
    let mut copy = page(SOLID_STATE);
    amend_identify(&mut copy, &disk());
    assert_eq!(log[512..1024], copy, "the copy of IDENTIFY DEVICE data");
    let kept: Vec<usize> = (2..10).filter(|page| log[page * PAGE_BYTES] != 0).collect();
    assert_eq!(kept, [2, 5], "capacity and strings");
}

#[test]
fn pages_are_known_by_their_number_wherever_a_read_starts() {
    let mut log = [0xee; 2 * PAGE_BYTES];
    amend_log(0x30, 5, &mut log, &disk());
    assert_eq!(log[0], 0xee, "page 5, strings");
    assert_eq!(log[PAGE_BYTES..], [0; PAGE_BYTES], "page 6, security");
    let mut directory = [0xee; PAGE_BYTES];
    amend_log(0x00, 1, &mut directory, &disk());
    assert_eq!(directory, [0xee; PAGE_BYTES], "the directory has one page");
}

#[test]
fn other_logs_are_as_the_device_has_them() {
    let mut statistics = [0xee; PAGE_BYTES];
    amend_log(0x04, 0, &mut statistics, &disk());
    assert_eq!(statistics, [0xee; PAGE_BYTES]);
}

#[test]
fn a_refused_queued_command_is_in_the_log_that_the_guest_reads() {
    let task = TaskFile {
        command: 0x63,
        lba: 0x0605_0403_0201,
        count: 0x1 << 8 | 21 << 3,
        device: 0x40,
        ..TaskFile::default()
    };
    let log = queued_error(&task);
    let expected = [21, 0, 0x41, 0x04, 1, 2, 3, 0x40, 4, 5, 6, 0, 21 << 3, 1];
    assert_eq!(log[..14], expected);
    assert_eq!(log[14..511], [0; 497]);
    assert_eq!(sum(&log), 0);
}

proptest! {
    #[test]
    fn no_log_breaks_its_amending(
        address in prop::sample::select(&[0x00_u8, 0x30, 0x04][..]),
        first in any::<u16>(),
        mut data in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let length = data.len();
        amend_log(address, first % 12, &mut data, &disk());
        amend_log(address, first, &mut data, &disk());
        prop_assert_eq!(data.len(), length);
    }
}
