//! What can be wrong with a policy beside the machines of a fleet: `sekisho plan`. One rule a file, as for policies.
//!
//! Raised by [`crate::plan::cover()`] and, on expectations, by [`crate::plan::Expectations`].

/// The rule's golden case.
macro_rules! scene {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/fleet/", $name, ".toml"))
    };
}

/// The inventory beside it.
macro_rules! fleet {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fleet/", $name, ".json"))
    };
}

/// What is expected of the fleet of `examples/`.
macro_rules! expectation {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/expect/", $name, ".toml"))
    };
}

pub(crate) mod bad_expectation;
pub(crate) mod disk_refused;
pub(crate) mod expectation_unmet;
pub(crate) mod expectation_unused;
pub(crate) mod fixed_concealed;
pub(crate) mod fought_over;
pub(crate) mod hot_plug;
pub(crate) mod matches_nothing;
pub(crate) mod no_disk;
pub(crate) mod no_tunnel;
pub(crate) mod partition_closed;
pub(crate) mod passed_by_default;
pub(crate) mod passed_unsaid;

use crate::findings::FleetRule;
use crate::plan::{Decider, DefaultKey, Planner};
use crate::source::Span;

/// Every rule, in the order of codes.
pub(crate) static RULES: &[&FleetRule] = &[
    &matches_nothing::RULE,
    &passed_by_default::RULE,
    &passed_unsaid::RULE,
    &hot_plug::RULE,
    &fixed_concealed::RULE,
    &no_disk::RULE,
    &no_tunnel::RULE,
    &fought_over::RULE,
    &disk_refused::RULE,
    &partition_closed::RULE,
    &expectation_unmet::RULE,
    &expectation_unused::RULE,
    &bad_expectation::RULE,
];

/// Where it is said that a device passes which no rule names, and how a label begins there.
fn passing(planner: &Planner<'_>, decider: Decider) -> (Span, &'static str) {
    let (place, label) = match decider {
        Decider::Default(default) => (planner.default(default), "this passes"),
        _ => (planner.default(DefaultKey::Other), "no default is about"),
    };
    (place.map(|(span, _)| span).unwrap_or_default(), label)
}
