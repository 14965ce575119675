//! What becomes of the devices of a fleet under both policies.

use super::{Side, Version, Weakening};
use crate::inventory::{File, Model, Sighting, SurveyError, survey};
use crate::plan::{Decider, Fate, Judgement, Planner, Seen, Tally, Verdict};
use crate::rules::weaker;
use sekisho_abi::pci::Identity;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The models that were seen, each judged under the old policy and the new.
#[derive(Debug, Default)]
pub struct Models {
    seen: Vec<Counted>,
    /// Places in `seen` by [`Model::id`].
    places: HashMap<usize, usize>,
}

/// Machines of one model.
#[derive(Debug)]
struct Counted {
    model: Arc<Model<[Judgement; 2]>>,
    make: Option<String>,
    tally: Tally,
}

/// Machines for which the same devices change in the same way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelChange {
    /// What their maker calls them, if the inventory says so of the first.
    pub make: Option<String>,
    /// How many, and the names of some.
    pub tally: Tally,
    /// What changes.
    pub devices: Vec<DeviceChange>,
}

/// A device with two fates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeviceChange {
    /// On the first of the machines.
    pub device: Identity,
    /// As it was.
    pub old: Verdict,
    /// As it becomes.
    pub new: Verdict,
}

impl Models {
    /// Reads a fleet.
    ///
    /// # Errors
    /// [`SurveyError`].
    pub fn survey(
        old: &Planner<'_>,
        new: &Planner<'_>,
        files: impl Iterator<Item = Result<File, SurveyError>> + Send,
    ) -> Result<Self, SurveyError> {
        let mut models = Self::default();
        let judge = |devices: &[Identity]| [old, new].map(|planner| planner.judge(devices));
        survey(files, &judge, &mut |machine| {
            models.add(machine);
            ControlFlow::Continue(())
        })?;
        Ok(models)
    }

    fn add(&mut self, machine: Sighting<[Judgement; 2]>) {
        let next = self.seen.len();
        let place = *self.places.entry(machine.model.id).or_insert(next);
        if place == next {
            self.seen.push(Counted {
                model: machine.model,
                make: machine.make,
                tally: Tally::default(),
            });
        }
        if let Some(counted) = self.seen.get_mut(place) {
            counted
                .tally
                .add(machine.name.as_deref().unwrap_or("an unnamed machine"));
        }
    }

    /// Those of which something changes, the most frequent first.
    pub(super) fn changed(self) -> Vec<ModelChange> {
        let mut groups: Vec<ModelChange> = Vec::new();
        let mut places = BTreeMap::new();
        for Counted { model, make, tally } in self.seen {
            let devices = changes(&model);
            if devices.is_empty() {
                continue;
            }
            let mut likeness: Vec<_> = devices
                .iter()
                .map(|it| (it.device.id(), it.device.class_code, it.old, it.new))
                .map(|(id, class, old, new)| (id, class, old.fate, old.decider, new.fate, new.decider))
                .collect();
            likeness.sort_unstable();
            let next = groups.len();
            let place = *places.entry(likeness).or_insert(next);
            match groups.get_mut(place) {
                Some(group) => group.tally.merge(&tally),
                None => groups.push(ModelChange { make, tally, devices }),
            }
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.tally.machines));
        groups
    }
}

fn changes(model: &Model<[Judgement; 2]>) -> Vec<DeviceChange> {
    let [old, new] = &model.judgement;
    let verdicts = old.verdicts.iter().zip(&new.verdicts);
    let devices = model.devices.iter().zip(verdicts);
    let changed = devices.filter(|(_, (old, new))| old.fate != new.fate);
    changed
        .map(|(device, (old, new))| DeviceChange {
            device: *device,
            old: *old,
            new: *new,
        })
        .collect()
}

/// The devices that lose protection, each kind of change once, with the machines that have it.
pub(super) fn weakenings(old: Version<'_>, new: Version<'_>, models: &[ModelChange]) -> Vec<Weakening> {
    let mut seen: BTreeMap<(Fate, Decider, Fate, Decider), Seen> = BTreeMap::new();
    for model in models {
        let mut told = Vec::new();
        for change in &model.devices {
            let key = (
                change.old.fate,
                change.old.decider,
                change.new.fate,
                change.new.decider,
            );
            let seen = seen
                .entry(key)
                .or_insert_with(|| Seen::new(Tally::default(), Some(change.device)));
            if !told.contains(&key) {
                seen.merge(&model.tally);
                told.push(key);
            }
        }
    }
    let (old, new) = (Planner::new(old.policy), Planner::new(new.policy));
    let found = seen.into_iter().filter_map(|((from, _, to, decider), seen)| {
        let lost = weaker::Loss::between(from, to)?;
        let span = new
            .place(decider)
            .or_else(|| old.place(decider))
            .unwrap_or_default();
        Some(Weakening {
            side: Side::New,
            diagnostic: lost.finding(span, &format!("{from} becomes {to}: {seen}")),
        })
    });
    found.collect()
}
