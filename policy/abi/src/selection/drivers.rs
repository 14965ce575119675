//! The drivers that the grammar knows: BitVisor's, with the devices each selects by default and its options.
//!
//! A name here is no promise that this build has the driver: old strings must be readable to be explained.
//! Whether a policy may use one is decided by the policy check and again by the hypervisor.

use super::{Property, pattern};
use crate::pci::Identity;
use core::fmt;
use serde::{Deserialize, Serialize};

/// A driver by name. `driver=none` is no driver: see [`super::Entry::driver`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Driver {
    /// `ata`: ATA controllers.
    Ata,
    /// `ahci`: AHCI controllers.
    Ahci,
    /// `raid`: RAID controllers.
    Raid,
    /// `ieee1394`: IEEE 1394 host controllers.
    Ieee1394,
    /// `ieee1394log`: IEEE 1394 host controllers, for logging.
    Ieee1394Log,
    /// `thunderbolt_conceal`: Thunderbolt bridges, hidden from the guest.
    ThunderboltConceal,
    /// `aq`: Aquantia network controllers.
    Aq,
    /// `bnx`: Broadcom network controllers.
    Bnx,
    /// `pro100`: Intel PRO/100 network controllers.
    Pro100,
    /// `pro1000`: Intel PRO/1000 network controllers.
    Pro1000,
    /// `re`: Realtek network controllers, all generations.
    Re,
    /// `rtl8169`: Realtek 8168 and 8169 network controllers.
    Rtl8169,
    /// `nvme`: NVMe controllers.
    Nvme,
    /// `nvme_apple`: Apple's NVMe controllers.
    NvmeApple,
    /// `conceal`: Any device, hidden from the guest; selects nothing by itself.
    Conceal,
    /// `monitor`: Any device, its accesses logged; selects nothing by itself.
    Monitor,
    /// `ehci`: USB 2 host controllers.
    Ehci,
    /// `ehci_conceal`: USB 2 host controllers, hidden from the guest.
    EhciConceal,
    /// `uhci`: USB 1 host controllers.
    Uhci,
    /// `xhci`: USB 3 host controllers.
    Xhci,
    /// `vga_intel`: Intel graphics.
    VgaIntel,
    /// `x540`: Intel X540 network controllers.
    X540,
}

/// One condition of a driver's default pattern: a property, and alternatives joined by `|`, any of which may
/// match. They have `*` and `?`, but neither quotes nor backslashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DefaultItem(pub Property, pub &'static str);

/// A row of the table.
struct Facts {
    name: &'static str,
    devices: &'static [DefaultItem],
    options: &'static [&'static str],
}

impl Driver {
    /// Every driver of the grammar, in the table's order.
    pub const ALL: [Self; 22] = [
        Self::Ata,
        Self::Ahci,
        Self::Raid,
        Self::Ieee1394,
        Self::Ieee1394Log,
        Self::ThunderboltConceal,
        Self::Aq,
        Self::Bnx,
        Self::Pro100,
        Self::Pro1000,
        Self::Re,
        Self::Rtl8169,
        Self::Nvme,
        Self::NvmeApple,
        Self::Conceal,
        Self::Monitor,
        Self::Ehci,
        Self::EhciConceal,
        Self::Uhci,
        Self::Xhci,
        Self::VgaIntel,
        Self::X540,
    ];

