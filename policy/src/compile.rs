//! What `sekisho compile` prints: the selection string and the other keys, under BitVisor's names.

use crate::policy::Policy;
use crate::schema::{Addressing, Disk, Fate, Interface, Syslog, Volume};
use crate::selection::TracedEntry;
use sekisho_abi::selection::Selection;
use std::fmt::Write;
use std::net::IpAddr;

/// A compiled policy, for people and for machines that still run the ancestor.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The selection list with its origins.
    pub entries: Vec<TracedEntry>,
    /// The keys, in the order printed; `vmm.driver.pci` is the first.
    pub keys: Vec<(&'static str, String)>,
    /// What has no key there, one remark each.
    pub remarks: Vec<String>,
}

/// Compiles a checked policy.
#[must_use]
pub fn compile(policy: &Policy) -> Compiled {
    let entries = policy.selection();
    let selection = Selection {
        entries: entries.iter().map(|traced| traced.entry.clone()).collect(),
    };
    let mut keys = vec![("vmm.driver.pci", selection.to_string())];
    let mut remarks = Vec::new();
    address_keys(policy, &mut keys, &mut remarks);
    syslog_keys(policy, &mut keys, &mut remarks);
    hanging_on_rules(policy, &mut remarks);
    the_rest(policy, &mut remarks);
    Compiled {
        entries,
        keys,
        remarks,
    }
}

impl Compiled {
    /// `key=value` lines, then the remarks as comments.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (key, value) in &self.keys {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key}={value}");
        }
        for remark in &self.remarks {
            let _ = writeln!(text, "# {remark}");
        }
        text
    }

    /// One line an entry: the entry, and the place in the policy that made it.
    #[must_use]
    pub fn trace(&self, policy: &Policy) -> String {
        let texts: Vec<String> = self
            .entries
            .iter()
            .map(|traced| one(traced).to_string())
            .collect();
        let width = texts.iter().map(String::len).max().unwrap_or_default();
        let mut text = String::new();
        for (traced, entry) in self.entries.iter().zip(&texts) {
            let TracedEntry { rule, line, span, .. } = traced;
            let file = policy.file_at(*span);
            let _ = writeln!(text, "{entry:width$}  # {file}:{line} {rule}");
        }
        text
    }
}

fn one(traced: &TracedEntry) -> Selection {
    Selection {
        entries: vec![traced.entry.clone()],
    }
}

