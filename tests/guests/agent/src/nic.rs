//! A gigabit NIC driven by hand, with no driver bound: reset, rings of our own, and frames that no driver would give it.
//!
//! Registers and descriptors are those of Intel's software developer's manual for the 8254x (13.4, 3.3.3), which the emulator's
//! NIC has too. They are reached by busybox's devmem; rings are in this process's memory.

use crate::frames::MARK;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;

const PAGE: usize = 4096;
/// Registers.
const CTRL: u64 = 0x0;
const FCT: u64 = 0x30;
const VET: u64 = 0x38;
const RCTL: u64 = 0x100;
const FCTTV: u64 = 0x170;
const TCTL: u64 = 0x400;
const TDBAL: u64 = 0x3800;
const TDBAH: u64 = 0x3804;
const TDLEN: u64 = 0x3808;
const TDH: u64 = 0x3810;
const TDT: u64 = 0x3818;
const RAL: u64 = 0x5400;
const RAH: u64 = 0x5404;
/// CTRL: set link up, reset, VLAN mode.
const LINK_UP: u32 = 1 << 6;
const RESET: u32 = 1 << 26;
const VLAN_MODE: u32 = 1 << 30;
/// TCTL: enable, pad short packets.
const TRANSMIT: u32 = 1 << 1 | 1 << 3;
/// RCTL: enable, take everything, loop back by the PHY.
const RECEIVE_ALL: u32 = 1 << 1 | 1 << 3 | 1 << 4 | 3 << 6;
/// Descriptors' commands: end of packet, insert checksum of frame, report, insert tag.
const SEND: u8 = 1 | 1 << 1 | 1 << 3;
const TAG: u8 = 1 << 6;
/// Descriptors of a ring that may begin eight of them later and still ends in its page: a NIC writes back to all of them.
const DESCRIPTORS: usize = 248;

/// Memory that does not move while this runs: the ring, then the frame.
struct Memory {
    bytes: Vec<u8>,
    start: usize,
}

/// Drives the NIC whose registers are at `registers`, hexadecimal.
pub fn drive(registers: &str) -> Result<String, String> {
    let base = u64::from_str_radix(registers.trim_start_matches("0x"), 16)
        .map_err(|_| format!("{registers} is not hexadecimal"))?;
    let write = |register: u64, value: u32| write(base + register, value);
    let mut memory = Memory::new();
    let (ring, frame) = (memory.physical(0)?, memory.physical(1)?);
    memory.fill(frame);
    for round in 0..3_u32 {
        write(CTRL, RESET)?;
        write(CTRL, LINK_UP | VLAN_MODE)?;
        // Another station's address, loops, and flow control with a pause at once.
        write(RAL, 0x00ef_be02)?;
        write(RAH, 0x8000_0100)?;
        write(RCTL, RECEIVE_ALL)?;
        write(VET, 0x8100)?;
        write(FCT, 0x8808)?;
        write(FCTTV, 0xffff)?;
        begin(&write, ring)?;
        write(TDT, 8)?;
        // While it sends: another ring, another place in it, one whose ends lie outside of it, a reset.
        write(TDBAL, u32::try_from((ring + 128) & 0xffff_ffff).unwrap_or(0))?;
        write(TDH, 3)?;
        write(TDT, 7)?;
        write(TDT, 0xffff)?;
        write(TDH, 0xfff0)?;
        write(TDLEN, 0xffff_ffff)?;
        if round == 1 {
            write(CTRL, RESET | LINK_UP)?;
            write(TDT, 9)?;
        }
        begin(&write, ring)?;
        write(TDT, 15)?;
    }
    let done = (0..DESCRIPTORS).filter(|index| memory.is_done(*index)).count();
    Ok(format!("done {done}\n"))
}

fn begin(write: &impl Fn(u64, u32) -> Result<(), String>, ring: u64) -> Result<(), String> {
    write(TCTL, 0)?;
    write(TDBAL, u32::try_from(ring & 0xffff_ffff).unwrap_or(0))?;
    write(TDBAH, u32::try_from(ring >> 32).unwrap_or(0))?;
    write(TDLEN, (DESCRIPTORS * 16) as u32)?;
    write(TDH, 0)?;
    write(TDT, 0)?;
    write(TCTL, TRANSMIT)
}

fn write(address: u64, value: u32) -> Result<(), String> {
    let mut devmem = Command::new("/bin/busybox");
    devmem.args(["devmem", &format!("{address:#x}"), "32", &format!("{value:#x}")]);
    match devmem.status() {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("devmem {address:#x}: {other:?}")),
    }
}

impl Memory {
    fn new() -> Self {
        // Written to, so that each page is there.
        let bytes = vec![0xff; 3 * PAGE];
        let start = bytes.as_ptr().align_offset(PAGE);
        Self { bytes, start }
    }

    /// The physical address of a page (Linux, `admin-guide/mm/pagemap`).
    fn physical(&self, page: usize) -> Result<u64, String> {
        let place = self.bytes[self.start + page * PAGE..].as_ptr() as usize / PAGE;
        let mut entry = [0; 8];
        File::open("/proc/self/pagemap")
            .and_then(|map| map.read_exact_at(&mut entry, place as u64 * 8))
            .map_err(|error| format!("pagemap: {error}"))?;
        let number = u64::from_le_bytes(entry) & ((1 << 55) - 1);
        Ok(number * PAGE as u64)
    }

    /// Every descriptor is the same frame, every third of them with a tag for the NIC to insert.
    fn fill(&mut self, frame: u64) {
        let mut bytes = [[0xff; 6], [0x02, 0xbe, 0xef, 0, 0, 1]].concat();
        bytes.extend([0x88, 0xb5]);
        bytes.extend(MARK.repeat(4));
        let length = bytes.len() as u16;
        let place = self.start + PAGE;
        self.bytes[place..place + bytes.len()].copy_from_slice(&bytes);
        for index in 0..PAGE / 16 {
            let command = if index % 3 == 0 { SEND | TAG } else { SEND };
            let mut descriptor = frame.to_le_bytes().to_vec();
            descriptor.extend(length.to_le_bytes());
            descriptor.extend([0, command, 0, 0, 5, 0]);
            let place = self.start + index * 16;
            self.bytes[place..place + 16].copy_from_slice(&descriptor);
        }
    }

    /// Whether the NIC says that it took a descriptor.
    fn is_done(&self, index: usize) -> bool {
        let status = std::hint::black_box(&self.bytes)[self.start + index * 16 + 12];
        status & 1 != 0
    }
}
