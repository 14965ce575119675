//! Counts the instructions that one operation costs, by RDTSC on an emulator whose clock counts instructions.
//!
//! Prints `bench: NAME INSTRUCTIONS` for each; the harness runs it bare and under the hypervisor and subtracts.
#![no_std]
#![no_main]

use core::arch::asm;
use core::arch::x86_64::{__cpuid, _mm_lfence, _rdtsc};
use core::hint::black_box;
use core::panic::PanicInfo;
use platform::config::{self, HOST_BRIDGE};
use platform::{apic, line, machine, msr, port};
use sekisho_runtime as _;
use uefi::{Status, entry};

/// `-icount shift=4`: each instruction is 16 ns, and the counter runs at 1 GHz.
const TICKS_AN_INSTRUCTION: u64 = 16;
/// The least of so many is free of caches that were cold.
const REPEATS: usize = 200;
/// A register that no hypervisor has reason to watch: where SYSCALL goes in 64-bit mode.
const LSTAR: u32 = 0xc000_0082;

/// Class and subclass of AHCI controllers.
const SERIAL_ATA: u16 = 0x0106;
/// Their base address register (Serial ATA AHCI 1.3.1, 2.1.11).
const ABAR: u8 = 0x24;
/// PxSSTS of port 0, which reading does not change (3.3.10).
const PORT_STATUS: u64 = 0x128;

#[entry]
fn efi_main() -> Status {
    let _machine = machine::take();
    let window = HOST_BRIDGE.in_window(config::window(), 0);
    let nothing = least(|| ());
    let print = |name: &str, ticks: u64| {
        line!(
            "bench: {name} {}",
            ticks.saturating_sub(nothing) / TICKS_AN_INSTRUCTION
        );
    };
    print("cpuid", least(|| __cpuid(0)));
    print(
        "config-port-write",
        least(|| port::write32(config::ADDRESS, 1 << 31)),
    );
    HOST_BRIDGE.select(0);
    print("config-port-read", least(|| port::read32(config::DATA)));
    print("config-window-read", least(|| read(window)));
    let priority = apic::read(apic::TASK_PRIORITY);
    print("apic-write", least(|| apic::write(apic::TASK_PRIORITY, priority)));
    print(
        "apic-end-of-interrupt",
        least(|| apic::write(apic::END_OF_INTERRUPT, 0)),
    );
    print("apic-read", least(|| apic::read(apic::TASK_PRIORITY)));
    print("msr-read", least(|| msr::read(LSTAR)));
    let target = msr::read(LSTAR);
    // SAFETY: the value is the one that is there.
    print("msr-write", least(|| unsafe { msr::write(LSTAR, target) }));
    if let Some(controller) = config::find(SERIAL_ATA) {
        let registers = u64::from(controller.read(ABAR) & !0xf);
        print("ahci-read", least(|| read(registers + PORT_STATUS)));
    }
    line!("bench: end");
    port::exit(0x10);
}

/// The least ticks that `operation` took.
fn least<T>(operation: impl Fn() -> T) -> u64 {
    (0..REPEATS)
        .map(|_| {
            // SAFETY: RDTSC and LFENCE are in every 64-bit CPU.
            unsafe {
                _mm_lfence();
                let start = _rdtsc();
                black_box(operation());
                _mm_lfence();
                _rdtsc() - start
            }
        })
        .min()
        .unwrap_or_default()
}

fn read(address: u64) {
    // SAFETY: the callers give registers whose reads change nothing.
    unsafe {
        asm!("mov {value:e}, [{address}]", value = out(reg) _, address = in(reg) address, options(nostack))
    };
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    line!("bench: {info}");
    port::exit(0x3e);
}
