//! What the image holds beside the loader: section names, the hypervisor's flat layout, the manifest.
//!
//! `sekisho.efi` is the loader's PE with four more sections, read-only data to the firmware:
//! [`SECTION_LAYOUT`] (a postcard [`HypervisorLayout`]), [`SECTION_HYPERVISOR`] (the bytes it describes),
//! [`SECTION_POLICY`] (a [`crate::compiled::CompiledPolicy`]) and [`SECTION_MANIFEST`] (a [`Manifest`]).

use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// PE section holding the [`HypervisorLayout`].
pub const SECTION_LAYOUT: &str = ".hvlay";
/// PE section holding the hypervisor's file bytes, segment after segment.
pub const SECTION_HYPERVISOR: &str = ".hvimg";
/// PE section holding the compiled policy.
pub const SECTION_POLICY: &str = ".policy";
/// PE section holding the [`Manifest`]; the last section.
pub const SECTION_MANIFEST: &str = ".seal";

/// Page size of segments and of the hypervisor's region.
pub const PAGE: u32 = 4096;

/// How to place the hypervisor in memory: copy each segment, zero the rest, add the load address at each
/// relocation, give each segment its access, jump to `entry`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HypervisorLayout {
    /// Offset of the entry point from the load address.
    pub entry: u32,
    /// Bytes from the load address to the end of the last segment, a multiple of [`PAGE`].
    pub memory_size: u32,
    /// In ascending order of `offset`, each starting on a page, without overlap.
    pub segments: Vec<Segment>,
    /// Offsets of 64-bit words to which the load address is added.
    pub relocations: Vec<u32>,
}

/// One part of the hypervisor with one access.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Segment {
    /// Offset from the load address, a multiple of [`PAGE`].
    pub offset: u32,
    /// Bytes taken from [`SECTION_HYPERVISOR`].
    pub file_size: u32,
    /// Bytes in memory; what exceeds `file_size` is zero.
    pub memory_size: u32,
    /// What the hypervisor's own page tables allow.
    pub access: Access,
}

/// Access of a segment: never both writable and executable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and execute.
    Execute,
    /// Read and write.
    Write,
}

/// What was built, and the digest of every other section, so that damage is told before it is run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the build, as in `Cargo.toml`.
    pub version: String,
    /// The policy's name.
    pub policy: String,
    /// One for each other section, in file order.
    pub sections: Vec<SectionDigest>,
}

/// Digest of one section's raw bytes (its virtual size, before relocation).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SectionDigest {
    /// The PE section name.
    pub name: String,
    /// Its virtual size in bytes.
    pub size: u32,
    /// SHA-256 of those bytes.
    pub sha256: [u8; 32],
}

/// [`Handover::magic`] of this layout.
pub const HANDOVER_MAGIC: u64 = u64::from_le_bytes(*b"SKSHHND5");

/// `EBX ECX EDX` of CPUID leaf 0x4000_0000 under the hypervisor.
pub const CPUID_SIGNATURE: &[u8; 12] = b"SekishoVisor";

/// Bytes the loader reserves for the hypervisor: image, tables, stacks, heap and log.
pub const REGION_SIZE: u64 = 16 << 20;

/// Bytes of the buffer behind [`Handover::report`].
pub const REPORT_SIZE: usize = 256;

