//! Giving each mediated controller its mediator, on the boot CPU, while the firmware still runs on the bare machine.

use super::{DeviceHost, IdePorts, LeadsTo, Mediated, MemoryRegisters, Trap};
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
use sekisho_mediator::disk::ahci::{self, Ahci};
use sekisho_mediator::disk::ata::{self, Ata};
use sekisho_mediator::disk::binding::{Binding, Unbound};
use sekisho_mediator::pci::Taken;
use sekisho_mediator::seam::{Buffer, DeviceAddress};

/// A controller that cannot be mediated as the policy says: no guest is started.
pub(crate) struct NotAttached {
    controller: Address,
    why: Why,
}

enum Why {
    /// Its registers are not where a mediator looks for them.
    NoRegisters,
    /// The mediator's reason.
    Ahci(ahci::AttachError<Unbound>),
    /// The same.
    Ata(ata::AttachError<Unbound>),
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
) -> Result<Vec<Mediated>, NotAttached> {
    let mediated = pci.mediator.mediated().enumerate();
    mediated
        .map(|(number, (function, taken))| {
            let attached = match taken.driver {
                Driver::Ahci => attach_ahci(traps, number, taken, region, surroundings),
                Driver::Ata => attach_ata(traps, number, taken, region, surroundings),
                _ => Err(Why::NoRegisters),
            };
            attached.map_err(|why| NotAttached {
                controller: function.address(),
                why,
            })
        })
        .collect()
}

fn attach_ahci(
    traps: &[Trap],
    number: usize,
    taken: Taken,
    region: &mut Region,
    surroundings: &Surroundings<'_>,
) -> Result<Mediated, Why> {
    let trap = traps
        .iter()
        .find(|trap| trap.device == number && trap.leads_to == LeadsTo::Registers);
    let window = trap.and_then(Trap::memory).ok_or(Why::NoRegisters)?;
    let length = u32::try_from(window.length()).map_err(|_| Why::NoRegisters)?;
    // SAFETY: the firmware maps devices at their physical addresses; the function decodes there.
    let mut registers = unsafe { MemoryRegisters::in_firmware(HostPhys(window.start), length) };
    // SAFETY: the region is the hypervisor's own, and only `memory` below makes buffers of it.
    let mut host = unsafe { DeviceHost::new(surroundings.ram, surroundings.clock, region.whole()) };
    let mut memory = |length, alignment| buffer(region, length, alignment);
    let attached = surroundings.bind(taken, |atapi, binding| {
        Ahci::attach(atapi, &mut registers, &mut host, &mut memory, binding)
    });
    let ahci = attached.map_err(Why::Ahci)?;
    // SAFETY: the next access is a guest's, under the hypervisor's own tables.
    unsafe { registers.leave_firmware() };
    Ok(Mediated::ahci(ahci, registers, host))
}

fn attach_ata(
    traps: &[Trap],
    number: usize,
    taken: Taken,
    region: &mut Region,
    surroundings: &Surroundings<'_>,
) -> Result<Mediated, Why> {
    let mut ports = IdePorts::of(traps, number);
    // SAFETY: the region is the hypervisor's own, and only `memory` below makes buffers of it.
    let mut host = unsafe { DeviceHost::new(surroundings.ram, surroundings.clock, region.whole()) };
    let mut memory = |length, alignment| buffer(region, length, alignment);
    let attached = surroundings.bind(taken, |atapi, binding| {
        Ata::attach(atapi, &mut ports, &mut host, &mut memory, binding)
    });
    Ok(Mediated::ata(attached.map_err(Why::Ata)?, ports, host))
}

impl Surroundings<'_> {
    /// Attaches the controller that was `taken` with what the policy says of it.
    fn bind<T>(&self, taken: Taken, attach: impl FnOnce(Atapi, &mut Binding<'_>) -> T) -> T {
        let rule = rule(self.policy, taken);
        let (volumes, atapi) = rule.map_or((&[][..], Atapi::Refuse), |rule| (&rule.volumes, rule.atapi));
        let key = |name: &str| self.secrets.volume(name).map(|volume| volume.key.expose());
        let mut binding = Binding::new(&self.policy.storage, volumes, &self.secrets.pins, &key);
        attach(atapi, &mut binding)
    }
}

/// The policy's rule that took a controller.
fn rule(policy: &CompiledPolicy, taken: Taken) -> Option<&Rule> {
    let entry = u32::try_from(taken.entry).ok()?;
    policy.storage.controllers.iter().find(|rule| rule.entry == entry)
}

/// Zeroed memory of the region for a device.
fn buffer(region: &mut Region, length: usize, alignment: usize) -> Option<Buffer> {
    let count = (length as u64).div_ceil(PAGE);
    let pages = region.aligned_pages(count, alignment as u64).ok()?;
    Some(Buffer::new(DeviceAddress(pages.as_ptr().addr() as u64), length))
}

impl fmt::Display for NotAttached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disk controller {}: ", self.controller)?;
        match &self.why {
            Why::NoRegisters => f.write_str("its registers are not where its driver looks for them"),
            Why::Ahci(ahci::AttachError::Absent) => f.write_str("nothing answers at its registers"),
            Why::Ahci(ahci::AttachError::Handoff) => f.write_str("the firmware does not let go of it"),
            Why::Ahci(ahci::AttachError::Stuck) => f.write_str("it neither stops nor resets"),
            Why::Ahci(ahci::AttachError::Memory) | Why::Ata(ata::AttachError::Memory) => {
                f.write_str("there is no memory for it that it can address")
            }
            Why::Ahci(ahci::AttachError::Refused(_, why)) | Why::Ata(ata::AttachError::Refused(_, why)) => {
                why.fmt(f)
            }
        }
    }
}
