//! Accesses that begin before the data port of a disk behind the hypervisor and end in it.
//!
//! The hardware splits them, so a drive that waits for data would take, or give, words that no filter has seen.

use crate::report::{Outcome, Report};
use platform::port;

/// The data port of the primary channel; its other registers follow.
const DATA: u16 = 0x1f0;
const COUNT: u16 = DATA + 2;
const LBA: [u16; 3] = [DATA + 3, DATA + 4, DATA + 5];
const DEVICE: u16 = DATA + 6;
const COMMAND: u16 = DATA + 7;
/// Device control to write, the status again to read.
const CONTROL: u16 = 0x3f6;

/// Device 1, addressed by block.
const SECOND_BY_BLOCK: u8 = 0xf0;
const NO_INTERRUPT: u8 = 2;
const READ_SECTORS: u8 = 0x20;
const WRITE_SECTORS: u8 = 0x30;
const BUSY: u8 = 0x80;
const DATA_REQUEST: u8 = 0x08;
const ERROR: u8 = 0x01;
/// Looks at the status before a drive is given up.
const PATIENCE: u32 = 1_000_000;

/// What is written, again and again: the harness looks for it on the platter.
const PHRASE: &[u8; 16] = b"sixteen in clear";
/// Words of a block.
const WORDS: usize = 256;

/// Tries it with the block `lba` of the second drive.
pub fn run(report: &mut Report, lba: &str) {
    let lba: u32 = lba.parse().unwrap_or(0);
    port::write8(CONTROL, NO_INTERRUPT);
    write(report, lba);
    read(report, lba);
    report.alive();
}

/// The words of a block of phrases.
fn words() -> impl Iterator<Item = u16> {
    let words = PHRASE
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    words.cycle().take(WORDS)
}

fn write(report: &mut Report, lba: u32) {
    let ready = begin(WRITE_SECTORS, lba);
    report.tell(format_args!("WRITE SECTORS asks for data"), ready, has_data);
    for word in words() {
        port::write32(DATA - 2, u32::from(word) << 16);
    }
    for word in words() {
        port::write16(DATA - 1, word);
    }
    report.tell(
        format_args!("after a block across the data port it still asks"),
        status(),
        has_data,
    );
    for word in words() {
        port::write16(DATA, word);
    }
    report.tell(
        format_args!("after a block by the data port not"),
        status(),
        is_done,
    );
}

fn read(report: &mut Report, lba: u32) {
    let ready = begin(READ_SECTORS, lba);
    report.tell(format_args!("READ SECTORS has data"), ready, has_data);
    let seen = (0..WORDS).fold(u32::MAX, |seen, _| seen & port::read32(DATA - 2));
    report.tell(
        format_args!("double words across the data port"),
        Outcome::Value(seen.into()),
        |outcome| outcome.is_value(u32::MAX.into()),
    );
    let seen = (0..WORDS).fold(u16::MAX, |seen, _| seen & port::read16(DATA - 1));
    report.tell(
        format_args!("words across the data port"),
        Outcome::Value(seen.into()),
        |outcome| outcome.is_value(u16::MAX.into()),
    );
    let differing = words().filter(|word| port::read16(DATA) != *word).count();
    report.tell(
        format_args!("the block by the data port, words that differ"),
        Outcome::Value(differing as u64),
        |outcome| outcome.is_value(0),
    );
    report.tell(format_args!("after it no more data"), status(), is_done);
}

/// Gives the drive a command for one block; its status then.
fn begin(command: u8, lba: u32) -> Outcome {
    let [low, middle, high, top] = lba.to_le_bytes();
    port::write8(DEVICE, SECOND_BY_BLOCK | top & 0xf);
    let _ = status();
    port::write8(COUNT, 1);
    for (register, value) in LBA.into_iter().zip([low, middle, high]) {
        port::write8(register, value);
    }
    port::write8(COMMAND, command);
    status()
}

/// The status of the drive when it is not busy, or no longer waited for.
fn status() -> Outcome {
    let looks = (0..PATIENCE).map(|_| port::read8(CONTROL));
    let status = looks.skip(4).find(|status| status & BUSY == 0);
    Outcome::Value(status.unwrap_or(BUSY).into())
}

fn has_data(outcome: Outcome) -> bool {
    is(outcome, DATA_REQUEST)
}

fn is_done(outcome: Outcome) -> bool {
    is(outcome, 0)
}

/// Whether a status has these of the bits that matter and no other.
fn is(outcome: Outcome, bits: u8) -> bool {
    matches!(outcome, Outcome::Value(status) if status & u64::from(BUSY | DATA_REQUEST | ERROR) == bits.into())
}
