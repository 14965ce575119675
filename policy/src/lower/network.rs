//! NICs, own addresses, syslog and the echo service as the hypervisor reads them.

use crate::schema::{
    Addressing as AddressingText, Device, Document, Echo as EchoTable, Interface as InterfaceTable,
    NetModule, Syslog as SyslogTable, SyslogFormat as FormatWord,
};
use ipnet::IpNet;
use sekisho_abi::network::{Addressing, Echo, Interface, Module, Network, Nic, Prefix, Syslog, SyslogFormat};
use std::net::SocketAddr;

/// Everything about networks; `None` where something is missing that was reported. A rule with a tunnel has no module
/// yet and is left out: [`super::unsupported`] refuses it.
pub(crate) fn lower(document: &Document) -> Option<Network> {
    let nics = document.devices().iter().enumerate().filter(|(_, device)| {
        let driver = device.driver.as_ref();
        driver.is_some_and(|driver| driver.value.is_network())
    });
    Some(Network {
        nics: nics
            .filter_map(|(index, device)| Some(nic(index, device, module(device)?, document)))
            .collect::<Option<_>>()?,
        interfaces: document.interfaces().map(interface).collect::<Option<_>>()?,
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

fn module(device: &Device) -> Option<Module> {
    match device.net.as_ref().map(|net| net.value) {
        None => Some(Module::Own),
        Some(NetModule::Pass) => Some(Module::Pass),
        Some(NetModule::Null) => Some(Module::Null),
        Some(NetModule::Ip) => Some(Module::Ip),
        Some(NetModule::IpPass) => Some(Module::IpPass),
        Some(NetModule::Vpn) => None,
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
