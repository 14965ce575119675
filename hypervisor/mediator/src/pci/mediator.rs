//! The one place that every configuration access of the guest reaches.
//!
//! A passed function costs a table look-up and the hardware's own access; everything that needs judgement is in
//! [`super::guard`] (writes to the standard header) and [`super::change`] (functions that come or change), and kept
//! out of line, so that the short way does not pay for their registers.

use super::access::{ConfigSpace, Width};
use super::attempt::{Attempt, Attempts, Notice};
use super::fate::{self, Fate, NoSuchDriver, Taken};
use super::function::{Function, quiet};
use super::listing::Listing;
use super::mediated::Mediated;
use super::range::{MemoryRange, PortRange};
use super::table::{Functions, TooMany};
use super::{change::Admission, placeholder, spec};
use alloc::vec::Vec;
use core::fmt;
use sekisho_abi::origin::Origins;
use sekisho_abi::pci::Address;
use sekisho_abi::selection::{Driver, Matcher, Selection};

/// Why a machine's functions cannot be mediated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MediatorError {
    /// The policy names a driver that this build lacks.
    NoSuchDriver(NoSuchDriver),
    /// More functions than can be held.
    TooMany,
}

/// Ports of an IDE controller's channels in compatibility mode (PCI IDE Controller Specification 1.0, 2.1).
const COMPATIBLE: [(u16, u16); 4] = [(0x1f0, 0x1f7), (0x3f6, 0x3f6), (0x170, 0x177), (0x376, 0x376)];

/// The functions of one machine, what becomes of each, and the guest's accesses to them.
pub struct Mediator<'p> {
    pub(super) functions: Functions,
    pub(super) matcher: Matcher<'p>,
    pub(super) protected: Vec<MemoryRange>,
    /// Where mediated functions answer: no other function may answer there too. The windows of bridges may lie over
    /// them, to lead there.
    pub(super) mediated: Vec<MemoryRange>,
    pub(super) mediated_ports: Vec<PortRange>,
    pub(super) attempts: Attempts,
}

impl<'p> Mediator<'p> {
    /// Decides every function, in the order found. Touches no hardware: [`Self::take_over`] does.
    ///
    /// `protected` are the memory ranges that no function of the guest may come to decode: the hypervisor's own,
    /// and those whose accesses the machine traps. All memory is taken here and never grows.
    ///
    /// # Errors
    /// [`NoSuchDriver`] if the policy cannot be enforced by this build.
    pub fn new(
        functions: Functions,
        selection: &'p Selection,
        protected: &[MemoryRange],
    ) -> Result<Self, NoSuchDriver> {
        fate::enforceable(selection)?;
        let mut mediator = Self {
            functions,
            matcher: Matcher::new(selection),
            protected: protected.to_vec(),
            mediated: Vec::new(),
            mediated_ports: Vec::new(),
            attempts: Attempts::default(),
        };
        for function in mediator.functions.iter_mut() {
            let (fate, taken) = fate::decide(&mut mediator.matcher, function.identity(), function.found());
            function.settle(fate, taken);
        }
        for device in mediator.devices() {
            mediator.settle_function_zero(device);
        }
        Ok(mediator)
    }

    /// Stops every function that is hidden from the guest and readies those that are mediated. Once, after the
    /// firmware's drivers have let go.
    pub fn take_over<C: ConfigSpace>(&mut self, hardware: &mut C) {
        for function in self.functions.iter_mut() {
            if let (true, Some(taken)) = (function.fate().is_ours(), function.taken()) {
                if function.fate() == Fate::Own {
                    // No interrupt line of its reaches the guest.
                    quiet(hardware, function.address());
                }
                let mediated =
                    Mediated::examine(hardware, function.identity(), function.bars(), taken.driver);
                mediated.enable(hardware, function.address());
                self.mediated.extend(function.memory(hardware));
                self.mediated_ports.extend(function.ports(hardware));
                if taken.driver == Driver::Ata {
                    let compatible = COMPATIBLE.into_iter();
                    self.mediated_ports
                        .extend(compatible.filter_map(|(first, last)| PortRange::inclusive(first, last)));
                }
                function.mediate(mediated);
            } else if function.fate().hides() {
                quiet(hardware, function.address());
            }
        }
    }

    /// What the guest reads at `offset` of the function at `address`.
    pub fn read<C: ConfigSpace>(
        &mut self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
    ) -> u32 {
        if !width.fits(offset) {
            self.attempts.refuse(Attempt::Malformed, address);
            return width.ones();
        }
        let Some(function) = self.functions.at(address) else {
            return self.read_stranger(hardware, address, offset, width);
        };
        match function.fate() {
            Fate::Pass | Fate::NoDriver if offset >= spec::COMMAND => hardware.read(address, offset, width),
            Fate::Pass | Fate::NoDriver => {
                let id = hardware.read(address, spec::VENDOR, Width::Dword);
                if id == function.identity().id() {
                    return width.extract(id, offset);
                }
                self.read_identity(hardware, address, offset, width)
            }
            Fate::Mediated => match function.mediated() {
                Some(mediated) => mediated.read(hardware, address, offset, width),
                None => width.ones(),
            },
            hidden => read_hidden(hidden, offset, width),
        }
    }

