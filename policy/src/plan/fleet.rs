//! The machines of a fleet, counted: what is kept of them does not grow with their number.

use super::fate::Fate;
use super::judge::{Decider, Judgement, Planner};
use super::sectors::{DiskPlan, SectorFate, Sectors, plan_disks};
use crate::inventory::{File, Model, Sighting, SurveyError, survey};
use sekisho_abi::pci::Identity;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

/// Names of machines that are kept of each group.
const EXAMPLES: usize = 3;
/// Layouts of disks, and sentences about them, that are told apart.
const LAYOUTS: usize = 32;

/// A fleet under a policy.
#[derive(Debug, Default)]
pub struct Fleet {
    machines: usize,
    models: Vec<Hardware>,
    /// Places in `models` by [`Model::id`].
    places: HashMap<usize, usize>,
    /// What is wrong with disks, by its sentence.
    pub(crate) disk_flaws: BTreeMap<DiskFlaw, Tally>,
}

/// Machines that are alike.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// Their devices and what becomes of them; of the first machine where only slots differ.
    pub model: Arc<Model<Judgement>>,
    /// What their maker calls them, if the inventory says so of the first.
    pub make: Option<String>,
    /// How many, and the names of some.
    pub tally: Tally,
    /// What becomes of their disks, in words, each with how many machines have it.
    pub disks: BTreeMap<String, usize>,
}

/// How many machines, and the names of the first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// How many.
    pub machines: usize,
    /// The names of the first.
    pub names: Vec<String>,
}

/// Something wrong with the disks of machines.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum DiskFlaw {
    /// The loader would refuse to boot.
    Refused {
        /// The rule that takes the controller.
        rule: usize,
        /// Why.
        sentence: String,
    },
    /// A partition that is nobody's.
    Closed {
        /// The rule that takes the controller.
        rule: usize,
        /// The partition's label, else its number.
        partition: String,
    },
}

impl Fleet {
    /// Reads and counts a fleet; `each` sees every machine, in the order of the inventory, until it breaks off.
    ///
    /// # Errors
    /// [`SurveyError`]; what comes before it was seen.
    pub fn survey(
        planner: &Planner<'_>,
        files: impl Iterator<Item = Result<File, SurveyError>> + Send,
        mut each: impl FnMut(&Sighting<Judgement>, &[DiskPlan]) -> ControlFlow<()>,
    ) -> Result<Self, SurveyError> {
        let mut fleet = Self::default();
        survey(files, &|devices| planner.judge(devices), &mut |machine| {
            let Model {
                devices, judgement, ..
            } = &*machine.model;
            let disks = plan_disks(planner, devices, &judgement.verdicts, &machine.disks);
            fleet.add(&machine, &disks);
            each(&machine, &disks)
        })?;
        Ok(fleet)
    }

    /// Counts one more machine with these plans of its disks.
    fn add(&mut self, sighting: &Sighting<Judgement>, disks: &[DiskPlan]) {
        let name = match &sighting.name {
            Some(name) => name.clone(),
            None => format!("machine {} (unnamed)", self.machines),
        };
        self.machines += 1;
        let next = self.models.len();
        let place = *self.places.entry(sighting.model.id).or_insert(next);
        if place == next {
            self.models.push(Hardware {
                model: Arc::clone(&sighting.model),
                make: sighting.make.clone(),
                tally: Tally::default(),
                disks: BTreeMap::new(),
            });
        }
        if let Some(hardware) = self.models.get_mut(place) {
            hardware.tally.add(&name);
            for disk in disks {
                let known = hardware.disks.len();
                let layout = in_words(disk);
                if known < LAYOUTS || hardware.disks.contains_key(&layout) {
                    *hardware.disks.entry(layout).or_default() += 1;
                }
            }
        }
        self.note_disks(disks, &name);
    }

    fn note_disks(&mut self, disks: &[DiskPlan], name: &str) {
        let mut flaws: Vec<DiskFlaw> = disks.iter().flat_map(flaws).collect();
        flaws.sort_unstable();
        flaws.dedup();
        for flaw in flaws {
            if self.disk_flaws.len() < LAYOUTS || self.disk_flaws.contains_key(&flaw) {
                self.disk_flaws.entry(flaw).or_default().add(name);
            }
        }
    }

    /// How many machines there are.
    #[must_use]
    pub fn machines(&self) -> usize {
        self.machines
    }

