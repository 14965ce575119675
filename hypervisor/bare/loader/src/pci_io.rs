//! The firmware's handle for one PCI function: EFI_PCI_IO_PROTOCOL, as much of it as the loader calls.
//!
//! Source: UEFI Specification 2.10, section 14.4.

use core::ffi::c_void;
use sekisho_abi::pci::{Address, Identity};
use uefi::proto::unsafe_protocol;
use uefi::{Result, Status, StatusExt};

/// EfiPciIoWidthUint32.
const WIDTH_DWORD: u32 = 2;
/// Double words of the predefined header.
const HEADER_DWORDS: usize = 16;

type ConfigAccess = unsafe extern "efiapi" fn(*const PciIo, u32, u32, usize, *mut c_void) -> Status;
type GetLocation =
    unsafe extern "efiapi" fn(*const PciIo, *mut usize, *mut usize, *mut usize, *mut usize) -> Status;

/// EFI_PCI_IO_PROTOCOL. Members that are not called are there for their places.
#[repr(C)]
#[unsafe_protocol("4cf5b200-68b8-4ca5-9eec-b23e3f50029a")]
pub(crate) struct PciIo {
    /// PollMem, PollIo, Mem.Read, Mem.Write, Io.Read, Io.Write.
    _memory_and_ports: [usize; 6],
    read_config: ConfigAccess,
    /// Pci.Write, CopyMem, Map, Unmap, AllocateBuffer, FreeBuffer, Flush.
    _write_config_and_buffers: [usize; 7],
    get_location: GetLocation,
}

impl PciIo {
    /// What the function says it is; `None` if it is not in segment 0, which is all that a policy speaks of.
    pub(crate) fn identity(&self) -> Result<Option<Identity>> {
        let Some(address) = self.address()? else {
            return Ok(None);
        };
        let header = self.header()?;
        let [id, _, class, kind, ..] = header;
        let header_type = (kind >> 16 & 0xff) as u8;
        // Only a type 0 header has a subsystem.
        let subsystem = if header_type & 0x7f == 0 {
            header.get(0x2c / 4).copied().unwrap_or_default()
        } else {
            0
        };
        Ok(Some(Identity {
            address,
            vendor: low(id),
            device: high(id),
            revision: (class & 0xff) as u8,
            class_code: class >> 8,
            header_type,
            subsystem_vendor: low(subsystem),
            subsystem: high(subsystem),
        }))
    }

    #[expect(unsafe_code, reason = "a firmware call with places for its results")]
    fn address(&self) -> Result<Option<Address>> {
        let (mut segment, mut bus, mut device, mut function) = (0, 0, 0, 0);
        // SAFETY: the firmware made `self`, and writes one number to each of the four places.
        unsafe { (self.get_location)(self, &mut segment, &mut bus, &mut device, &mut function) }
            .to_result()?;
        let narrow = |number: usize| u8::try_from(number).map_err(|_| Status::UNSUPPORTED);
        let address = Address::new(narrow(bus)?, narrow(device)?, narrow(function)?);
        Ok(address.filter(|_| segment == 0))
    }

    #[expect(unsafe_code, reason = "a firmware call with a buffer")]
    fn header(&self) -> Result<[u32; HEADER_DWORDS]> {
        let mut header = [0; HEADER_DWORDS];
        let buffer = header.as_mut_ptr().cast();
        // SAFETY: the firmware made `self`, and writes `HEADER_DWORDS` double words, which `header` has.
        unsafe { (self.read_config)(self, WIDTH_DWORD, 0, HEADER_DWORDS, buffer) }.to_result()?;
        Ok(header)
    }
}

const fn low(dword: u32) -> u16 {
    (dword & 0xffff) as u16
}

const fn high(dword: u32) -> u16 {
    (dword >> 16) as u16
}