    /// The guest writes the low bits of `value`, as many as `width` has, at `offset` of the function at `address`.
    pub fn write<C: ConfigSpace>(
        &mut self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
        value: u32,
    ) {
        if !width.fits(offset) {
            return self.attempts.refuse(Attempt::Malformed, address);
        }
        // The rest of the register that the guest's value came in.
        let value = value & width.ones();
        if self.functions.at(address).is_none() && self.admit(hardware, address) != Admission::Known {
            return;
        }
        let Some(function) = self.functions.at_mut(address) else {
            return;
        };
        match function.fate() {
            Fate::Mediated => {
                let mediated = function.mediated_mut();
                if mediated.is_none_or(|it| it.write(hardware, address, offset, width, value).is_err()) {
                    self.attempts.refuse(Attempt::MediatedRegister, address);
                }
            }
            Fate::Own | Fate::Concealed => self.attempts.refuse(Attempt::ConcealedWrite, address),
            // Any operating system writes here while it looks for base addresses: not worth counting.
            Fate::Placeholder => {}
            Fate::Pass | Fate::NoDriver => {
                if function.fixed().is_some_and(|fixed| fixed.touched(offset, width)) {
                    self.attempts.refuse(Attempt::FixedRegister, address);
                } else if offset >= spec::HEADER_END {
                    hardware.write(address, offset, width, value);
                } else {
                    self.write_header(hardware, address, offset, width, value);
                }
            }
        }
    }

    /// Every function known, in the order found.
    #[must_use]
    pub const fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Takes a function that a mediator was to have from the guest and stops it: no mediator can have it after all.
    pub fn conceal<C: ConfigSpace>(&mut self, hardware: &mut C, address: Address) {
        if let Some(function) = self.functions.at_mut(address) {
            quiet(hardware, address);
            function.change_fate(Fate::Concealed);
            self.settle_function_zero(address);
        }
    }

    /// The functions whose registers a mediator has, and what took each.
    pub fn mediated(&self) -> impl Iterator<Item = (&Function, Taken)> {
        self.functions
            .iter()
            .filter(|function| function.fate().is_ours())
            .filter_map(|function| Some((function, function.taken()?)))
    }

    /// One line for the boot log for each function known; `origins` are of the selection that decided them.
    pub fn listing<'a>(&'a self, origins: &'a Origins) -> impl Iterator<Item = Listing<'a>> {
        self.functions
            .iter()
            .map(|function| Listing::new(function, origins))
    }

    /// How often something was refused.
    #[must_use]
    pub fn count(&self, attempt: Attempt) -> u64 {
        self.attempts.count(attempt)
    }

    /// The oldest notice that waits for the log. To be asked after each access until there is none.
    pub fn take_notice(&mut self) -> Option<Notice> {
        self.attempts.take_notice()
    }

    /// Function 0 of each device known.
    fn devices(&self) -> Vec<Address> {
        let functions = self.functions.iter().map(Function::address);
        functions.filter(|address| address.function() == 0).collect()
    }

    /// The identity of a passed function that no longer says what was decided.
    #[cold]
    fn read_identity<C: ConfigSpace>(
        &mut self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
    ) -> u32 {
        let id = hardware.read(address, spec::VENDOR, Width::Dword);
        if self.is_still(address, id) {
            return width.extract(id, offset);
        }
        match self.decide_again(hardware, address) {
            Admission::Known => {}
            Admission::NotReady(id) => return width.extract(id, offset),
            Admission::Refused => return width.ones(),
        }
        match self
            .functions
            .at(address)
            .map(|function| (function.fate(), function.identity()))
        {
            // What was decided, not what is read a third time.
            Some((Fate::Pass | Fate::NoDriver, decided)) => width.extract(decided.id(), offset),
            Some((hidden, _)) => read_hidden(hidden, offset, width),
            None => width.ones(),
        }
    }

    /// A function that was not known until now.
    #[cold]
    fn read_stranger<C: ConfigSpace>(
        &mut self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
    ) -> u32 {
        match self.admit(hardware, address) {
            Admission::Known => match self.functions.at(address).map(Function::fate) {
                Some(Fate::Pass | Fate::NoDriver) => hardware.read(address, offset, width),
                Some(hidden) => read_hidden(hidden, offset, width),
                None => width.ones(),
            },
            Admission::NotReady(id) if offset < spec::COMMAND => width.extract(id, offset),
            Admission::NotReady(_) | Admission::Refused => width.ones(),
        }
    }
}

/// What a function out of reach reads.
const fn read_hidden(fate: Fate, offset: u16, width: Width) -> u32 {
    match fate {
        Fate::Placeholder => placeholder::read(offset, width),
        Fate::Own | Fate::Concealed | Fate::Mediated | Fate::Pass | Fate::NoDriver => width.ones(),
    }
}

impl From<NoSuchDriver> for MediatorError {
    fn from(error: NoSuchDriver) -> Self {
        Self::NoSuchDriver(error)
    }
}

impl From<TooMany> for MediatorError {
    fn from(_: TooMany) -> Self {
        Self::TooMany
    }
}

impl fmt::Display for MediatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchDriver(error) => {
                write!(
                    f,
                    "the policy's entry {} needs driver {}",
                    error.entry, error.driver
                )
            }
            Self::TooMany => f.write_str("more PCI functions than can be held"),
        }
    }
}