    /// Machines with the same devices in the same slots and order, in the order in which the first was seen.
    #[must_use]
    pub fn models(&self) -> &[Hardware] {
        &self.models
    }

    /// Machines with the same kinds of devices and the same fates for them, whatever their slots: the most frequent
    /// first.
    #[must_use]
    pub fn groups(&self) -> Vec<Hardware> {
        let mut places = HashMap::new();
        let mut groups: Vec<Hardware> = Vec::new();
        for hardware in &self.models {
            let next = groups.len();
            let place = *places.entry(likeness(&hardware.model)).or_insert(next);
            match groups.get_mut(place) {
                None => groups.push(hardware.clone()),
                Some(group) => group.merge(hardware),
            }
        }
        // Stable, so the first seen is the first among equals.
        groups.sort_by_key(|group| std::cmp::Reverse(group.tally.machines));
        groups
    }
}

impl Tally {
    /// Counts one more.
    pub(crate) fn add(&mut self, name: &str) {
        self.machines += 1;
        if self.names.len() < EXAMPLES {
            self.names.push(name.to_owned());
        }
    }

    /// Takes the others in.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.machines += other.machines;
        let room = EXAMPLES.saturating_sub(self.names.len());
        self.names.extend(other.names.iter().take(room).cloned());
    }
}

impl Hardware {
    fn merge(&mut self, other: &Self) {
        self.tally.merge(&other.tally);
        for (layout, count) in &other.disks {
            *self.disks.entry(layout.clone()).or_default() += count;
        }
    }
}

/// What two models of one group have in common.
fn likeness(model: &Model<Judgement>) -> Vec<(u32, u32, u32, Fate, Decider)> {
    let subsystem = |it: &Identity| u32::from(it.subsystem_vendor) << 16 | u32::from(it.subsystem);
    let devices = model.devices.iter().zip(&model.judgement.verdicts);
    let mut all: Vec<_> = devices
        .map(|(it, verdict)| {
            (
                it.id(),
                subsystem(it),
                it.class_code,
                verdict.fate,
                verdict.decider,
            )
        })
        .collect();
    all.sort_unstable();
    all
}

fn flaws(disk: &DiskPlan) -> Vec<DiskFlaw> {
    let Some(Decider::Rule(rule)) = disk.verdict.map(|verdict| verdict.decider) else {
        return Vec::new();
    };
    match &disk.sectors {
        Sectors::AsController => Vec::new(),
        Sectors::Refused(error) => vec![DiskFlaw::Refused {
            rule,
            sentence: error.to_string(),
        }],
        Sectors::Planned(ranges) => {
            let closed = ranges.iter().filter(|range| range.fate == SectorFate::Refused);
            let closed = closed.filter_map(|range| range.partition.as_ref());
            let name = |(number, label): &(u32, Option<String>)| match label {
                Some(label) => format!("{label:?}"),
                None => number.to_string(),
            };
            // A disk without a volume is closed whole: the policy means another one.
            let has_volume = ranges
                .iter()
                .any(|range| matches!(range.fate, SectorFate::Volume(_)));
            closed
                .filter(|_| has_volume)
                .map(|partition| DiskFlaw::Closed {
                    rule,
                    partition: name(partition),
                })
                .collect()
        }
    }
}

/// What becomes of a disk, without the numbers of its blocks.
fn in_words(disk: &DiskPlan) -> String {
    let place = format!("{} port {}", disk.controller, disk.port);
    let words = match (&disk.sectors, disk.verdict) {
        (Sectors::Refused(error), _) => format!("the loader would refuse to boot: {error}"),
        (Sectors::AsController, Some(verdict)) => verdict.fate.to_string(),
        (Sectors::AsController, None) => "its controller is not in the inventory".to_owned(),
        (Sectors::Planned(ranges), _) => {
            let named = ranges.iter().filter_map(|range| {
                let partition = match &range.partition {
                    Some((number, Some(label))) => format!("{number} {label:?} "),
                    Some((number, None)) => format!("{number} "),
                    None if matches!(range.fate, SectorFate::Volume(_)) => String::new(),
                    None => return None,
                };
                Some(format!("{partition}{}", range.fate))
            });
            named.collect::<Vec<_>>().join(", ")
        }
    };
    format!("{place}: {words}")
}
