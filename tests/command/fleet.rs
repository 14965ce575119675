//! `plan`, `diff` and `inventory` as people and pipelines call them.

use super::{root, sekisho, text, with_input};
use std::fs;

const LAPTOP: &str = "examples/field-laptop.toml";
const FLEET: &str = "examples/fleet.jsonl";
const EXPECTED: &str = "examples/fleet.expect.toml";

fn json(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn a_plan_groups_machines_and_an_uncovered_fleet_is_exit_code_1() {
    let output = sekisho(&["plan", LAPTOP, "--inventory", FLEET]);
    assert_eq!(output.status.code(), Some(1), "a laptop's disk is on NVMe");
    let stdout = text(&output.stdout);
    assert!(
        stdout.starts_with("policy field-laptop: 4 machines of 2 models\n"),
        "{stdout}"
    );
    assert!(
        stdout.contains("3 machines (LENOVO 20L5): t480-0001, t480-0002, t480-0003\n"),
        "{stdout}"
    );
    assert!(stdout.contains("3 \"root\" volume system"), "{stdout}");
    let stderr = text(&output.stderr);
    assert!(stderr.contains("error[E0706]: volume `system`"), "{stderr}");
    assert!(stderr.contains("--> examples/field-laptop.toml:"), "{stderr}");
}

#[test]
fn json_has_every_machine_in_the_order_of_the_inventory() {
    let output = sekisho(&["plan", LAPTOP, "--inventory", FLEET, "--format", "json"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), ""));
    let plan = json(&output.stdout);
    let names: Vec<_> = plan["machines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["machine"])
        .collect();
    assert_eq!(names, ["t480-0001", "t480-0002", "t480-0003", "x1-0001"]);
    let sectors = &plan["machines"][0]["disks"][0]["sectors"];
    let system = sectors
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["fate"] == "volume")
        .unwrap();
    assert_eq!(
        (&system["first"], &system["volume"]),
        (&9_439_232.into(), &"system".into())
    );
    assert!(
        plan["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .any(|it| it["code"] == "E0706")
    );
}

#[test]
fn strict_takes_warnings_for_errors() {
    let plan = |more: &[&str]| {
        let policy = "policy/tests/fleet/hot-plug.toml";
        let inventory = "policy/tests/fleet/hot-plug.json";
        sekisho(&[&["plan", policy, "--inventory", inventory], more].concat())
            .status
            .code()
    };
    assert_eq!(plan(&[]), Some(0));
    assert_eq!(plan(&["--strict"]), Some(1));
}

#[test]
fn expectations_hold_or_say_what_is_otherwise() {
    let plan = |expected: &str| sekisho(&["plan", LAPTOP, "--inventory", FLEET, "--expect", expected]);
    let holds = plan(EXPECTED);
    assert!(!text(&holds.stderr).contains("E071"), "{}", text(&holds.stderr));
    let differs = plan("policy/tests/expect/expectation-unmet.toml");
    assert_eq!(differs.status.code(), Some(1));
    assert!(text(&differs.stderr).contains("error[E0711]: expected `conceal`, but it is `vpn`"));
}

#[test]
fn the_story_of_a_device_has_every_rule_and_the_item_that_failed() {
    let output = sekisho(&["plan", LAPTOP, "--inventory", FLEET, "--device", "00:1f.6"]);
    assert_eq!(output.status.code(), Some(0));
    let stdout = text(&output.stdout);
    assert!(
        stdout.contains("system-disk: no: device=ahci does not match"),
        "{stdout}"
    );
    assert!(stdout.contains("wired: matches and decides"), "{stdout}");
    let absent = sekisho(&["plan", LAPTOP, "--inventory", FLEET, "--device", "7f:00.0"]);
    assert_eq!(absent.status.code(), Some(1));
}

#[test]
fn an_inventory_is_files_folders_lines_or_standard_input() {
    let fleet = fs::read(root().join(FLEET)).unwrap();
    let piped = with_input(&["plan", LAPTOP, "--inventory", "-"], &fleet);
    let named = sekisho(&["plan", LAPTOP, "--inventory", FLEET]);
    assert_eq!(piped.stdout, named.stdout);
    let lines = fleet.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let list = [
        b"[".to_vec(),
        lines.collect::<Vec<_>>().join(&b",\n"[..]),
        b"]".to_vec(),
    ]
    .concat();
    assert_eq!(
        with_input(&["plan", LAPTOP, "--inventory", "-"], &list).stdout,
        named.stdout
    );
    let folder = sekisho(&["plan", LAPTOP, "--inventory", "policy/tests/fleet"]);
    assert!(text(&folder.stdout).contains(" machines of "));
}

#[test]
fn a_fleet_that_is_no_inventory_is_told_where() {
    let output = with_input(
        &["plan", LAPTOP, "--inventory", "-"],
        b"{\"devices\": []}\n{\"devices\": 3}\n",
    );
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("error: -: not an inventory: "), "{stderr}");
    assert!(stderr.contains(" at line 2 column "), "{stderr}");
    let absent = sekisho(&["plan", LAPTOP, "--inventory", "no/such/file"]);
    assert_eq!(absent.status.code(), Some(2));
}

