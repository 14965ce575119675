//! The instructions of SVM: without SVM each is #UD.

use crate::report::{Exception, Report};
use core::arch::asm;
use platform::attempt::attempt;

macro_rules! one {
    ($report:expr, $name:literal, $($code:tt)*) => {
        // SAFETY: each of these faults; if one did not, the report says so and the run has failed.
        let outcome = attempt(|| unsafe {
            asm!($($code)*, in("rax") 0x1000_u64, in("rcx") 0_u64);
            0
        });
        $report.tell(format_args!($name), outcome, |outcome| outcome.is(Exception::InvalidOpcode));
    };
}

/// Tries them all.
pub fn run(report: &mut Report) {
    one!(report, "vmrun", "vmrun rax");
    one!(report, "vmload", "vmload rax");
    one!(report, "vmsave", "vmsave rax");
    one!(report, "stgi", "stgi");
    one!(report, "clgi", "clgi");
    one!(report, "skinit", "skinit eax");
    one!(report, "invlpga", "invlpga rax, ecx");
    // With RAX = 0x1000 this is no call the hypervisor knows, even where the policy allows status calls.
    one!(report, "vmmcall", ".byte 0x0f, 0x01, 0xd9");
    one!(report, "vmcall", ".byte 0x0f, 0x01, 0xc1");
    one!(
        report,
        "vmmcall with prefixes",
        ".byte 0x66, 0x48, 0x0f, 0x01, 0xd9"
    );
    one!(
        report,
        "vmrun with prefixes",
        ".byte 0x66, 0x48, 0x0f, 0x01, 0xd8"
    );
}
