//! Policies that are right: what they compile to, what the hypervisor gets, and that no byte makes the check
//! panic.

#![cfg(test)]

use sekisho_abi::compiled::{CompiledPolicy, Serial};
use sekisho_abi::pci::{Address, Identity};
use sekisho_abi::selection::{Driver, Matcher, parse};
use sekisho_policy::{Policy, Source, check, compile, lower, unsupported};

const FIELD_LAPTOP: &str = include_str!("../../examples/field-laptop.toml");
const FIRST_LIGHT: &str = include_str!("../../examples/first-light.toml");

fn policy(text: &str) -> Policy {
    let report = check(&Source::new("policy.toml".into(), text.into()));
    assert_eq!(report.diagnostics, []);
    report.policy.unwrap()
}

/// A policy with these lines of `[defaults]` and these rules.
fn with_defaults(defaults: &str, rules: &str) -> Policy {
    policy(&format!(
        "policy = 1\nname = \"test\"\n[defaults]\n{defaults}\n{rules}\n"
    ))
}

fn string(policy: &Policy) -> String {
    let compiled = compile(policy);
    let (key, value) = &compiled.keys[0];
    assert_eq!(*key, "vmm.driver.pci");
    value.clone()
}

fn device(class_code: u32) -> Identity {
    Identity {
        address: Address::new(0, 3, 0).unwrap(),
        vendor: 0x1234,
        device: 0x5678,
        revision: 0,
        class_code,
        header_type: 0,
        subsystem_vendor: 0,
        subsystem: 0,
    }
}

#[test]
fn the_example_of_the_design_compiles_to_its_string() {
    assert_eq!(
        string(&policy(FIELD_LAPTOP)),
        "device=ahci, driver=ahci, and, device=pro1000, number=0, driver=pro1000, net=vpn, tty=1, and, \
         class=02*, driver=conceal, and, class=01*, driver=conceal"
    );
}

#[test]
fn the_other_keys_have_the_ancestors_names() {
    let text = compile(&policy(FIELD_LAPTOP)).text();
    let keys: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .skip(1)
        .collect();
    assert_eq!(
        keys,
        [
            "ip.use_dhcp=0",
            "ip.ipaddr=192.168.12.11",
            "ip.netmask=255.255.255.0",
            "ip.gateway=192.168.12.254",
            "vmm.tty_mac_address=52:54:00:12:34:56",
            "vmm.tty_syslog.enable=1",
            "vmm.tty_syslog.src_ipaddr=192.168.12.11",
            "vmm.tty_syslog.dst_ipaddr=192.168.12.1",
        ]
    );
}

#[test]
fn each_entry_is_traced_to_its_line() {
    let policy = policy(FIELD_LAPTOP);
    let trace = compile(&policy).trace(&policy);
    let lines: Vec<&str> = FIELD_LAPTOP.lines().collect();
    for (traced, rule) in trace
        .lines()
        .zip(["[[device]]", "[[device]]", "[[device]]", "storage ="])
    {
        let (_, place) = traced.split_once("policy.toml:").unwrap();
        let (line, _) = place.split_once(' ').unwrap();
        let line: usize = line.parse().unwrap();
        assert!(lines[line - 1].starts_with(rule), "{traced}");
    }
    assert!(trace.lines().next_back().unwrap().ends_with(" defaults"));
}

#[test]
fn a_match_table_is_written_in_the_order_of_the_grammar() {
    let rule = "[[device]]\nname = \"a\"\ndriver = \"none\"\n\
                match = { number = \"0|1\", device = \"ahci\", if = \"01\", class = \"0106\", \
                slot = \"00:*\" }";
    let all_pass = "storage = \"pass\"\nnetwork = \"pass\"\nother = \"pass\"";
    assert_eq!(
        string(&with_defaults(all_pass, rule)),
        "slot=00:*, class=0106, programming_interface=01, device=ahci, number=0|1, driver=none"
    );
}

#[test]
fn concealing_the_rest_spares_bridges_system_devices_and_what_other_defaults_pass() {
    let policy = with_defaults(
        "storage = \"pass\"\nnetwork = \"pass\"\nother = \"conceal\"\nusb = \"conceal\"",
        "",
    );
    let selection = parse(&string(&policy)).unwrap();
    for base in 0..=0xff_u32 {
        for sub in [0x00, 0x03, 0x80] {
            let decision = Matcher::new(&selection).decide(&device(base << 16 | sub << 8));
            let concealed = decision.and_then(|decision| decision.driver) == Some(Driver::Conceal);
            let spared = matches!(base, 0x01 | 0x02 | 0x06 | 0x08);
            assert_eq!(concealed, !spared, "class {base:02x}{sub:02x}");
        }
    }
}

#[test]
fn usb_may_differ_from_the_rest_both_ways() {
    let fate_of_usb = |policy: &Policy| {
        let selection = lower(policy).selection;
        let decision = Matcher::new(&selection).decide(&device(0x0c_0330));
        decision.map(|decision| decision.driver)
    };
    let concealed = with_defaults(
        "storage = \"pass\"\nnetwork = \"pass\"\nother = \"pass\"\nusb = \"conceal\"",
        "",
    );
    assert_eq!(fate_of_usb(&concealed), Some(Some(Driver::Conceal)));
    assert_eq!(string(&concealed), "class=0c03, driver=conceal");
    let report = check(&Source::new(
        "policy.toml".into(),
        b"policy = 1\nname = \"test\"\n\
          [defaults]\nstorage = \"pass\"\nnetwork = \"pass\"\nother = \"conceal\"\nusb = \"pass\"\n"
            .to_vec(),
    ));
    assert_eq!(fate_of_usb(&report.policy.unwrap()), Some(None));
}

