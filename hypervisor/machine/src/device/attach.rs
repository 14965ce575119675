//! Giving each mediated device its mediator, on the boot CPU, while the firmware still runs on the bare machine.

use super::{DeviceHost, IdePorts, LeadsTo, Mediated, MemoryRegisters, Trap, network};
use crate::address::HostPhys;
use crate::clock::Clock;
use crate::memory::GuestRam;
use crate::pci::Pci;
use crate::region::{PAGE, Region};
use alloc::vec::Vec;
use core::{fmt, mem};
use sekisho_abi::compiled::CompiledPolicy;
use sekisho_abi::pci::Address;
use sekisho_abi::selection::Driver;
use sekisho_abi::storage::{self, Atapi, ClearPartition};
use sekisho_keys::secrets::Secrets;
use sekisho_mediator::clock::WallClock;
use sekisho_mediator::disk::ahci::{self, Ahci};
use sekisho_mediator::disk::ata::{self, Ata};
use sekisho_mediator::disk::binding::{Binding, Unbound};
use sekisho_mediator::net::module::vpn::OpenError;
use sekisho_mediator::net::{pro100, pro1000};
use sekisho_mediator::pci::Taken;
use sekisho_mediator::seam::{Buffer, DeviceAddress};

/// A device that cannot be mediated as the policy says.
pub(crate) struct NotAttached {
    pub(crate) device: Address,
    why: Why,
}

pub(super) enum Why {
    /// Its registers are not where a mediator looks for them.
    NoRegisters,
    /// This build has no mediator for it.
    NoDriver,
    /// The mediator's reason.
    Ahci(ahci::AttachError<Unbound>),
    /// The same.
    Ata(ata::AttachError<Unbound>),
    /// The same.
    Pro100(pro100::AttachError),
    /// The same.
    Pro1000(pro1000::AttachError),
    /// Its tunnel cannot be set up.
    Tunnel(OpenError),
}

/// Every mediated device, in the order in which the traps number them.
pub(crate) struct Attached {
    pub(crate) devices: Vec<Mediated>,
    /// NICs that nobody may have: nothing answers at their registers. The machine can do without them.
    pub(crate) lost: Vec<NotAttached>,
    /// What the policy says is in clear and no disk has, for the log.
    pub(crate) absent: Vec<Absent>,
}

/// What all devices are attached with.
pub(crate) struct Surroundings<'a> {
    /// Random, another at every boot.
    pub(crate) boot: u128,
    pub(crate) policy: &'a CompiledPolicy,
    pub(crate) secrets: &'a Secrets,
    pub(crate) ram: &'static GuestRam,
    pub(crate) clock: &'static Clock,
    /// The time of day, where the firmware has one.
    pub(crate) wall_clock: Option<WallClock>,
    /// Random bytes of the firmware's, if it has some.
    pub(crate) random: &'a [u8],
    /// The same as [`Attached::absent`], so far.
    pub(crate) absent: Vec<Absent>,
}

/// A partition that is in clear by the policy and does not exist beside the volumes of a controller.
pub(crate) struct Absent {
    controller: Address,
    partition: ClearPartition,
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (controller, partition) = (self.controller, &self.partition);
        write!(
            f,
            "disk controller {controller}: no partition is the {partition} of [clear]"
        )
    }
}

/// A controller that is to be attached.
#[derive(Clone, Copy)]
struct Controller {
    address: Address,
    /// As `traps` number it.
    number: usize,
    taken: Taken,
}

/// The mediators of `pci`'s devices, in the order in which `traps` number them.
///
/// # Errors
/// [`NotAttached`] for a disk controller: no guest is to be started.
pub(crate) fn attach(
    pci: &Pci,
    traps: &[Trap],
    region: &mut Region,
    surroundings: &mut Surroundings<'_>,
) -> Result<Attached, NotAttached> {
    let mediated = pci.mediator.mediated().enumerate();
    let (mut devices, mut lost) = (Vec::new(), Vec::new());
    for (number, (function, taken)) in mediated {
        let device = function.address();
        let controller = Controller {
            address: device,
            number,
            taken,
        };
        let attached = match taken.driver {
            Driver::Ahci => attach_ahci(traps, controller, region, surroundings),
            Driver::Ata => attach_ata(traps, controller, region, surroundings),
            Driver::Pro1000 | Driver::Pro100 => network::attach(function, taken, region, surroundings),
            _ => Err(Why::NoDriver),
        };
        match (attached, matches!(taken.driver, Driver::Pro1000 | Driver::Pro100)) {
            (Ok(mediated), _) => devices.push(mediated),
            (Err(why), true) => {
                // SAFETY: no buffers are made for it.
                let host = unsafe { DeviceHost::new(surroundings.ram, surroundings.clock, region.whole()) };
                devices.push(Mediated::closed(host));
                lost.push(NotAttached { device, why });
            }
            (Err(why), false) => return Err(NotAttached { device, why }),
        }
    }
    Ok(Attached {
        devices,
        lost,
        absent: mem::take(&mut surroundings.absent),
    })
}

