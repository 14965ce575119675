//! The devices that the policy takes: the firmware's drivers let go of them before takeover, and look at what is
//! left of them afterwards.
//!
//! The hypervisor decides again, for itself, from what it finds; both show every function of segment 0 once, in
//! ascending order, to the same matcher.

use crate::console::say;
use crate::pci_io::PciIo;
use crate::protocol;
use crate::refuse::Refusal;
use alloc::vec::Vec;
use sekisho_abi::pci::{Address, Identity};
use sekisho_abi::selection::{Driver, Matcher, Selection};
use uefi::{Handle, Status, boot};

/// A device that an entry with a driver decides: concealed or mediated.
pub(crate) struct Claimed {
    handle: Handle,
    address: Address,
    driver: Driver,
}

/// The devices that `selection` claims, in ascending order.
pub(crate) fn claimed(selection: &Selection) -> Result<Vec<Claimed>, Refusal> {
    let mut matcher = Matcher::new(selection);
    let mut claimed = Vec::new();
    for (identity, handle) in functions().map_err(|error| Refusal::Devices(error.status()))? {
        if let Some(driver) = matcher.decide(&identity).and_then(|decision| decision.driver) {
            claimed.push(Claimed {
                handle,
                address: identity.address,
                driver,
            });
        }
    }
    Ok(claimed)
}

/// Every function the firmware found, in ascending order, once.
fn functions() -> uefi::Result<Vec<(Identity, Handle)>> {
    let handles = match boot::find_handles::<PciIo>() {
        Err(error) if error.status() == Status::NOT_FOUND => Vec::new(),
        handles => handles?,
    };
    let mut functions = Vec::with_capacity(handles.len());
    for handle in handles {
        if let Some(identity) = protocol::shared::<PciIo>(handle)?.identity()? {
            functions.push((identity, handle));
        }
    }
    functions.sort_by_key(|(identity, _)| identity.address);
    functions.dedup_by_key(|(identity, _)| identity.address);
    Ok(functions)
}

/// Takes the devices from the firmware's drivers: none may have a transfer under way when its device vanishes.
pub(crate) fn disconnect(claimed: &[Claimed]) -> Result<(), Refusal> {
    for device in claimed {
        boot::disconnect_controller(device.handle, None, None)
            .map_err(|error| Refusal::NotReleased(device.address, error.status()))?;
        say!("{}: released by the firmware", device.address);
    }
    Ok(())
}

/// Lets the firmware's drivers look again, now through the hypervisor. What is concealed is not there to look at.
pub(crate) fn reconnect(claimed: &[Claimed]) {
    for device in claimed.iter().filter(|device| device.driver != Driver::Conceal) {
        match boot::connect_controller(device.handle, &[], None, true) {
            Ok(()) => say!("{}: connected again", device.address),
            // No driver wants it; it may never have had one.
            Err(error) if error.status() == Status::NOT_FOUND => {}
            Err(error) => say!("{}: not connected again ({})", device.address, error.status()),
        }
    }
}
