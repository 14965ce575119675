//! The guest's command unit: its blocks are read once, one after the other, and carried out by blocks of ours.

use super::Use;
use super::settings::{GROUPS, Settings};
use super::spec::{
    ADDRESS, CAUSE_DONE, CAUSE_INACTIVE, CONFIGURATION, CONFIGURE, COUNT, DIAGNOSE, DONE, DUMP, FLEXIBLE,
    GOOD, HAS_CHECK, HEADER, INTERRUPT, LAST, MICROCODE, MULTICAST, NO_TABLE, NOP, OPCODE_SHIFT, SUSPEND,
    THRESHOLD, TRANSMIT, WHOLE,
};
use super::units::{Commands, DATA_BYTES, Slot};
use crate::cpu::walk::GuestMemory;
use crate::net::frame::{ADDRESS_LENGTH, Frame, HEADER_LENGTH, MacAddress, Offload};
use crate::net::incident::{Incident, Incidents};
use crate::net::module::Module;
use crate::net::port::Verdict;
use crate::seam::{Host, Instant};

/// Blocks carried out in one look at most: a ring of blocks without an end would last for ever.
const LOOK: usize = 256;
/// Buffers of a frame at most.
const PIECES: usize = 64;
/// Buffers in the block itself, where blocks are extended.
const EXTENDED_PIECES: u32 = 2;
const CHECK_BYTES: usize = 4;
/// Longest frame without its check sequence: 1500 bytes behind header and tag (IEEE 802.3, 3.2.7).
pub(super) const LONGEST: usize = 1518;
/// Where parameters begin in a block.
const PARAMETERS: u64 = 8;

/// The guest's command unit.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct CommandUnit {
    pub(super) base: u32,
    /// From the base to the next block.
    next: u32,
    pub(super) state: State,
}

/// What it does (6.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum State {
    #[default]
    Idle,
    Suspended,
    Active,
}

/// What it needs besides.
pub(super) struct Way<'a, H> {
    pub(super) module: &'a mut Module,
    pub(super) commands: &'a mut Commands,
    pub(super) settings: &'a mut Settings,
    pub(super) incidents: &'a mut Incidents,
    pub(super) host: &'a mut H,
    pub(super) now: Instant,
    pub(super) usage: Use,
}

/// How a block ended.
enum Ended {
    /// By a block of ours, which raises the causes itself.
    ByDevice,
    /// Here.
    Here,
}

/// There is no block of ours for it now.
struct NoRoom;

impl CommandUnit {
    /// The guest starts it at a block.
    pub(super) const fn start(&mut self, pointer: u32) {
        self.next = pointer;
        self.state = State::Active;
    }

    /// The guest lets it go on.
    pub(super) fn resume(&mut self) {
        if self.state == State::Suspended {
            self.state = State::Active;
        }
    }

    /// Carries blocks out as far as there is room; the causes that the device will not raise.
    pub(super) fn look<H: Host>(&mut self, way: &mut Way<'_, H>) -> u8 {
        let mut causes = 0;
        for _ in 0..LOOK {
            if self.state != State::Active {
                break;
            }
            let place = u64::from(self.base.wrapping_add(self.next));
            let mut header = [0; HEADER];
            if way.host.guest().read(place, &mut header).is_err() {
                way.incidents.add(Incident::UnreachableMemory, 0, place);
                self.state = State::Idle;
                break;
            }
            let words = words(header);
            let [control, link, ..] = words;
            let Ok(ended) = carry_out(place, words, way) else {
                break;
            };
            // The status is the first half of the first word.
            let status = DONE | GOOD;
            let [low, high, ..] = status.to_le_bytes();
            if way.host.guest().write(place, &[low, high]).is_err() {
                way.incidents.add(Incident::UnreachableMemory, 0, place);
            }
            self.next = link;
            if control & LAST != 0 {
                self.state = State::Idle;
            } else if control & SUSPEND != 0 {
                self.state = State::Suspended;
            }
            if let Ended::Here = ended {
                causes |= if control & INTERRUPT != 0 { CAUSE_DONE } else { 0 };
                causes |= if self.state == State::Active {
                    0
                } else {
                    CAUSE_INACTIVE
                };
            }
        }
        causes
    }
}

