//! `sekisho.efi`: verifies the image, places the hypervisor, enters every CPU and starts the guest.
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use core::time::Duration;
use sekisho_runtime as _;
use uefi::{Status, boot, entry, println};

/// How long a panic message stays on the screen before the firmware goes to its next boot entry.
const PANIC_PAUSE: Duration = Duration::from_secs(10);

#[entry]
fn efi_main() -> Status {
    println!("Sekisho {}", env!("CARGO_PKG_VERSION"));
    Status::SUCCESS
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    println!("Sekisho: the loader stopped: {info}");
    boot::stall(PANIC_PAUSE);
    #[expect(
        unsafe_code,
        reason = "firmware objects on the stack are never dropped when the image ends here"
    )]
    // SAFETY: the loader keeps no callback, event or protocol in the firmware that would outlive it.
    let _refused = unsafe { boot::exit(boot::image_handle(), Status::ABORTED, 0, core::ptr::null_mut()) };
    // The firmware refused to end the image: there is nothing left to go back to.
    loop {
        boot::stall(PANIC_PAUSE);
    }
}
