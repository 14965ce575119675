//! `sekisho diff`: what another version of a policy changes, for which machines, and whether protection weakens.
//!
//! [`keys`] compares what the files say, key by key. [`weaker`] names every change by which someone gains who should not.
//! With an inventory, [`models`] decides each hardware model under both policies.

mod keys;
mod models;
mod show;
mod weaker;

pub use keys::{KeyChange, key_changes};
pub use models::{DeviceChange, ModelChange, Models};
pub use show::{diff_for_people, diff_json, diff_markdown};
pub use weaker::weakenings;

use crate::diagnostic::Diagnostic;
use crate::policy::Policy;
use crate::source::Source;

/// A policy and its file.
#[derive(Clone, Copy, Debug)]
pub struct Version<'a> {
    /// The file.
    pub source: &'a Source,
    /// What it says.
    pub policy: &'a Policy,
}

/// Which of the two files a place is in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// The policy as it was.
    Old,
    /// The policy as it becomes.
    New,
}

/// Something by which protection weakens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weakening {
    /// Which file says so: the new one, unless what protected is gone from it.
    pub side: Side,
    /// What, and where.
    pub diagnostic: Diagnostic,
}

/// Everything that differs.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// The policy as it was.
    pub old: Version<'a>,
    /// The policy as it becomes.
    pub new: Version<'a>,
    /// What the files say differently.
    pub keys: Vec<KeyChange>,
    /// For which machines fates differ, if an inventory was looked at.
    pub models: Vec<ModelChange>,
    /// By what protection weakens, in file order.
    pub weakenings: Vec<Weakening>,
}

impl<'a> Difference<'a> {
    /// Of two policies, and of the machines that were seen.
    #[must_use]
    pub fn new(old: Version<'a>, new: Version<'a>, models: Option<Models>) -> Self {
        let models = models.map(Models::changed).unwrap_or_default();
        let mut found = weakenings(old, new);
        found.extend(models::weakenings(old, new, &models));
        found.sort_by_key(|it| (it.side, it.diagnostic.primary.span, it.diagnostic.code));
        found.dedup();
        Self {
            old,
            new,
            keys: key_changes(old.source, new.source),
            models,
            weakenings: found,
        }
    }

    /// The file of a side.
    #[must_use]
    pub fn source(&self, side: Side) -> &'a Source {
        match side {
            Side::Old => self.old.source,
            Side::New => self.new.source,
        }
    }
}
