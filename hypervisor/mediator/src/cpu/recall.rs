//! The last instructions that stored to the local APIC, so that they need not be walked to and decoded each time.
//!
//! One store ends every interrupt and one sets every timer, from a handful of places in the kernel. What is kept of
//! such a place is checked against everything that led to it: the same CR3 and address, the same entry at every
//! level of the guest's page tables, and the same bytes. So an answer is never older than a fresh walk would be,
//! whatever the guest has changed meanwhile; it is only cheaper, because nothing is taken apart again.

use super::decode::{Action, quick_move};
use super::fetch::InstructionBytes;
use super::registers::{Register, Width};
use super::walk::{GuestMemory, Unreachable};

/// Places that are kept: chosen by address, so that the few that matter rarely share one.
const PLACES: usize = 4;
/// Levels of the walk.
const LEVELS: usize = 4;
/// Aligned words that an instruction of the kind may lie in.
const CODE_WORDS: usize = 2;

const PRESENT: u64 = 1;
const LARGE: u64 = 1 << 7;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
const PAGE: u64 = 4096;

/// A store of 32 bits to the faulting address, in 64-bit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Store {
    /// What is stored.
    pub value: Value,
    /// Length of the instruction in bytes.
    pub length: u8,
}

/// What an instruction stores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value {
    /// The low half of a register.
    Register(Register),
    /// A constant.
    Constant(u32),
}

/// Guest memory by aligned words that need not be looked up again: once a word is found to be ordinary guest memory,
/// it stays so.
pub trait WordMemory: GuestMemory {
    /// Such a word.
    type Word: Copy;

    /// The aligned word at `guest_physical`, whose low three bits do not count.
    ///
    /// # Errors
    /// [`Unreachable`] as for [`GuestMemory::read`].
    fn word(&self, guest_physical: u64) -> Result<Self::Word, Unreachable>;

    /// What it holds now.
    fn load(&self, word: Self::Word) -> u64;
}

/// The stores of one CPU.
#[derive(Clone, Debug)]
pub struct Recall<W> {
    places: [Option<Place<W>>; PLACES],
}

impl<W: Copy> Default for Recall<W> {
    fn default() -> Self {
        Self {
            places: [None; PLACES],
        }
    }
}

/// A word of the guest's memory and what it held.
#[derive(Clone, Copy, Debug)]
struct Held<W> {
    word: W,
    value: u64,
}

#[derive(Clone, Copy, Debug)]
struct Place<W> {
    cr3: u64,
    linear: u64,
    /// The table entries on the way to the instruction (behind a large page the last is repeated), then the words
    /// that it lies in.
    led_here: [Held<W>; LEVELS + CODE_WORDS],
    store: Store,
}

impl<W: Copy> Recall<W> {
    /// The store at `linear`, if it was noted and everything on the way to it is as it was.
    ///
    /// For 64-bit code under 4-level paging; the caller knows the mode.
    #[inline(always)]
    pub fn find<M: WordMemory<Word = W>>(&self, cr3: u64, linear: u64, memory: &M) -> Option<Store> {
        let place = self.places.get(index(linear))?.as_ref()?;
        let [a, b, c, d, e, f] = &place.led_here;
        let same = |held: &Held<W>| memory.load(held.word) == held.value;
        let unchanged = place.linear == linear && place.cr3 == cr3;
        // Spelt out: a loop costs more than the comparisons.
        (unchanged && same(a) && same(b) && same(c) && same(d) && same(e) && same(f)).then_some(place.store)
    }

    /// Notes the instruction at `linear`, if it is such a store.
    #[cold]
    pub fn note<M: WordMemory<Word = W>>(
        &mut self,
        cr3: u64,
        linear: u64,
        bytes: &InstructionBytes,
        memory: &M,
    ) {
        let Some(place) = remember(cr3, linear, bytes, memory) else {
            return;
        };
        if let Some(kept) = self.places.get_mut(index(linear)) {
            *kept = Some(place);
        }
    }
}

