//! What becomes of a function: decided by the compiled policy, carried out by the mediator.

use super::function::Function;
use sekisho_abi::pci::Identity;
use sekisho_abi::selection::{Driver, Matcher, Selection};

/// What the guest gets of one function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The function itself: no entry names it.
    Pass,
    /// The function itself, because the policy says `driver=none`.
    NoDriver,
    /// Nothing: all ones, as if the slot were empty.
    Concealed,
    /// An inert function 0: the real one is concealed, but without a function 0 the guest would not look for
    /// the siblings that stay.
    Placeholder,
}

impl Fate {
    /// Whether the function's own registers are out of the guest's reach.
    #[must_use]
    pub const fn hides(self) -> bool {
        matches!(self, Self::Concealed | Self::Placeholder)
    }
}

/// The policy names a driver that this build does not have, so it cannot be enforced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoSuchDriver {
    /// The driver.
    pub driver: Driver,
    /// Index of the entry in [`Selection::entries`].
    pub entry: usize,
}

/// Refuses a selection with a driver that this build lacks, whether or not a device needs it now: one may arrive.
pub(super) fn enforceable(selection: &Selection) -> Result<(), NoSuchDriver> {
    for (entry, driver) in selection.entries.iter().map(|entry| entry.driver()).enumerate() {
        match driver {
            None | Some(Driver::Conceal) => {}
            Some(driver) => return Err(NoSuchDriver { driver, entry }),
        }
    }
    Ok(())
}

/// The fate of a function that was just identified. Counts it, so show each function once.
///
/// Any driver but `conceal` was refused by [`enforceable`]; one that comes this far all the same is hidden.
pub(super) fn decide(matcher: &mut Matcher<'_>, identity: &Identity) -> (Fate, Option<Driver>) {
    match matcher.decide(identity) {
        None => (Fate::Pass, None),
        Some(decision) => match decision.driver {
            None => (Fate::NoDriver, None),
            Some(driver) => (Fate::Concealed, Some(driver)),
        },
    }
}

/// The fate of a concealed function 0, given its siblings: a placeholder as soon as one of them stays.
pub(super) fn of_function_zero<'f>(siblings: impl IntoIterator<Item = &'f Function>) -> Fate {
    if siblings.into_iter().any(|sibling| !sibling.fate().hides()) {
        Fate::Placeholder
    } else {
        Fate::Concealed
    }
}
