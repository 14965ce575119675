//! Laws of plans: fates are those of the compiled string, no machine is lost, nothing differs from itself.

#![cfg(test)]

use proptest::prelude::*;
use sekisho_abi::pci::{Address, Identity};
use sekisho_abi::selection::Matcher;
use sekisho_abi::selection::parse;
use sekisho_policy::diff::{Difference, Models, Version};
use sekisho_policy::inventory::{File, Machine, SurveyError, read_inventory, write_machine};
use sekisho_policy::plan::{Fate, Fleet, Planner};
use sekisho_policy::{Policy, Source, check, compile};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

const POLICIES: [&str; 3] = [
    include_str!("../../examples/field-laptop.toml"),
    include_str!("../../examples/first-light.toml"),
    include_str!("../../examples/encrypted-disk.toml"),
];

fn policies() -> Vec<(Source, Policy)> {
    let read = |text: &str| {
        let source = Source::new("policy.toml".into(), text.into());
        let policy = check(&source).policy.unwrap();
        (source, policy)
    };
    POLICIES.map(read).into()
}

/// Devices of the kinds that policies are about, and of some others.
fn device() -> impl Strategy<Value = Identity> {
    let class = prop::sample::select(vec![
        0x01_0601, 0x01_018a, 0x02_0000, 0x02_8000, 0x03_0000, 0x06_0400, 0x0c_0330, 0x08_0501, 0x0d_1100,
    ]);
    let id = prop::sample::select(vec![0x100e, 0x10d3, 0x15d7, 0x2922, 0x7010]);
    (any::<u8>(), 0..=1_u8, class, id).prop_map(|(devfn, bus, class_code, device)| Identity {
        address: Address::from_devfn(bus, devfn),
        vendor: 0x8086,
        device,
        revision: 0,
        class_code,
        header_type: 0,
        subsystem_vendor: 0,
        subsystem: 0,
    })
}

fn machine() -> impl Strategy<Value = Machine> {
    let devices = prop::collection::vec(device(), 0..12).prop_map(|mut devices| {
        let mut slots = std::collections::BTreeSet::new();
        devices.retain(|device| slots.insert(device.address));
        devices
    });
    devices.prop_map(|devices| Machine {
        name: None,
        model: None,
        devices,
        disks: Vec::new(),
    })
}

/// A fleet in which some machines are alike.
fn fleet() -> impl Strategy<Value = Vec<Machine>> {
    let kinds = prop::collection::vec(machine(), 1..5);
    (kinds, prop::collection::vec(any::<prop::sample::Index>(), 1..40))
        .prop_map(|(kinds, which)| which.iter().map(|index| index.get(&kinds).clone()).collect())
}

fn files(machines: &[Machine]) -> impl Iterator<Item = Result<File, SurveyError>> + Send + use<> {
    let text: String = machines.iter().map(write_machine).collect();
    let file = File {
        name: "fleet".to_owned(),
        input: Box::new(std::io::Cursor::new(text)),
    };
    [Ok(file)].into_iter()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_fates_of_a_plan_are_those_of_the_compiled_string(machines in fleet()) {
        for (_, policy) in policies() {
            let planner = Planner::new(&policy);
            let string = compile(&policy).keys[0].1.clone();
            let selection = parse(&string).unwrap();
            let mut place = 0;
            Fleet::survey(&planner, files(&machines), |seen, _| {
                let machine = &machines[place];
                assert_eq!(seen.model.devices, machine.devices, "the order of the inventory");
                let mut sorted = machine.devices.clone();
                sorted.sort_by_key(|device| device.address);
                let mut matcher = Matcher::new(&selection);
                let fates: BTreeMap<_, _> = sorted
                    .iter()
                    .map(|device| (device.address, Fate::of(matcher.decide(device))))
                    .collect();
                for (device, verdict) in machine.devices.iter().zip(&seen.model.judgement.verdicts) {
                    assert_eq!(verdict.fate, fates[&device.address]);
                }
                place += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
            prop_assert_eq!(place, machines.len());
        }
    }

    #[test]
    fn grouping_loses_no_machine(machines in fleet()) {
        for (_, policy) in policies() {
            let fleet = Fleet::survey(&Planner::new(&policy), files(&machines), |_, _| ControlFlow::Continue(()));
            let fleet = fleet.unwrap();
            let groups: usize = fleet.groups().iter().map(|group| group.tally.machines).sum();
            let models: usize = fleet.models().iter().map(|model| model.tally.machines).sum();
            prop_assert_eq!([fleet.machines(), groups, models], [machines.len(); 3]);
        }
    }

    #[test]
    fn no_policy_differs_from_itself(machines in fleet()) {
        for (source, policy) in policies() {
            let version = Version { source: &source, policy: &policy };
            let planner = Planner::new(&policy);
            let models = Models::survey(&planner, &planner, files(&machines)).unwrap();
            let difference = Difference::new(version, version, Some(models));
            prop_assert!(difference.keys.is_empty());
            prop_assert!(difference.models.is_empty());
            prop_assert!(difference.weakenings.is_empty());
        }
    }

    #[test]
    fn an_inventory_in_parts_of_any_form_is_read_alike(machines in fleet()) {
        let lines: Vec<String> = machines.iter().map(write_machine).collect();
        let list = format!("[\n{}]", lines.join(" , "));
        prop_assert_eq!(read_inventory(&lines.concat()).unwrap(), machines.clone());
        prop_assert_eq!(read_inventory(&list).unwrap(), machines);
    }

    #[test]
    fn no_bytes_make_the_reader_of_inventories_panic(text in "[\\[\\]{}\",:\\\\ a0\n]{0,60}") {
        let _ = read_inventory(&text);
    }
}
