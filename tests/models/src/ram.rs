//! Guest memory: two banks, one below 4 GiB and one above, and a guest that changes what the hypervisor just read.

use sekisho_mediator::cpu::walk::{GuestMemory, Unreachable};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Where the upper bank begins.
pub const UPPER: u64 = 1 << 32;
const PAGE: usize = 4096;

/// The guest's memory. What was never written reads zero.
#[derive(Clone, Debug)]
pub struct Ram {
    bank: u64,
    pages: RefCell<BTreeMap<u64, Vec<u8>>>,
    edits: RefCell<Vec<Edit>>,
}

#[derive(Clone, Debug)]
struct Edit {
    address: u64,
    bytes: Vec<u8>,
}

impl Ram {
    /// Two banks of `bank` bytes each.
    #[must_use]
    pub const fn new(bank: u64) -> Self {
        Self {
            bank,
            pages: RefCell::new(BTreeMap::new()),
            edits: RefCell::new(Vec::new()),
        }
    }

    /// Once the hypervisor has read a byte of where `bytes` would lie at `address`, they are written there: another
    /// CPU of the guest's edits what was just looked at.
    pub fn edit_behind_the_next_read(&self, address: u64, bytes: &[u8]) {
        self.edits.borrow_mut().push(Edit {
            address,
            bytes: bytes.to_vec(),
        });
    }

    /// The guest itself reads.
    #[must_use]
    pub fn bytes(&self, address: u64, length: usize) -> Vec<u8> {
        let mut content = vec![0; length];
        self.copy_out(address, &mut content);
        content
    }

    /// The guest itself writes; nothing happens where there is no memory.
    pub fn store(&self, address: u64, content: &[u8]) {
        self.copy_in(address, content);
    }

    pub(crate) fn copy_out(&self, address: u64, content: &mut [u8]) -> Option<()> {
        self.contains(address, content.len())?;
        let pages = self.pages.borrow();
        let (mut place, mut rest) = (address, content);
        while !rest.is_empty() {
            let (part, behind) = rest.split_at_mut(rest.len().min(PAGE - within(place)));
            let page = pages
                .get(&number(place))
                .and_then(|page| page.get(within(place)..));
            match page.and_then(|page| page.get(..part.len())) {
                Some(written) => part.copy_from_slice(written),
                None => part.fill(0),
            }
            place += part.len() as u64;
            rest = behind;
        }
        Some(())
    }

    pub(crate) fn copy_in(&self, address: u64, content: &[u8]) -> Option<()> {
        self.contains(address, content.len())?;
        let mut pages = self.pages.borrow_mut();
        let (mut place, mut rest) = (address, content);
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(rest.len().min(PAGE - within(place)));
            let page = pages.entry(number(place)).or_insert_with(|| vec![0; PAGE]);
            crate::bytes::put(page, within(place), part);
            place += part.len() as u64;
            rest = behind;
        }
        Some(())
    }

    fn contains(&self, address: u64, length: usize) -> Option<()> {
        let end = address.checked_add(length as u64)?;
        let fits = |start: u64| address >= start && end <= start + self.bank;
        (fits(0) || fits(UPPER)).then_some(())
    }

    fn edit(&self, address: u64, length: usize) {
        let touches = |edit: &Edit| {
            edit.address < address + length as u64 && address < edit.address + edit.bytes.len() as u64
        };
        let due: Vec<Edit> = self
            .edits
            .borrow_mut()
            .extract_if(.., |edit| touches(edit))
            .collect();
        for edit in due {
            self.copy_in(edit.address, &edit.bytes);
        }
    }
}

/// The number of the page that holds an address.
const fn number(address: u64) -> u64 {
    address / PAGE as u64
}

/// Bytes from the start of its page.
fn within(address: u64) -> usize {
    crate::bytes::size(address % PAGE as u64)
}

impl GuestMemory for Ram {
    fn read(&self, guest_physical: u64, buffer: &mut [u8]) -> Result<(), Unreachable> {
        self.copy_out(guest_physical, buffer).ok_or(Unreachable)?;
        self.edit(guest_physical, buffer.len());
        Ok(())
    }

    fn write(&self, guest_physical: u64, bytes: &[u8]) -> Result<(), Unreachable> {
        self.copy_in(guest_physical, bytes).ok_or(Unreachable)
    }
}
