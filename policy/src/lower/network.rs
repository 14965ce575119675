//! NICs, own addresses, tunnels, syslog and the echo service as the hypervisor reads them.

use crate::diagnostic::Diagnostic;
use crate::rules::{unknown_via, unsupported};
use crate::schema::{
    Addressing as AddressingText, Device, Document, Echo as EchoTable, Host, Interface as InterfaceTable,
    Named, NetModule, Peer as PeerTable, Syslog as SyslogTable, SyslogFormat as FormatWord,
    Tunnel as TunnelTable,
};
use ipnet::IpNet;
use sekisho_abi::network::{
    Addressing, Echo, Endpoint, Interface, Module, Network, Nic, Peer, Prefix, Syslog, SyslogFormat, Tunnel,
    Via,
};
use std::net::SocketAddr;
use std::num::NonZeroU16;

/// Bytes of the longest packet in a tunnel that says nothing: what fits into a frame's 1500 behind IPv6, UDP and WireGuard.
const MTU: u16 = 1420;

/// Everything about networks; `None` where something is missing that was reported.
pub(crate) fn lower(document: &Document) -> Option<Network> {
    let nics = document.devices().iter().enumerate().filter(|(_, device)| {
        let driver = device.driver.as_ref();
        driver.is_some_and(|driver| driver.value.is_network())
    });
    Some(Network {
        nics: nics
            .map(|(index, device)| nic(index, device, module(device, document)?, document))
            .collect::<Option<_>>()?,
        interfaces: document.interfaces().map(interface).collect::<Option<_>>()?,
        tunnels: document.tunnels().iter().map(tunnel).collect::<Option<_>>()?,
        syslog: match &document.syslog {
            Some(table) => Some(syslog(table)?),
            None => None,
        },
        echo: match &document.echo {
            Some(table) => Some(echo(table)?),
            None => None,
        },
    })
}

/// What of a tunnel's description this build does not carry out.
pub(super) fn unsupported(document: &Document) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for tunnel in document.tunnels() {
        let name = &tunnel.name.value;
        let addresses = || tunnel.table.address.iter().flat_map(|list| &list.value);
        for is_ipv4 in [true, false] {
            let mut of_version = addresses().filter(|it| it.value.0.addr().is_ipv4() == is_ipv4);
            let version = if is_ipv4 { "IPv4" } else { "IPv6" };
            if let Some(second) = of_version.nth(1) {
                let what = format!("a second {version} address of tunnel `{name}`");
                found.push(unsupported::finding(second.span, &what));
            }
        }
        let carries_log = document.devices().iter().any(|device| {
            device.logs() && device.tunnel.as_ref().is_some_and(|it| it.value.as_str() == name)
        });
        let through = document.syslog.as_ref().filter(|syslog| {
            let way = syslog.via.as_ref().map(|via| via.value.as_str());
            carries_log && way != Some(unknown_via::OUTSIDE)
        });
        if let Some(to) = through.and_then(|syslog| syslog.to.as_ref())
            && !addresses().any(|it| it.value.0.addr().is_ipv4() == to.value.address.is_ipv4())
        {
            let what =
                format!("a log through tunnel `{name}`, which has no address of the collector's IP version,");
            found.push(unsupported::finding(to.span, &what));
        }
    }
    found.extend(
        document
            .devices()
            .iter()
            .filter_map(|device| nameless(device, document)),
    );
    found
}

/// A tunnel whose peer has a name, on a NIC where nobody is asked for names.
fn nameless(device: &Device, document: &Document) -> Option<Diagnostic> {
    let tunnel = document.tunnel_named(device.tunnel.as_ref()?.value.as_str())?;
    let interface = document.interface_of(device)?;
    let is_fixed = matches!(interface.address.as_ref()?.value, AddressingText::Static(_));
    if !is_fixed || interface.dns.is_some() {
        return None;
    }
    let mut endpoints = tunnel
        .table
        .peers()
        .iter()
        .filter_map(|peer| peer.endpoint.as_ref());
    let named = endpoints.find(|endpoint| matches!(endpoint.value.host, Host::Name(_)))?;
    let what = "an endpoint by name, where `[ip]` has a fixed address and no `dns`,";
    Some(unsupported::finding(named.span, what))
}

