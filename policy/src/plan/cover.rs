//! The proof of coverage: everything of a fleet that is not as it should be, each once, with how many machines have it.

use super::fleet::{DiskFlaw, Fleet, Hardware, Tally};
use super::judge::{Flaw, Planner};
use crate::diagnostic::{Diagnostic, Severity};
use crate::findings::Findings;
use crate::rules::fleet::{
    disk_refused, fixed_concealed, fought_over, hot_plug, matches_nothing, no_disk, no_tunnel,
    partition_closed, passed_by_default, passed_unsaid,
};
use sekisho_abi::pci::Identity;
use std::collections::BTreeSet;
use std::fmt;

/// What becomes of warnings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Strictness {
    /// They are told.
    Warn,
    /// They are errors.
    Strict,
}

/// Where something was seen: how many machines, and one of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Seen {
    tally: Tally,
    /// Machines of the fleet.
    all: usize,
    /// On the first of them.
    device: Option<Identity>,
}

impl Seen {
    /// On these machines, the device of the first of them.
    pub(crate) fn new(tally: Tally, device: Option<Identity>) -> Self {
        let all = tally.machines;
        Self { tally, all, device }
    }
}

impl Seen {
    /// On these machines too.
    pub(crate) fn merge(&mut self, tally: &Tally) {
        self.tally.merge(tally);
        self.all = self.tally.machines;
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(device) = &self.device {
            let Identity {
                address,
                vendor,
                device,
                ..
            } = device;
            write!(f, "{address} ({vendor:04x}:{device:04x}) on ")?;
        }
        let Tally { machines, names } = &self.tally;
        let name = names.first().map(String::as_str).unwrap_or_default();
        match machines {
            1 => write!(f, "{name}"),
            more if *more == self.all => write!(f, "{name} and {} more machines", more - 1),
            more => write!(f, "{name} and {} more of {} machines", more - 1, self.all),
        }
    }
}

/// Everything that is not as it should be, in the order of the policy's file.
#[must_use]
pub fn cover(planner: &Planner<'_>, fleet: &Fleet, strictness: Strictness) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    unmatched(planner, fleet, &mut findings);
    for (flaw, seen) in flaws(fleet) {
        if let Some(finding) = tell(planner, flaw, &seen) {
            findings.push(finding);
        }
    }
    for (flaw, tally) in &fleet.disk_flaws {
        let seen = Seen {
            tally: tally.clone(),
            all: fleet.machines(),
            device: None,
        };
        let finding = match flaw {
            DiskFlaw::Refused { rule, sentence } => disk_refused::finding(planner, *rule, sentence, &seen),
            DiskFlaw::Closed { rule, partition } => {
                partition_closed::finding(planner, *rule, partition, &seen)
            }
        };
        finding.into_iter().for_each(|finding| findings.push(finding));
    }
    let mut found = findings.into_sorted();
    if strictness == Strictness::Strict {
        found
            .iter_mut()
            .for_each(|finding| finding.severity = Severity::Error);
    }
    found
}

fn unmatched(planner: &Planner<'_>, fleet: &Fleet, findings: &mut Findings) {
    let models = fleet.models().iter();
    let matching: BTreeSet<usize> = models
        .flat_map(|hardware| hardware.model.judgement.matching.iter().copied())
        .collect();
    let rules = 0..planner.policy().rules.len();
    for rule in rules.filter(|rule| !matching.contains(rule)) {
        if let Some(finding) = matches_nothing::finding(planner, rule, fleet.machines()) {
            findings.push(finding);
        }
    }
}

/// Each kind of flaw once, with the first device that has it, and the class of that.
fn flaws(fleet: &Fleet) -> Vec<(Flaw, Seen)> {
    let mut all: Vec<(Flaw, Seen)> = Vec::new();
    for hardware in fleet.models() {
        let mut told = BTreeSet::new();
        for flaw in &hardware.model.judgement.flaws {
            let place = all.iter().position(|(known, _)| is_same(known, flaw));
            let place = place.unwrap_or_else(|| {
                let device = device(hardware, flaw);
                let all_machines = fleet.machines();
                let seen = Seen {
                    device,
                    all: all_machines,
                    ..Seen::default()
                };
                all.push((*flaw, seen));
                all.len() - 1
            });
            // A model may have several such devices; its machines count once.
            if let Some((_, seen)) = all.get_mut(place)
                && told.insert(place)
            {
                seen.tally.merge(&hardware.tally);
            }
        }
    }
    all
}

fn device(hardware: &Hardware, flaw: &Flaw) -> Option<Identity> {
    let index = match flaw {
        Flaw::PassedByDefault { device, .. }
        | Flaw::PassedUnsaid { device, .. }
        | Flaw::HotPlug { device, .. }
        | Flaw::FixedConcealed { device, .. }
        | Flaw::Fought { device, .. } => *device,
        Flaw::NoDisk { .. } | Flaw::NoTunnel { .. } => return None,
    };
    hardware.model.devices.get(index).copied()
}

/// Whether they are one, on whichever device.
fn is_same(one: &Flaw, other: &Flaw) -> bool {
    let anywhere = |flaw: &Flaw| {
        let mut flaw = *flaw;
        match &mut flaw {
            Flaw::PassedByDefault { device, .. }
            | Flaw::PassedUnsaid { device, .. }
            | Flaw::HotPlug { device, .. }
            | Flaw::FixedConcealed { device, .. }
            | Flaw::Fought { device, .. } => *device = 0,
            Flaw::NoDisk { .. } | Flaw::NoTunnel { .. } => {}
        }
        flaw
    };
    anywhere(one) == anywhere(other)
}

fn tell(planner: &Planner<'_>, flaw: Flaw, seen: &Seen) -> Option<Diagnostic> {
    let class = seen.device.map(|device| device.class()).unwrap_or_default();
    match flaw {
        Flaw::PassedByDefault { default, .. } => passed_by_default::finding(planner, default, seen),
        Flaw::PassedUnsaid { what, decider, .. } => {
            Some(passed_unsaid::finding(planner, what, class, decider, seen))
        }
        Flaw::HotPlug { what, decider, .. } => Some(hot_plug::finding(planner, what, class, decider, seen)),
        Flaw::FixedConcealed { what, rule, .. } => fixed_concealed::finding(planner, rule, what, seen),
        Flaw::NoDisk { volume } => no_disk::finding(planner, volume, seen),
        Flaw::NoTunnel { tunnel } => no_tunnel::finding(planner, tunnel, seen),
        Flaw::Fought { winner, loser, .. } => fought_over::finding(planner, winner, loser, seen),
    }
}