fn carry_out<H: Host>(place: u64, words: [u32; 4], way: &mut Way<'_, H>) -> Result<Ended, NoRoom> {
    let [control, _, third, _] = words;
    let opcode = control >> OPCODE_SHIFT & 7;
    match opcode {
        TRANSMIT => transmit(place, words, way),
        ADDRESS => {
            let mut address = [0; ADDRESS_LENGTH];
            if read(place, &mut address, way) {
                way.settings.address = MacAddress(address);
                give(ADDRESS, &address, way)?;
            }
            Ok(Ended::Here)
        }
        CONFIGURE => {
            let mut bytes = [0; CONFIGURATION];
            if read(place, &mut bytes, way) {
                way.settings.configure(&bytes);
                let hardware = way.settings.hardware(way.usage);
                give(CONFIGURE, &hardware, way)?;
            }
            Ok(Ended::Here)
        }
        MULTICAST => {
            let most = GROUPS * ADDRESS_LENGTH;
            let count = usize::try_from(third & COUNT).unwrap_or(usize::MAX).min(most);
            let mut bytes = [0; 2 + GROUPS * ADDRESS_LENGTH];
            if let Some(list) = bytes.get_mut(..2 + count)
                && read(place, list, way)
            {
                let [low, high, ..] = count.to_le_bytes();
                if let Some(length) = list.first_chunk_mut() {
                    *length = [low, high];
                }
                way.settings.listen(list.get(2..).unwrap_or_default());
                give(MULTICAST, list, way)?;
            }
            Ok(Ended::Here)
        }
        // Microcode would be a program of the guest's in the device; what a dump or a test of it would tell is not the
        // guest's. A driver goes on without them.
        MICROCODE | DUMP | DIAGNOSE => {
            way.incidents.add(Incident::RefusedOffload, 0, opcode.into());
            Ok(Ended::Here)
        }
        NOP => Ok(Ended::Here),
        8.. => Ok(Ended::Here),
    }
}

/// Copies the parameters of the block at `place`; whether they could be.
fn read<H: Host>(place: u64, bytes: &mut [u8], way: &mut Way<'_, H>) -> bool {
    let is_there = way.host.guest().read(place + PARAMETERS, bytes).is_ok();
    if !is_there {
        way.incidents.add(Incident::UnreachableMemory, 0, place);
    }
    is_there
}

/// Gives the device a command with these parameters.
fn give<H: Host>(opcode: u32, parameters: &[u8], way: &mut Way<'_, H>) -> Result<(), NoRoom> {
    if way.usage == Use::Nobody {
        return Ok(());
    }
    order(opcode, parameters, way.commands, way.host).ok_or(NoRoom)
}

/// Orders a command with parameters. `None`: there is no room.
pub(super) fn order<H: Host>(
    opcode: u32,
    parameters: &[u8],
    commands: &mut Commands,
    host: &mut H,
) -> Option<()> {
    let Slot { header, mut data } = commands.take(host)?;
    // They begin in the header's last two words.
    let mut first = [[0; 4]; 2];
    let (start, rest) = parameters.split_at(parameters.len().min(8));
    if let Some(place) = first.as_flattened_mut().get_mut(..start.len()) {
        place.copy_from_slice(start);
    }
    host.with(&mut data, |bytes, _| {
        if let Some(place) = bytes.get_mut(..rest.len()) {
            place.copy_from_slice(rest);
        }
    });
    let slot = Slot { header, data };
    commands.order(slot, opcode << OPCODE_SHIFT, first.map(u32::from_le_bytes));
    Some(())
}

