//! What a raw selection string does to the devices of an inventory: `sekisho match`.
//!
//! The hypervisor finds devices in ascending bus, device, function, and `number=` counts them so; results are
//! given in the order of the inventory.

use crate::diagnostic::Diagnostic;
use crate::inventory::Machine;
use crate::rules::bad_selection;
use crate::source::Source;
use sekisho_abi::pci::Identity;
use sekisho_abi::selection::{Decision, Driver, DriverOption, Matcher, Selection, parse};
use serde_json::{Map, Value, json};

/// Reads a selection string that stands alone: `source` is nothing else.
///
/// # Errors
/// The first thing wrong with it.
pub fn read_selection(source: &Source) -> Result<Selection, Box<Diagnostic>> {
    parse(source.text()).map_err(|error| Box::new(bad_selection::finding(error.span().into(), &error)))
}

/// The decision for each device of a machine, in the order of the inventory.
#[must_use]
pub fn decide<'a>(selection: &'a Selection, machine: &Machine) -> Vec<Option<Decision<'a>>> {
    let mut found: Vec<(usize, &Identity)> = machine.devices.iter().enumerate().collect();
    found.sort_by_key(|(_, device)| device.address);
    let mut matcher = Matcher::new(selection);
    let mut decisions: Vec<(usize, Option<Decision<'a>>)> = found
        .into_iter()
        .map(|(place, device)| (place, matcher.decide(device)))
        .collect();
    decisions.sort_by_key(|(place, _)| *place);
    decisions.into_iter().map(|(_, decision)| decision).collect()
}

/// `{"devices": [{"slot", "driver", "options"}]}`, `"driver": null` where none takes the device; for several
/// machines a list of these, each with its `"machine"`.
#[must_use]
pub fn matches_as_json(selection: &Selection, machines: &[Machine]) -> String {
    let value = match machines {
        [machine] => json!({ "devices": devices(selection, machine) }),
        machines => machines
            .iter()
            .map(|machine| json!({ "machine": machine.name, "devices": devices(selection, machine) }))
            .collect(),
    };
    format!("{value}\n")
}

fn devices(selection: &Selection, machine: &Machine) -> Vec<Value> {
    let decisions = decide(selection, machine).into_iter();
    let device = |(device, decision): (&Identity, Option<Decision<'_>>)| {
        let driver = decision.and_then(|decision| decision.driver).map(Driver::name);
        let options: Map<String, Value> = options(decision)
            .iter()
            .map(|option| (option.name.clone(), option.value.clone().into()))
            .collect();
        json!({ "slot": device.address.to_string(), "driver": driver, "options": options })
    };
    machine.devices.iter().zip(decisions).map(device).collect()
}

/// A line a device, as the hypervisor's log has them: `[00:1F.2] 010601: 8086:2922 (ahci) ahci`.
#[must_use]
pub fn matches_for_people(selection: &Selection, machines: &[Machine]) -> String {
    let mut text = String::new();
    for machine in machines {
        if machines.len() > 1 {
            let name = machine.name.as_deref().unwrap_or("unnamed");
            text.push_str(&format!("machine {name}\n"));
        }
        for (device, decision) in machine.devices.iter().zip(decide(selection, machine)) {
            text.push_str(&line(device, decision));
            text.push('\n');
        }
    }
    text
}

fn line(device: &Identity, decision: Option<Decision<'_>>) -> String {
    let mut line = format!(
        "[{}] {:06x}: {:04x}:{:04x}",
        device.address.to_string().to_uppercase(),
        device.class_code,
        device.vendor,
        device.device
    );
    for driver in Driver::fitting(device) {
        line.push_str(&format!(" ({driver})"));
    }
    if let Some(driver) = decision.and_then(|decision| decision.driver) {
        line.push_str(&format!(" {driver}"));
    }
    for option in options(decision) {
        line.push_str(&format!(" {option}"));
    }
    line
}

fn options(decision: Option<Decision<'_>>) -> &[DriverOption] {
    decision.map(|decision| decision.options).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::read_inventory;

    fn machine(name: &str, slots: &[&str]) -> String {
        let device = |slot: &&str| {
            json!({ "slot": slot, "vendor": "8086", "device": "100e", "sub_vendor": "1af4", "sub_device": "1100",
                "revision": "03", "class_code": "020000", "header_type": "00" })
        };
        let devices: Vec<Value> = slots.iter().map(device).collect();
        json!({ "machine": name, "devices": devices }).to_string()
    }

    #[test]
    fn a_string_that_cannot_be_read_is_shown_with_its_place() {
        let source = Source::new("selection".into(), b"driver=pro1000, nett=vpn".to_vec());
        let wrong = read_selection(&source).unwrap_err();
        assert_eq!(source.slice(wrong.primary.span), "nett");
        assert_eq!(wrong.help, ["did you mean `net`?"]);
    }

    #[test]
    fn number_counts_in_bus_order_and_results_keep_the_inventorys() {
        let machines = read_inventory(&machine("a", &["01:00.0", "00:1f.0", "00:03.1"])).unwrap();
        let selection =
            parse("class=02*, number=0, driver=pro1000, net=vpn, and, class=02*, number=2, driver=conceal")
                .unwrap();
        let expected = json!({ "devices": [
            { "slot": "01:00.0", "driver": "conceal", "options": {} },
            { "slot": "00:1f.0", "driver": null, "options": {} },
            { "slot": "00:03.1", "driver": "pro1000", "options": { "net": "vpn" } },
        ] });
        assert_eq!(matches_as_json(&selection, &machines), format!("{expected}\n"));
    }

    #[test]
    fn each_machine_is_counted_for_itself_and_named_where_there_are_several() {
        let text = format!("{}\n{}", machine("a", &["00:02.0"]), machine("b", &["00:03.0"]));
        let machines = read_inventory(&text).unwrap();
        let selection = parse("class=02*, number=0, driver=conceal").unwrap();
        let json: Value = serde_json::from_str(&matches_as_json(&selection, &machines)).unwrap();
        assert_eq!(json[1]["machine"], "b");
        assert_eq!(json[1]["devices"][0]["driver"], "conceal");
        assert_eq!(
            matches_for_people(&selection, &machines),
            "machine a\n[00:02.0] 020000: 8086:100e (pro1000) conceal\n\
             machine b\n[00:03.0] 020000: 8086:100e (pro1000) conceal\n"
        );
    }

    #[test]
    fn a_device_left_alone_by_none_has_no_driver() {
        let machines = read_inventory(&machine("a", &["00:02.0"])).unwrap();
        let selection = parse("slot=00:02.0, driver=none, and, driver=pro1000").unwrap();
        let expected = json!({ "devices": [{ "slot": "00:02.0", "driver": null, "options": {} }] });
        assert_eq!(matches_as_json(&selection, &machines), format!("{expected}\n"));
    }
}
