//! Every change by which protection weakens, as far as the two files tell without a machine.
//!
//! Rules are the same where their names are, or else what they match. A rule that is gone protects nothing any more: what
//! it took, the defaults have, as far as other rules do not.

use super::{Side, Version, Weakening};
use crate::classes::ClassSet;
use crate::diagnostic::Diagnostic;
use crate::plan::Fate;
use crate::policy::{self, Rule};
use crate::read::Named;
use crate::rules::weaker::{
    Loss, default_passes, discard_allowed, disk_in_clear, drive_opened, key_shrinks, log_outside,
    more_in_clear, preshared_key_gone, service_wider, status_shown, unlock_easier,
};
use crate::schema::{self, AtapiAccess, Device, Document, GptAccess, Syslog, Volume};
use sekisho_abi::selection::{Decision, Entry};
use sekisho_abi::storage::Unlock;

/// What is written where nothing is said.
const OUTSIDE: &str = "outside";

/// Everything by which `new` protects less than `old`.
#[must_use]
pub fn weakenings(old: Version<'_>, new: Version<'_>) -> Vec<Weakening> {
    let (was, is) = (&old.policy.document, &new.policy.document);
    let mut found: Vec<Diagnostic> = Vec::new();
    defaults(&old.policy.defaults, &new.policy.defaults, &mut found);
    volumes(was, is, &mut found);
    clear(was, is, &mut found);
    preshared_keys(was, is, &mut found);
    log(was, is, &mut found);
    services(was, is, &mut found);
    drives(was, is, &mut found);
    unlock(old, new, &mut found);
    let mut all = rules(old, new);
    all.extend(gone_volumes(old, new));
    all.extend(found.into_iter().map(|diagnostic| Weakening {
        side: Side::New,
        diagnostic,
    }));
    all
}

/// What an entry does with the devices that it takes.
fn fate(entry: &Entry) -> Fate {
    Fate::of(Some(Decision {
        entry: 0,
        driver: entry.driver(),
        options: entry.options(),
    }))
}

fn rules(old: Version<'_>, new: Version<'_>) -> Vec<Weakening> {
    let mut found = Vec::new();
    for was in &old.policy.rules {
        let from = fate(&was.entry);
        match counterpart(was, &new.policy.rules) {
            Some(is) => {
                let to = fate(&is.entry);
                if let Some(loss) = Loss::between(from, to) {
                    let what = format!("rule `{}`: {from} becomes {to}", is.name);
                    found.push((Side::New, loss.finding(is.span, &what)));
                }
            }
            None if passes(&new.policy.defaults, &was.entry) => {
                if let Some(loss) = Loss::between(from, Fate::Pass) {
                    let what = format!("rule `{}` is gone, and the defaults pass what it took", was.name);
                    found.push((Side::Old, loss.finding(was.span, &what)));
                }
            }
            None => {}
        }
    }
    let found = found.into_iter();
    found
        .map(|(side, diagnostic)| Weakening { side, diagnostic })
        .collect()
}

fn counterpart<'a>(rule: &Rule, among: &'a [Rule]) -> Option<&'a Rule> {
    let named = among.iter().find(|it| it.name == rule.name);
    named.or_else(|| among.iter().find(|it| it.entry.items() == rule.entry.items()))
}

/// Whether a default passes a device that the entry may be about.
fn passes(defaults: &policy::Fates, entry: &Entry) -> bool {
    let passed = ClassSet::of(|class| {
        let decision = match class >> 8 {
            0x01 => defaults.storage,
            0x02 => defaults.network,
            _ => match (class, defaults.usb) {
                (0x0c03, Some(usb)) => usb,
                _ => defaults.other,
            },
        };
        decision.fate == schema::Fate::Pass
    });
    ClassSet::of_entry(entry).common(&passed).is_some()
}

