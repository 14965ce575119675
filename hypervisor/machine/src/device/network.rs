//! Giving a NIC its mediator and its module, on the boot CPU, while the firmware still runs on the bare machine.

use super::attach::{Surroundings, Why, buffer};
use super::nic::{Family, Nic};
use super::trap::NIC_BASE;
use super::{DeviceHost, Mediated, MemoryRegisters};
use crate::address::{HostPhys, PhysRange};
use crate::random;
use crate::region::Region;
use crate::vectors::Lent;
use alloc::boxed::Box;
use alloc::string::ToString;
use sekisho_abi::network::{self, Tunnel};
use sekisho_abi::selection::Driver;
use sekisho_keys::secrets::WireGuardKind;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::module::vpn::{self, Entrusted, KeyKind, OpenError, Opened, Vectors};
use sekisho_mediator::net::module::{self, Module};
use sekisho_mediator::net::port::Guest;
use sekisho_mediator::net::pro100::{self, Pro100};
use sekisho_mediator::net::pro1000::{self, Pro1000};
use sekisho_mediator::net::syslog;
use sekisho_mediator::pci::{Fate, Function, Taken};

/// The mediator of the NIC that `function` is, of the family that the policy's driver is made for.
pub(super) fn attach(
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
    let device = function.identity().device;
    let guest = match function.fate() {
        Fate::Own => Guest::Absent,
        _ => Guest::Present,
    };
    let mut memory = |length, alignment| buffer(region, length, alignment);
    let lent = match rule.module {
        network::Module::Vpn { .. } => Lent::new(),
        _ => None,
    };
    // SAFETY: the engine goes into the NIC, which calls it by `Nic::work` alone. Before that it has agreed on no key, so there
    // is no packet to be sealed or opened.
    let vectors = lent.map_or(Vectors::NARROW, |lent| unsafe { lent.vectors() });
    let tunnel = tunnel(rule, function, vectors, surroundings)
        .transpose()
        .map_err(Why::Tunnel)?;
    let module = |address| module(rule, address, tunnel, surroundings);
    let family = match taken.driver {
        Driver::Pro100 => {
            let identity = pro100::Identity { device, guest };
            Pro100::attach(identity, module, &mut registers, &mut host, &mut memory)
                .map(|nic| Family::Pro100(Box::new(nic)))
                .map_err(Why::Pro100)?
        }
        Driver::Pro1000 => {
            let own = None;
            let identity = pro1000::Identity { device, guest, own };
            Pro1000::attach(identity, module, &mut registers, &mut host, &mut memory)
                .map(|nic| Family::Pro1000(Box::new(nic)))
                .map_err(Why::Pro1000)?
        }
        _ => return Err(Why::NoDriver),
    };
    // SAFETY: the next access is a guest's or a wake-up's, under the hypervisor's own tables.
    unsafe { registers.leave_firmware() };
    Ok(Mediated::network(Nic::new(family, registers, lent), host))
}

/// What the policy wants to become of the frames of a NIC with this hardware address.
fn module(
    rule: &network::Nic,
    address: MacAddress,
    tunnel: Option<(&Tunnel, Opened)>,
    surroundings: &Surroundings<'_>,
) -> Module {
    let policy = surroundings.policy;
    let identity = syslog::Identity::new(&policy.name, policy.source_hash, address, surroundings.boot);
    let around = module::Surroundings {
        nic: address,
        seed: random::seed(),
        identity,
        clock: surroundings.wall_clock,
    };
    match tunnel {
        Some((tunnel, opened)) => Module::with_tunnel(&policy.network, rule, &around, tunnel, opened),
        None => Module::new(&policy.network, rule, &around),
    }
}

/// The tunnel that the rule of a NIC names, with its keys.
fn tunnel<'p>(
    rule: &network::Nic,
    function: &Function,
    vectors: Vectors,
    surroundings: &Surroundings<'p>,
) -> Option<Result<(&'p Tunnel, Opened), OpenError>> {
    let network::Module::Vpn { tunnel } = rule.module else {
        return None;
    };
    let tunnel = surroundings
        .policy
        .network
        .tunnels
        .get(usize::try_from(tunnel).ok()?)?;
    let secrets = surroundings.secrets;
    let key = |kind, name: &str| {
        let kind = match kind {
            KeyKind::Private => WireGuardKind::Private,
            KeyKind::Preshared => WireGuardKind::Preshared,
        };
        secrets.wireguard(kind, name).map(|named| named.key.expose())
    };
    let apart = function.address().to_string();
    let entrusted = Entrusted {
        key: &key,
        seed: vpn::seed(surroundings.random, random::draw().expose(), apart.as_bytes()),
        clock: surroundings.wall_clock,
        vectors,
    };
    Some(vpn::open(tunnel, entrusted).map(|opened| (tunnel, opened)))
}

/// The policy's rule that took a NIC.
fn rule<'p>(surroundings: &Surroundings<'p>, taken: Taken) -> Option<&'p network::Nic> {
    let entry = u32::try_from(taken.entry).ok()?;
    let mut nics = surroundings.policy.network.nics.iter();
    nics.find(|nic| nic.entry == entry)
}

/// Where its registers are.
fn window(function: &Function) -> Option<PhysRange> {
    let bar = function.bars().iter().find(|bar| bar.offset() == NIC_BASE)?;
    PhysRange::new(bar.address(), bar.size()).filter(|range| range.start != 0)
}
