//! The hypervisor binary: the entry point that the loader calls, and what happens on a panic.
#![no_std]
#![no_main]

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;
use sekisho_abi::boot::{Handover, Status};
use sekisho_runtime as _;

/// Called by the loader; see [`sekisho_abi::boot::call`].
#[expect(unsafe_code, reason = "the linker looks for the entry point by its name")]
#[unsafe(no_mangle)]
extern "sysv64" fn sekisho_entry(_call: u64, _handover: *const Handover) -> u64 {
    Status::OutOfOrder as u64
}

/// The heap before the hypervisor has memory of its own: every request is refused.
struct NoHeap;

#[expect(unsafe_code, reason = "the trait of a heap is unsafe to implement")]
// SAFETY: a heap may refuse every request; nothing was ever given out, so nothing can be taken back.
unsafe impl GlobalAlloc for NoHeap {
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _pointer: *mut u8, _layout: Layout) {}
}

#[global_allocator]
static HEAP: NoHeap = NoHeap;

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
