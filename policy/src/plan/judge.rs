//! The devices of one hardware model under a policy: the fate of each, which line decided, and what is missing.
//!
//! The decisions are those of [`Matcher`], which decides in the hypervisor too.

use super::fate::{DefaultKey, Fate, Kind};
use crate::policy::Policy;
use crate::selection::TracedEntry;
use crate::source::Span;
use sekisho_abi::pci::Identity;
use sekisho_abi::selection::{Decision, Entry, Item, Matcher, Part, Patterns, Property, Selection, Trial};
use std::collections::BTreeSet;

/// A policy, ready to judge machines.
pub struct Planner<'a> {
    policy: &'a Policy,
    entries: Vec<TracedEntry>,
    selection: Selection,
}

/// What decided a device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Decider {
    /// The rule of this index in [`Policy::rules`].
    Rule(usize),
    /// A default.
    Default(DefaultKey),
    /// Nothing: bridges and system devices are never touched.
    Untouched,
}

/// Where a policy says something: `FILE:LINE`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place<'a> {
    /// The policy's own file, or one that it extends.
    pub file: &'a str,
    /// Counted from 1.
    pub line: u32,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The fate of one device.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Verdict {
    /// What becomes of it.
    pub fate: Fate,
    /// What decided.
    pub decider: Decider,
}

/// What the policy does to one hardware model.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// One for each device, in their order.
    pub verdicts: Vec<Verdict>,
    /// The rules that match a device, whether they decide it or not, by index.
    pub matching: BTreeSet<usize>,
    /// What is not as it should be.
    pub flaws: Vec<Flaw>,
}

/// Something that is not as it should be on a model. Devices, rules, volumes and tunnels by index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// A disk controller or NIC reaches the guest because a default says `pass`.
    PassedByDefault {
        /// The device.
        device: usize,
        /// The default.
        default: DefaultKey,
    },
    /// A device that reaches disks or networks is in another default's classes, or in none's, and reaches the guest.
    PassedUnsaid {
        /// The device.
        device: usize,
        /// What it is.
        what: &'static str,
        /// What decided.
        decider: Decider,
    },
    /// Disks and NICs may be plugged in behind a device that reaches the guest.
    HotPlug {
        /// The device.
        device: usize,
        /// What it is.
        what: &'static str,
        /// What decided.
        decider: Decider,
    },
    /// A rule conceals a device without which nothing works.
    FixedConcealed {
        /// The device.
        device: usize,
        /// What it is.
        what: &'static str,
        /// The rule.
        rule: usize,
    },
    /// No controller has the disk of this volume.
    NoDisk {
        /// The volume.
        volume: usize,
    },
    /// No NIC goes through this tunnel.
    NoTunnel {
        /// The tunnel.
        tunnel: usize,
    },
    /// A rule that names this device decides nothing, because an earlier rule that names it less or no more exactly has
    /// taken it, with another fate.
    Fought {
        /// The device.
        device: usize,
        /// The rule that decides.
        winner: usize,
        /// The rule that was written for it too.
        loser: usize,
    },
}

