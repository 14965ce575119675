//! The three facts the hypervisor takes from the ACPI tables: where the configuration window of PCI segment 0
//! lies (MCFG), which I/O port resets the machine (FADT), and where the event timers are (HPET).
//!
//! A table that is not there is no error: there are machines without. A table that is there but damaged is one,
//! because the window it describes would exist unguarded. Tables are untrusted: each is copied once, every
//! length and checksum is checked, and the walk is bounded by [`MAX_TABLES`] and [`MAX_TABLE_LENGTH`].
//!
//! Source: ACPI Specification 6.5, sections 5.2.5 (RSDP), 5.2.6 (header), 5.2.7 (RSDT), 5.2.8 (XSDT), 5.2.9
//! (FADT); PCI Firmware Specification 3.3, section 4.1.2 (MCFG); IA-PC HPET Specification 1.0a, section 3.2.4 (HPET).

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

/// Most tables that a root table may list.
pub const MAX_TABLES: usize = 256;
/// Longest root table, MCFG or FADT that is read.
pub const MAX_TABLE_LENGTH: usize = 64 << 10;

const HEADER_LENGTH: usize = 36;
const RSDP_V1_LENGTH: usize = 20;
const RSDP_V2_LENGTH: usize = 36;
/// MCFG: a reserved quadword follows the header.
const MCFG_FIRST_ENTRY: usize = HEADER_LENGTH + 8;
const MCFG_ENTRY_LENGTH: usize = 16;
const FADT_FLAGS: usize = 112;
/// FADT flag RESET_REG_SUP.
const FADT_RESET_SUPPORTED: u32 = 1 << 10;
/// A Generic Address Structure: space, bit width, bit offset, access size, then the address.
const FADT_RESET_REGISTER: usize = 116;
const FADT_RESET_VALUE: usize = 128;
/// Generic Address Structure, address space: memory, system I/O.
const SPACE_MEMORY: u8 = 0;
const SPACE_IO: u8 = 1;
/// HPET: the Generic Address Structure of its registers.
const HPET_REGISTERS: usize = 40;

/// A physical address as a firmware table gives it: not yet known to lie anywhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableAddress(pub u64);

/// The memory that tables lie in.
pub trait TableMemory {
    /// Fills `into` with the bytes from `address` on.
    ///
    /// # Errors
    /// [`Unreadable`] if any of them is not memory; `into` is undefined then.
    fn copy(&self, address: TableAddress, into: &mut [u8]) -> Result<(), Unreadable>;
}

/// An address at which there is no memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreadable;

/// What the tables say about this machine.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Platform {
    /// The configuration window of PCI segment 0.
    pub config_window: Option<ConfigWindow>,
    /// The reset register, where it is an I/O port.
    pub reset: Option<ResetPort>,
    /// Physical address of the page of event timers.
    pub timers: Option<u64>,
}

/// A memory-mapped configuration window that starts at bus 0, 1 MiB a bus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConfigWindow {
    /// Physical address of bus 0.
    pub base: u64,
    /// Last bus decoded.
    pub last_bus: u8,
}

/// The byte write that resets the machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResetPort {
    /// I/O port.
    pub port: u16,
    /// What to write.
    pub value: u8,
}

/// A table that is there but cannot be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AcpiError {
    /// A table's address is not memory.
    Unreadable(TableAddress),
    /// The root pointer or root table lacks its signature.
    NotATable(TableAddress),
    /// A length field is impossible for the table.
    Length(Signature, u32),
    /// The bytes do not sum to zero.
    Checksum(Signature),
    /// The root table lists more than [`MAX_TABLES`].
    TooManyTables(usize),
    /// The MCFG gives segment 0 a window that is unaligned or leaves the address space.
    Window(u64),
}

/// The four letters that name a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 4]);

