//! NMIs: one message is one NMI; a second waits for the handler's IRET, is not lost and does not nest.

use core::sync::atomic::{AtomicU32, Ordering};
use platform::apic::{self, deliver};
use platform::exception::{self, Frame, Taken};
use platform::line;

const NMI: u64 = 2;
const TURNS: u32 = 200_000;
/// What the handler does.
const RETURN: u32 = 0;
const SEND_ONE: u32 = 1;
const CAUSE_EXIT: u32 = 2;

static COUNT: AtomicU32 = AtomicU32::new(0);
static DEPTH: AtomicU32 = AtomicU32::new(0);
static DEEPEST: AtomicU32 = AtomicU32::new(0);
static TASK: AtomicU32 = AtomicU32::new(RETURN);

fn handler(frame: &mut Frame) -> Taken {
    if frame.vector != NMI {
        return Taken::No;
    }
    COUNT.fetch_add(1, Ordering::SeqCst);
    let depth = DEPTH.fetch_add(1, Ordering::SeqCst) + 1;
    DEEPEST.fetch_max(depth, Ordering::SeqCst);
    match TASK.swap(RETURN, Ordering::SeqCst) {
        SEND_ONE => {
            apic::send(apic::id(), deliver::NMI);
            pause();
        }
        CAUSE_EXIT => {
            apic::send(apic::id(), deliver::NMI);
            // Exits while the NMI waits must not let it in early.
            for _ in 0..100 {
                core::hint::black_box(core::arch::x86_64::__cpuid(0));
                apic::write(apic::TASK_PRIORITY, 0);
            }
            pause();
        }
        _ => {}
    }
    DEPTH.fetch_sub(1, Ordering::SeqCst);
    Taken::Yes
}

fn pause() {
    for _ in 0..TURNS {
        core::hint::spin_loop();
    }
}

fn tell(name: &str, task: u32, messages: u32) {
    COUNT.store(0, Ordering::SeqCst);
    DEEPEST.store(0, Ordering::SeqCst);
    for _ in 0..messages {
        TASK.store(task, Ordering::SeqCst);
        apic::send(apic::id(), deliver::NMI);
        pause();
    }
    line!(
        "exact: {name}: {} NMIs, depth {}",
        COUNT.load(Ordering::SeqCst),
        DEEPEST.load(Ordering::SeqCst)
    );
}

/// Sends NMIs to this CPU.
pub fn run() {
    exception::set_hook(handler);
    tell("one NMI", RETURN, 1);
    tell("twenty NMIs", RETURN, 20);
    tell("an NMI within the handler", SEND_ONE, 1);
    tell("an NMI within the handler, with exits", CAUSE_EXIT, 1);
    tell("five of those", CAUSE_EXIT, 5);
}