impl<'a> Planner<'a> {
    /// Of a checked policy.
    #[must_use]
    pub fn new(policy: &'a Policy) -> Self {
        let entries = policy.selection();
        let selection = Selection {
            entries: entries.iter().map(|traced| traced.entry.clone()).collect(),
        };
        Self {
            policy,
            entries,
            selection,
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// The list that decides.
    #[must_use]
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The entries of [`Self::selection`] with their origins.
    #[must_use]
    pub fn entries(&self) -> &[TracedEntry] {
        &self.entries
    }

    /// The name of what decided, and where the policy says it; no place for what is never touched.
    #[must_use]
    pub fn origin(&self, decider: Decider) -> (&str, Option<Place<'_>>) {
        let place = |span, line| Place {
            file: self.policy.file_at(span),
            line,
        };
        match decider {
            Decider::Rule(index) => match self.policy.rules.get(index) {
                Some(rule) => (&rule.name, Some(place(rule.span, rule.line))),
                None => ("", None),
            },
            Decider::Default(default) => {
                let said = self.default(default);
                (default.title(), said.map(|(span, line)| place(span, line)))
            }
            Decider::Untouched => ("never touched", None),
        }
    }

    /// Where the policy says what decided.
    pub(crate) fn place(&self, decider: Decider) -> Option<Span> {
        match decider {
            Decider::Rule(index) => self.policy.rules.get(index).map(|rule| rule.span),
            Decider::Default(default) => self.default(default).map(|(span, _)| span),
            Decider::Untouched => None,
        }
    }

    /// The entry of the list that is behind a decision on `device`; none where a default passes what no entry takes.
    #[must_use]
    pub fn entry(&self, decider: Decider, device: &Identity) -> Option<&Entry> {
        match decider {
            Decider::Rule(index) => self.selection.entries.get(index),
            Decider::Untouched => None,
            // Defaults look at the class alone, so each can be asked by itself.
            Decider::Default(_) => {
                let defaults = self.selection.entries.iter().skip(self.policy.rules.len());
                defaults.clone().find(|entry| {
                    let alone = Selection {
                        entries: vec![(*entry).clone()],
                    };
                    Matcher::new(&alone).decide(device).is_some()
                })
            }
        }
    }

    /// Where a default is said.
    pub(crate) fn default(&self, default: DefaultKey) -> Option<(Span, u32)> {
        let defaults = &self.policy.defaults;
        let decision = match default {
            DefaultKey::Storage => Some(defaults.storage),
            DefaultKey::Network => Some(defaults.network),
            DefaultKey::Usb => defaults.usb,
            DefaultKey::Other => Some(defaults.other),
        };
        decision.map(|decision| (decision.span, decision.line))
    }

    /// What becomes of the devices of one machine.
    #[must_use]
    pub fn judge(&self, devices: &[Identity]) -> Judgement {
        let mut found: Vec<(usize, &Identity)> = devices.iter().enumerate().collect();
        // The hypervisor finds devices in this order, and `number` counts them so.
        found.sort_by_key(|(_, device)| device.address);
        let mut matcher = Matcher::new(&self.selection);
        let mut contest = Contest::new(self.policy.rules.len());
        let mut verdicts: Vec<(usize, Verdict)> = Vec::with_capacity(devices.len());
        for (place, device) in found {
            let mut decision = None;
            let mut winner = None;
            matcher.try_each(device, |index, entry, trial| {
                if trial != Trial::Matches {
                    return;
                }
                contest.matched(index, place, winner, Fate::of(Some(decision_of(index, entry))));
                if decision.is_none() {
                    decision = Some(decision_of(index, entry));
                    winner = Some((index, Fate::of(decision)));
                }
            });
            verdicts.push((place, self.verdict(device, decision)));
        }
        verdicts.sort_by_key(|(place, _)| *place);
        let verdicts: Vec<Verdict> = verdicts.into_iter().map(|(_, verdict)| verdict).collect();
        let mut flaws = self.flaws_of_devices(devices, &verdicts);
        flaws.extend(self.missing(&verdicts));
        flaws.extend(contest.flaws(&self.entries));
        Judgement {
            matching: contest.matching(),
            verdicts,
            flaws,
        }
    }

    fn verdict(&self, device: &Identity, decision: Option<Decision<'_>>) -> Verdict {
        let by_rule = decision.filter(|it| it.entry < self.policy.rules.len());
        let decider = match (by_rule, device.class() >> 8) {
            (Some(decision), _) => Decider::Rule(decision.entry),
            (None, 0x01) => Decider::Default(DefaultKey::Storage),
            (None, 0x02) => Decider::Default(DefaultKey::Network),
            (None, 0x06 | 0x08) => Decider::Untouched,
            (None, _) if device.class() == 0x0c03 && self.policy.defaults.usb.is_some() => {
                Decider::Default(DefaultKey::Usb)
            }
            (None, _) => Decider::Default(DefaultKey::Other),
        };
        let fate = Fate::of(decision);
        Verdict { fate, decider }
    }

    fn flaws_of_devices(&self, devices: &[Identity], verdicts: &[Verdict]) -> Vec<Flaw> {
        let each = devices.iter().zip(verdicts).enumerate();
        each.filter_map(|(device, (identity, verdict))| flaw(device, identity, *verdict))
            .collect()
    }

    /// Volumes and tunnels that no device of the machine serves.
    fn missing(&self, verdicts: &[Verdict]) -> Vec<Flaw> {
        let document = &self.policy.document;
        let deciding: BTreeSet<usize> = verdicts
            .iter()
            .filter_map(|verdict| match verdict.decider {
                Decider::Rule(rule) => Some(rule),
                _ => None,
            })
            .collect();
        let rules = || document.devices().iter().enumerate();
        let served = |uses: &dyn Fn(&crate::schema::Device) -> bool| {
            rules().any(|(index, rule)| uses(rule) && deciding.contains(&index))
        };
        let volumes = document.volumes().iter().enumerate();
        let volumes = volumes.filter(|(_, volume)| {
            let name = volume.name.value.as_str();
            !served(&|rule| rule.volume_names().iter().any(|it| it.value.as_str() == name))
        });
        let tunnels = document.tunnels().iter().enumerate();
        let tunnels = tunnels.filter(|(_, tunnel)| {
            let name = tunnel.name.value.as_str();
            !served(&|rule| rule.tunnel.as_ref().is_some_and(|it| it.value.as_str() == name))
        });
        let volumes = volumes.map(|(volume, _)| Flaw::NoDisk { volume });
        volumes
            .chain(tunnels.map(|(tunnel, _)| Flaw::NoTunnel { tunnel }))
            .collect()
    }
}

fn decision_of(index: usize, entry: &Entry) -> Decision<'_> {
    Decision {
        entry: index,
        driver: entry.driver(),
        options: entry.options(),
    }
}

fn flaw(device: usize, identity: &Identity, verdict: Verdict) -> Option<Flaw> {
    let Verdict { fate, decider } = verdict;
    match (Kind::of(identity), fate, decider) {
        (Kind::Fixed(what), Fate::Conceal, Decider::Rule(rule)) => {
            Some(Flaw::FixedConcealed { device, what, rule })
        }
        // What a rule passes is said.
        (_, _, Decider::Rule(_)) => None,
        (Kind::Storage | Kind::Network, Fate::Pass, Decider::Default(default)) => {
            Some(Flaw::PassedByDefault { device, default })
        }
        (Kind::OtherStorage(what) | Kind::OtherNetwork(what), Fate::Pass, decider) => {
            Some(Flaw::PassedUnsaid {
                device,
                what,
                decider,
            })
        }
        (Kind::HotPlug(what), Fate::Pass, decider) => Some(Flaw::HotPlug {
            device,
            what,
            decider,
        }),
        _ => None,
    }
}

/// Which rules match which devices of one machine, to see where two fight over one.
///
/// The first rule that matches decides, so a later one that loses a device is the rule and not the exception: special
/// rules stand before a general one, which takes what they leave. What is odd is a special rule behind a more general
/// one. So two rules fight over a device where the later one
/// - names devices by themselves: a slot, or an id or subsystem without `*`,
/// - names this one at least as exactly as the earlier rule does (a slot is one device, an id is a kind of them),
/// - would give it another fate,
/// - and decides no device of this model at all: whoever wrote it expected something else here.
struct Contest {
    /// For each rule.
    rules: Vec<Match>,
}

/// What one rule matches.
#[derive(Clone, Default)]
struct Match {
    any: bool,
    decides: bool,
    /// The first device that it lost to an earlier rule with another fate, and that rule.
    lost: Option<(usize, usize)>,
}

impl Contest {
    fn new(rules: usize) -> Self {
        Self {
            rules: vec![Match::default(); rules],
        }
    }