impl Signature {
    const RSDP: Self = Self(*b"RSD ");
    const RSDT: Self = Self(*b"RSDT");
    const XSDT: Self = Self(*b"XSDT");
    const MCFG: Self = Self(*b"MCFG");
    const FADT: Self = Self(*b"FACP");
    const HPET: Self = Self(*b"HPET");
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Display for AcpiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(at) => write!(
                f,
                "an ACPI table is said to be at {:#x}, where there is no memory",
                at.0
            ),
            Self::NotATable(at) => write!(f, "the ACPI root at {:#x} is not an ACPI table", at.0),
            Self::Length(signature, length) => {
                write!(
                    f,
                    "the ACPI table {signature:?} has the impossible length {length}"
                )
            }
            Self::Checksum(signature) => write!(f, "the ACPI table {signature:?} has a wrong checksum"),
            Self::TooManyTables(count) => {
                write!(f, "the ACPI root lists {count} tables, more than {MAX_TABLES}")
            }
            Self::Window(base) => {
                write!(
                    f,
                    "the ACPI table MCFG puts the PCI configuration window at the impossible address {base:#x}"
                )
            }
        }
    }
}

/// Reads what is known of the machine from the tables below the root pointer at `pointer`.
///
/// # Errors
/// [`AcpiError`] for the first table in the way that is damaged. The first of each kind counts.
pub fn read_platform(memory: &impl TableMemory, pointer: TableAddress) -> Result<Platform, AcpiError> {
    let mut platform = Platform::default();
    let [mut seen_window, mut seen_reset, mut seen_timers] = [Once::Awaited, Once::Awaited, Once::Awaited];
    for address in table_addresses(memory, pointer)? {
        let header = Header::read(memory, address)?;
        match header.signature {
            Signature::MCFG if seen_window.take() => platform.config_window = window(&header.table(memory)?)?,
            Signature::FADT if seen_reset.take() => platform.reset = reset_port(&header.table(memory)?),
            Signature::HPET if seen_timers.take() => platform.timers = timers(&header.table(memory)?),
            _ => {}
        }
    }
    Ok(platform)
}

/// A table of which only the first counts.
enum Once {
    Awaited,
    Taken,
}

impl Once {
    fn take(&mut self) -> bool {
        matches!(core::mem::replace(self, Self::Taken), Self::Awaited)
    }
}

/// The addresses that the XSDT lists, or the RSDT where there is no XSDT; null entries left out.
fn table_addresses(memory: &impl TableMemory, pointer: TableAddress) -> Result<Vec<TableAddress>, AcpiError> {
    let (expected, root, width) = root_table(memory, pointer)?;
    let header = Header::read(memory, root)?;
    if header.signature != expected {
        return Err(AcpiError::NotATable(root));
    }
    let table = header.table(memory)?;
    let entries = table.get(HEADER_LENGTH..).unwrap_or_default();
    let count = entries.len() / width;
    if count > MAX_TABLES {
        return Err(AcpiError::TooManyTables(count));
    }
    Ok(entries
        .chunks_exact(width)
        .map(little_endian)
        .filter(|&entry| entry != 0)
        .map(TableAddress)
        .collect())
}

/// The root table that the root pointer names: its signature, its address and the width of its entries.
fn root_table(
    memory: &impl TableMemory,
    pointer: TableAddress,
) -> Result<(Signature, TableAddress, usize), AcpiError> {
    let first = copied(memory, pointer, RSDP_V1_LENGTH)?;
    if first.get(..8) != Some(b"RSD PTR ") {
        return Err(AcpiError::NotATable(pointer));
    }
    check_sum(Signature::RSDP, &first)?;
    let revision = field(&first, 15, 1);
    if revision >= 2 {
        let whole = copied(memory, pointer, RSDP_V2_LENGTH)?;
        check_sum(Signature::RSDP, &whole)?;
        let xsdt = field(&whole, 24, 8);
        if xsdt != 0 {
            return Ok((Signature::XSDT, TableAddress(xsdt), 8));
        }
    }
    Ok((Signature::RSDT, TableAddress(field(&first, 16, 4)), 4))
}