fn module(device: &Device, document: &Document) -> Option<Module> {
    match device.net.as_ref().map(|net| net.value) {
        None => Some(Module::Own),
        Some(NetModule::Pass) => Some(Module::Pass),
        Some(NetModule::Null) => Some(Module::Null),
        Some(NetModule::Ip) => Some(Module::Ip),
        Some(NetModule::IpPass) => Some(Module::IpPass),
        Some(NetModule::Vpn) => {
            let name = device.tunnel.as_ref()?.value.as_str();
            let mut tunnels = document.tunnels().iter();
            let place = tunnels.position(|tunnel| tunnel.name.value.as_str() == name)?;
            Some(Module::Vpn {
                tunnel: u32::try_from(place).ok()?,
            })
        }
    }
}

/// The rule at `index`: rules are the first entries of the selection, in their order.
fn nic(index: usize, device: &Device, module: Module, document: &Document) -> Option<Nic> {
    let used = document
        .interface_of(device)
        .filter(|_| device.has_stack() || device.logs());
    let place = |used: &InterfaceTable| document.interfaces().position(|it| it.span == used.span);
    Some(Nic {
        entry: u32::try_from(index).ok()?,
        module,
        interface: match used {
            Some(used) => Some(u32::try_from(place(used)?).ok()?),
            None => None,
        },
        log: device.logs(),
    })
}

fn interface(table: &InterfaceTable) -> Option<Interface> {
    let dns = table.dns.iter().flat_map(|servers| &servers.value);
    Some(Interface {
        addressing: match table.address.as_ref()?.value {
            AddressingText::Dhcp => Addressing::Dhcp,
            AddressingText::Static(own) => Addressing::Static(prefix(own.0)),
        },
        gateway: table.gateway.as_ref().map(|gateway| gateway.value),
        dns: dns.map(|server| server.value).collect(),
        mac: table.mac.as_ref().map(|mac| mac.value.0),
    })
}

fn tunnel(named: &Named<TunnelTable>) -> Option<Tunnel> {
    let table = &named.table;
    let addresses = table.address.as_ref()?.value.iter();
    let dns = table.dns.iter().flat_map(|servers| &servers.value);
    Some(Tunnel {
        name: named.name.value.as_str().to_owned(),
        addresses: addresses.map(|address| prefix(address.value.0)).collect(),
        dns: dns.map(|server| server.value).collect(),
        mtu: table.mtu.as_ref().map_or(MTU, |mtu| mtu.value.0),
        private_key: table.private_key.as_ref()?.value.as_str().to_owned(),
        peers: table.peers().iter().map(peer).collect::<Option<_>>()?,
    })
}

fn peer(table: &PeerTable) -> Option<Peer> {
    let endpoint = &table.endpoint.as_ref()?.value;
    let allowed = table.allowed_ips.as_ref()?.value.iter();
    Some(Peer {
        public_key: table.public_key.as_ref()?.value.0,
        preshared_key: table
            .preshared_key
            .as_ref()
            .map(|key| key.value.as_str().to_owned()),
        endpoint: match &endpoint.host {
            Host::Address(address) => Endpoint::Address(SocketAddr::new(*address, endpoint.port)),
            Host::Name(host) => Endpoint::Name {
                host: host.clone(),
                port: endpoint.port,
            },
        },
        allowed: allowed.map(|network| prefix(network.value.0)).collect(),
        keepalive: table
            .persistent_keepalive
            .as_ref()
            .and_then(|seconds| NonZeroU16::new(seconds.value.0)),
    })
}

fn prefix(net: IpNet) -> Prefix {
    Prefix {
        address: net.addr(),
        length: net.prefix_len(),
    }
}

fn syslog(table: &SyslogTable) -> Option<Syslog> {
    let to = table.to.as_ref()?.value;
    Some(Syslog {
        to: SocketAddr::new(to.address, to.port),
        via: match &table.via {
            Some(way) if way.value.as_str() == unknown_via::OUTSIDE => Via::Outside,
            _ => Via::Tunnel,
        },
        format: match table.format.as_ref().map(|format| format.value) {
            None | Some(FormatWord::Rfc5424) => SyslogFormat::Rfc5424,
            Some(FormatWord::Rfc3164) => SyslogFormat::Rfc3164,
        },
        source: table.source.as_ref().map(|source| source.value),
        mac: table.mac.as_ref().map(|mac| mac.value.0),
    })
}

fn echo(table: &EchoTable) -> Option<Echo> {
    let allow = &table.allow.as_ref()?.value;
    Some(Echo {
        allow: allow.iter().map(|network| prefix(network.value.0)).collect(),
        client: table.client.as_ref().map(|client| client.value.0),
    })
}