#[test]
fn a_policy_does_not_differ_from_itself() {
    let output = sekisho(&["diff", LAPTOP, LAPTOP, "--inventory", FLEET]);
    let streams = (text(&output.stdout), text(&output.stderr));
    assert_eq!((output.status.code(), streams), (Some(0), ("", "")));
}

#[test]
fn a_weakening_is_exit_code_3_with_the_machines_it_is_about() {
    let old = fs::read_to_string(root().join(LAPTOP)).unwrap();
    let new = old.replacen("network = \"conceal\"", "network = \"pass\"", 1);
    let new = new.replacen("match = { class = \"02*\" }", "match = { class = \"0200\" }", 1);
    let output = with_input(
        &["diff", LAPTOP, "-", "--inventory", FLEET, "--format", "json"],
        new.as_bytes(),
    );
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let difference = json(&output.stdout);
    let weakenings = difference["weakenings"].as_array().unwrap();
    let codes: Vec<_> = weakenings.iter().map(|it| &it["code"]).collect();
    assert_eq!(codes, ["E0803", "E0805"], "{difference:#}");
    assert_eq!(difference["models"][0]["machines"], 3);
    let stronger = with_input(&["diff", "-", LAPTOP], new.as_bytes());
    assert_eq!(stronger.status.code(), Some(0));
    assert!(text(&stronger.stdout).contains("defaults.network: \"pass\" becomes \"conceal\"\n"));
}

#[test]
fn this_machine_is_read_from_a_tree_of_files() {
    let folder = std::env::temp_dir().join(format!("sekisho-inventory-{}", std::process::id()));
    let device = folder.join("sys/bus/pci/devices/0000:00:1f.2");
    fs::create_dir_all(&device).unwrap();
    let mut registers = [0; 64];
    registers[..4].copy_from_slice(&[0x86, 0x80, 0x22, 0x29]);
    registers[8..12].copy_from_slice(&[0x02, 0x01, 0x06, 0x01]);
    fs::write(device.join("config"), registers).unwrap();
    let output = sekisho(&["inventory", "--root", folder.to_str().unwrap(), "--name", "desk"]);
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let machine = json(&output.stdout);
    assert_eq!(machine["machine"], "desk");
    assert_eq!(machine["devices"][0]["slot"], "00:1f.2");
    assert_eq!(machine["devices"][0]["class_code"], "010601");
}

#[test]
fn what_lspci_prints_becomes_an_inventory_that_plan_reads() {
    let records = b"Slot:\t00:17.0\nClass:\tSATA controller [0106]\nVendor:\tIntel [8086]\n\
        Device:\tSATA [9d03]\nProgIf:\t01\n\n";
    let inventory = with_input(&["inventory", "-", "--name", "desk"], records);
    assert_eq!(inventory.status.code(), Some(0), "{}", text(&inventory.stderr));
    let plan = with_input(
        &["plan", LAPTOP, "--inventory", "-", "--format", "json"],
        &inventory.stdout,
    );
    assert_eq!(json(&plan.stdout)["machines"][0]["devices"][0]["fate"], "encrypt");
}