fn remember<M: WordMemory>(
    cr3: u64,
    linear: u64,
    bytes: &InstructionBytes,
    memory: &M,
) -> Option<Place<M::Word>> {
    let plain = quick_move(bytes)?;
    let value = match (plain.action, plain.width) {
        (Action::Store(register), Width::Four) => Value::Register(register),
        (Action::StoreImmediate(constant), Width::Four) => {
            let [a, b, c, d, ..] = constant.to_le_bytes();
            Value::Constant(u32::from_le_bytes([a, b, c, d]))
        }
        _ => return None,
    };
    let store = Store {
        value,
        length: plain.length,
    };
    let ([a, b, c, d], physical) = walk(cr3, linear, memory)?;
    let in_first = physical % 8;
    if in_first + u64::from(plain.length) > 16 {
        return None;
    }
    let (first, second) = (hold(physical, memory)?, hold(physical + 8, memory)?);
    // The bytes were carried out only if they still are what is there.
    let present = u128::from(first.value) | u128::from(second.value) << 64;
    let length = 8 * u32::from(plain.length);
    let same = (present >> (8 * in_first) ^ bytes.window()) << (128 - length) == 0;
    same.then_some(Place {
        cr3,
        linear,
        led_here: [a, b, c, d, first, second],
        store,
    })
}

fn hold<M: WordMemory>(address: u64, memory: &M) -> Option<Held<M::Word>> {
    let word = memory.word(address).ok()?;
    Some(Held {
        word,
        value: memory.load(word),
    })
}

/// Which place an address may have. Instructions of the kind are some bytes apart.
#[inline(always)]
const fn index(linear: u64) -> usize {
    (linear >> 3) as usize % PLACES
}

