//! A stock Debian kernel boots to a shell.

use sekisho_system::failure::Failure;
use sekisho_system::guest;
use sekisho_system::machine::Machine;

#[test]
fn linux_boots_on_the_bare_machine() -> Result<(), Failure> {
    let mut machine = Machine::bare(&guest::linux_disk()?).start("boot-bare")?;
    machine.wait_shell()?;
    println!("{}", machine.run("agent cpus")?);
    println!("{}", machine.run("lspci -n")?);
    println!("{}", machine.run("kexec --version; cat /proc/interrupts")?);
    println!("{}", machine.monitor("info status")?);
    println!("{}", machine.monitor("info version")?);
    println!("{:?}", machine.cpu_time()?);
    machine.power_off()
}
