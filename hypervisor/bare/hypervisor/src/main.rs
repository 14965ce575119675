//! The hypervisor binary: the entry point that the loader calls, the heap, and the panic handler.
#![no_std]
#![no_main]
#![expect(
    unsafe_code,
    reason = "the loader calls in with raw values, and the linker knows the entry by name"
)]

use core::arch::naked_asm;
use core::convert::Infallible;
use core::panic::PanicInfo;
use linked_list_allocator::LockedHeap;
use sekisho_abi::boot::{Handover, Status, call};
use sekisho_machine::{Caller, Hypervisor, faults, prepare};
use sekisho_runtime as _;
use spin::Once;

/// Filled and given memory by [`prepare`]; nothing is taken from it once guests run.
#[global_allocator]
static HEAP: LockedHeap = LockedHeap::empty();

/// What [`call::PREPARE`] built.
static HYPERVISOR: Once<Hypervisor> = Once::new();

/// Called by the loader; see [`call`]. Pushes a [`Caller`], from which the guest goes on.
// SAFETY: the only symbol of this name in the binary.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "sysv64" fn sekisho_entry(number: u64, handover: *const Handover) -> u64 {
    naked_asm!(
        "pushfq",
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov rdx, rsp",
        "call {dispatch}",
        "add rsp, 56",
        "ret",
        dispatch = sym dispatch,
    )
}

extern "sysv64" fn dispatch(number: u64, handover: *const Handover, caller: &Caller) -> u64 {
    let result = match number {
        call::PREPARE => build(handover),
        call::ENTER => enter(caller).map(|never| match never {}),
        _ => Err(Status::OutOfOrder),
    };
    result.err().unwrap_or(Status::Done) as u64
}

fn build(handover: *const Handover) -> Result<(), Status> {
    if HYPERVISOR.is_completed() {
        return Err(Status::OutOfOrder);
    }
    // SAFETY: the loader passes its own handover, or null.
    let handover = unsafe { handover.as_ref() }.ok_or(Status::WrongHandover)?;
    let give = |start: *mut u8, length: usize| {
        // SAFETY: `prepare` gives memory that nobody else has, once.
        unsafe { HEAP.lock().init(start, length) };
    };
    // SAFETY: the loader's promise, see `sekisho_abi::boot`.
    let hypervisor = unsafe { prepare(handover, give) }?;
    HYPERVISOR.call_once(|| hypervisor);
    Ok(())
}

fn enter(caller: &Caller) -> Result<Infallible, Status> {
    let hypervisor = HYPERVISOR.get().ok_or(Status::OutOfOrder)?;
    // SAFETY: the loader calls this once on each CPU, under the firmware's mapping.
    unsafe { hypervisor.enter(caller) }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    faults::panic(info, HYPERVISOR.get().map(Hypervisor::machine))
}
