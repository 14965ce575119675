//! Attempts that end the run of any machine: afterwards it resets, and must come back inside.

use core::arch::asm;
use platform::apic::{self, deliver};
use platform::line;
use platform::machine::Machine;

/// Does what `name` says, and waits for the end.
pub fn run(name: &str, machine: &Machine) -> ! {
    let region = machine.region().unwrap_or(0xe000_0000);
    match name {
        "init-to-all" => apic::write(apic::COMMAND_LOW, deliver::INIT | deliver::TO_ALL),
        "init-to-self" => apic::send(apic::id(), deliver::INIT),
        "cr3" => {
            // SAFETY: the program ends here.
            unsafe { asm!("mov cr3, {}", "mov {}, [0]", in(reg) region, out(reg) _) };
        }
        "idt" => {
            let pointer: [u16; 5] = [
                0xfff,
                region as u16,
                (region >> 16) as u16,
                (region >> 32) as u16,
                0,
            ];
            // SAFETY: the program ends here.
            unsafe { asm!("lidt [{}]", "ud2", in(reg) pointer.as_ptr()) };
        }
        _ => line!("hostile: {name} is no attempt"),
    }
    loop {
        x86_64::instructions::hlt();
    }
}
