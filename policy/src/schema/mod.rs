//! Schema 1 of the policy file: every table and key, once, for the reader, the rules and the JSON Schema.
//!
//! These types hold what the file says, so every field may be absent: a value that is missing or malformed
//! was reported by the reader and everything else is still checked. What was accepted becomes a
//! [`crate::Policy`].

mod device;
mod network;
mod storage;
mod value;

pub use device::{AtapiAccess, Device, DriverName, Match, MatchItem, MatchTable, NetModule};
pub use network::{Addressing, Echo, Interface, Interfaces, Peer, Service, Syslog, SyslogFormat, Tunnel};
pub use storage::{Cipher, Clear, ClearPartition, Disk, GptAccess, LbaRange, Volume};
pub use value::{
    Attempts, BasePath, BlockSize, Cidr, DiskPort, Dropped, EchoPeer, Endpoint, EspPath, Host, HostOrNet,
    Keepalive, KeySize, MacAddress, Mtu, Name, Network, PartitionNumber, PublicKey, SchemaVersion, Target,
    Uuid,
};

pub(crate) use crate::read::Named;
use crate::read::{Family, table, words};
use crate::source::{Located, Span};

words! {
    /// What becomes of a device that no rule names.
    pub enum Fate {
        /// The guest has it.
        Pass = "pass",
        /// It does not exist for the guest.
        Conceal = "conceal",
    }
}

words! {
    /// What opens the key store at boot.
    pub enum UnlockMethod {
        /// A passphrase typed at boot.
        Passphrase = "passphrase",
        /// The recovery key that `keys init` showed once.
        Recovery = "recovery",
    }
}

words! {
    /// A serial port of the PC.
    pub enum SerialPort {
        /// The port at I/O address 0x3f8.
        Com1 = "com1",
        /// The port at I/O address 0x2f8.
        Com2 = "com2",
        /// None.
        Off = "off",
    }
}

table! {
    /// A Sekisho policy, schema 1.
    "the policy"
    pub struct Document {
        /// The version of the policy schema: 1.
        required policy: Located<SchemaVersion> = "policy",
        /// The policy whose word holds where this one says nothing, as a path relative to this file.
        optional extends: Located<BasePath> = "extends",
        /// What is not taken from there: tables, keys (`guest.status`), rules by name (`device.usb`).
        optional drop: Vec<Located<Dropped>> = "drop",
        /// The policy's name, shown at boot and in the log.
        required name: Located<Name> = "name",
        /// What becomes of devices that no rule names; nothing is decided silently.
        required defaults: Defaults = "defaults",
        /// The rules, in order: the first that matches a device decides.
        optional device: Vec<Device> = "device",
        /// Encrypted regions of disks, by name.
        optional volume: Family<Volume> = "volume",
        /// Sectors that stay in clear; every other sector of a mediated disk is a volume's or refused.
        optional clear: Clear = "clear",
        /// The appliance's own addresses: one for all NICs, or one for each NIC by name.
        optional ip: Interfaces = "ip",
        /// WireGuard tunnels, by name.
        optional tunnel: Family<Tunnel> = "tunnel",
        /// Where the log goes by UDP.
        optional syslog: Syslog = "syslog",
        /// How the key store is opened at boot.
        optional unlock: Unlock = "unlock",
        /// What is started as the guest.
        optional boot: Boot = "boot",
        /// What the guest may ask of the hypervisor.
        optional guest: Guest = "guest",
        /// Where log lines go while there is nothing better.
        optional log: Log = "log",
        /// Remote rescue access to the appliance; off unless said.
        optional rescue: Service = "rescue",
        /// Remote shell of the appliance; off unless said.
        optional shell: Service = "shell",
        /// Echo service of the appliance, for tests of the network; off unless said.
        optional echo: Echo = "echo",
        /// Status page of the appliance; off unless said.
        optional status_page: Service = "status-page",
    }
}

table! {
    /// What becomes of devices that no rule names.
    "[defaults]"
    pub struct Defaults {
        /// Mass storage controllers, class 01xx.
        required storage: Located<Fate> = "storage",
        /// Network controllers, class 02xx.
        required network: Located<Fate> = "network",
        /// Everything else; bridges (06xx) and system devices (08xx) are never touched.
        required other: Located<Fate> = "other",
        /// USB controllers, class 0c03; as `other` unless said.
        optional usb: Located<Fate> = "usb",
    }
}

