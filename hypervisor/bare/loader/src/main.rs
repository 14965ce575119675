//! `sekisho.efi`: verifies the image, places the hypervisor, enters every CPU and starts the guest.
//!
//! It runs twice in one call: up to [`processors::Processors::enter`] as the machine's owner, behind it as the
//! hypervisor's guest. By then the hypervisor's memory does not exist for it any more, and nothing here reaches
//! for it; nor is there a secret left. Every line it prints starts with `sekisho: `.
//!
//! Trusted: the firmware, as every UEFI application must. Not trusted: the bytes of the image and the ACPI
//! tables, which are decided on in `sekisho_mediator::boot`. Whatever stands in the way of protecting this
//! machine ends in [`refuse::refuse`], never in the firmware's next boot entry.
#![no_std]
#![no_main]

extern crate alloc;

mod clock;
mod console;
mod devices;
mod hypervisor;
mod image;
mod next;
mod pci_io;
mod processors;
mod protocol;
mod random;
mod refuse;
mod report;
mod store;
mod tables;
mod unlock;

use console::say;
use core::panic::PanicInfo;
use next::OwnVolume;
use refuse::Refusal;
use sekisho_abi::compiled::CompiledPolicy;
use sekisho_mediator::boot::image::verify;
use sekisho_runtime as _;
use uefi::{Status, boot, entry};

/// What the firmware would log if its watchdog ran out; codes above 0xffff are the application's.
const WATCHDOG_CODE: u64 = 0x1_0000;

#[entry]
fn efi_main() -> Status {
    // Asking for a passphrase and starting an operating system may both take longer than its five minutes.
    // A firmware without a watchdog says so by an error, which is as good.
    let _ = boot::set_watchdog_timer(0, WATCHDOG_CODE, None);
    say!("version {}", env!("CARGO_PKG_VERSION"));
    if processors::is_inside() {
        // A second copy in the boot order, say that of a stick. The first has done all there is to do.
        say!("this machine is protected already; going on with the firmware's boot order");
        return Status::ALREADY_STARTED;
    }
    let own = OwnVolume::find();
    match take_over() {
        Ok(policy) => next::start(policy.boot_next.as_deref(), &own),
        Err(refusal) => refuse::refuse(&refusal),
    }
}

/// Puts this machine under the hypervisor; behind it, every CPU runs as its guest.
fn take_over() -> Result<CompiledPolicy, Refusal> {
    let bytes = image::loaded_bytes()?;
    let image = verify(&bytes)?;
    say!("policy {}: image verified", image.policy.name);
    let platform = tables::read()?;
    let processors = processors::Processors::find()?;
    let hypervisor = hypervisor::Hypervisor::place(&image)?;
    let claimed = devices::claimed(&image.policy.selection)?;
    let secrets = unlock::unlock(&image.policy)?;
    let random = random::draw();
    let entrusted = hypervisor::Entrusted {
        secrets: secrets.as_ref(),
        random: random.as_ref(),
    };
    let handover = hypervisor.handover(&image, platform, processors.count(), entrusted);
    devices::disconnect(&claimed)?;
    let prepared = hypervisor.prepare(&handover);
    // The hypervisor has copies of its own, or refuses: either way these are wiped now.
    drop((secrets, random));
    prepared?;
    processors.enter(&hypervisor, &handover)?;
    processors.verify_inside()?;
    devices::reconnect(&claimed);
    Ok(image.policy)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    refuse::panicked(info)
}
