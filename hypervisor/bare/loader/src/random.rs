//! Random bytes of the firmware's. The hypervisor mixes them with the CPU's, so that it need trust neither alone.

use sekisho_crypto::secret::SecretBytes;
use uefi::boot;
use uefi::proto::rng::Rng;

/// As many as a key of the greatest strength has.
const BYTES: usize = 32;

/// Some, or none where the firmware has no source of them (UEFI 2.10, section 37.5).
pub(crate) fn draw() -> Option<SecretBytes> {
    let handle = boot::get_handle_for_protocol::<Rng>().ok()?;
    let mut source = boot::open_protocol_exclusive::<Rng>(handle).ok()?;
    let mut bytes = SecretBytes::zeroed(BYTES);
    source.get_rng(None, bytes.expose_mut()).ok()?;
    Some(bytes)
}
