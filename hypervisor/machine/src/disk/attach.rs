//! Giving each mediated controller its mediator, on the boot CPU, while the firmware still runs on the bare machine.

use super::{Controller, DiskHost, LeadsTo, MemoryRegisters, Trap};
use crate::address::HostPhys;
use crate::clock::Clock;
use crate::memory::GuestRam;
use crate::pci::Pci;
use crate::region::{PAGE, Region};
use alloc::vec::Vec;
use core::fmt;
use sekisho_abi::compiled::CompiledPolicy;
use sekisho_abi::pci::Address;
use sekisho_abi::selection::Driver;
use sekisho_abi::storage::{Atapi, Controller as Rule};
use sekisho_keys::secrets::Secrets;
use sekisho_mediator::disk::ahci::{Ahci, AttachError};
use sekisho_mediator::disk::binding::{Binding, Unbound};
use sekisho_mediator::disk::seam::{Buffer, DeviceAddress};
use sekisho_mediator::pci::Taken;

/// A controller that cannot be mediated as the policy says: no guest is started.
pub(crate) struct NotAttached {
    controller: Address,
    why: Why,
}

enum Why {
    /// Its registers are not where a mediator looks for them.
    NoRegisters,
    /// Its mediator's reason.
    Ahci(AttachError<Unbound>),
}

/// What all controllers are attached with.
pub(crate) struct Surroundings<'a> {
    pub(crate) policy: &'a CompiledPolicy,
    pub(crate) secrets: &'a Secrets,
    pub(crate) ram: &'static GuestRam,
    pub(crate) clock: &'static Clock,
}

/// The mediators of `pci`'s disk controllers, in the order in which `traps` number them.
pub(crate) fn attach(
    pci: &Pci,
    traps: &[Trap],
    region: &mut Region,
    surroundings: &Surroundings<'_>,
) -> Result<Vec<Controller>, NotAttached> {
    let mediated = pci.mediator.mediated().enumerate();
    mediated
        .map(|(number, (function, taken))| {
            let attached = match taken.driver {
                Driver::Ahci => ahci(traps, number, taken, region, surroundings),
                _ => Err(Why::NoRegisters),
            };
            attached.map_err(|why| NotAttached {
                controller: function.address(),
                why,
            })
        })
        .collect()
}

fn ahci(
    traps: &[Trap],
    number: usize,
    taken: Taken,
    region: &mut Region,
    surroundings: &Surroundings<'_>,
) -> Result<Controller, Why> {
    let trap = traps
        .iter()
        .find(|trap| trap.controller == number && trap.leads_to == LeadsTo::Registers);
    let window = trap.and_then(Trap::memory).ok_or(Why::NoRegisters)?;
    let length = u32::try_from(window.length()).map_err(|_| Why::NoRegisters)?;
    // SAFETY: the firmware maps devices at their physical addresses; the function decodes there.
    let mut registers = unsafe { MemoryRegisters::in_firmware(HostPhys(window.start), length) };
    // SAFETY: the region is the hypervisor's own, and only `memory` below makes buffers of it.
    let mut host = unsafe { DiskHost::new(surroundings.ram, surroundings.clock, region.whole()) };
    let rule = rule(surroundings.policy, taken);
    let (volumes, atapi) = rule.map_or((&[][..], Atapi::Refuse), |rule| (&rule.volumes, rule.atapi));
    let storage = &surroundings.policy.storage;
    let secrets = surroundings.secrets;
    let key = |name: &str| secrets.volume(name).map(|volume| volume.key.expose());
    let mut binding = Binding::new(storage, volumes, &secrets.pins, &key);
    let mut memory = |length, alignment| buffer(region, length, alignment);
    let ahci = Ahci::attach(atapi, &mut registers, &mut host, &mut memory, &mut binding);
    let ahci = ahci.map_err(Why::Ahci)?;
    // SAFETY: the next access is a guest's, under the hypervisor's own tables.
    unsafe { registers.leave_firmware() };
    Ok(Controller::ahci(ahci, registers, host))
}

/// The policy's rule that took a controller.
fn rule(policy: &CompiledPolicy, taken: Taken) -> Option<&Rule> {
    let entry = u32::try_from(taken.entry).ok()?;
    policy.storage.controllers.iter().find(|rule| rule.entry == entry)
}

/// Zeroed memory of the region for a device. Pages are aligned to pages; no device asks for more.
fn buffer(region: &mut Region, length: usize, alignment: usize) -> Option<Buffer> {
    if alignment as u64 > PAGE {
        return None;
    }
    let pages = region.pages((length as u64).div_ceil(PAGE)).ok()?;
    Some(Buffer::new(DeviceAddress(pages.as_ptr().addr() as u64), length))
}

impl fmt::Display for NotAttached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disk controller {}: ", self.controller)?;
        match &self.why {
            Why::NoRegisters => f.write_str("its registers are not where its driver looks for them"),
            Why::Ahci(AttachError::Absent) => f.write_str("nothing answers at its registers"),
            Why::Ahci(AttachError::Handoff) => f.write_str("the firmware does not let go of it"),
            Why::Ahci(AttachError::Stuck) => f.write_str("it neither stops nor resets"),
            Why::Ahci(AttachError::Memory) => f.write_str("there is no memory for it that it can address"),
            Why::Ahci(AttachError::Refused(_, why)) => why.fmt(f),
        }
    }
}
