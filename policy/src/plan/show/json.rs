//! For programs: every machine in the order of the inventory, written as it is seen.

use crate::diagnostic::Diagnostic;
use crate::inventory::{Model, Sighting};
use crate::plan::sectors::{DiskPlan, Range, Sectors};
use crate::plan::{Judgement, Planner, Verdict};
use crate::render::json_diagnostic;
use crate::source::Source;
use sekisho_abi::pci::Identity;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Models whose text is kept, so that the next machine of the model need not be written anew.
const KEPT: usize = 4096;

/// One document: [`Self::open`], each machine, [`Self::close`].
pub struct JsonPlan<'a> {
    planner: &'a Planner<'a>,
    /// The text of a model's devices, by [`Model::id`].
    devices: HashMap<usize, String>,
    machines: usize,
}

impl<'a> JsonPlan<'a> {
    /// Of machines under this policy.
    #[must_use]
    pub fn new(planner: &'a Planner<'a>) -> Self {
        Self {
            planner,
            devices: HashMap::new(),
            machines: 0,
        }
    }

    /// What comes before the first machine. `file` is the policy's name.
    #[must_use]
    pub fn open(&self, file: &str) -> String {
        let name = json!(self.planner.policy().name);
        format!("{{\"policy\":{name},\"file\":{},\"machines\":[", json!(file))
    }

    /// One machine, one line.
    pub fn machine(&mut self, machine: &Sighting<Judgement>, disks: &[DiskPlan]) -> String {
        let comma = if self.machines == 0 { "" } else { "," };
        self.machines += 1;
        let model = &machine.model;
        let written;
        let devices = match self.devices.get(&model.id) {
            Some(devices) => devices,
            None if self.devices.len() < KEPT => {
                let text = devices(self.planner, model);
                self.devices.entry(model.id).or_insert(text)
            }
            None => {
                written = devices(self.planner, model);
                &written
            }
        };
        let disks: Vec<Value> = disks.iter().map(disk).collect();
        let disks = if disks.is_empty() {
            String::new()
        } else {
            format!(",\"disks\":{}", Value::from(disks))
        };
        format!(
            "{comma}\n{{\"machine\":{},\"devices\":{devices}{disks}}}",
            json!(machine.name)
        )
    }

    /// What comes behind the last machine: everything that is wrong, and how many machines there were.
    #[must_use]
    pub fn close(&self, found: &[(&Source, &[Diagnostic])]) -> String {
        let each = found.iter().flat_map(|(source, found)| {
            let one = |found| json_diagnostic(source, found);
            found.iter().map(one)
        });
        let diagnostics: Value = each.collect();
        format!(
            "\n],\"count\":{},\"diagnostics\":{diagnostics}}}\n",
            self.machines
        )
    }
}

fn devices(planner: &Planner<'_>, model: &Model<Judgement>) -> String {
    let devices = model.devices.iter().zip(&model.judgement.verdicts);
    let devices: Value = devices
        .map(|(device, verdict)| one(planner, device, *verdict))
        .collect();
    devices.to_string()
}

/// As `match` writes a device, and why.
fn one(planner: &Planner<'_>, device: &Identity, verdict: Verdict) -> Value {
    let entry = planner.entry(verdict.decider, device);
    let driver = entry.and_then(sekisho_abi::selection::Entry::driver);
    let options = entry
        .map(sekisho_abi::selection::Entry::options)
        .unwrap_or_default();
    let options: Map<String, Value> = options
        .iter()
        .map(|option| (option.name.clone(), option.value.clone().into()))
        .collect();
    let (by, place) = planner.origin(verdict.decider);
    json!({
        "slot": device.address.to_string(),
        "class_code": format!("{:06x}", device.class_code),
        "id": format!("{:04x}:{:04x}", device.vendor, device.device),
        "driver": driver.map(|driver| driver.name()),
        "options": options,
        "fate": verdict.fate.to_string(),
        "by": by,
        "file": place.map(|place| place.file),
        "line": place.map(|place| place.line),
    })
}

fn disk(disk: &DiskPlan) -> Value {
    let mut value = json!({ "controller": disk.controller.to_string(), "port": disk.port });
    if let Value::Object(fields) = &mut value {
        match &disk.sectors {
            Sectors::Planned(ranges) => {
                fields.insert("sectors".into(), ranges.iter().map(range).collect());
            }
            Sectors::AsController => {
                let fate = disk.verdict.map(|verdict| verdict.fate.to_string());
                fields.insert("fate".into(), fate.into());
            }
            Sectors::Refused(error) => {
                fields.insert("refused".into(), error.to_string().into());
            }
        }
    }
    value
}

fn range(range: &Range) -> Value {
    let (number, label) = match &range.partition {
        Some((number, label)) => (Some(*number), label.clone()),
        None => (None, None),
    };
    json!({
        "first": range.blocks.first(),
        "last": range.blocks.last(),
        "fate": range.fate.word(),
        "volume": range.fate.volume(),
        "partition": number,
        "label": label,
    })
}
