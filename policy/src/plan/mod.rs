//! `sekisho plan`: what a policy does to the machines of a fleet, and whether it covers them.
//!
//! [`Planner`] judges one hardware model, [`Fleet`] counts machines, [`cover()`] tells what is not as it should be,
//! [`sectors`] plans disks. Decisions are those of the matcher and the disk functions that run in the hypervisor.

mod cover;
mod expect;
mod fate;
mod fleet;
mod judge;
pub mod sectors;
mod show;
mod story;

pub(crate) use cover::Seen;
pub use cover::{Strictness, cover};
pub use expect::Expectations;
pub use fate::{DefaultKey, Fate};
pub use fleet::{Fleet, Hardware, Tally};
pub use judge::{Decider, Flaw, Judgement, Place, Planner, Verdict};
pub use show::{JsonPlan, for_people, markdown};
pub(crate) use show::{count, escaped, names};
pub use story::story;