#[test]
fn a_default_that_a_rule_implies_is_not_repeated() {
    let rule = |class: &str| {
        format!("[[device]]\nname = \"nics\"\nmatch = {{ class = \"{class}\" }}\ndriver = \"conceal\"")
    };
    let defaults = "storage = \"pass\"\nnetwork = \"conceal\"\nother = \"pass\"";
    assert_eq!(
        string(&with_defaults(defaults, &rule("02*"))),
        "class=02*, driver=conceal"
    );
    assert_eq!(
        string(&with_defaults(defaults, &rule("0280"))),
        "class=0280, driver=conceal, and, class=02*, driver=conceal"
    );
}

#[test]
fn first_light_lowers_to_what_the_hypervisor_reads() {
    let policy = policy(FIRST_LIGHT);
    let compiled = lower(&policy);
    assert_eq!(
        CompiledPolicy::from_bytes(&compiled.to_bytes()),
        Ok(compiled.clone())
    );
    assert_eq!(compiled.name, "first-light");
    assert_eq!(compiled.selection.to_string(), "id=8086:100e, driver=conceal");
    assert_eq!(compiled.origins.entries[0].rule, "second-nic");
    let line = FIRST_LIGHT.lines().position(|line| line == "[[device]]").unwrap() + 1;
    assert_eq!(compiled.origins.entries[0].line as usize, line);
    assert_eq!(compiled.boot_next.as_deref(), Some("\\EFI\\debian\\grubx64.efi"));
    assert!(compiled.guest_status);
    assert_eq!(compiled.serial, Serial::Com2);
    assert_eq!(
        compiled.source_hash,
        sekisho_crypto::sha256(FIRST_LIGHT.as_bytes())
    );
}

#[test]
fn what_this_build_cannot_enforce_is_named_and_the_rest_is_not() {
    assert_eq!(unsupported(&policy(FIRST_LIGHT)), []);
    assert_eq!(unsupported(&policy(FIELD_LAPTOP)), []);
    let defaults = "storage = \"pass\"\nnetwork = \"pass\"\nother = \"pass\"";
    let old =
        "[[device]]\nname = \"old\"\nmatch = { device = \"pro100\" }\ndriver = \"pro100\"\nnet = \"pass\"";
    assert_eq!(unsupported(&with_defaults(defaults, old)), []);
}

#[test]
fn the_keys_that_tunnels_name_are_told_from_preshared_ones() {
    let names = policy(FIELD_LAPTOP).key_names();
    assert_eq!(names.private, ["hq"]);
    assert_eq!(names.preshared, ["hq-psk"]);
}

#[test]
fn a_policy_with_one_byte_changed_never_panics_the_check() {
    let mut random = 0x5eed_u64;
    let mut refused = 0;
    for _ in 0..10_000 {
        // xorshift64: the same bytes in every run.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let [byte, place @ ..] = random.to_le_bytes();
        let mut bytes = FIELD_LAPTOP.as_bytes().to_vec();
        let place = place
            .iter()
            .fold(0, |place, byte| (place << 8 | usize::from(*byte)) % bytes.len());
        bytes[place] = byte;
        let report = check(&Source::new("policy.toml".into(), bytes));
        refused += usize::from(report.policy.is_none());
    }
    // Most bytes outside of comments matter; a check that accepts everything would also never panic.
    assert!(refused > 3_000, "{refused}");
}

/// A policy of so many rules, each for a device of its own.
fn of_rules(count: u16) -> Source {
    let head = "policy = 1\nname = \"many\"\n[defaults]\nstorage = \"conceal\"\nnetwork = \"conceal\"\nother = \"conceal\"\n";
    let rule = |id| {
        format!("[[device]]\nname = \"rule-{id}\"\nmatch = {{ id = \"8086:{id:04x}\" }}\ndriver = \"none\"\n")
    };
    let text: String = std::iter::once(head.to_owned())
        .chain((0..count).map(rule))
        .collect();
    Source::new("policy.toml".into(), text.into())
}

#[test]
fn a_policy_has_no_more_rules_than_a_selection_string_holds() {
    let whole = check(&of_rules(1000));
    assert_eq!(whole.diagnostics, []);
    assert!(parse(&string(&whole.policy.unwrap())).is_ok());
    let beyond = check(&of_rules(1002));
    let [found] = &beyond.diagnostics[..] else {
        panic!("{:?}", beyond.diagnostics);
    };
    assert_eq!(found.code, "E0204");
    assert_eq!(of_rules(1002).slice(found.primary.span), "\"rule-1000\"");
}

#[test]
fn no_message_quotes_a_whole_file() {
    for text in [
        "x".repeat(1 << 20),
        format!("policy = 1\n{} = 1\n", "x".repeat(1 << 16)),
    ] {
        for found in check(&Source::new("policy.toml".into(), text.into())).diagnostics {
            let phrases = [&found.message, &found.primary.text]
                .into_iter()
                .chain(&found.help);
            assert!(phrases.map(String::len).max() < Some(500));
        }
    }
}