/// What the loader tells the hypervisor, once, by reference to its own memory.
///
/// The hypervisor copies what it keeps before any guest code runs; nothing here is read later.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Handover {
    /// [`HANDOVER_MAGIC`].
    pub magic: u64,
    /// Physical address of the region, 2 MiB aligned, of [`REGION_SIZE`] bytes; the image starts at it.
    pub region: u64,
    /// Physical address and length of the [`SECTION_LAYOUT`] bytes.
    pub layout: [u64; 2],
    /// Physical address and length of the [`SECTION_POLICY`] bytes.
    pub policy: [u64; 2],
    /// Physical address of bus 0's configuration window (ACPI MCFG, segment 0), or zero where there is none.
    pub config_window: u64,
    /// Last bus number decoded by that window.
    pub config_window_last_bus: u64,
    /// Physical address of the ACPI FADT's reset register, if it is an I/O port; else zero.
    pub reset_port: u64,
    /// The byte to write there.
    pub reset_value: u64,
    /// Physical address of the page of event timers (ACPI HPET), or zero where there are none.
    pub timers: u64,
    /// How many CPUs will be entered.
    pub cpu_count: u64,
    /// Physical address and length of the unsealed secrets, or zeros where the policy names no key. The hypervisor
    /// copies the keys it needs into its own memory; the loader wipes these bytes when [`call::PREPARE`] has returned.
    pub secrets: [u64; 2],
    /// Physical address and length ([`REPORT_SIZE`]) of a zeroed buffer, in which [`call::PREPARE`] leaves one
    /// sentence in UTF-8, without full stop, where it answers [`Status::Disk`].
    pub report: [u64; 2],
    /// Ticks of the time-stamp counter in a second, measured against the firmware's clock; at least 1.
    pub tsc_hertz: u64,
    /// Nanoseconds since 1970 in UTC, or zero where the firmware has no time of day; and the time-stamp counter then.
    pub time_of_day: [u64; 2],
    /// Physical address and length of random bytes of the firmware's, or zeros where it has none; wiped as the secrets are.
    pub random: [u64; 2],
}

/// The hypervisor's entry point: `extern "sysv64" fn(Call, *const Handover) -> Status`, both as `u64`.
///
/// Called with interrupts as the firmware has them, on its stack and its identity-mapped page tables.
pub mod call {
    /// On the boot CPU, once: check it, build everything, change nothing for the running firmware.
    pub const PREPARE: u64 = 0;
    /// On each CPU, the boot CPU last: go on as guest behind the returned call.
    pub const ENTER: u64 = 1;
}

/// What [`call`]s return. Zero is success; every other value is one sentence on the loader's console.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum Status {
    /// Done; after [`call::ENTER`] the caller is a guest.
    Done = 0,
    /// The CPU is not an AMD one with SVM (CPUID 8000_0001h ECX bit 2).
    NoSvm = 1,
    /// Firmware disabled SVM (VM_CR.SVMDIS).
    SvmDisabled = 2,
    /// No nested paging (CPUID 8000_000Ah EDX bit 0).
    NoNestedPaging = 3,
    /// No 1 GiB pages (CPUID 8000_0001h EDX bit 26).
    NoGigabytePages = 4,
    /// [`Handover::magic`] differs: loader and hypervisor are of different builds.
    WrongHandover = 5,
    /// The compiled policy cannot be read.
    BadPolicy = 6,
    /// The layout cannot be read or does not fit the region.
    BadLayout = 7,
    /// The region is too small for this machine (CPUs, devices).
    OutOfMemory = 8,
    /// More CPUs or PCI functions than this build can hold.
    TooMany = 9,
    /// The policy uses a driver this hypervisor does not have.
    NoSuchDriver = 10,
    /// [`call::ENTER`] on a CPU that is inside already, or before [`call::PREPARE`].
    OutOfOrder = 11,
    /// The firmware runs with five levels of page tables (CR4.LA57).
    FiveLevels = 12,
    /// [`Handover::config_window`] is misaligned, beyond reach, or overlaps what is the hypervisor's.
    BadConfigWindow = 13,
    /// A disk is not as the policy and the pins say; the sentence is in [`Handover::report`].
    Disk = 14,
}

impl Status {
    /// The status with this number.
    #[must_use]
    pub const fn from_raw(raw: u64) -> Option<Self> {
        Some(match raw {
            0 => Self::Done,
            1 => Self::NoSvm,
            2 => Self::SvmDisabled,
            3 => Self::NoNestedPaging,
            4 => Self::NoGigabytePages,
            5 => Self::WrongHandover,
            6 => Self::BadPolicy,
            7 => Self::BadLayout,
            8 => Self::OutOfMemory,
            9 => Self::TooMany,
            10 => Self::NoSuchDriver,
            11 => Self::OutOfOrder,
            12 => Self::FiveLevels,
            13 => Self::BadConfigWindow,
            14 => Self::Disk,
            _ => return None,
        })
    }
}
