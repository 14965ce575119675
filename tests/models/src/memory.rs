//! What lies at addresses: the guest's memory, and the hypervisor's buffers that devices may use; and the time.
//!
//! Guest memory and buffers are apart, as on the machine: the guest cannot reach a buffer, and in [`Reach::Buffers`]
//! a device cannot reach the guest. While a device has a command, nobody may touch what it transfers or change what
//! it was told; both are kept as breaches.

use crate::breach::Breach;
use crate::bytes;
use crate::ram::Ram;
use sekisho_mediator::seam::{Buffer, DeviceAddress, Host, Instant, Shared as SharedBuffer};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Where buffers begin.
pub const BUFFERS: u64 = 0x7e00_0000;
/// Nanoseconds that pass at each look at the clock and each register access.
const TICK: u64 = 10_000;
const PAGE: usize = 4096;

/// What devices may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// The hypervisor's buffers: a mediator drives the device.
    Buffers,
    /// The guest's memory: the guest drives it itself.
    Guest,
}

/// What a device needs a range of memory for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// It reads or writes it at any moment.
    Transfer,
    /// It may read it again: it must not change.
    Instruction,
}

/// A handle to the machine's memory; clones are the same memory.
#[derive(Clone, Debug)]
pub struct Memory(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    guest: Ram,
    reach: Reach,
    buffers: RefCell<Vec<u8>>,
    claims: RefCell<Vec<Claimed>>,
    breaches: RefCell<Vec<Breach>>,
    nanoseconds: Cell<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Claimed {
    owner: u32,
    claim: Claim,
    address: u64,
    length: usize,
}

impl Memory {
    /// Guest memory and no buffers yet.
    #[must_use]
    pub fn new(guest: Ram, reach: Reach) -> Self {
        Self(Rc::new(Shared {
            guest,
            reach,
            buffers: RefCell::default(),
            claims: RefCell::default(),
            breaches: RefCell::default(),
            nanoseconds: Cell::new(TICK),
        }))
    }

    /// A new buffer of `length` bytes on pages of its own, full of bytes that mean nothing.
    #[must_use]
    pub fn buffer(&self, length: usize) -> Buffer {
        let mut buffers = self.0.buffers.borrow_mut();
        let start = buffers.len();
        buffers.resize(start + length.next_multiple_of(PAGE), POISON);
        Buffer::new(DeviceAddress(BUFFERS + start as u64), length)
    }

    /// The guest's memory.
    #[must_use]
    pub fn ram(&self) -> &Ram {
        &self.0.guest
    }

    /// Time goes on by `nanoseconds`.
    pub fn pass(&self, nanoseconds: u64) {
        let now = self.0.nanoseconds.get();
        self.0.nanoseconds.set(now.saturating_add(nanoseconds));
    }

    /// What a register access costs.
    pub(crate) fn tick(&self) {
        self.pass(TICK);
    }

    /// What was done that should not be.
    #[must_use]
    pub fn breaches(&self) -> Vec<Breach> {
        self.0.breaches.borrow().clone()
    }

    /// Keeps a breach.
    pub(crate) fn breach(&self, breach: Breach) {
        self.0.breaches.borrow_mut().push(breach);
    }

    /// A device reads.
    pub(crate) fn device_read(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut content = vec![0; length];
        let done = match self.0.reach {
            Reach::Guest => self.0.guest.copy_out(address, &mut content),
            Reach::Buffers => self
                .0
                .with_range(address, length, |range| content.copy_from_slice(range)),
        };
        if done.is_none() {
            self.breach(Breach::DmaOutside(address, length));
        }
        done.map(|()| content)
    }

    /// A device writes.
    pub(crate) fn device_write(&self, address: u64, content: &[u8]) -> Option<()> {
        let done = match self.0.reach {
            Reach::Guest => self.0.guest.copy_in(address, content),
            Reach::Buffers => self
                .0
                .with_range(address, content.len(), |range| range.copy_from_slice(content)),
        };
        if done.is_none() {
            self.breach(Breach::DmaOutside(address, content.len()));
        }
        done
    }

    /// The word at `offset` of a shared buffer; an access out of line or beyond the end is a breach.
    fn word(&self, shared: &SharedBuffer, offset: usize) -> Option<[u8; 4]> {
        let address = shared.address().0 + offset as u64;
        let is_inside = offset.checked_add(4).is_some_and(|end| end <= shared.length());
        if !offset.is_multiple_of(4) || !is_inside {
            self.breach(Breach::BadWord(address));
            return None;
        }
        let mut word = [0; 4];
        self.0
            .with_range(address, word.len(), |range| word.copy_from_slice(range))?;
        Some(word)
    }

    /// A device begins to use a range, on behalf of `owner`.
    pub(crate) fn claim(&self, owner: u32, claim: Claim, address: u64, length: usize) {
        self.0.claims.borrow_mut().push(Claimed {
            owner,
            claim,
            address,
            length,
        });
    }

    /// Nothing is used any more on behalf of `owner`.
    pub(crate) fn release(&self, owner: u32) {
        self.0
            .claims
            .borrow_mut()
            .retain(|claimed| claimed.owner != owner);
    }
}

/// What a buffer holds before anyone wrote to it, and after the device has done with what it was sent.
pub(crate) const POISON: u8 = 0xa5;

impl Shared {
    fn with_range<R>(&self, address: u64, length: usize, work: impl FnOnce(&mut [u8]) -> R) -> Option<R> {
        let start = bytes::size(address.checked_sub(BUFFERS)?);
        let end = start.checked_add(length)?;
        self.buffers.borrow_mut().get_mut(start..end).map(work)
    }

    /// Keeps a breach where `before` became `after` at `address` against a claim.
    fn judge(&self, address: u64, before: &[u8], after: &[u8]) {
        for claimed in self.claims.borrow().iter() {
            let Some((start, end)) = overlap(address, before.len(), claimed) else {
                continue;
            };
            let changed = before.get(start..end) != after.get(start..end);
            let breach = match claimed.claim {
                Claim::Transfer => Breach::TouchedUnderTransfer(claimed.address),
                Claim::Instruction if changed => Breach::ChangedUnderCommand(claimed.address),
                Claim::Instruction => continue,
            };
            self.breaches.borrow_mut().push(breach);
        }
    }
}

/// The part of the `length` bytes at `address` that is claimed, as offsets.
fn overlap(address: u64, length: usize, claimed: &Claimed) -> Option<(usize, usize)> {
    let start = claimed.address.max(address) - address;
    let claimed_end = claimed.address.checked_add(claimed.length as u64)?;
    let end = claimed_end.checked_sub(address)?.min(length as u64);
    (start < end).then_some((bytes::size(start), bytes::size(end)))
}

impl Host for Memory {
    type Guest = Ram;

    fn guest(&self) -> &Ram {
        &self.0.guest
    }

    fn with<R>(&mut self, buffer: &mut Buffer, work: impl FnOnce(&mut [u8], &Ram) -> R) -> R {
        let address = buffer.address().0;
        let mut content = vec![POISON; buffer.length()];
        let before = self
            .0
            .with_range(address, buffer.length(), |range| range.to_vec());
        if let Some(before) = &before {
            content.clone_from(before);
        }
        let result = work(&mut content, &self.0.guest);
        if let Some(before) = before {
            self.0.judge(address, &before, &content);
        }
        self.0
            .with_range(address, content.len(), |range| range.copy_from_slice(&content));
        result
    }

    fn load(&self, shared: &SharedBuffer, offset: usize) -> u32 {
        let address = shared.address().0 + offset as u64;
        let word = self.word(shared, offset).unwrap_or([u8::MAX; 4]);
        self.0.judge(address, &word, &word);
        u32::from_le_bytes(word)
    }

    fn store(&mut self, shared: &SharedBuffer, offset: usize, word: u32) {
        let address = shared.address().0 + offset as u64;
        let word = word.to_le_bytes();
        if let Some(before) = self.word(shared, offset) {
            self.0.judge(address, &before, &word);
            self.0
                .with_range(address, word.len(), |range| range.copy_from_slice(&word));
        }
    }

    fn now(&self) -> Instant {
        self.tick();
        Instant(self.0.nanoseconds.get())
    }
}