    /// The driver called exactly `name`; `none` is not one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|driver| driver.name() == name)
    }

    /// Its name in selection strings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// The names of the options it takes.
    #[must_use]
    pub const fn options(self) -> &'static [&'static str] {
        self.facts().options
    }

    /// Its default pattern: all of these must match. `conceal` and `monitor` have one that no device matches.
    #[must_use]
    pub const fn default_items(self) -> &'static [DefaultItem] {
        self.facts().devices
    }

    /// Whether its default pattern matches the device.
    #[must_use]
    pub fn fits(self, device: &Identity) -> bool {
        self.default_items().iter().all(|item| item.matches(device))
    }

    /// The drivers whose default pattern matches the device, in the table's order: for the boot log.
    pub fn fitting(device: &Identity) -> impl Iterator<Item = Self> + '_ {
        Self::ALL.into_iter().filter(|driver| driver.fits(device))
    }

    /// The table.
    const fn facts(self) -> &'static Facts {
        match self {
            Self::Ata => &Facts {
                name: "ata",
                devices: &[DefaultItem(Property::Class, "0101")],
                options: &[],
            },
            Self::Ahci => &Facts {
                name: "ahci",
                devices: &[DefaultItem(Property::ClassCode, "010601")],
                options: &[],
            },
            Self::Raid => &Facts {
                name: "raid",
                devices: &[DefaultItem(Property::Class, "0104")],
                options: &[],
            },
            Self::Ieee1394 => &Facts {
                name: "ieee1394",
                devices: &[DefaultItem(Property::ClassCode, "0c0010")],
                options: &[],
            },
            Self::Ieee1394Log => &Facts {
                name: "ieee1394log",
                devices: &[DefaultItem(Property::ClassCode, "0c0010")],
                options: &[],
            },
            Self::ThunderboltConceal => &Facts {
                name: "thunderbolt_conceal",
                devices: &[
                    DefaultItem(Property::ClassCode, "060400"),
                    DefaultItem(Property::Id, "8086:1513|8086:1547|8086:1549"),
                ],
                options: &[],
            },
            Self::Aq => &Facts {
                name: "aq",
                devices: &[
                    DefaultItem(Property::ClassCode, "020000"),
                    DefaultItem(Property::Id, "1d6a:07b1|1d6a:87b1"),
                ],
                options: &["tty", "net", "virtio"],
            },
            Self::Bnx => &Facts {
                name: "bnx",
                devices: &[
                    DefaultItem(Property::ClassCode, "020000"),
                    DefaultItem(
                        Property::Id,
                        "14e4:165a|14e4:1682|14e4:1684|14e4:1686|14e4:1691|14e4:16b4",
                    ),
                ],
                options: &["tty", "net", "virtio", "multifunction", "hotplugpass"],
            },
            Self::Pro100 => &Facts {
                name: "pro100",
                devices: &[DefaultItem(Property::Id, "8086:1229")],
                options: &["net"],
            },
            Self::Pro1000 => &Facts {
                name: "pro1000",
                devices: &[
                    DefaultItem(Property::ClassCode, "020000"),
                    DefaultItem(Property::Id, PRO1000_IDS),
                ],
                options: &["tty", "net", "virtio"],
            },
            Self::Re => &Facts {
                name: "re",
                devices: &[
                    DefaultItem(Property::ClassCode, "020000"),
                    DefaultItem(
                        Property::Id,
                        "10ec:8129|10ec:8139|10ec:8169|10ec:8167|10ec:8168|10ec:8161|10ec:8136",
                    ),
                ],
                options: &["tty", "net", "virtio"],
            },
            Self::Rtl8169 => &Facts {
                name: "rtl8169",
                devices: &[DefaultItem(Property::Id, "10ec:8168|10ec:8169")],
                options: &["tty", "net"],
            },
            Self::Nvme => &Facts {
                name: "nvme",
                devices: &[DefaultItem(Property::ClassCode, "010802")],
                options: &["storage_io", "ext", "filter_msi"],
            },
            Self::NvmeApple => &Facts {
                name: "nvme_apple",
                devices: &[DefaultItem(Property::ClassCode, "018002")],
                options: &["storage_io", "ext", "filter_msi", "ans2_wrapper"],
            },
            Self::Conceal => &Facts {
                name: "conceal",
                devices: &[DefaultItem(Property::Id, ":")],
                options: &[],
            },
            Self::Monitor => &Facts {
                name: "monitor",
                devices: &[DefaultItem(Property::Id, ":")],
                options: &[
                    "bar0",
                    "bar1",
                    "bar2",
                    "bar3",
                    "bar4",
                    "bar5",
                    "config",
                    "nentries",
                    "time",
                    "overwrite",
                ],
            },
            Self::Ehci => &Facts {
                name: "ehci",
                devices: &[DefaultItem(Property::ClassCode, "0c0320")],
                options: &[],
            },
            Self::EhciConceal => &Facts {
                name: "ehci_conceal",
                devices: &[DefaultItem(Property::ClassCode, "0c0320")],
                options: &[],
            },
            Self::Uhci => &Facts {
                name: "uhci",
                devices: &[DefaultItem(Property::ClassCode, "0c0300")],
                options: &[],
            },
            Self::Xhci => &Facts {
                name: "xhci",
                devices: &[DefaultItem(Property::ClassCode, "0c0330")],
                options: &[],
            },
            Self::VgaIntel => &Facts {
                name: "vga_intel",
                devices: &[
                    DefaultItem(Property::Id, "8086:*"),
                    DefaultItem(Property::ClassCode, "030000"),
                ],
                options: &[],
            },
            Self::X540 => &Facts {
                name: "x540",
                devices: &[
                    DefaultItem(Property::Id, "8086:1528"),
                    DefaultItem(Property::ClassCode, "020000"),
                ],
                options: &[],
            },
        }
    }
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl DefaultItem {
    /// Whether the device's property matches one of the alternatives.
    fn matches(&self, device: &Identity) -> bool {
        let Self(property, alternatives) = self;
        let text = property.text(device);
        alternatives
            .split('|')
            .any(|alternative| pattern::plain_matches(alternative, &text))
    }
}

