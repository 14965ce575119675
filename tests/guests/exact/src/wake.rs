//! `sti; hlt`: an interrupt that comes at any moment around the pair must end the HLT.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};
use platform::exception::{self, Frame, Taken};
use platform::{apic, line};

const TIMER_VECTOR: u32 = 0x22;
const WAKE_UPS: u32 = 500;
const DIVIDE_BY_ONE: u32 = 0xb;

static COUNT: AtomicU32 = AtomicU32::new(0);

fn handler(frame: &mut Frame) -> Taken {
    if frame.vector != u64::from(TIMER_VECTOR) {
        return Taken::No;
    }
    COUNT.fetch_add(1, Ordering::SeqCst);
    apic::write(apic::END_OF_INTERRUPT, 0);
    Taken::Yes
}

/// Waits for timers of many lengths.
pub fn run() {
    exception::set_hook(handler);
    apic::write(apic::DIVIDER, DIVIDE_BY_ONE);
    apic::write(apic::TIMER, TIMER_VECTOR);
    for number in 1..=WAKE_UPS {
        // From "pending before STI" to "well after HLT".
        apic::write(apic::INITIAL_COUNT, number * number);
        wait(number);
    }
    line!("exact: sti and hlt: {} wake-ups", COUNT.swap(0, Ordering::SeqCst));
    for number in 1..=WAKE_UPS {
        apic::write(apic::INITIAL_COUNT, number * 40);
        while COUNT.load(Ordering::SeqCst) < number {
            // SAFETY: interrupts are expected, and off again after an instruction that exits in STI's shadow.
            unsafe {
                asm!("push rbx", "sti", "cpuid", "nop", "cli", "pop rbx", inout("eax") 0 => _, out("ecx") _, out("edx") _)
            };
        }
    }
    line!(
        "exact: interrupts between exits: {}",
        COUNT.swap(0, Ordering::SeqCst)
    );
}

/// Halts until `due` interrupts have come.
fn wait(due: u32) {
    while COUNT.load(Ordering::SeqCst) < due {
        // SAFETY: the timer is running, so an interrupt comes; interrupts are off again afterwards.
        unsafe { asm!("sti", "hlt", "cli", options(nostack)) };
    }
}
