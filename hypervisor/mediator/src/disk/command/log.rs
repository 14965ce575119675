//! Reading logs: which may be read, and what is hidden in them.

use super::amend::amend_identify;
use super::identity::Known;
use super::judge::{pages, pass};
use super::range::tag;
use super::table::{Named, lists};
use super::task::TaskFile;
use super::verdict::{After, Protocol, Reason, Verdict};
use super::words::{PAGE_BYTES, keep, seal};

/// The directory: pages of each log.
const DIRECTORY: u8 = 0x00;
/// IDENTIFY DEVICE data, and more of it.
const IDENTIFY: u8 = 0x30;

/// Logs that tell of the device and carry nothing else (ACS-4, General Purpose Logging, table of log addresses).
pub(super) const READABLE: &[Named] = &[
    (DIRECTORY, "directory"),
    (0x01, "summary SMART errors"),
    (0x02, "comprehensive SMART errors"),
    (0x03, "extended comprehensive SMART errors"),
    (0x04, "device statistics"),
    (0x06, "SMART self-tests"),
    (0x07, "extended SMART self-tests"),
    (0x08, "power conditions"),
    (0x09, "selective self-test"),
    (0x0c, "pending defects"),
    (0x10, "queued error"),
    (0x11, "SATA PHY event counters"),
    (IDENTIFY, "IDENTIFY DEVICE data"),
];

/// Whether a log may be read. Not: SCT (E0h, E1h), which carries commands; logs of queued commands, streams, hybrid
/// caches and zones, which are refused with them; and those of the vendor's.
fn is_readable(address: u8) -> bool {
    lists(READABLE, address)
}

/// READ LOG EXT and READ LOG DMA EXT: LBA bits 7:0 are the address, 39:32 and 15:8 the first page (ACS-4, READ LOG
/// EXT).
pub(super) fn read_extended(task: &TaskFile, protocol: Protocol) -> Verdict {
    let [address, page_low, _, _, page_high, ..] = task.lba.to_le_bytes();
    let page = u16::from_le_bytes([page_low, page_high]);
    read(protocol, address, page, task.count)
}

pub(super) fn read(protocol: Protocol, address: u8, page: u16, count: u16) -> Verdict {
    if !is_readable(address) {
        return Verdict::Refuse(Reason::Log);
    }
    match pages(count) {
        Ok(bytes) => pass(protocol, bytes, After::Log { address, page }),
        Err(reason) => Verdict::Refuse(reason),
    }
}

/// Hides in pages of log `address`, the first of them page `first`, what is refused.
///
/// Only whole pages are looked at: an answer cut short has to be cut to whole pages by the caller.
pub fn amend_log(address: u8, first: u16, data: &mut [u8], disk: &Known) {
    let (pages, _) = data.as_chunks_mut::<PAGE_BYTES>();
    for (page, number) in pages.iter_mut().zip(u32::from(first)..) {
        match (address, number) {
            (DIRECTORY, 0) => amend_directory(page),
            (IDENTIFY, LIST_PAGE) => amend_list(page),
            (IDENTIFY, COPY_PAGE) => amend_identify(page, disk),
            // All zeros, its revision number too: not supported.
            (IDENTIFY, number) if !IDENTIFY_PAGES.contains(&number) => page.fill(0),
            _ => {}
        }
    }
}

/// Word N: pages of log N; word 0 is a version (ACS-4, log 00h).
fn amend_directory(page: &mut [u8; PAGE_BYTES]) {
    for address in 1..=u8::MAX {
        if !is_readable(address) {
            keep(page, usize::from(address), 0);
        }
    }
}

/// IDENTIFY DEVICE data log: the list of its pages; the copy of IDENTIFY DEVICE data.
const LIST_PAGE: u32 = 0x00;
const COPY_PAGE: u32 = 0x01;
/// Those that stay: list, copy, capacity, strings. Not: capabilities (03h), settings (04h), security (06h), parallel
/// and Serial ATA (07h, 08h), zones (09h), which say of features what the copy does, refused ones too.
const IDENTIFY_PAGES: &[u32] = &[LIST_PAGE, COPY_PAGE, 0x02, 0x05];
/// Byte 8 of the list is the number of its entries, of a byte each (ACS-4, log 30h, page 00h).
const LIST_HEADER: usize = 8;

fn amend_list(page: &mut [u8; PAGE_BYTES]) {
    let Some((_, [count, entries @ ..])) = page.split_at_mut_checked(LIST_HEADER) else {
        return;
    };
    let mut kept = 0;
    for index in 0..usize::from(*count).min(entries.len()) {
        let entry = entries.get(index).copied().unwrap_or_default();
        if IDENTIFY_PAGES.contains(&u32::from(entry))
            && let Some(place) = entries.get_mut(kept)
        {
            *place = entry;
            kept += 1;
        }
    }
    if let Some(rest) = entries.get_mut(kept..) {
        rest.fill(0);
    }
    *count = u8::try_from(kept).unwrap_or_default();
}

/// STATUS after an aborted command: ready, error. ERROR: aborted.
pub const ABORTED_STATUS: u8 = 0x41;
/// ERROR after an aborted command.
pub const ABORTED_ERROR: u8 = 0x04;

/// Log 10h after a queued command that was refused, and so never reached the device (ACS-4, log 10h): what the device's
/// own would say, had it aborted the command.
#[must_use]
pub fn queued_error(task: &TaskFile) -> [u8; PAGE_BYTES] {
    let [l0, l1, l2, l3, l4, l5, ..] = task.lba.to_le_bytes();
    let [count_low, count_high] = task.count.to_le_bytes();
    let mut page = [0; PAGE_BYTES];
    let head = [
        tag(task),
        0,
        ABORTED_STATUS,
        ABORTED_ERROR,
        l0,
        l1,
        l2,
        task.device,
        l3,
        l4,
        l5,
        0,
        count_low,
        count_high,
    ];
    if let Some(start) = page.first_chunk_mut() {
        *start = head;
    }
    seal(&mut page);
    page
}
