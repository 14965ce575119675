//! What the appliance promises, each claim judged on the emulated machine; run with `--test-threads=1`.
//!
//! One file a claim. Most say "as on the bare machine", so they run the machine twice.

mod boot;
mod concealed;
mod disk;
mod exact;
mod hostile;
mod inside;
mod memory_test;
mod networks;
mod nmi;
mod pinned;
mod power;
mod refusal;
mod status;
mod unlock;
mod x2apic;

use sekisho_system::appliance::Appliance;
use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::{Machine, Running};
use sekisho_system::report;
use std::path::PathBuf;

/// The policy of most claims: everything passes but the NIC 8086:100e.
const POLICY: &str = "first-light.toml";
/// The NIC it conceals.
const CONCEALED: &str = "8086:100e";

/// The disk of [`POLICY`].
fn appliance() -> Result<PathBuf, Failure> {
    Appliance::example(POLICY)?.disk("first-light")
}

/// The usual machine under the hypervisor, with the Linux guest.
fn under() -> Result<Machine, Failure> {
    Ok(Machine::under(&appliance()?, &guest::linux_disk()?))
}

/// The same machine without the hypervisor.
fn bare() -> Result<Machine, Failure> {
    Ok(Machine::bare(&guest::linux_disk()?))
}

/// Every one of `cpus` CPUs answers as the hypervisor's, and shows no SVM.
fn assert_inside(machine: &mut Running, cpus: u8) -> Result<(), Failure> {
    let seen = machine.run("agent cpus")?;
    if report::cpu_count(&seen) != usize::from(cpus) {
        return Err(machine.refute(format!("{cpus} CPUs were expected:\n{seen}")));
    }
    if report::outside(&seen).is_empty() {
        return Ok(());
    }
    Err(machine.refute(format!("a CPU runs outside of the hypervisor:\n{seen}")))
}

/// Fails with both sides if they differ.
fn assert_same<T: PartialEq + std::fmt::Debug>(
    machine: &mut Running,
    what: &str,
    seen: &T,
    expected: &T,
) -> Result<(), Failure> {
    if seen == expected {
        return Ok(());
    }
    Err(machine.refute(format!(
        "{what}\n  seen:     {seen:#?}\n  expected: {expected:#?}"
    )))
}