fn defaults(old: &policy::Fates, new: &policy::Fates, found: &mut Vec<Diagnostic>) {
    let pairs = [
        ("storage", old.storage, new.storage),
        ("network", old.network, new.network),
        ("usb", old.usb.unwrap_or(old.other), new.usb.unwrap_or(new.other)),
        ("other", old.other, new.other),
    ];
    let mut told = Vec::new();
    for (key, was, is) in pairs {
        let weaker = was.fate == schema::Fate::Conceal && is.fate == schema::Fate::Pass;
        // Where `usb` is not said, `other` is told once.
        if weaker && !told.contains(&is.span) {
            told.push(is.span);
            found.push(default_passes::finding(
                is.span,
                &format!("`{key}`: conceal becomes pass"),
            ));
        }
    }
}

fn volumes(old: &Document, new: &Document, found: &mut Vec<Diagnostic>) {
    for Named { name, table: is } in new.volumes() {
        let Some(Named { table: was, .. }) = old.volume_named(&name.value) else {
            continue;
        };
        let bits = |volume: &Volume| volume.key_size.as_ref().map(|size| size.value.0);
        if let (Some(size), Some(before), Some(now)) = (&is.key_size, bits(was), bits(is))
            && now < before
        {
            let what = format!("volume `{}`: {before} bits become {now}", name.value);
            found.push(key_shrinks::finding(size.span, &what));
        }
        let discards = |volume: &Volume| volume.discard.as_ref().is_some_and(|it| it.value);
        if let Some(discard) = &is.discard
            && discards(is)
            && !discards(was)
        {
            found.push(discard_allowed::finding(
                discard.span,
                &format!("volume `{}`", name.value),
            ));
        }
    }
}

/// Volumes that are gone, though the rules that had them are there, or took another volume of the same place.
fn gone_volumes(old: Version<'_>, new: Version<'_>) -> Vec<Weakening> {
    let still_told = |name: &str| {
        // A rule that no longer encrypts is told by itself.
        old.policy
            .rules
            .iter()
            .zip(old.policy.document.devices())
            .any(|(rule, device)| {
                let has_it = device.volume_names().iter().any(|it| it.value.as_str() == name);
                let is = counterpart(rule, &new.policy.rules);
                has_it && is.is_none_or(|is| fate(&is.entry) != Fate::Encrypt)
            })
    };
    let places = |policy: &crate::Policy, name: &str| {
        let volumes = policy.storage.volumes.iter();
        volumes
            .filter(|it| it.name == name)
            .map(|it| it.place.clone())
            .next()
    };
    let gone = old.policy.document.volumes().iter().filter(|volume| {
        let name = volume.name.value.as_str();
        let place = places(old.policy, name);
        let kept = new
            .policy
            .storage
            .volumes
            .iter()
            .any(|it| Some(&it.place) == place.as_ref());
        !kept && !still_told(name)
    });
    gone.map(|volume| Weakening {
        side: Side::Old,
        diagnostic: disk_in_clear::finding(
            volume.name.span,
            &format!("no volume of the new policy is where `{}` was", volume.name.value),
        ),
    })
    .collect()
}

fn clear(old: &Document, new: &Document, found: &mut Vec<Diagnostic>) {
    let Some(is) = &new.clear else { return };
    let before = old.clear.iter().flat_map(|clear| &clear.partitions);
    let before: Vec<_> = before.flat_map(|list| &list.value).map(|it| &it.value).collect();
    for partition in is.partitions.iter().flat_map(|list| &list.value) {
        // Without a disk that was encrypted nothing was protected before.
        if !before.contains(&&partition.value) && !old.volumes().is_empty() {
            let what = format!("partition {} is in clear", partition.value);
            found.push(more_in_clear::finding(partition.span, &what));
        }
    }
    let writable = |clear: &schema::Clear| {
        clear
            .gpt
            .as_ref()
            .is_some_and(|gpt| gpt.value == GptAccess::Write)
    };
    if let Some(gpt) = &is.gpt
        && writable(is)
        && !old.clear.as_ref().is_some_and(writable)
        && !old.volumes().is_empty()
    {
        found.push(more_in_clear::finding(
            gpt.span,
            "the guest may write the partition tables",
        ));
    }
}

