//! Single steps: after an instruction executed with TF set comes #DB with DR6.BS, also if a hypervisor did it.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};
use platform::config::{self, HOST_BRIDGE};
use platform::exception::{self, Frame, Taken};
use platform::{apic, line, msr};

const DEBUG: u64 = 1;
const TRAP_FLAG: u64 = 1 << 8;
/// DR6: the four breakpoints, and a single step.
const CAUSES: u64 = 0x400f;

static TRAPS: AtomicU64 = AtomicU64::new(0);
static PLACE: AtomicU64 = AtomicU64::new(0);
static CAUSE: AtomicU64 = AtomicU64::new(0);

fn trapped(frame: &mut Frame) -> Taken {
    if frame.vector != DEBUG {
        return Taken::No;
    }
    let cause: u64;
    // SAFETY: reads DR6 and clears it; a breakpoint that stayed enabled would come again at once.
    unsafe {
        asm!(
            "mov {cause}, dr6", "mov dr6, {none}", "mov dr7, {off}",
            cause = out(reg) cause, none = in(reg) 0xffff_0ff0_u64, off = in(reg) 0x400_u64,
        );
    }
    TRAPS.fetch_add(1, Ordering::SeqCst);
    PLACE.store(frame.rip, Ordering::SeqCst);
    CAUSE.store(cause & CAUSES, Ordering::SeqCst);
    frame.rflags &= !TRAP_FLAG;
    Taken::Yes
}

fn tell(name: &str, after: u64) {
    let distance = PLACE.load(Ordering::SeqCst).wrapping_sub(after) as i64;
    let (traps, cause) = (TRAPS.swap(0, Ordering::SeqCst), CAUSE.swap(0, Ordering::SeqCst));
    line!("exact: single step over {name}: {traps} traps at {distance:+} with {cause:#x}");
}

macro_rules! over {
    ($name:literal, $code:literal, $a:expr, $c:expr, $d:expr) => {{
        let after: u64;
        // SAFETY: the step handler clears the trap flag; the instruction is one the caller chose.
        unsafe {
            asm!(
                "push rbx", "pushfq", "or qword ptr [rsp], 0x100", "popfq",
                $code,
                "2:", "nop", "lea rdi, [rip + 2b]", "pop rbx",
                inout("rax") $a => _, inout("rcx") $c => _, inout("rdx") $d => _, out("rdi") after,
            );
        }
        tell($name, after);
    }};
}

/// Steps over one instruction of each kind.
pub fn run() {
    exception::set_hook(trapped);
    let window = HOST_BRIDGE.in_window(config::window(), 0);
    let efer = msr::read(msr::EFER);
    over!("nop", "nop", 0_u64, 0_u64, 0_u64);
    over!("cpuid", "cpuid", 0_u64, 0_u64, 0_u64);
    over!(
        "APIC write",
        "mov [rcx], eax",
        0_u64,
        apic::BASE + apic::TASK_PRIORITY,
        0_u64
    );
    over!(
        "APIC read",
        "mov eax, [rcx]",
        0_u64,
        apic::BASE + apic::TASK_PRIORITY,
        0_u64
    );
    over!(
        "config port write",
        "out dx, eax",
        1_u64 << 31,
        0_u64,
        u64::from(config::ADDRESS)
    );
    over!(
        "config port read",
        "in eax, dx",
        0_u64,
        0_u64,
        u64::from(config::DATA)
    );
    over!("config window read", "mov eax, [rcx]", 0_u64, window, 0_u64);
    over!("rdmsr", "rdmsr", 0_u64, u64::from(msr::EFER), 0_u64);
    over!(
        "wrmsr",
        "wrmsr",
        efer & 0xffff_ffff,
        u64::from(msr::EFER),
        efer >> 32
    );
    breakpoint();
}

/// A breakpoint register on the instruction behind an intercepted one.
fn breakpoint() {
    let after: u64;
    // SAFETY: the breakpoint is enabled for this stretch only, and the handler disables it.
    unsafe {
        asm!(
            "push rbx", "lea rdi, [rip + 2f]", "mov dr0, rdi", "mov eax, 2", "mov dr7, rax",
            "xor eax, eax", "cpuid",
            "2:", "xor eax, eax", "mov dr7, rax", "pop rbx",
            out("rax") _, out("rcx") _, out("rdx") _, out("rdi") after,
        );
    }
    tell("cpuid with a breakpoint behind", after);
}
