//! Opening a firmware protocol without taking it from the driver that uses it.

use uefi::boot::{self, OpenProtocolAttributes, OpenProtocolParams, ScopedProtocol};
use uefi::proto::ProtocolPointer;
use uefi::{Handle, Result};

/// The protocol `P` of `handle`, beside its other users. Opening it exclusively would disconnect drivers, and
/// with them the disks and consoles below.
///
/// Drop it before anything that may remove the protocol: (dis)connecting drivers, starting images.
#[expect(unsafe_code, reason = "the firmware does not track such an opening")]
pub(crate) fn shared<P: ProtocolPointer + ?Sized>(handle: Handle) -> Result<ScopedProtocol<P>> {
    let parameters = OpenProtocolParams {
        handle,
        agent: boot::image_handle(),
        controller: None,
    };
    // SAFETY: callers drop it before they do what could remove it, and the firmware runs on this CPU only while
    // we call it; its timer callbacks do not unload drivers.
    unsafe { boot::open_protocol(parameters, OpenProtocolAttributes::GetProtocol) }
}
