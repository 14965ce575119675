//! Whether the wide vector registers of each CPU stay as they are while the hypervisor works below: all sixteen hold a
//! pattern, no instruction touches them for a while, then they are compared. What interrupts meanwhile saves none of them.

use crate::cpus;
use std::arch::{asm, is_x86_feature_detected};
use std::fmt::Write;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

/// Sixteen registers of 256 bits.
type Registers = [[u64; 4]; 16];

/// Rounds of an empty loop between loading and comparing: milliseconds under emulation.
const ROUNDS: u64 = 500_000;

/// Holds patterns on all online CPUs at once for so many seconds. One line each: `cpu N: held COUNT changed COUNT`.
pub fn hold(seconds: &str) -> Result<String, String> {
    let time = Duration::from_secs(seconds.parse().map_err(|_| format!("{seconds} is no number"))?);
    if !is_x86_feature_detected!("avx") {
        return Err("the CPU has no AVX".to_owned());
    }
    let online = cpus::online()?;
    let ready = Arc::new(Barrier::new(online.len()));
    let threads = online.into_iter().map(|cpu| {
        let ready = Arc::clone(&ready);
        thread::spawn(move || {
            let pinned = cpus::pin(cpu);
            ready.wait();
            pinned.map(|()| (cpu, hold_on(cpu, time)))
        })
    });
    // All of them start before the first is waited for.
    let threads: Vec<_> = threads.collect();
    let mut report = String::new();
    for thread in threads {
        let (cpu, (held, changed)) = thread.join().map_err(|_| "a thread failed")??;
        let _ = writeln!(report, "cpu {cpu}: held {held} changed {changed}");
    }
    Ok(report)
}

/// How often patterns were held on this CPU, and how often they were changed.
fn hold_on(cpu: usize, time: Duration) -> (u64, u64) {
    let (mut held, mut changed) = (0_u64, 0);
    let start = Instant::now();
    while start.elapsed() < time {
        // Another one for each CPU, time, register and word.
        let seed = (cpu as u64 + 1) << 48 | held << 16;
        let before: Registers = core::array::from_fn(|register| {
            core::array::from_fn(|word| !(seed | (register * 4 + word) as u64))
        });
        let mut after = [[0; 4]; 16];
        exchange(&before, &mut after);
        held += 1;
        changed += u64::from(after != before);
    }
    (held, changed)
}

/// Loads all registers, waits, stores them. The CPU has AVX.
fn exchange(before: &Registers, after: &mut Registers) {
    // SAFETY: reads and writes the two arrays; every register that changes is named, and the caller has AVX.
    unsafe {
        asm!(
            "vmovdqu ymm0, [{from}]", "vmovdqu ymm1, [{from} + 32]",
            "vmovdqu ymm2, [{from} + 64]", "vmovdqu ymm3, [{from} + 96]",
            "vmovdqu ymm4, [{from} + 128]", "vmovdqu ymm5, [{from} + 160]",
            "vmovdqu ymm6, [{from} + 192]", "vmovdqu ymm7, [{from} + 224]",
            "vmovdqu ymm8, [{from} + 256]", "vmovdqu ymm9, [{from} + 288]",
            "vmovdqu ymm10, [{from} + 320]", "vmovdqu ymm11, [{from} + 352]",
            "vmovdqu ymm12, [{from} + 384]", "vmovdqu ymm13, [{from} + 416]",
            "vmovdqu ymm14, [{from} + 448]", "vmovdqu ymm15, [{from} + 480]",
            "2:", "dec {rounds}", "jnz 2b",
            "vmovdqu [{to}], ymm0", "vmovdqu [{to} + 32], ymm1",
            "vmovdqu [{to} + 64], ymm2", "vmovdqu [{to} + 96], ymm3",
            "vmovdqu [{to} + 128], ymm4", "vmovdqu [{to} + 160], ymm5",
            "vmovdqu [{to} + 192], ymm6", "vmovdqu [{to} + 224], ymm7",
            "vmovdqu [{to} + 256], ymm8", "vmovdqu [{to} + 288], ymm9",
            "vmovdqu [{to} + 320], ymm10", "vmovdqu [{to} + 352], ymm11",
            "vmovdqu [{to} + 384], ymm12", "vmovdqu [{to} + 416], ymm13",
            "vmovdqu [{to} + 448], ymm14", "vmovdqu [{to} + 480], ymm15",
            "vzeroupper",
            from = in(reg) before.as_ptr(), to = in(reg) after.as_mut_ptr(), rounds = inout(reg) ROUNDS => _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _, out("xmm4") _, out("xmm5") _,
            out("xmm6") _, out("xmm7") _, out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nostack),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_come_back_in_their_order() {
        if is_x86_feature_detected!("avx") {
            let before: Registers = core::array::from_fn(|register| [register as u64; 4]);
            let mut after = [[0; 4]; 16];
            exchange(&before, &mut after);
            assert_eq!(after, before);
        }
    }
}
