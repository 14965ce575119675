//! What becomes of a device, in the words of plans, expectations and comparisons.

use crate::schema::NetModule;
use sekisho_abi::pci::Identity;
use sekisho_abi::selection::{Decision, Driver};
use std::fmt;

/// What becomes of a device.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fate {
    /// The guest has it as it is.
    Pass,
    /// It does not exist for the guest.
    Conceal,
    /// A driver of ours encrypts its disks.
    Encrypt,
    /// The guest has the NIC; frames pass unchanged.
    NetPass,
    /// The guest keeps the NIC with its link down.
    Null,
    /// The appliance's own stack has the NIC, the guest reaches nothing.
    Ip,
    /// The guest shares the NIC with the appliance's own stack.
    IpPass,
    /// The guest reaches the network through a tunnel only.
    Vpn,
    /// The NIC is the appliance's alone, for its log.
    Own,
    /// A driver of the selection language that no policy can name takes it: only raw strings have it.
    Other(Driver),
}

impl Fate {
    /// Those that a policy can decide, with their words.
    pub const WORDS: [(&'static str, Self); 9] = [
        ("pass", Self::Pass),
        ("conceal", Self::Conceal),
        ("encrypt", Self::Encrypt),
        ("net-pass", Self::NetPass),
        ("null", Self::Null),
        ("ip", Self::Ip),
        ("ippass", Self::IpPass),
        ("vpn", Self::Vpn),
        ("own", Self::Own),
    ];

    /// The fate that a decision is.
    #[must_use]
    pub fn of(decision: Option<Decision<'_>>) -> Self {
        let Some(decision) = decision else {
            return Self::Pass;
        };
        let net = decision.options.iter().find(|option| option.name == "net");
        match (decision.driver, net.map(|option| option.value.as_str())) {
            (None, _) => Self::Pass,
            (Some(Driver::Conceal), _) => Self::Conceal,
            (Some(Driver::Ahci | Driver::Ata), _) => Self::Encrypt,
            (Some(Driver::Pro1000 | Driver::Pro100), net) => match net {
                Some(word) if word == NetModule::Pass.word() => Self::NetPass,
                Some(word) if word == NetModule::Null.word() => Self::Null,
                Some(word) if word == NetModule::Ip.word() => Self::Ip,
                Some(word) if word == NetModule::IpPass.word() => Self::IpPass,
                Some(word) if word == NetModule::Vpn.word() => Self::Vpn,
                _ => Self::Own,
            },
            (Some(driver), _) => Self::Other(driver),
        }
    }

    /// The fate of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let (_, fate) = Self::WORDS.into_iter().find(|(known, _)| *known == word)?;
        Some(fate)
    }
}

impl Fate {
    /// Its word; of a driver that no policy can name, the driver's name.
    #[must_use]
    pub fn word(self) -> &'static str {
        if let Self::Other(driver) = self {
            return driver.name();
        }
        let word = Self::WORDS.into_iter().find(|(_, known)| *known == self);
        word.map_or("", |(word, _)| word)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The default that decides a device which no rule takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum DefaultKey {
    /// `storage`.
    Storage,
    /// `network`.
    Network,
    /// `usb`.
    Usb,
    /// `other`.
    Other,
}

impl DefaultKey {
    /// The key in `[defaults]`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Storage => "storage",
            Self::Network => "network",
            Self::Usb => "usb",
            Self::Other => "other",
        }
    }
}

impl DefaultKey {
    /// As plans name it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Storage => "[defaults] storage",
            Self::Network => "[defaults] network",
            Self::Usb => "[defaults] usb",
            Self::Other => "[defaults] other",
        }
    }
}

/// What kind of device it is, as far as protection goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Mass storage, class 01xx.
    Storage,
    /// A network controller, class 02xx.
    Network,
    /// Reaches disks, but is of another class: what it is.
    OtherStorage(&'static str),
    /// Reaches networks, but is of another class: what it is.
    OtherNetwork(&'static str),
    /// Disks and NICs may be plugged in behind it: what it is.
    HotPlug(&'static str),
    /// Nothing works without it.
    Fixed(&'static str),
    /// None of these.
    Plain,
}

impl Kind {
    /// By its class: PCI Code and ID Assignment Specification 1.16, section 1.
    pub(crate) const fn of(device: &Identity) -> Self {
        match device.class() {
            0x0100..=0x01ff => Self::Storage,
            0x0200..=0x02ff => Self::Network,
            0x0805 => Self::OtherStorage("SD card reader"),
            0x0c04 => Self::OtherStorage("Fibre Channel controller"),
            0x0c06 => Self::OtherNetwork("InfiniBand controller"),
            0x0d00..=0x0dff => Self::OtherNetwork("wireless controller"),
            0x0c00 => Self::HotPlug("FireWire"),
            0x0c03 => Self::HotPlug("USB"),
            0x0607 => Self::HotPlug("CardBus"),
            0x0600..=0x06ff => Self::Fixed("bridge"),
            0x0800..=0x08ff => Self::Fixed("system device"),
            _ => Self::Plain,
        }
    }
}