/// The vendor and device IDs of `pro1000`.
const PRO1000_IDS: &str = "\
    8086:105e|8086:1081|8086:1082|8086:1083|8086:1096|8086:1097|8086:1098|8086:108b|8086:108c|\
    8086:109a|8086:1019|8086:101a|8086:1010|8086:1012|8086:101d|8086:1079|8086:107a|8086:107b|\
    8086:100f|8086:1011|8086:1026|8086:1027|8086:1028|8086:1107|8086:1112|8086:1013|8086:1018|\
    8086:1076|8086:1077|8086:1078|8086:1017|8086:1016|8086:100e|8086:1015|8086:1000|8086:1001|\
    8086:1004|8086:1008|8086:1009|8086:100c|8086:100d|8086:1014|8086:101e|8086:1049|8086:104b|\
    8086:104a|8086:104c|8086:104d|8086:105f|8086:1060|8086:1075|8086:107c|8086:107d|8086:107e|\
    8086:107f|8086:108a|8086:1099|8086:10a4|8086:10a5|8086:10a7|8086:10a9|8086:10b5|8086:10b9|\
    8086:10ba|8086:10bb|8086:10bc|8086:10bd|8086:10c0|8086:10c2|8086:10c3|8086:10c4|8086:10c5|\
    8086:10d5|8086:10d6|8086:10d9|8086:10da|8086:10f5|8086:294c|8086:10bf|8086:10cb|8086:10cc|\
    8086:10cd|8086:10ce|8086:10d3|8086:10de|8086:10df|8086:10e5|8086:10ea|8086:10eb|8086:10ef|\
    8086:10f0|8086:10f6|8086:1501|8086:1502|8086:1503|8086:150c|8086:1525|8086:0438|8086:043a|\
    8086:043c|8086:0440|8086:10c9|8086:10ca|8086:10e6|8086:10e7|8086:10e8|8086:150a|8086:150d|\
    8086:150e|8086:150f|8086:1510|8086:1511|8086:1516|8086:1518|8086:1520|8086:1521|8086:1522|\
    8086:1523|8086:1524|8086:1526|8086:1527|8086:1533|8086:1534|8086:1535|8086:1536|8086:1537|\
    8086:1538|8086:1539|8086:153a|8086:153b|8086:1559|8086:155a|8086:157b|8086:157c|8086:1f40|\
    8086:1f41|8086:1f45|8086:15b7|8086:1570|8086:15d8|8086:15d7|8086:15e3|8086:156f|8086:15be|\
    8086:15bd";