/// Orders the transmission of the first `length` bytes of a block's data.
pub(super) fn order_frame(slot: Slot, length: usize, bits: u32, commands: &mut Commands) {
    let count = u32::try_from(length).unwrap_or(0) & COUNT;
    let command = TRANSMIT << OPCODE_SHIFT | bits;
    commands.order(slot, command, [NO_TABLE, count | WHOLE | THRESHOLD]);
}

/// A frame: copied, decided, and given to the device.
fn transmit<H: Host>(place: u64, words: [u32; 4], way: &mut Way<'_, H>) -> Result<Ended, NoRoom> {
    let mut slot = way.commands.take(way.host).ok_or(NoRoom)?;
    let [control, ..] = words;
    let is_extended = way.settings.has_extended_blocks();
    let (module, now) = (&mut *way.module, way.now);
    let verdict = way.host.with(&mut slot.data, |bytes, guest| {
        let length = gather(place, words, is_extended, bytes, guest)?;
        let check = if control & HAS_CHECK != 0 { CHECK_BYTES } else { 0 };
        let kept = length.saturating_sub(check);
        let bytes = bytes
            .get(..kept)
            .filter(|bytes| (HEADER_LENGTH..=LONGEST).contains(&bytes.len()))
            .ok_or(Incident::MalformedDescriptor)?;
        let offload = Offload::default();
        Ok((module.outgoing(Frame { bytes, offload }, now), kept))
    });
    match verdict {
        Ok((Verdict::Forward, length)) => {
            order_frame(slot, length, control & INTERRUPT, way.commands);
            return Ok(Ended::ByDevice);
        }
        Ok((Verdict::Stop, _)) => {}
        Err(incident) => way.incidents.add(incident, 0, place),
    }
    way.commands.put(slot);
    Ok(Ended::Here)
}

/// Copies a frame's bytes, from behind the block or where its table says; how many.
fn gather<G: GuestMemory>(
    place: u64,
    [control, _, table, counts]: [u32; 4],
    is_extended: bool,
    bytes: &mut [u8],
    guest: &G,
) -> Result<usize, Incident> {
    let mut at = 0;
    let mut copy = |address: u64, length: usize| {
        let part = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..length));
        let part = part.ok_or(Incident::MalformedDescriptor)?;
        at += length;
        guest.read(address, part).map_err(|_| Incident::UnreachableMemory)
    };
    let behind = place + HEADER as u64;
    let count = usize::try_from(counts & COUNT).unwrap_or(usize::MAX);
    if control & FLEXIBLE == 0 {
        copy(behind, count)?;
        return Ok(at);
    }
    let pieces = counts >> 24;
    if usize::try_from(pieces).unwrap_or(usize::MAX) > PIECES {
        return Err(Incident::MalformedDescriptor);
    }
    for index in 0..pieces {
        let entry = match index.checked_sub(EXTENDED_PIECES) {
            None if is_extended => behind + 8 * u64::from(index),
            Some(index) if is_extended => u64::from(table) + 8 * u64::from(index),
            _ => u64::from(table) + 8 * u64::from(index),
        };
        let entry = guest.read_word(entry).map_err(|_| Incident::UnreachableMemory)?;
        let [a, b, c, d, size_low, size_high, flags, _] = entry.to_le_bytes();
        let size = u16::from_le_bytes([size_low, size_high]) & 0x7fff;
        copy(u32::from_le_bytes([a, b, c, d]).into(), size.into())?;
        if flags & 1 != 0 {
            break;
        }
    }
    Ok(at)
}

/// The words of a header.
pub(super) fn words(bytes: [u8; HEADER]) -> [u32; 4] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
    [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]].map(u32::from_le_bytes)
}

const _: () = assert!(DATA_BYTES > GROUPS * ADDRESS_LENGTH && DATA_BYTES > CONFIGURATION);