/// The start of a table: enough to know whether it is wanted.
struct Header {
    address: TableAddress,
    signature: Signature,
    length: u32,
}

impl Header {
    fn read(memory: &impl TableMemory, address: TableAddress) -> Result<Self, AcpiError> {
        let mut bytes = [0; 8];
        memory
            .copy(address, &mut bytes)
            .map_err(|Unreadable| AcpiError::Unreadable(address))?;
        let [s0, s1, s2, s3, length @ ..] = bytes;
        Ok(Self {
            address,
            signature: Signature([s0, s1, s2, s3]),
            length: u32::from_le_bytes(length),
        })
    }

    /// The whole table, copied once, its checksum verified.
    fn table(&self, memory: &impl TableMemory) -> Result<Vec<u8>, AcpiError> {
        let length = usize::try_from(self.length)
            .ok()
            .filter(|length| (HEADER_LENGTH..=MAX_TABLE_LENGTH).contains(length))
            .ok_or(AcpiError::Length(self.signature, self.length))?;
        let table = copied(memory, self.address, length)?;
        check_sum(self.signature, &table)?;
        Ok(table)
    }
}

/// The window of segment 0 that starts at bus 0.
fn window(mcfg: &[u8]) -> Result<Option<ConfigWindow>, AcpiError> {
    let entries = mcfg
        .get(MCFG_FIRST_ENTRY..)
        .unwrap_or_default()
        .chunks_exact(MCFG_ENTRY_LENGTH);
    let Some(entry) = entries
        .into_iter()
        .find(|entry| field(entry, 8, 2) == 0 && field(entry, 10, 1) == 0)
    else {
        return Ok(None);
    };
    let base = field(entry, 0, 8);
    let last_bus = entry.get(11).copied().unwrap_or_default();
    let length = (u64::from(last_bus) + 1) << 20;
    if base == 0 || base & 0xf_ffff != 0 || base.checked_add(length).is_none() {
        return Err(AcpiError::Window(base));
    }
    Ok(Some(ConfigWindow { base, last_bus }))
}

/// The reset register, if the FADT is long enough to have one, says it has, and puts it at an I/O port.
fn reset_port(fadt: &[u8]) -> Option<ResetPort> {
    let flags = u32::try_from(field(fadt, FADT_FLAGS, 4)).ok()?;
    let value = *fadt.get(FADT_RESET_VALUE)?;
    let space = *fadt.get(FADT_RESET_REGISTER)?;
    let port = u16::try_from(field(fadt, FADT_RESET_REGISTER + 4, 8)).ok()?;
    (flags & FADT_RESET_SUPPORTED != 0 && space == SPACE_IO && port != 0).then_some(ResetPort { port, value })
}

/// The page of the event timers, if it is one.
fn timers(hpet: &[u8]) -> Option<u64> {
    let space = *hpet.get(HPET_REGISTERS)?;
    let address = field(hpet, HPET_REGISTERS + 4, 8);
    (space == SPACE_MEMORY && address != 0 && address & 0xfff == 0).then_some(address)
}

fn copied(memory: &impl TableMemory, address: TableAddress, length: usize) -> Result<Vec<u8>, AcpiError> {
    let mut bytes = vec![0; length];
    memory
        .copy(address, &mut bytes)
        .map_err(|Unreadable| AcpiError::Unreadable(address))?;
    Ok(bytes)
}

fn check_sum(signature: Signature, bytes: &[u8]) -> Result<(), AcpiError> {
    match bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)) {
        0 => Ok(()),
        _ => Err(AcpiError::Checksum(signature)),
    }
}

/// The little-endian field of `width` bytes at `offset`; zero where the table is too short.
fn field(bytes: &[u8], offset: usize, width: usize) -> u64 {
    bytes
        .get(offset..)
        .and_then(|rest| rest.get(..width))
        .map_or(0, little_endian)
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests;