fn address_keys(policy: &Policy, keys: &mut Vec<(&'static str, String)>, remarks: &mut Vec<String>) {
    let Some(interfaces) = &policy.document.ip else {
        return;
    };
    if let Some(interface) = &interfaces.unnamed {
        interface_keys(interface, keys, remarks);
    }
    for member in &interfaces.named.members {
        remarks.push(format!(
            "[ip.{}] has no key: one address serves every NIC there",
            member.name.value
        ));
    }
}

fn interface_keys(interface: &Interface, keys: &mut Vec<(&'static str, String)>, remarks: &mut Vec<String>) {
    match interface.address.as_ref().map(|address| address.value) {
        Some(Addressing::Dhcp) => keys.push(("ip.use_dhcp", "1".to_owned())),
        Some(Addressing::Static(cidr)) => match cidr.0 {
            ipnet::IpNet::V4(net) => {
                keys.push(("ip.use_dhcp", "0".to_owned()));
                keys.push(("ip.ipaddr", net.addr().to_string()));
                keys.push(("ip.netmask", net.netmask().to_string()));
            }
            ipnet::IpNet::V6(net) => remarks.push(format!("[ip] address {net}: no key for IPv6")),
        },
        None => {}
    }
    match interface.gateway.as_ref().map(|gateway| gateway.value) {
        Some(IpAddr::V4(gateway)) => keys.push(("ip.gateway", gateway.to_string())),
        Some(IpAddr::V6(gateway)) => remarks.push(format!("[ip] gateway {gateway}: no key for IPv6")),
        None => {}
    }
    if let Some(servers) = &interface.dns {
        let servers: Vec<String> = servers
            .value
            .iter()
            .map(|server| server.value.to_string())
            .collect();
        remarks.push(format!("[ip] dns {}: no key", servers.join(", ")));
    }
    if let Some(mac) = &interface.mac {
        remarks.push(format!("[ip] mac {}: no key", mac.value));
    }
}

fn syslog_keys(policy: &Policy, keys: &mut Vec<(&'static str, String)>, remarks: &mut Vec<String>) {
    let Some(syslog) = &policy.document.syslog else {
        return;
    };
    if let Some(mac) = &syslog.mac {
        keys.push(("vmm.tty_mac_address", mac.value.to_string()));
    }
    keys.push(("vmm.tty_syslog.enable", "1".to_owned()));
    match source_address(policy, syslog) {
        Some(IpAddr::V4(source)) => keys.push(("vmm.tty_syslog.src_ipaddr", source.to_string())),
        Some(IpAddr::V6(source)) => remarks.push(format!("[syslog] source {source}: no key for IPv6")),
        None => remarks.push("[syslog] source: known when DHCP has answered".to_owned()),
    }
    let Some(target) = syslog.to.as_ref().map(|to| to.value) else {
        return;
    };
    match target.address {
        IpAddr::V4(address) => keys.push(("vmm.tty_syslog.dst_ipaddr", address.to_string())),
        IpAddr::V6(address) => remarks.push(format!("[syslog] to {address}: no key for IPv6")),
    }
    if target.port != crate::schema::Target::SYSLOG_PORT {
        remarks.push(format!("[syslog] to: port {} has no key", target.port));
    }
    if let Some(format) = &syslog.format {
        remarks.push(format!("[syslog] format {}: no key", format.value.word()));
    }
    if let Some(via) = &syslog.via {
        remarks.push(format!("[syslog] via {}: no key", via.value.as_str()));
    }
}

/// The source that messages carry: what is said, else the address of the logging NIC.
fn source_address(policy: &Policy, syslog: &Syslog) -> Option<IpAddr> {
    if let Some(source) = &syslog.source {
        return Some(source.value);
    }
    let document = &policy.document;
    let logging = document.devices().iter().find(|device| device.logs())?;
    match document.interface_of(logging)?.address.as_ref()?.value {
        Addressing::Static(cidr) => Some(cidr.0.addr()),
        Addressing::Dhcp => None,
    }
}

fn hanging_on_rules(policy: &Policy, remarks: &mut Vec<String>) {
    let document = &policy.document;
    for volume in document.volumes() {
        let users = document.devices().iter().filter(|device| {
            device
                .volume_names()
                .iter()
                .any(|name| name.value.as_str() == volume.name.value)
        });
        let users: Vec<&str> = users.map(crate::schema::Device::title).collect();
        remarks.push(format!(
            "[volume.{}] {} on {}",
            volume.name.value,
            volume_text(&volume.table),
            users.join(", ")
        ));
    }
    if let Some(clear) = &document.clear {
        let gpt = clear.gpt.as_ref().map_or("read-only", |gpt| gpt.value.word());
        let partitions = clear.partitions.iter().flat_map(|list| &list.value);
        let partitions: Vec<String> = partitions.map(|partition| partition.value.to_string()).collect();
        remarks.push(format!(
            "[clear] partitions {}; partition tables {gpt}",
            partitions.join(", ")
        ));
    }
    for device in document.devices() {
        if let Some(tunnel) = &device.tunnel {
            remarks.push(format!(
                "[tunnel.{}] on {}",
                tunnel.value.as_str(),
                device.title()
            ));
        }
    }
}

fn volume_text(volume: &Volume) -> String {
    let mut words = Vec::new();
    if let Some(partition) = &volume.partition {
        words.push(format!("partition {}", partition.value.0));
    }
    if let Some(label) = &volume.partition_label {
        words.push(format!("partition labelled {:?}", label.value));
    }
    if let Some(uuid) = &volume.partition_uuid {
        words.push(format!("partition {}", uuid.value));
    }
    if let Some(lba) = &volume.lba {
        words.push(format!("blocks {} to {}", lba.value.first, lba.value.last));
    }
    for (name, value, _) in volume.disk.iter().flat_map(Disk::selectors) {
        words.push(format!("of the disk with {name} {value}"));
    }
    if let (Some(cipher), Some(key_size)) = (&volume.cipher, &volume.key_size) {
        words.push(format!("{} {}", cipher.value.word(), key_size.value.0));
    }
    words.join(" ")
}

fn the_rest(policy: &Policy, remarks: &mut Vec<String>) {
    if let Some(next) = &policy.boot_next {
        remarks.push(format!("[boot] next {next}"));
    }
    if policy.guest_status {
        remarks.push("[guest] status: counters and log by hypercall".to_owned());
    }
    remarks.push(format!("[log] serial {}", policy.serial.word()));
    let fates = &policy.defaults;
    let pass = [
        ("storage", Some(fates.storage)),
        ("network", Some(fates.network)),
        ("usb", fates.usb),
        ("other", Some(fates.other)),
    ];
    for (name, decision) in pass {
        if decision.is_some_and(|decision| decision.fate == Fate::Pass) {
            remarks.push(format!(
                "[defaults] {name} = \"pass\" needs no entry: what no entry takes is the guest's"
            ));
        }
    }
}
