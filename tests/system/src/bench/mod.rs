//! What the hypervisor costs, beside the bare machine in the same run and the ancestor's published figures.
//!
//! The emulator's seconds say little, so operations are counted in instructions and times compared as ratios.

mod boot;
mod crypto;
mod disk;
mod fleet;
mod limit;
mod net;
mod operations;
mod row;
mod size;
mod tunnel;

use crate::failure::Failure;

pub use row::{Row, as_json, as_table};

/// The policy that is measured.
const POLICY: &str = "first-light.toml";

/// One group of rows; `make bench ONLY=NAME` runs it alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// Instructions that one intercepted operation costs beyond the bare machine.
    Operations,
    /// VM exits by reason, and CPU time, from power-on to the guest's shell.
    Boot,
    /// Memory reserved, bytes of the image.
    Size,
    /// The sector cipher beside OpenSSL and the CPU's own limit.
    Crypto,
    /// CPU time and exits of a disk's load, bare, passed, mediated in clear and encrypted.
    Disk,
    /// CPU time, exits and round trips of a NIC's load, bare, passed, shared and of the appliance's own.
    Net,
    /// The WireGuard engine beside boringtun's.
    Tunnel,
    /// Policies planned for a fleet, and checked.
    Fleet,
}

impl Group {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 8] = [
        Self::Operations,
        Self::Boot,
        Self::Size,
        Self::Crypto,
        Self::Disk,
        Self::Net,
        Self::Tunnel,
        Self::Fleet,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Boot => "boot",
            Self::Size => "size",
            Self::Crypto => "crypto",
            Self::Fleet => "fleet",
            Self::Disk => "disk",
            Self::Net => "net",
            Self::Tunnel => "tunnel",
        }
    }

    /// The group called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name)
    }

    /// Measures it.
    ///
    /// # Errors
    /// [`Failure`] of the machine.
    pub fn measure(self) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Operations => operations::measure(),
            Self::Boot => boot::measure(),
            Self::Size => size::measure(),
            Self::Crypto => crypto::measure(),
            Self::Fleet => fleet::measure(),
            Self::Disk => disk::measure(),
            Self::Net => net::measure(),
            Self::Tunnel => tunnel::measure(),
        }
    }
}
