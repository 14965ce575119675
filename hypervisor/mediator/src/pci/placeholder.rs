//! The inert function 0 that stands where a concealed one has siblings that stay.
//!
//! It says: present, multi-function, no class, no base addresses, no capabilities, no interrupt. Its identity is
//! the same on every machine, so that it tells nothing of what it hides: a vendor ID that PCI-SIG has not given
//! to anyone, which no driver binds to, and none of the values that operating systems take for an empty slot
//! (all ones, all zeros, or zeros and ones by halves).

use super::access::{Width, dword_of};
use super::spec;

/// Vendor ID of every placeholder.
pub const PLACEHOLDER_VENDOR: u16 = 0x5ec1;
/// Device ID of every placeholder.
pub const PLACEHOLDER_DEVICE: u16 = 0x0001;

/// Base class FFh, "device does not fit in any defined classes", revision 0.
const CLASS_AND_REVISION: u32 = 0xff00_0000;

/// What it reads at `offset`.
pub(super) const fn read(offset: u16, width: Width) -> u32 {
    let dword = match dword_of(offset) {
        spec::VENDOR => (PLACEHOLDER_DEVICE as u32) << 16 | PLACEHOLDER_VENDOR as u32,
        spec::REVISION => CLASS_AND_REVISION,
        // The dword that holds the header type: type 0, other functions exist.
        0x0c => (spec::MULTI_FUNCTION as u32) << 16,
        _ => 0,
    };
    width.extract(dword, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_multi_function_with_class_ff_and_nothing_else() {
        assert_eq!(read(spec::HEADER_TYPE, Width::Byte), 0x80);
        assert_eq!(read(0x0b, Width::Byte), 0xff);
        assert_eq!(read(spec::VENDOR, Width::Dword), 0x0001_5ec1);
        let rest = (0x10..0x1000).step_by(4).chain([spec::COMMAND]);
        for offset in rest {
            assert_eq!(read(offset, Width::Dword), 0, "offset {offset:#x}");
        }
    }
}
