//! Giving a NIC its mediator and its module, on the boot CPU, while the firmware still runs on the bare machine.

use super::attach::{Surroundings, Why, buffer};
use super::trap::NIC_BASE;
use super::{DeviceHost, Mediated, MemoryRegisters};
use crate::address::{HostPhys, PhysRange};
use crate::random;
use crate::region::Region;
use sekisho_abi::network::Nic;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::module::{self, Module};
use sekisho_mediator::net::pro1000::{Guest, Identity, Pro1000};
use sekisho_mediator::net::syslog;
use sekisho_mediator::pci::{Fate, Function, Taken};

/// The mediator of the gigabit NIC that `function` is.
pub(super) fn attach_pro1000(
    function: &Function,
    taken: Taken,
    region: &mut Region,
    surroundings: &Surroundings<'_>,
) -> Result<Mediated, Why> {
    let rule = rule(surroundings, taken).ok_or(Why::NoRegisters)?;
    let window = window(function).ok_or(Why::NoRegisters)?;
    let length = u32::try_from(window.length()).map_err(|_| Why::NoRegisters)?;
    // SAFETY: the firmware maps devices at their physical addresses; the function decodes there.
    let mut registers = unsafe { MemoryRegisters::in_firmware(HostPhys(window.start), length) };
    // SAFETY: the region is the hypervisor's own, and only `memory` below makes buffers of it.
    let mut host = unsafe { DeviceHost::new(surroundings.ram, surroundings.clock, region.whole()) };
    let identity = Identity {
        device: function.identity().device,
        guest: if function.fate() == Fate::Own {
            Guest::Absent
        } else {
            Guest::Present
        },
        own: None,
    };
    let mut memory = |length, alignment| buffer(region, length, alignment);
    let module = |address| module(rule, address, surroundings);
    let nic = Pro1000::attach(identity, module, &mut registers, &mut host, &mut memory);
    let nic = nic.map_err(Why::Pro1000)?;
    // SAFETY: the next access is a guest's or a wake-up's, under the hypervisor's own tables.
    unsafe { registers.leave_firmware() };
    Ok(Mediated::pro1000(nic, registers, host))
}

/// What the policy wants to become of the frames of a NIC with this hardware address.
fn module(rule: &Nic, address: MacAddress, surroundings: &Surroundings<'_>) -> Module {
    let policy = surroundings.policy;
    let identity = syslog::Identity::new(&policy.name, policy.source_hash, address, surroundings.boot);
    let around = module::Surroundings {
        nic: address,
        seed: random::seed(),
        identity,
        clock: surroundings.wall_clock,
    };
    Module::new(&policy.network, rule, &around)
}

/// The policy's rule that took a NIC.
fn rule<'p>(surroundings: &Surroundings<'p>, taken: Taken) -> Option<&'p Nic> {
    let entry = u32::try_from(taken.entry).ok()?;
    let mut nics = surroundings.policy.network.nics.iter();
    nics.find(|nic| nic.entry == entry)
}

/// Where its registers are.
fn window(function: &Function) -> Option<PhysRange> {
    let bar = function.bars().iter().find(|bar| bar.offset() == NIC_BASE)?;
    PhysRange::new(bar.address(), bar.size()).filter(|range| range.start != 0)
}
