//! ATA commands: what becomes of each of the 256, for one disk.
//!
//! [`judge`] reads a private copy of a command's registers and says whether it carries disk content (which blocks, which
//! way), passes as it is, or is refused. What is not in the table, or not on the list of its subcommands, is refused.
//! What is refused is also hidden in what the device says of itself ([`amend_identify`], [`amend_log`]).
//!
//! Trusted: that the device keeps to the standards, ACS-2 to ACS-5 and Serial ATA 3.x. Nothing that the guest says.

mod amend;
mod identity;
mod judge;
mod log;
pub mod packet;
mod range;
mod subcommand;
pub mod table;
mod task;
mod trim;
mod verdict;
mod words;

pub use amend::{amend_identify, amend_identify_packet};
pub use identity::{Identity, Kind, Known, Unfit};
pub use judge::{LONGEST_ANSWER, judge};
pub use log::{ABORTED_ERROR, ABORTED_STATUS, amend_log, queued_error};
pub use range::{LARGEST_BLOCKS, piece};
pub use task::{FIS_BYTES, TaskFile, aborted};
pub use trim::clip_trim;
pub use verdict::{After, Content, Direction, Protocol, Reason, Verdict};
pub use words::PAGE_BYTES;

#[cfg(test)]
mod document_tests;
#[cfg(test)]
mod identify_tests;
#[cfg(test)]
mod judge_tests;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod trim_tests;