fn attach_ahci(
    traps: &[Trap],
    controller: Controller,
    region: &mut Region,
    surroundings: &mut Surroundings<'_>,
) -> Result<Mediated, Why> {
    let trap = traps
        .iter()
        .find(|trap| trap.device == controller.number && trap.leads_to == LeadsTo::Registers);
    let window = trap.and_then(Trap::memory).ok_or(Why::NoRegisters)?;
    let length = u32::try_from(window.length()).map_err(|_| Why::NoRegisters)?;
    // SAFETY: the firmware maps devices at their physical addresses; the function decodes there.
    let mut registers = unsafe { MemoryRegisters::in_firmware(HostPhys(window.start), length) };
    // SAFETY: the region is the hypervisor's own, and only `memory` below makes buffers of it.
    let mut host = unsafe { DeviceHost::new(surroundings.ram, surroundings.clock, region.whole()) };
    let mut memory = |length, alignment| buffer(region, length, alignment);
    let attached = surroundings.bind(controller, |atapi, binding| {
        Ahci::attach(atapi, &mut registers, &mut host, &mut memory, binding)
    });
    let ahci = attached.map_err(Why::Ahci)?;
    // SAFETY: the next access is a guest's, under the hypervisor's own tables.
    unsafe { registers.leave_firmware() };
    Ok(Mediated::ahci(ahci, registers, host))
}

fn attach_ata(
    traps: &[Trap],
    controller: Controller,
    region: &mut Region,
    surroundings: &mut Surroundings<'_>,
) -> Result<Mediated, Why> {
    let mut ports = IdePorts::of(traps, controller.number);
    // SAFETY: the region is the hypervisor's own, and only `memory` below makes buffers of it.
    let mut host = unsafe { DeviceHost::new(surroundings.ram, surroundings.clock, region.whole()) };
    let mut memory = |length, alignment| buffer(region, length, alignment);
    let attached = surroundings.bind(controller, |atapi, binding| {
        Ata::attach(atapi, &mut ports, &mut host, &mut memory, binding)
    });
    Ok(Mediated::ata(attached.map_err(Why::Ata)?, ports, host))
}

impl Surroundings<'_> {
    /// Attaches the controller that was `taken` with what the policy says of it.
    fn bind<T>(&mut self, controller: Controller, attach: impl FnOnce(Atapi, &mut Binding<'_>) -> T) -> T {
        let rule = rule(self.policy, controller.taken);
        let (volumes, atapi) = rule.map_or((&[][..], Atapi::Refuse), |rule| (&rule.volumes, rule.atapi));
        let secrets = self.secrets;
        let key = |name: &str| secrets.volume(name).map(|volume| volume.key.expose());
        let mut binding = Binding::new(&self.policy.storage, volumes, &self.secrets.pins, &key);
        let attached = attach(atapi, &mut binding);
        let absent = binding.into_absent().into_iter();
        self.absent.extend(absent.map(|partition| Absent {
            controller: controller.address,
            partition,
        }));
        attached
    }
}

/// The policy's rule that took a controller.
fn rule(policy: &CompiledPolicy, taken: Taken) -> Option<&storage::Controller> {
    let entry = u32::try_from(taken.entry).ok()?;
    policy.storage.controllers.iter().find(|rule| rule.entry == entry)
}

/// Zeroed memory of the region for a device.
pub(super) fn buffer(region: &mut Region, length: usize, alignment: usize) -> Option<Buffer> {
    let count = (length as u64).div_ceil(PAGE);
    let pages = region.aligned_pages(count, alignment as u64).ok()?;
    Some(Buffer::new(DeviceAddress(pages.as_ptr().addr() as u64), length))
}

impl fmt::Display for NotAttached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sort = match &self.why {
            Why::Pro100(_) | Why::Pro1000(_) | Why::Tunnel(_) => "network",
            _ => "disk",
        };
        write!(f, "{sort} controller {}: ", self.device)?;
        match &self.why {
            Why::NoRegisters => f.write_str("its registers are not where its driver looks for them"),
            Why::Tunnel(why) => why.fmt(f),
            Why::NoDriver => f.write_str("this build has no driver for it"),
            Why::Pro1000(pro1000::AttachError::Unsupported(device))
            | Why::Pro100(pro100::AttachError::Unsupported(device)) => {
                write!(
                    f,
                    "the device 8086:{device:04x} has other registers than its driver knows"
                )
            }
            Why::Pro100(pro100::AttachError::Absent)
            | Why::Pro1000(pro1000::AttachError::Absent)
            | Why::Ahci(ahci::AttachError::Absent) => f.write_str("nothing answers at its registers"),
            Why::Pro100(pro100::AttachError::NoAddress) => {
                f.write_str("its EEPROM holds no hardware address")
            }
            Why::Ahci(ahci::AttachError::Handoff) => f.write_str("the firmware does not let go of it"),
            Why::Pro1000(pro1000::AttachError::Stuck) | Why::Ahci(ahci::AttachError::Stuck) => {
                f.write_str("it neither stops nor resets")
            }
            Why::Pro100(pro100::AttachError::Memory)
            | Why::Pro1000(pro1000::AttachError::Memory)
            | Why::Ahci(ahci::AttachError::Memory)
            | Why::Ata(ata::AttachError::Memory) => {
                f.write_str("there is no memory for it that it can address")
            }
            Why::Ahci(ahci::AttachError::Refused(_, why)) | Why::Ata(ata::AttachError::Refused(_, why)) => {
                why.fmt(f)
            }
        }
    }
}
