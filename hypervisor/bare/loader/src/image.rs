//! The loader's own image, as the firmware loaded it.

use crate::protocol;
use crate::refuse::Refusal;
use alloc::vec;
use alloc::vec::Vec;
use uefi::proto::loaded_image::LoadedImage;
use uefi::{Status, boot};

/// A private copy of the image, from its PE headers on: what is verified is what is used.
#[expect(
    unsafe_code,
    reason = "the firmware gives the image as an address and a length"
)]
pub(crate) fn loaded_bytes() -> Result<Vec<u8>, Refusal> {
    let loaded = protocol::shared::<LoadedImage>(boot::image_handle());
    let (base, size) = loaded.map_err(|error| Refusal::OwnImage(error.status()))?.info();
    let size = usize::try_from(size).map_err(|_| Refusal::OwnImage(Status::BAD_BUFFER_SIZE))?;
    if base.is_null() {
        return Err(Refusal::OwnImage(Status::NOT_FOUND));
    }
    let mut bytes = vec![0; size];
    // SAFETY: this code runs from those `size` bytes, so they are mapped and readable; `bytes` is another
    // allocation of that length; no other CPU runs, so nobody writes them meanwhile.
    unsafe { core::ptr::copy_nonoverlapping(base.cast::<u8>(), bytes.as_mut_ptr(), size) };
    Ok(bytes)
}
