//! What policies say about networks, as the hypervisor gets it.

#![cfg(test)]

use sekisho_abi::compiled::CompiledPolicy;
use sekisho_abi::network::{Addressing, Echo, Interface, Module, Network, Nic, Prefix, Syslog, SyslogFormat};
use sekisho_policy::{Source, check, lower, unsupported};

const SHARED_NIC: &str = include_str!("../../examples/shared-nic.toml");

fn network(text: &str) -> Network {
    let report = check(&Source::new("policy.toml".into(), text.into()));
    assert_eq!(report.diagnostics, []);
    let policy = report.policy.unwrap();
    assert_eq!(unsupported(&policy), []);
    let compiled = lower(&policy);
    assert_eq!(
        CompiledPolicy::from_bytes(&compiled.to_bytes()),
        Ok(compiled.clone())
    );
    compiled.network
}

/// A policy with these lines behind its defaults.
fn with(rest: &str) -> Network {
    network(&format!(
        "policy = 1\nname = \"test\"\n[defaults]\nstorage = \"pass\"\nnetwork = \"conceal\"\nother = \"pass\"\n{rest}"
    ))
}

fn prefix(address: &str, length: u8) -> Prefix {
    Prefix {
        address: address.parse().unwrap(),
        length,
    }
}

#[test]
fn the_example_of_a_shared_nic_reaches_the_hypervisor_whole() {
    assert_eq!(
        network(SHARED_NIC),
        Network {
            nics: vec![Nic {
                entry: 0,
                module: Module::IpPass,
                interface: Some(0),
                log: true,
            }],
            interfaces: vec![Interface {
                addressing: Addressing::Static(prefix("192.0.2.11", 24)),
                gateway: Some("192.0.2.254".parse().unwrap()),
                dns: Vec::new(),
                mac: None,
            }],
            syslog: Some(Syslog {
                to: "192.0.2.1:514".parse().unwrap(),
                format: SyslogFormat::Rfc5424,
                source: None,
                mac: None,
            }),
            echo: Some(Echo {
                allow: vec![prefix("192.0.2.0", 24)],
                client: None,
            }),
        }
    );
}

#[test]
fn every_module_but_the_tunnel_is_carried_with_its_entry_and_its_address() {
    let nic = |number: u32, rest: &str| {
        format!(
            "[[device]]\nname = \"nic{number}\"\nmatch = {{ device = \"pro1000\", number = {number} }}\n\
             driver = \"pro1000\"\n{rest}\n"
        )
    };
    let network = with(&format!(
        "[[device]]\nname = \"wifi\"\nmatch = {{ class = \"0280\" }}\ndriver = \"conceal\"\n{}{}{}{}{}\
         [ip]\naddress = \"dhcp\"\n[ip.second]\naddress = \"2001:db8::11/64\"\nmac = \"52:54:00:aa:00:01\"\n\
         [syslog]\nto = \"192.0.2.1:1514\"\nformat = \"rfc3164\"\nsource = \"192.0.2.11\"\nmac = \"52:54:00:12:34:56\"\n\
         [echo]\nallow = [\"2001:db8::/32\"]\nclient = \"2001:db8::7\"\n",
        nic(0, "net = \"pass\""),
        nic(1, "net = \"null\""),
        nic(2, "net = \"ip\""),
        nic(3, "net = \"ippass\"\nip = \"second\""),
        nic(4, "log = true"),
    ));
    let found: Vec<_> = network
        .nics
        .iter()
        .map(|nic| (nic.entry, nic.module, nic.interface, nic.log))
        .collect();
    assert_eq!(
        found,
        [
            (1, Module::Pass, None, false),
            (2, Module::Null, None, false),
            (3, Module::Ip, Some(0), false),
            (4, Module::IpPass, Some(1), false),
            (5, Module::Own, Some(0), true),
        ]
    );
    assert_eq!(network.interfaces[1].mac, Some([0x52, 0x54, 0, 0xaa, 0, 1]));
    assert_eq!(
        network.syslog,
        Some(Syslog {
            to: "192.0.2.1:1514".parse().unwrap(),
            format: SyslogFormat::Rfc3164,
            source: Some("192.0.2.11".parse().unwrap()),
            mac: Some([0x52, 0x54, 0, 0x12, 0x34, 0x56]),
        })
    );
    let echo = network.echo.unwrap();
    assert_eq!(echo.client, Some("[2001:db8::7]:7".parse().unwrap()));
}
