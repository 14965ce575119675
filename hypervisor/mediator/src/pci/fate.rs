//! What becomes of a function: decided by the compiled policy, carried out by the mediator.

use super::function::{Found, Function};
use sekisho_abi::pci::Identity;
use sekisho_abi::selection::{Driver, DriverOption, Matcher, Selection};

/// What the guest gets of one function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The function itself: no entry names it.
    Pass,
    /// The function itself, because the policy says `driver=none`.
    NoDriver,
    /// The function with its face, its registers behind a mediator of ours.
    Mediated,
    /// Nothing, as if concealed: the function is the appliance's own, and a mediator of ours has its registers.
    Own,
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
        matches!(self, Self::Own | Self::Concealed | Self::Placeholder)
    }

    /// Whether a mediator of ours has its registers.
    #[must_use]
    pub const fn is_ours(self) -> bool {
        matches!(self, Self::Mediated | Self::Own)
    }
}

/// What took a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// The driver.
    pub driver: Driver,
    /// Index of the deciding entry in [`Selection::entries`].
    pub entry: usize,
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
            None | Some(Driver::Conceal | Driver::Ahci | Driver::Ata | Driver::Pro1000 | Driver::Pro100) => {}
            Some(driver) => return Err(NoSuchDriver { driver, entry }),
        }
    }
    Ok(())
}

/// The fate of a function that was just identified, and what the policy says of it. Counts it, so show each function
/// once.
///
/// A mediator takes its memory while the machine is taken over, so a function that comes later and needs one is
/// hidden. Any other driver but `conceal` was refused by [`enforceable`]; one that comes this far is hidden too.
pub(super) fn decide(matcher: &mut Matcher<'_>, identity: &Identity, found: Found) -> (Fate, Option<Taken>) {
    let Some(decision) = matcher.decide(identity) else {
        return (Fate::Pass, None);
    };
    let Some(driver) = decision.driver else {
        return (Fate::NoDriver, None);
    };
    let fate = match (driver, found) {
        (Driver::Ahci | Driver::Ata, Found::AtBoot) => Fate::Mediated,
        (Driver::Pro1000 | Driver::Pro100, Found::AtBoot) => of_network(decision.options),
        _ => Fate::Concealed,
    };
    let entry = decision.entry;
    (fate, Some(Taken { driver, entry }))
}

/// The fate of a NIC that a driver of ours takes: the appliance's own with `net=ip` and without `net`.
fn of_network(options: &[DriverOption]) -> Fate {
    let net = options.iter().rfind(|option| option.name == "net");
    match net.map(|option| option.value.as_str()) {
        None | Some("ip") => Fate::Own,
        Some(_) => Fate::Mediated,
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