table! {
    /// How the key store is opened at boot.
    "[unlock]"
    pub struct Unlock {
        /// What is accepted at the prompt.
        required methods: Located<Vec<Located<UnlockMethod>>> = "methods",
        /// How many wrong answers before the machine powers off; the count is not kept.
        optional attempts: Located<Attempts> = "attempts",
    }
}

table! {
    /// What is started as the guest.
    "[boot]"
    pub struct Boot {
        /// The boot loader on the guest's own EFI system partition; else the firmware's next boot entry.
        optional next: Located<EspPath> = "next",
    }
}

table! {
    /// What the guest may ask of the hypervisor.
    "[guest]"
    pub struct Guest {
        /// The guest may read counters and the log by hypercall; `false` unless said.
        optional status: Located<bool> = "status",
    }
}

table! {
    /// Where log lines go while there is nothing better.
    "[log]"
    pub struct Log {
        /// The serial port for the hypervisor's log lines; `com1` unless said.
        optional serial: Located<SerialPort> = "serial",
    }
}

impl Document {
    /// The rules in order.
    pub(crate) fn devices(&self) -> &[Device] {
        self.device.as_deref().unwrap_or_default()
    }

    /// Whether a rule may say this key in a way that could not be read.
    pub(crate) fn some_device_is_unclear(&self, key: &str) -> bool {
        let unread = self.device.is_none() && self.is_unclear("device");
        unread || self.devices().iter().any(|device| device.is_unclear(key))
    }

    /// The volumes in file order.
    pub(crate) fn volumes(&self) -> &[Named<Volume>] {
        self.volume.as_ref().map_or(&[], |family| &family.members)
    }

    /// The tunnels in file order.
    pub(crate) fn tunnels(&self) -> &[Named<Tunnel>] {
        self.tunnel.as_ref().map_or(&[], |family| &family.members)
    }

    /// The volume with this name.
    pub(crate) fn volume_named(&self, name: &str) -> Option<&Named<Volume>> {
        self.volumes().iter().find(|volume| volume.name.value == name)
    }

    /// The tunnel with this name.
    pub(crate) fn tunnel_named(&self, name: &str) -> Option<&Named<Tunnel>> {
        self.tunnels().iter().find(|tunnel| tunnel.name.value == name)
    }

    /// Every own address of the appliance, the unnamed one first.
    pub(crate) fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.ip.iter().flat_map(Interfaces::all)
    }

    /// The own address that a NIC uses: the one it names, else the unnamed one.
    pub(crate) fn interface_of(&self, device: &Device) -> Option<&Interface> {
        let interfaces = self.ip.as_ref()?;
        match &device.ip {
            None => interfaces.unnamed.as_ref(),
            Some(name) => interfaces.named(name.value.as_str()),
        }
    }

    /// The name of the service that tests of the network use.
    pub(crate) const ECHO: &'static str = "echo";

    /// The services that are reached from outside.
    pub(crate) fn services(&self) -> impl Iterator<Item = Reachable<'_>> {
        let plain = [
            ("rescue", &self.rescue),
            ("shell", &self.shell),
            ("status-page", &self.status_page),
        ];
        let plain = plain.into_iter().filter_map(|(name, service)| {
            let service = service.as_ref()?;
            Some(Reachable {
                name,
                span: service.span,
                allow: service.allow.as_ref().filter(|_| !service.is_unclear("allow")),
            })
        });
        let echo = self.echo.iter().map(|echo| Reachable {
            name: Self::ECHO,
            span: echo.span,
            allow: echo.allow.as_ref().filter(|_| !echo.is_unclear("allow")),
        });
        plain.chain(echo)
    }
}

/// A service that is reached from outside.
pub(crate) struct Reachable<'d> {
    /// Its table's name.
    pub(crate) name: &'static str,
    /// Its table.
    pub(crate) span: Span,
    /// Who may, unless something was reported about it.
    pub(crate) allow: Option<&'d Located<Vec<Located<HostOrNet>>>>,
}
