//! E0307: two volumes on the same sectors.

use crate::context::Context;
use crate::findings::{Findings, Rule};
use crate::read::Named;
use crate::schema::{Disk, Document, Volume};

pub(crate) static RULE: Rule = Rule {
    code: "E0307",
    title: "two volumes overlap",
    text: "Every sector belongs to one volume, with one key. Two volumes in the same partition or in regions \
           that share blocks would destroy each other's data. Regions include their last block. Two volumes \
           of one controller are on the same disk unless each names its `disk`.",
    example: example!("volumes-overlap"),
    repair: &[("[165887, 200000]", "[165888, 200000]")],
    check: Some(check),
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    let volumes = context.document.volumes();
    for (place, volume) in volumes.iter().enumerate() {
        for first in volumes.iter().take(place) {
            if !may_share_disk(context.document, first, volume) {
                continue;
            }
            let Some((key, remark)) = shared_place(&first.table, &volume.table) else {
                continue;
            };
            let span_of = |volume: &Named<Volume>| {
                let place = volume.table.places().into_iter().find(|(name, _)| *name == key);
                place.map_or(volume.name.span, |(_, span)| span)
            };
            findings.push(
                RULE.at(span_of(volume), remark)
                    .saying(format!(
                        "volumes `{}` and `{}` overlap",
                        first.name.value, volume.name.value
                    ))
                    .also(span_of(first), format!("volume `{}`", first.name.value))
                    .help(match (&first.table.lba, &volume.table.lba) {
                        (Some(earlier), Some(_)) if key == "lba" => format!(
                            "begin at {} or later, or give each volume its own `disk`",
                            earlier.value.last.saturating_add(1)
                        ),
                        _ => "give each volume its own sectors, or its own `disk`".to_owned(),
                    }),
            );
        }
    }
}

/// Whether one rule names both, and nothing says that their disks differ.
fn may_share_disk(document: &Document, one: &Named<Volume>, other: &Named<Volume>) -> bool {
    let names = |volume: &Named<Volume>| -> Vec<usize> {
        let uses = |(place, device): (usize, &crate::schema::Device)| {
            let named = device
                .volume_names()
                .iter()
                .any(|name| name.value.as_str() == volume.name.value);
            named.then_some(place)
        };
        document.devices().iter().enumerate().filter_map(uses).collect()
    };
    let users = names(other);
    names(one).iter().any(|user| users.contains(user))
        && !disks_differ(one.table.disk.as_ref(), other.table.disk.as_ref())
}

fn disks_differ(one: Option<&Disk>, other: Option<&Disk>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return false;
    };
    one.selectors().iter().any(|(name, value, _)| {
        other
            .selectors()
            .iter()
            .any(|(key, another, _)| key == name && another != value)
    })
}

/// The key that puts both on the same sectors, and a remark.
fn shared_place(first: &Volume, second: &Volume) -> Option<(&'static str, String)> {
    if let (Some(one), Some(other)) = (&first.lba, &second.lba) {
        let (from, to) = (
            one.value.first.max(other.value.first),
            one.value.last.min(other.value.last),
        );
        return (from <= to).then(|| ("lba", format!("blocks {from} to {to} are in both")));
    }
    let same = "the same partition".to_owned();
    if let (Some(one), Some(other)) = (&first.partition, &second.partition) {
        return (one.value == other.value).then_some(("partition", same));
    }
    if let (Some(one), Some(other)) = (&first.partition_label, &second.partition_label) {
        return (one.value == other.value).then_some(("partition-label", same));
    }
    if let (Some(one), Some(other)) = (&first.partition_uuid, &second.partition_uuid) {
        return (one.value == other.value).then_some(("partition-uuid", same));
    }
    None
}
