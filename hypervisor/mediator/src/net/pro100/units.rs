//! The real units: blocks of commands and receive descriptors of ours, in chains.
//!
//! Status and command of a descriptor share a word, so nothing that the device may be about to finish is changed. A chain of
//! commands ends (EL); when all of it is done, the next one is begun with what has come meanwhile. The end of the receive
//! chain is moved while the device is far from it.

use super::Ports;
use super::spec::{
    ACTIVE, COMMAND, COMMAND_UNIT_SHIFT, COUNT, CU_BASE, CU_START, DONE, GOOD, HEADER, LAST, POINTER, READY,
    RECEIVE_UNIT_SHIFT, RU_ABORT, RU_BASE, RU_START, STATUS,
};
use crate::cpu::registers::Width;
use crate::net::hold::Hold;
use crate::seam::{Buffer, Host, Lent, Shared};
use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Blocks and receive descriptors, each with room for a frame.
pub(super) const SLOTS: usize = 64;
/// Bytes of one, header and data.
pub(super) const SLOT_BYTES: usize = 2048;
/// Bytes of a frame in one.
pub(super) const DATA_BYTES: usize = SLOT_BYTES - HEADER;
/// Blocks of a chain at most. The emulator's device stops behind so many, and says that it is active for ever.
const CHAIN: usize = 16;
/// How often the device is asked whether it has taken a command: it does so in microseconds.
const PATIENCE: u32 = 10_000;

/// A header and the data behind it.
pub(super) struct Slot {
    pub(super) header: Shared,
    pub(super) data: Buffer,
}

impl Slot {
    pub(super) fn new(buffer: Buffer) -> Self {
        let (header, data) = buffer.split_at(HEADER);
        Self {
            header: header.share(),
            data,
        }
    }
}

/// A block that waits to be begun.
struct Order {
    slot: Slot,
    command: u32,
    parameters: [u32; 2],
}

/// The real command unit.
pub(super) struct Commands {
    free: Vec<Slot>,
    ready: VecDeque<Order>,
    running: VecDeque<(Shared, Lent)>,
}

impl Commands {
    pub(super) fn new(free: Vec<Slot>) -> Self {
        Self {
            ready: VecDeque::with_capacity(free.len()),
            running: VecDeque::with_capacity(free.len()),
            free,
        }
    }

    /// A block to fill.
    pub(super) fn take<H: Host>(&mut self, host: &H) -> Option<Slot> {
        if self.free.is_empty() {
            self.reap(host);
        }
        self.free.pop()
    }

    /// Gives one back.
    pub(super) fn put(&mut self, slot: Slot) {
        self.free.push(slot);
    }

    /// A block is ready: command bits of its first word, and its third and fourth word.
    pub(super) fn order(&mut self, slot: Slot, command: u32, parameters: [u32; 2]) {
        self.ready.push_back(Order {
            slot,
            command,
            parameters,
        });
    }

    /// Whether there is more to begin.
    pub(super) fn waits(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Begins what is ready, when the device has done with what was begun before.
    pub(super) fn begin<P: Ports, H: Host>(&mut self, ports: &mut P, host: &mut H) {
        self.reap(host);
        // A device that is done at once, as the emulator's is, gets the next chain at once.
        while self.running.is_empty() && !self.ready.is_empty() {
            self.begin_chain(ports, host);
            self.reap(host);
        }
    }

    fn begin_chain<P: Ports, H: Host>(&mut self, ports: &mut P, host: &mut H) {
        let first = self.ready.front().map_or(0, |order| low(&order.slot.header));
        for place in 1..=CHAIN {
            let Some(order) = self.ready.pop_front() else {
                break;
            };
            let next = self.ready.front().filter(|_| place < CHAIN);
            let next = next.map(|next| low(&next.slot.header));
            let end = if next.is_none() { LAST } else { 0 };
            let [third, fourth] = order.parameters;
            let words = [order.command | end, next.unwrap_or(0), third, fourth];
            for (offset, word) in (0..).step_by(4).zip(words) {
                host.store(&order.slot.header, offset, word);
            }
            self.running
                .push_back((order.slot.header, order.slot.data.lend()));
        }
        // The last block is done a moment before the unit is.
        let is_idle = |ports: &mut P| byte(ports, STATUS) >> COMMAND_UNIT_SHIFT != ACTIVE;
        let _is_idle = wait(ports, is_idle);
        command(ports, CU_START, Some(first));
    }

    /// Takes back what is done.
    fn reap<H: Host>(&mut self, host: &H) {
        while let Some((header, _)) = self.running.front() {
            if host.load(header, 0) & DONE == 0 {
                return;
            }
            if let Some((header, data)) = self.running.pop_front() {
                let data = data.reclaim();
                self.free.push(Slot { header, data });
            }
        }
    }

    /// The device was reset: nothing is its any more.
    pub(super) fn forget(&mut self) {
        while let Some((header, data)) = self.running.pop_front() {
            let data = data.reclaim();
            self.free.push(Slot { header, data });
        }
        while let Some(order) = self.ready.pop_front() {
            self.free.push(order.slot);
        }
    }
}

/// What is next in the receive chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arrival {
    /// A frame of so many bytes.
    Frame(usize),
    /// A damaged one.
    Damaged,
}

/// The real receive unit.
pub(super) struct Receiver {
    slots: Vec<(Shared, Option<Lent>)>,
    /// The next that the device fills, the last that it may, and how many those are.
    next: usize,
    end: usize,
    left: usize,
    /// Whether the frame at `next` waits for the guest.
    pub(super) hold: Hold,
}

