//! Functions that were not there at boot, or are no longer what they were.
//!
//! Both are decided by the same list as the others, its counters going on, and a hidden one is stopped before
//! the guest gets a byte of it.

use super::access::{ConfigSpace, Width};
use super::attempt::{Attempt, Notice};
use super::discover::{Answer, halves, identify};
use super::fate::{self, Fate};
use super::function::{Found, Function, quiet};
use super::mediator::Mediator;
use super::spec::{self, VENDOR_ABSENT, VENDOR_NOT_READY};
use super::table::MAX_FUNCTIONS;
use sekisho_abi::pci::{Address, Identity};

/// Whether a function that the guest reached for may be dealt with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Admission {
    /// It is in the table.
    Known,
    /// It asks for patience: the double word at [`spec::VENDOR`], the only one the guest may see.
    NotReady(u32),
    /// Nobody answers, or nobody more can be held.
    Refused,
}

impl Mediator<'_> {
    /// Takes in the function at `address`, which is not in the table, if somebody answers there.
    ///
    /// A device that ignores the function number answers at all eight. Taken in under a second name, a concealed
    /// device could be decided differently, so function 0 must say that others exist. (Functions of an SR-IOV
    /// device never answer with a vendor ID: they stay out of reach.)
    #[cold]
    pub(super) fn admit<C: ConfigSpace>(&mut self, hardware: &mut C, address: Address) -> Admission {
        if address.function() != 0 {
            let zero = address.sibling(0);
            if self.functions.at(zero).is_none() && self.admit_one(hardware, zero) != Admission::Known {
                return Admission::Refused;
            }
            if !self.functions.at(zero).is_some_and(Function::is_multi_function) {
                return Admission::Refused;
            }
        }
        self.admit_one(hardware, address)
    }

    fn admit_one<C: ConfigSpace>(&mut self, hardware: &mut C, address: Address) -> Admission {
        let identity = match identify(hardware, address) {
            Answer::Absent => return Admission::Refused,
            Answer::Unsteady => {
                quiet(hardware, address);
                return Admission::Refused;
            }
            Answer::NotReady(id) => return Admission::NotReady(id),
            Answer::Present(identity) => identity,
        };
        if self.functions.len() >= MAX_FUNCTIONS {
            self.attempts.refuse(Attempt::TableFull, address);
            return Admission::Refused;
        }
        self.settle(hardware, identity);
        // The table bounds how many of these a guest can cause.
        if let Some(fate) = self.functions.at(address).map(Function::fate) {
            self.attempts.notice(Notice::Decided { identity, fate });
        }
        Admission::Known
    }

    /// Whether `id`, just read at [`spec::VENDOR`], is that of the function decided at `address`. One that is
    /// gone or not ready is no other.
    pub(super) fn is_still(&self, address: Address, id: u32) -> bool {
        let (vendor, device) = halves(id);
        matches!(vendor, VENDOR_ABSENT | VENDOR_NOT_READY)
            || self.functions.at(address).is_some_and(|function| {
                let known = function.identity();
                known.vendor == vendor && known.device == device
            })
    }

    /// Whether the function at `address` is still of the kind that was decided. The programming interface is
    /// left out: drivers write it on IDE controllers.
    pub(super) fn is_still_that_kind<C: ConfigSpace>(&self, hardware: &mut C, address: Address) -> bool {
        let id = hardware.read(address, spec::VENDOR, Width::Dword);
        let (vendor, _) = halves(id);
        if matches!(vendor, VENDOR_ABSENT | VENDOR_NOT_READY) {
            return true;
        }
        let (_, class) = halves(hardware.read(address, spec::REVISION, Width::Dword));
        let known = self
            .functions
            .at(address)
            .map(|function| function.identity().class());
        self.is_still(address, id) && known == Some(class)
    }

    /// Decides the function at `address` anew: another one has taken its place. Unless that one says what it is,
    /// nothing is decided and the guest must get nothing of it.
    pub(super) fn decide_again<C: ConfigSpace>(&mut self, hardware: &mut C, address: Address) -> Admission {
        match identify(hardware, address) {
            Answer::Absent => Admission::Refused,
            Answer::Unsteady => {
                quiet(hardware, address);
                Admission::Refused
            }
            Answer::NotReady(id) => Admission::NotReady(id),
            Answer::Present(identity) => {
                self.attempts.refuse(Attempt::ChangedIdentity, address);
                self.settle(hardware, identity);
                Admission::Known
            }
        }
    }

    /// Decides a function, puts it in its place and stops it if it is hidden.
    fn settle<C: ConfigSpace>(&mut self, hardware: &mut C, identity: Identity) {
        let address = identity.address;
        let (fate, taken) = fate::decide(&mut self.matcher, &identity, Found::Later);
        if fate.hides() {
            quiet(hardware, address);
        }
        let mut function = Function::examine(hardware, identity, Found::Later);
        function.settle(fate, taken);
        // The caller saw room for it, or its place is in the table.
        if self.functions.put(function).is_err() {
            self.attempts.refuse(Attempt::TableFull, address);
        }
        self.settle_function_zero(address);
    }

    /// Makes a hidden function 0 a placeholder if a sibling stays, and nothing if none does. The appliance's own stays
    /// hidden, and with it, for a guest that looks for function 0 first, its siblings.
    pub(super) fn settle_function_zero(&mut self, address: Address) {
        let zero = address.sibling(0);
        if !self
            .functions
            .at(zero)
            .is_some_and(|function| function.fate().hides() && function.fate() != Fate::Own)
        {
            return;
        }
        let fate = fate::of_function_zero(self.functions.siblings(zero));
        if let Some(function) = self.functions.at_mut(zero) {
            function.change_fate(fate);
        }
    }
}
