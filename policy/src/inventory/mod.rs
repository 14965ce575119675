//! Inventories: which PCI devices, and which disks, the machines of a fleet have.
//!
//! The text is JSON from other hands: one machine, a list of machines, or one machine a line. What is read is
//! checked once here; behind it every number is in range and every slot of a machine occurs once. Keys that this
//! build does not know are ignored, so that an inventory can serve other tools too.

mod lspci;
mod read;
mod split;
mod survey;
mod sysfs;
mod write;

pub use read::{read_described, read_inventory};
pub use survey::{File, Model, Problem, Sighting, SurveyError, survey};
pub use sysfs::this_machine;
pub use write::write_machine;

use sekisho_abi::disk::BlockSize;
use sekisho_abi::pci::{Address, Identity};
use serde::Deserialize;
use std::fmt;

/// One machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Machine {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What its maker calls it, if the inventory says so.
    pub model: Option<String>,
    /// Its PCI functions in the order of the inventory, no slot twice.
    pub devices: Vec<Identity>,
    /// What is known of its disks.
    pub disks: Vec<Disk>,
}

/// A disk behind a storage controller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// The controller's slot.
    pub controller: Address,
    /// The controller's port.
    pub port: u8,
    /// The disk's serial number.
    pub serial: Option<String>,
    /// The GUID of its GPT, as text.
    pub uuid: Option<String>,
    /// Bytes in a logical sector.
    pub logical_sector: BlockSize,
    /// Its logical sectors, if the inventory says how many.
    pub blocks: Option<u64>,
    /// Its partitions.
    pub partitions: Vec<Partition>,
}

/// A partition, as the disk's table lists it.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Partition {
    /// 1-based number.
    pub number: u32,
    /// Type, a GUID or an MBR type byte as text.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// GPT label.
    pub label: Option<String>,
    /// GPT unique GUID.
    pub uuid: Option<String>,
    /// First logical sector.
    pub first: u64,
    /// Last logical sector.
    pub last: u64,
}

/// Why a text is no inventory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InventoryError {
    /// Not JSON, or not of the layout.
    Layout {
        /// What and where, as the JSON reader says it.
        problem: String,
    },
    /// The description of one machine is longer than any can be.
    TooLong {
        /// 1-based line where it begins.
        line: usize,
    },
    /// A line is not as `lspci` prints it.
    Lspci {
        /// 1-based line.
        line: usize,
        /// What it must have.
        wanted: String,
    },
    /// There is no machine in it.
    Empty,
    /// A field's text has another form than it must have.
    Field {
        /// Which machine.
        machine: MachineName,
        /// `devices` or `disks`.
        list: &'static str,
        /// 0-based index in that list.
        index: usize,
        /// The field.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// A slot that another device of the machine has already.
    DuplicateSlot {
        /// Which machine.
        machine: MachineName,
        /// 0-based index of the second device.
        index: usize,
        /// The slot.
        slot: Address,
    },
    /// A partition that ends before it starts.
    BackwardPartition {
        /// Which machine.
        machine: MachineName,
        /// 0-based index in `disks`.
        index: usize,
        /// The partition's number.
        number: u32,
    },
}

/// A machine in a message: its name, else its 0-based place in the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MachineName {
    /// It has a name.
    Named(String),
    /// It has none.
    Unnamed(usize),
}

impl fmt::Display for MachineName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "machine `{name}`"),
            Self::Unnamed(index) => write!(f, "machine {index} (unnamed)"),
        }
    }
}

impl fmt::Display for InventoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout { problem } => write!(f, "not an inventory: {problem}"),
            Self::TooLong { line } => write!(
                f,
                "the machine that begins at line {line} has no end within 16 MiB"
            ),
            Self::Lspci { line, wanted } => write!(f, "line {line}: expected {wanted}"),
            Self::Empty => f.write_str("the inventory holds no machine"),
            Self::Field {
                machine,
                list,
                index,
                field,
                found,
                wanted,
            } => {
                write!(
                    f,
                    "{machine}, {list}[{index}].{field} is {found:?}, but must be {wanted}"
                )
            }
            Self::DuplicateSlot { machine, index, slot } => {
                write!(
                    f,
                    "{machine}, devices[{index}].slot is {slot}, as of a device before it"
                )
            }
            Self::BackwardPartition {
                machine,
                index,
                number,
            } => {
                write!(
                    f,
                    "{machine}, disks[{index}], partition {number} ends before it starts"
                )
            }
        }
    }
}

impl std::error::Error for InventoryError {}
