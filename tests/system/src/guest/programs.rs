//! The programs of `tests/guests`, a workspace of its own because it has other targets than this one, as this
//! crate's build script has built them; and memtest86+.

use super::disk::{self, EspFile};
use crate::failure::Failure;
use crate::paths;
use std::path::{Path, PathBuf};

/// Where Debian's package puts the UEFI application.
const MEMTEST: &str = "/boot/memtest86+x64.efi";

/// The Linux agent, for the guest's root.
pub(super) const AGENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/agent"));

/// The UEFI programs that take the place of an operating system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// Tries to reach the hypervisor and the concealed device.
    Hostile,
    /// Interrupts, NMIs and single steps, exactly.
    Exact,
    /// Instructions an operation costs.
    Bench,
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::Hostile => "hostile",
            Self::Exact => "exact",
            Self::Bench => "bench",
        }
    }

    const fn elf(self) -> &'static [u8] {
        match self {
            Self::Hostile => include_bytes!(concat!(env!("OUT_DIR"), "/hostile.elf")),
            Self::Exact => include_bytes!(concat!(env!("OUT_DIR"), "/exact.elf")),
            Self::Bench => include_bytes!(concat!(env!("OUT_DIR"), "/bench.elf")),
        }
    }

    /// A guest disk that boots this program.
    ///
    /// # Errors
    /// [`Failure`] where the disk cannot be made.
    pub fn disk(self) -> Result<PathBuf, Failure> {
        let folder = paths::cache("guest")?;
        let application = folder.join(format!("{}.efi", self.name()));
        let pe = sekisho_image::pe::from_elf(self.elf()).map_err(|error| Failure::Tool {
            command: format!("ELF to PE of {}", self.name()),
            output: error.to_string(),
        })?;
        std::fs::write(&application, pe).map_err(Failure::file(&application))?;
        efi_disk(self.name(), &application)
    }
}

/// A guest disk that boots the UEFI application `source`, with and without the appliance before it.
fn efi_disk(name: &str, source: &Path) -> Result<PathBuf, Failure> {
    let output = paths::cache("guest")?.join(format!("{name}.img"));
    disk::write(
        &output,
        &[
            EspFile::new("EFI/debian/grubx64.efi", source),
            EspFile::new("EFI/BOOT/BOOTX64.EFI", source),
        ],
    )?;
    Ok(output)
}

/// A guest disk whose boot loader starts Debian's memtest86+ with its screen on COM1.
///
/// # Errors
/// [`Failure`] where the disk cannot be made.
pub fn memtest_disk() -> Result<PathBuf, Failure> {
    let output = paths::cache("guest")?.join("memtest.img");
    let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest/memtest.cfg");
    disk::write(
        &output,
        &[
            EspFile::new("EFI/debian/grubx64.efi", disk::GRUB),
            EspFile::new("EFI/BOOT/BOOTX64.EFI", disk::GRUB),
            EspFile::new("EFI/debian/grub.cfg", configuration),
            EspFile::new("memtest.efi", MEMTEST),
        ],
    )?;
    Ok(output)
}