/// How far the device is from the end of its chain, at least, when the end is moved: it fills so many in 50 microseconds.
const MARGIN: usize = 8;

impl Receiver {
    pub(super) fn new(slots: Vec<Slot>) -> Self {
        let lend = |slot: Slot| (slot.header, Some(slot.data.lend()));
        Self {
            slots: slots.into_iter().map(lend).collect(),
            next: 0,
            end: 0,
            left: 0,
            hold: Hold::default(),
        }
    }

    /// The device was reset: it has no chain.
    pub(super) fn forget(&mut self) {
        self.left = 0;
        self.hold = Hold::default();
    }

    /// Gives all descriptors to a unit that is not ready.
    pub(super) fn begin<P: Ports, H: Host>(&mut self, ports: &mut P, host: &mut H) {
        (self.next, self.left) = (0, self.slots.len());
        self.end = self.left.saturating_sub(1);
        let size = u32::try_from(DATA_BYTES).unwrap_or(0) << 16;
        let after = self.slots.iter().cycle().skip(1).map(|(next, _)| low(next));
        for ((index, (header, _)), next) in self.slots.iter().enumerate().zip(after) {
            let end = if index == self.end { LAST } else { 0 };
            for (offset, word) in (0..).step_by(4).zip([end, next, u32::MAX, size]) {
                host.store(header, offset, word);
            }
        }
        let first = self.slots.first().map(|(header, _)| low(header));
        command(ports, RU_START, first);
    }

    /// Whether all of the chain is used up, or there is none.
    pub(super) const fn is_used_up(&self) -> bool {
        self.left == 0
    }

    /// Stops a unit that is near the end of its chain, with nothing to take: what it has finished meanwhile is there then,
    /// and [`Self::begin`] may give it all descriptors. Whether it was stopped.
    pub(super) fn stop_near_end<P: Ports>(&mut self, ports: &mut P) -> bool {
        if self.left > MARGIN {
            return false;
        }
        command(ports, RU_ABORT, None);
        // One that does not stop is not started again either: it does not take the command.
        wait(ports, |ports| {
            byte(ports, STATUS) >> RECEIVE_UNIT_SHIFT & 15 != READY
        })
    }

    /// What came next.
    pub(super) fn peek<H: Host>(&self, host: &H) -> Option<Arrival> {
        if self.is_used_up() {
            return None;
        }
        let (header, _) = self.slots.get(self.next)?;
        let status = host.load(header, 0);
        if status & DONE == 0 {
            return None;
        }
        let count = usize::try_from(host.load(header, HEADER - 4) & COUNT).unwrap_or(usize::MAX);
        if status & GOOD == 0 || count > DATA_BYTES {
            return Some(Arrival::Damaged);
        }
        Some(Arrival::Frame(count))
    }

    /// Works on the bytes of that frame.
    pub(super) fn read<H: Host, T>(
        &mut self,
        length: usize,
        host: &mut H,
        work: impl FnOnce(&[u8], &H::Guest) -> T,
    ) -> Option<T> {
        let (_, place) = self.slots.get_mut(self.next)?;
        let mut data = place.take()?.reclaim();
        let result = host.with(&mut data, |bytes, guest| Some(work(bytes.get(..length)?, guest)));
        *place = Some(data.lend());
        result
    }

    /// Done with it: where the device is far from the end of its chain, it becomes the end. Else the chain runs out, and
    /// [`Self::begin`] begins another.
    pub(super) fn finish<H: Host>(&mut self, host: &mut H) {
        let (index, count) = (self.next, self.slots.len().max(1));
        self.next = (index + 1) % count;
        self.left = self.left.saturating_sub(1);
        let ahead = (self.end + count - MARGIN) % count;
        let is_far = self.left > MARGIN
            && self
                .slots
                .get(ahead)
                .is_some_and(|(header, _)| host.load(header, 0) & DONE == 0);
        if !is_far {
            return;
        }
        let size = u32::try_from(DATA_BYTES).unwrap_or(0) << 16;
        if let Some((header, _)) = self.slots.get(index) {
            host.store(header, HEADER - 4, size);
            host.store(header, 0, LAST);
        }
        if let Some((header, _)) = self.slots.get(self.end) {
            host.store(header, 0, 0);
        }
        self.end = index;
        self.left += 1;
    }
}

/// Both units count addresses from zero.
pub(super) fn base<P: Ports>(ports: &mut P) {
    command(ports, CU_BASE, Some(0));
    command(ports, RU_BASE, Some(0));
}

/// Gives the device a command, with its pointer.
pub(super) fn command<P: Ports>(ports: &mut P, value: u8, pointer: Option<u32>) {
    // A device that takes none takes this one neither: nothing moves then.
    let _was_taken = wait(ports, |ports| byte(ports, COMMAND) == 0);
    if let Some(pointer) = pointer {
        ports.write(POINTER, Width::Four, pointer);
    }
    ports.write(COMMAND, Width::One, value.into());
}

/// Asks until `done`, or for so long that it will not be; whether it was.
pub(super) fn wait<P: Ports>(ports: &mut P, done: impl Fn(&mut P) -> bool) -> bool {
    (0..PATIENCE).any(|_| done(ports))
}

/// A byte of the registers.
pub(super) fn byte<P: Ports>(ports: &mut P, offset: u8) -> u8 {
    let [byte, ..] = ports.read(offset, Width::One).to_le_bytes();
    byte
}

/// An address as the device has it: the buffers lie below four gigabytes, as `attach` has made sure.
fn low(header: &Shared) -> u32 {
    u32::try_from(header.address().0).unwrap_or(u32::MAX)
}
