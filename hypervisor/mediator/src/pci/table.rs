//! Every function of the machine, found by its address in one load.

use super::function::Function;
use alloc::boxed::Box;
use alloc::vec::Vec;
use sekisho_abi::pci::Address;

/// Functions that can be held. A laptop has 20 to 60.
pub const MAX_FUNCTIONS: usize = 256;

/// More than [`MAX_FUNCTIONS`] functions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooMany;

/// A bus, device and function number each for its own bits: one place for every address there can be.
const PLACES: usize = 1 << 16;

/// The functions of one machine. Its memory is taken when it is made and never grows.
pub struct Functions {
    list: Vec<Function>,
    /// For each address, one more than its index in `list`; zero where none is known. 128 KiB buy a look-up
    /// without a search on every access of the guest.
    places: Box<[u16]>,
}

impl Functions {
    pub(super) fn new() -> Self {
        Self {
            list: Vec::with_capacity(MAX_FUNCTIONS),
            places: alloc::vec![0; PLACES].into_boxed_slice(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// In the order found; those of boot ascend by address.
    pub fn iter(&self) -> core::slice::Iter<'_, Function> {
        self.list.iter()
    }

    /// The function at `address`.
    #[inline]
    #[must_use]
    pub fn at(&self, address: Address) -> Option<&Function> {
        self.list.get(self.index(address)?)
    }

    pub(super) fn at_mut(&mut self, address: Address) -> Option<&mut Function> {
        let index = self.index(address)?;
        self.list.get_mut(index)
    }

    pub(super) fn iter_mut(&mut self) -> core::slice::IterMut<'_, Function> {
        self.list.iter_mut()
    }

    /// Puts a function at its address, in place of the one that was there.
    pub(super) fn put(&mut self, function: Function) -> Result<&mut Function, TooMany> {
        let address = function.address();
        if let Some(index) = self.index(address) {
            let held = self.list.get_mut(index).ok_or(TooMany)?;
            *held = function;
            return Ok(held);
        }
        if self.list.len() >= MAX_FUNCTIONS {
            return Err(TooMany);
        }
        let place = self.places.get_mut(place(address)).ok_or(TooMany)?;
        self.list.push(function);
        *place = u16::try_from(self.list.len()).map_err(|_| TooMany)?;
        self.list.last_mut().ok_or(TooMany)
    }

    /// The other functions of the device at `address`.
    pub(super) fn siblings(&self, address: Address) -> impl Iterator<Item = &Function> {
        (0..=7)
            .map(move |function| address.sibling(function))
            .filter(move |sibling| *sibling != address)
            .filter_map(|sibling| self.at(sibling))
    }

    #[inline]
    fn index(&self, address: Address) -> Option<usize> {
        usize::from(*self.places.get(place(address))?).checked_sub(1)
    }
}

impl<'f> IntoIterator for &'f Functions {
    type Item = &'f Function;
    type IntoIter = core::slice::Iter<'f, Function>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn place(address: Address) -> usize {
    usize::from(address.bus()) << 8 | usize::from(address.devfn())
}