/// The entries on the way to `linear`, and its physical address; `None` unless 16 bytes there are in one page.
fn walk<M: WordMemory>(cr3: u64, linear: u64, memory: &M) -> Option<([Held<M::Word>; LEVELS], u64)> {
    if linear % PAGE > PAGE - 16 {
        return None;
    }
    let entry = |table: u64, shift: u32| {
        let held = hold(table & ADDRESS | (linear >> shift & 0x1ff) << 3, memory)?;
        (held.value & PRESENT != 0).then_some(held)
    };
    let leads_to = |held: Held<M::Word>, shift: u32| {
        let offset = (1 << shift) - 1;
        held.value & ADDRESS & !offset | linear & offset
    };
    let first = entry(cr3, 39).filter(|held| held.value & LARGE == 0)?;
    let second = entry(first.value, 30)?;
    if second.value & LARGE != 0 {
        return Some(([first, second, second, second], leads_to(second, 30)));
    }
    let third = entry(second.value, 21)?;
    if third.value & LARGE != 0 {
        return Some(([first, second, third, third], leads_to(third, 21)));
    }
    let fourth = entry(third.value, 12)?;
    Some(([first, second, third, fourth], leads_to(fourth, 12)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::RefCell;
    extern crate std;
    use std::collections::BTreeMap;

    /// mov [rdi - 0xa00000], esi: how Linux writes a register of the local APIC.
    const LINUX: [u8; 6] = [0x89, 0xb7, 0x00, 0x00, 0x60, 0xff];
    const CR3: u64 = 0x1000;
    const LINEAR: u64 = 0xffff_ffff_8105_f0a0;

    /// Memory by aligned words.
    struct Memory(RefCell<BTreeMap<u64, u8>>);

    impl GuestMemory for Memory {
        fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreachable> {
            for (byte, at) in buffer.iter_mut().zip(address..) {
                *byte = *self.0.borrow().get(&at).unwrap_or(&0);
            }
            Ok(())
        }

        fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Unreachable> {
            self.0.borrow_mut().extend((address..).zip(bytes.iter().copied()));
            Ok(())
        }
    }

    impl WordMemory for Memory {
        type Word = u64;

        fn word(&self, address: u64) -> Result<u64, Unreachable> {
            Ok(address & !7)
        }

        fn load(&self, word: u64) -> u64 {
            self.read_word(word).unwrap()
        }
    }

    impl Memory {
        fn put(&self, address: u64, value: u64) {
            self.write(address, &value.to_le_bytes()).unwrap();
        }
    }

    /// What a fetch of `instruction` gives: 15 bytes, zeros behind it.
    fn fetched(instruction: &[u8]) -> InstructionBytes {
        let mut bytes = [0; 15];
        bytes[..instruction.len()].copy_from_slice(instruction);
        InstructionBytes::new(&bytes)
    }

    /// The address of the entry for [`LINEAR`] in the table at `table`.
    fn entry(table: u64, shift: u32) -> u64 {
        table | (LINEAR >> shift & 0x1ff) << 3
    }

    /// Kernel text in a large page, as Linux maps it.
    fn kernel() -> (Recall<u64>, Memory) {
        let memory = Memory(RefCell::default());
        memory.put(entry(0x1000, 39), 0x2003);
        memory.put(entry(0x2000, 30), 0x3003);
        memory.put(entry(0x3000, 21), 0x20_0083);
        memory.write(0x20_0000 | LINEAR & 0x1f_ffff, &LINUX).unwrap();
        let mut recall = Recall::default();
        recall.note(CR3, LINEAR, &fetched(&LINUX), &memory);
        (recall, memory)
    }

    #[test]
    fn a_noted_store_is_found_again() {
        let (recall, memory) = kernel();
        let store = recall.find(CR3, LINEAR, &memory).unwrap();
        assert_eq!(
            (store.value, store.length),
            (Value::Register(Register::low(6)), 6)
        );
        assert_eq!(recall.find(CR3, LINEAR + 32, &memory), None);
        assert_eq!(recall.find(CR3 + 0x1000, LINEAR, &memory), None);
    }

    #[test]
    fn a_constant_is_noted_too() {
        let (mut recall, memory) = kernel();
        let constant = [0xc7, 0x07, 0x78, 0x56, 0x34, 0x92];
        memory.write(0x20_0000 | LINEAR & 0x1f_ffff, &constant).unwrap();
        recall.note(CR3, LINEAR, &fetched(&constant), &memory);
        let store = recall.find(CR3, LINEAR, &memory).unwrap();
        assert_eq!((store.value, store.length), (Value::Constant(0x9234_5678), 6));
    }

    #[test]
    fn nothing_is_found_before_anything_was_noted() {
        let (_, memory) = kernel();
        assert_eq!(Recall::default().find(CR3, LINEAR, &memory), None);
        assert_eq!(Recall::default().find(0, 0, &memory), None);
    }

    #[test]
    fn changed_bytes_are_noticed() {
        let (recall, memory) = kernel();
        memory
            .write((0x20_0000 | LINEAR & 0x1f_ffff) + 1, &[0xbf])
            .unwrap();
        assert_eq!(recall.find(CR3, LINEAR, &memory), None);
    }

    #[test]
    fn a_changed_entry_at_any_level_is_noticed() {
        for (table, shift) in [(0x1000, 39), (0x2000, 30), (0x3000, 21)] {
            let (recall, memory) = kernel();
            memory.put(entry(table, shift), 0x7003);
            assert_eq!(recall.find(CR3, LINEAR, &memory), None, "{table:x}");
        }
    }

    #[test]
    fn small_pages_are_followed_to_the_last_level() {
        let (mut recall, memory) = kernel();
        memory.put(entry(0x3000, 21), 0x4003);
        memory.put(entry(0x4000, 12), 0x9_9003);
        memory.write(0x9_9000 | LINEAR & 0xfff, &LINUX).unwrap();
        recall.note(CR3, LINEAR, &fetched(&LINUX), &memory);
        assert!(recall.find(CR3, LINEAR, &memory).is_some());
        memory.put(entry(0x4000, 12), 0x9_8003);
        assert_eq!(recall.find(CR3, LINEAR, &memory), None);
    }

    #[test]
    fn only_stores_of_32_bits_are_noted() {
        for bytes in [
            &[0x48, 0x89, 0xb7, 0x00, 0x00, 0x60, 0xff][..], // 64 bits
            &[0x8b, 0xb7, 0x00, 0x00, 0x60, 0xff],           // a load
            &[0x31, 0x37],                                   // xor
        ] {
            let (_, memory) = kernel();
            memory.write(0x20_0000 | LINEAR & 0x1f_ffff, bytes).unwrap();
            let mut recall = Recall::default();
            recall.note(CR3, LINEAR, &fetched(bytes), &memory);
            assert_eq!(recall.find(CR3, LINEAR, &memory), None, "{bytes:x?}");
        }
    }
}