fn preshared_keys(old: &Document, new: &Document, found: &mut Vec<Diagnostic>) {
    for tunnel in new.tunnels() {
        let Some(before) = old.tunnel_named(&tunnel.name.value) else {
            continue;
        };
        for peer in tunnel
            .table
            .peers()
            .iter()
            .filter(|peer| peer.preshared_key.is_none())
        {
            let key = |peer: &schema::Peer| peer.public_key.as_ref().map(|key| key.value);
            let was = before.table.peers().iter().find(|it| key(it) == key(peer));
            if was.is_some_and(|was| was.preshared_key.is_some()) {
                let what = format!("a peer of tunnel `{}` has none any more", tunnel.name.value);
                found.push(preshared_key_gone::finding(peer.span, &what));
            }
        }
    }
}

/// The way the log takes: a tunnel's name, or outside; unsaid, that of the logging NIC.
fn way<'a>(document: &'a Document, syslog: &'a Syslog) -> &'a str {
    if let Some(via) = &syslog.via {
        return via.value.as_str();
    }
    let mut logging = document.devices().iter().filter(|device| device.logs());
    let tunnel = logging.find_map(|device| device.tunnel.as_ref());
    tunnel.map_or(OUTSIDE, |tunnel| tunnel.value.as_str())
}

fn log(old: &Document, new: &Document, found: &mut Vec<Diagnostic>) {
    let (Some(was), Some(is)) = (&old.syslog, &new.syslog) else {
        return;
    };
    let before = way(old, was);
    if before != OUTSIDE && way(new, is) == OUTSIDE {
        let span = is.via.as_ref().map_or(is.span, |via| via.span);
        let what = format!("it went through tunnel `{before}`");
        found.push(log_outside::finding(span, &what));
    }
}

fn services(old: &Document, new: &Document, found: &mut Vec<Diagnostic>) {
    for is in new.services() {
        let was = old.services().find(|was| was.name == is.name);
        let before = was
            .iter()
            .filter_map(|was| was.allow)
            .flat_map(|list| &list.value);
        let before: Vec<_> = before.map(|host| host.value).collect();
        let more = is.allow.iter().flat_map(|list| &list.value);
        let more = more.filter(|host| !before.contains(&host.value));
        let what = format!("`[{}]` lets these in", is.name);
        found.extend(more.map(|host| service_wider::finding(host.span, &what)));
    }
}

fn drives(old: &Document, new: &Document, found: &mut Vec<Diagnostic>) {
    let access = |device: &Device| {
        device
            .atapi
            .as_ref()
            .map_or(AtapiAccess::Refuse, |atapi| atapi.value)
    };
    let rank = |access: AtapiAccess| match access {
        AtapiAccess::Refuse => 0,
        AtapiAccess::Read => 1,
        AtapiAccess::Pass => 2,
    };
    for is in new.devices() {
        let mut before = old.devices().iter().filter(|was| was.title() == is.title());
        let was = before.next().map_or(AtapiAccess::Refuse, access);
        if let Some(atapi) = &is.atapi
            && rank(atapi.value) > rank(was)
        {
            let what = format!("`{}` becomes `{}`", was.word(), atapi.value.word());
            found.push(drive_opened::finding(atapi.span, &what));
        }
    }
}

fn unlock(old: Version<'_>, new: Version<'_>, found: &mut Vec<Diagnostic>) {
    let was: Unlock = old.policy.storage.unlock;
    let is: Unlock = new.policy.storage.unlock;
    if let Some(table) = &new.policy.document.unlock {
        let attempts = table.attempts.as_ref().filter(|_| is.attempts > was.attempts);
        if let Some(attempts) = attempts {
            let what = format!("{} wrong answers become {}", was.attempts, is.attempts);
            found.push(unlock_easier::finding(attempts.span, &what));
        }
        let more = (is.passphrase && !was.passphrase) || (is.recovery && !was.recovery);
        if let Some(methods) = table.methods.as_ref().filter(|_| more) {
            found.push(unlock_easier::finding(methods.span, "one more way to answer"));
        }
    }
    let status = new
        .policy
        .document
        .guest
        .as_ref()
        .and_then(|guest| guest.status.as_ref());
    if let Some(status) = status.filter(|_| new.policy.guest_status && !old.policy.guest_status) {
        found.push(status_shown::finding(status.span, "this was not allowed"));
    }
}
