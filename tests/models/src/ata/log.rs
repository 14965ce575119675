//! General purpose logs and SMART (ACS-4, section 9).

use super::disk::QueueError;
use super::identify::seal;
use super::operation::smart;
use super::spec::error;
use super::task::{Outcome, TaskFile};
use crate::bytes;

/// The log of the queued command that failed.
pub(super) const QUEUE_ERROR: u64 = 0x10;
/// The log whose pages say again, in 64-bit words, what IDENTIFY says.
const IDENTIFY_DATA: u64 = 0x30;
const DIRECTORY: u64 = 0;
const PAGE: usize = 512;
/// Logs that are there, with their pages.
const LOGS: [(u64, u16); 8] = [
    (0x03, 1),
    (0x04, 8),
    (QUEUE_ERROR, 1),
    (0x11, 1),
    (0x12, 1),
    (0x13, 1),
    (IDENTIFY_DATA, 9),
    (0xe0, 1),
];
/// A page of the IDENTIFY data log begins with its number and this.
const PAGE_VALID: u64 = 1 << 63;

/// READ LOG EXT: `length` bytes from the page that the command names on.
pub(super) fn general(
    task: &TaskFile,
    length: usize,
    identify: &[u8],
    queue_error: Option<&QueueError>,
) -> Outcome {
    let log = task.lba & 0xff;
    let first = task.lba >> 8 & 0xff | task.lba >> 24 & 0xff00;
    let pages = first..first + (length / PAGE) as u64;
    let mut data = Vec::new();
    for page in pages {
        let content = match log {
            DIRECTORY if page == 0 => directory(),
            QUEUE_ERROR if page == 0 => queue(queue_error),
            IDENTIFY_DATA if page <= 8 => identify_page(page, identify),
            0x03 | 0x04 | 0x11 | 0x12 | 0x13 | 0xe0 => vec![0; PAGE],
            _ => return Outcome::failed(error::ABRT),
        };
        data.extend(content);
    }
    Outcome::good(data)
}

/// SMART, by its features register.
pub(super) fn smart(task: &TaskFile, length: usize) -> Outcome {
    /// Signature in the address registers that every SMART command has, and that says that the disk is well.
    const KEY: u64 = 0xc2_4f00;
    if task.lba & 0xff_ff00 != KEY {
        return Outcome::failed(error::ABRT);
    }
    let [feature, _] = task.features.to_le_bytes();
    match feature {
        smart::READ_DATA | smart::READ_THRESHOLDS => {
            let mut data = vec![0; length];
            bytes::put(&mut data, 0, &[0x10, 0]);
            let sum = data.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
            bytes::put(&mut data, 511, &[sum.wrapping_neg()]);
            Outcome::good(data)
        }
        smart::READ_LOG => Outcome::good(vec![0; length]),
        0xd2..=0xd4 | 0xd8..=0xda => Outcome {
            lba: KEY,
            ..Outcome::good(Vec::new())
        },
        _ => Outcome::failed(error::ABRT),
    }
}

fn directory() -> Vec<u8> {
    let mut page = vec![0; PAGE];
    bytes::put(&mut page, 0, &[1, 0]);
    for (log, pages) in LOGS {
        bytes::put(&mut page, bytes::size(log) * 2, &pages.to_le_bytes());
    }
    page
}

/// Section 9.4 of Serial ATA's additions: the tag and the registers of the failure.
fn queue(queue_error: Option<&QueueError>) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    match queue_error {
        Some(QueueError { tag, outcome }) => {
            let [a, b, c, d, e, f, ..] = outcome.lba.to_le_bytes();
            bytes::put(&mut page, 0, &[*tag, 0, outcome.status, outcome.error]);
            bytes::put(&mut page, 4, &[a, b, c, 0x40, d, e, f]);
        }
        None => bytes::put(&mut page, 0, &[0x80]),
    }
    seal_without_signature(&mut page);
    page
}

fn seal_without_signature(page: &mut [u8]) {
    let sum = page.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    bytes::put(page, 511, &[sum.wrapping_neg()]);
}

fn identify_page(number: u64, identify: &[u8]) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    bytes::put(&mut page, 0, &(PAGE_VALID | number << 16 | 1).to_le_bytes());
    match number {
        0 => bytes::put(&mut page, 8, &[9, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        1 => {
            page = identify.to_vec();
            seal(&mut page);
        }
        2 => {
            let sectors = PAGE_VALID | bytes::qword(identify, 200);
            bytes::put(&mut page, 8, &sectors.to_le_bytes());
        }
        // Supported capabilities, current settings, strings, security, Serial ATA: every bit is offered.
        _ => {
            for place in (8..64).step_by(8) {
                bytes::put(&mut page, place, &u64::MAX.to_le_bytes());
            }
        }
    }
    page
}
