//! Load on a disk, past the page cache, in the amounts that `make bench` compares.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

/// O_DIRECT of x86-64 (`asm/fcntl.h`): no page cache, buffers and offsets aligned.
const DIRECT: i32 = 0o4_0000;
const PAGE: usize = 4096;
/// Bytes of one sequential request.
const CHUNK: usize = 1 << 20;
/// Bytes read or written in sequence.
const TOTAL: u64 = 64 << 20;
/// Random reads of a page.
const READS: u64 = 500;

/// Does what `load` says to `device`; nothing is printed.
pub fn load(load: &str, device: &str) -> Result<String, String> {
    let file = File::options()
        .read(true)
        .write(load == "write")
        .custom_flags(DIRECT)
        .open(device);
    let done = file.and_then(|file| match load {
        "read" => sequence(|buffer, offset| file.read_exact_at(buffer, offset)),
        "write" => sequence(|buffer, offset| file.write_all_at(buffer, offset)),
        "random" => random(&file),
        _ => Err(io::Error::other("the loads are read, write and random")),
    });
    done.map(|()| String::new())
        .map_err(|error| format!("{load} on {device}: {error}"))
}

fn sequence(transfer: impl Fn(&mut [u8], u64) -> io::Result<()>) -> io::Result<()> {
    with_buffer(CHUNK, |buffer| {
        (0..TOTAL)
            .step_by(CHUNK)
            .try_for_each(|offset| transfer(buffer, offset))
    })
}

/// The same pages each time, in an order that no readahead guesses (Knuth's multiplicative hash).
fn random(file: &File) -> io::Result<()> {
    let pages = TOTAL / PAGE as u64;
    with_buffer(PAGE, |buffer| {
        (0..READS).try_for_each(|number| {
            let page = number.wrapping_mul(2_654_435_761) % pages;
            file.read_exact_at(buffer, page * PAGE as u64)
        })
    })
}

/// Lends a buffer of `length` bytes that begins at a page.
fn with_buffer<T>(length: usize, work: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut bytes = vec![0x5a; length + PAGE];
    let start = bytes.as_ptr().align_offset(PAGE);
    work(&mut bytes[start..start + length])
}
