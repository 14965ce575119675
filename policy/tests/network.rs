//! What policies say about networks, as the hypervisor gets it.

#![cfg(test)]

use sekisho_abi::compiled::CompiledPolicy;
use sekisho_abi::network::{
    Addressing, Echo, Endpoint, Interface, Module, Network, Nic, Prefix, Syslog, SyslogFormat, Tunnel, Via,
};
use sekisho_policy::{Source, check, lower, unsupported};
use std::num::NonZeroU16;

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
    network(&whole(rest))
}

fn whole(rest: &str) -> String {
    format!(
        "policy = 1\nname = \"test\"\n[defaults]\nstorage = \"pass\"\nnetwork = \"conceal\"\nother = \"pass\"\n{rest}"
    )
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
            tunnels: Vec::new(),
            syslog: Some(Syslog {
                to: "192.0.2.1:514".parse().unwrap(),
                via: Via::Tunnel,
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
fn every_module_without_a_tunnel_is_carried_with_its_entry_and_its_address() {
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
            via: Via::Tunnel,
            format: SyslogFormat::Rfc3164,
            source: Some("192.0.2.11".parse().unwrap()),
            mac: Some([0x52, 0x54, 0, 0x12, 0x34, 0x56]),
        })
    );
    let echo = network.echo.unwrap();
    assert_eq!(echo.client, Some("[2001:db8::7]:7".parse().unwrap()));
}

/// A policy whose NIC goes through a tunnel, with this log.
fn tunnelled(peer: &str, rest: &str) -> String {
    format!(
        "[[device]]\nname = \"wired\"\nmatch = {{ device = \"pro1000\", number = 0 }}\ndriver = \"pro1000\"\n\
         net = \"vpn\"\ntunnel = \"hq\"\nlog = true\n[ip]\naddress = \"dhcp\"\n\
         [tunnel.hq]\naddress = [\"10.66.0.2/32\", \"fd00:66::2/128\"]\ndns = [\"10.66.0.1\"]\nprivate-key = \"hq\"\n\
         [[tunnel.hq.peer]]\npublic-key = \"hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\"\n{peer}\n\
         allowed-ips = [\"0.0.0.0/0\", \"::/0\"]\n[syslog]\nto = \"192.0.2.1\"\n{rest}"
    )
}

#[test]
fn a_tunnel_is_carried_with_the_names_of_its_keys() {
    let network = with(&tunnelled(
        "endpoint = \"vpn.example.com:51820\"\npreshared-key = \"hq-psk\"\npersistent-keepalive = 25",
        "",
    ));
    assert_eq!(network.nics[0].module, Module::Vpn { tunnel: 0 });
    assert_eq!(network.nics[0].interface, Some(0));
    let [Tunnel { peers, .. }] = &network.tunnels[..] else {
        panic!("{:?}", network.tunnels);
    };
    assert_eq!(peers[0].public_key[..4], [0x85, 0x20, 0xf0, 0x09]);
    assert_eq!(peers[0].preshared_key.as_deref(), Some("hq-psk"));
    assert_eq!(
        peers[0].endpoint,
        Endpoint::Name {
            host: "vpn.example.com".into(),
            port: 51820
        }
    );
    assert_eq!(peers[0].allowed, [prefix("0.0.0.0", 0), prefix("::", 0)]);
    assert_eq!(peers[0].keepalive, NonZeroU16::new(25));
    let tunnel = &network.tunnels[0];
    assert_eq!((tunnel.name.as_str(), tunnel.private_key.as_str()), ("hq", "hq"));
    assert_eq!(tunnel.mtu, 1420);
    assert_eq!(
        tunnel.addresses,
        [prefix("10.66.0.2", 32), prefix("fd00:66::2", 128)]
    );
    assert_eq!(tunnel.dns, ["10.66.0.1".parse::<std::net::IpAddr>().unwrap()]);
    assert_eq!(network.syslog.unwrap().via, Via::Tunnel);
}

#[test]
fn the_log_of_a_tunnelled_nic_leaves_outside_where_that_is_said() {
    for (via, expected) in [("outside", Via::Outside), ("hq", Via::Tunnel)] {
        let network = with(&tunnelled(
            "endpoint = \"198.51.100.7:51820\"",
            &format!("via = \"{via}\"\n"),
        ));
        assert_eq!(network.syslog.unwrap().via, expected);
        let endpoint = &network.tunnels[0].peers[0].endpoint;
        assert_eq!(
            *endpoint,
            Endpoint::Address("198.51.100.7:51820".parse().unwrap())
        );
    }
}

#[test]
fn what_a_tunnel_cannot_do_is_refused_where_it_is_said() {
    let by_address = tunnelled("endpoint = \"198.51.100.7:51820\"", "");
    let by_name = tunnelled("endpoint = \"vpn.example.com:51820\"", "")
        .replace("address = \"dhcp\"", "address = \"192.0.2.11/24\"");
    let only_v6 = by_address.replace("\"10.66.0.2/32\", ", "");
    let two = by_address.replace("\"10.66.0.2/32\"", "\"10.66.0.2/32\", \"10.67.0.2/32\"");
    for (text, place) in [
        (by_name, "\"vpn.example.com:51820\""),
        (only_v6, "\"192.0.2.1\""),
        (two, "\"10.67.0.2/32\""),
    ] {
        let text = whole(&text);
        let report = check(&Source::new("policy.toml".into(), text.clone().into()));
        let found = unsupported(&report.policy.unwrap());
        let places: Vec<&str> = found
            .iter()
            .map(|found| &text[found.primary.span.range()])
            .collect();
        assert_eq!(places, [place], "{text}");
    }
}