    fn matched(&mut self, index: usize, device: usize, winner: Option<(usize, Fate)>, fate: Fate) {
        let Some(rule) = self.rules.get_mut(index) else {
            return;
        };
        rule.any = true;
        match winner {
            None => rule.decides = true,
            Some((winner, other)) if other != fate => {
                rule.lost.get_or_insert((device, winner));
            }
            Some(_) => {}
        }
    }

    fn matching(&self) -> BTreeSet<usize> {
        let rules = self.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| rule.any)
            .map(|(index, _)| index)
            .collect()
    }

    fn flaws(&self, entries: &[TracedEntry]) -> Vec<Flaw> {
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| !rule.decides);
        let exactness = |index: usize| entries.get(index).map(|traced| Exactness::of(&traced.entry));
        let fought = rules.filter_map(|(loser, rule)| {
            let (device, winner) = rule.lost?;
            let loses_oddly =
                exactness(loser) > Some(Exactness::Kind) && exactness(loser) >= exactness(winner);
            loses_oddly.then_some(Flaw::Fought {
                device,
                winner,
                loser,
            })
        });
        fought.collect()
    }
}

/// How exactly an entry names devices.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Exactness {
    /// By class, driver or count.
    Kind,
    /// By id or subsystem.
    Product,
    /// By slot.
    Place,
}

impl Exactness {
    fn of(entry: &Entry) -> Self {
        let items = entry.items().iter();
        let of_item = |item: &Item| match item {
            Item::Property(Property::Slot, patterns) if is_exact(patterns) => Self::Place,
            Item::Property(Property::Id | Property::Subsystem, patterns) if is_exact(patterns) => {
                Self::Product
            }
            _ => Self::Kind,
        };
        items.map(of_item).max().unwrap_or(Self::Kind)
    }
}

fn is_exact(patterns: &Patterns) -> bool {
    let alternatives = patterns.alternatives();
    alternatives.iter().all(|it| !it.parts().contains(&Part::AnyRun))
}
