//! What an application processor does for us: two tiny procedures on the firmware's stack for it.
//!
//! They touch atomics and what they were given, and call no firmware service: none may be called there.

use crate::hypervisor::Hypervisor;
use core::arch::x86_64::__cpuid;
use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use core::time::Duration;
use sekisho_abi::boot::Handover;
use uefi::proto::pi::mp::MpServices;

/// CPUID leaf at which a hypervisor names itself in EBX, ECX and EDX.
const LEAF_SIGNATURE: u32 = 0x4000_0000;
/// CPUID leaf at which ours numbers its CPUs in EAX.
const LEAF_NUMBER: u32 = 0x4000_0001;
/// The answer of a CPU that gave none: no [`sekisho_abi::boot::Status`].
const NO_ANSWER: u64 = u64::MAX;

/// One CPU's way into the hypervisor.
pub(super) struct Entrance<'call> {
    hypervisor: &'call Hypervisor,
    handover: &'call Handover,
    answer: AtomicU64,
}

impl<'call> Entrance<'call> {
    pub(super) fn new(hypervisor: &'call Hypervisor, handover: &'call Handover) -> Self {
        Self {
            hypervisor,
            handover,
            answer: AtomicU64::new(NO_ANSWER),
        }
    }

    /// Enters the CPU that the firmware numbers `cpu`, and waits for it to return as guest.
    pub(super) fn run(&self, services: &MpServices, cpu: usize, timeout: Duration) -> uefi::Result {
        let argument = core::ptr::from_ref(self).cast_mut().cast();
        services.startup_this_ap(cpu, enter, argument, None, Some(timeout))
    }

    /// The hypervisor's raw answer.
    pub(super) fn answer(&self) -> u64 {
        self.answer.load(Ordering::Acquire)
    }
}

#[expect(unsafe_code, reason = "the firmware passes the argument as an address")]
extern "efiapi" fn enter(argument: *mut c_void) {
    // SAFETY: `Entrance::run` passed a reference to it, and returns only when this procedure has ended or, at the
    // timeout, the firmware has terminated it (PI 1.8, volume 2, 13.4.4): the entrance outlives this call.
    let entrance = unsafe { &*argument.cast::<Entrance<'_>>() };
    entrance
        .answer
        .store(entrance.hypervisor.enter(entrance.handover), Ordering::Release);
}

/// Who a CPU runs under.
pub(super) struct Question {
    /// EBX, ECX and EDX of [`LEAF_SIGNATURE`], then EAX of [`LEAF_NUMBER`].
    registers: [AtomicU32; 4],
}

impl Question {
    pub(super) const fn new() -> Self {
        Self {
            registers: [const { AtomicU32::new(0) }; 4],
        }
    }

    /// Asks the CPU that the firmware numbers `cpu`.
    pub(super) fn run(&self, services: &MpServices, cpu: usize, timeout: Duration) -> uefi::Result {
        let argument = core::ptr::from_ref(self).cast_mut().cast();
        services.startup_this_ap(cpu, ask, argument, None, Some(timeout))
    }

    /// Asks the calling CPU.
    pub(super) fn ask_here(&self) {
        let name = __cpuid(LEAF_SIGNATURE);
        let number = __cpuid(LEAF_NUMBER).eax;
        for (register, value) in self.registers.iter().zip([name.ebx, name.ecx, name.edx, number]) {
            register.store(value, Ordering::Release);
        }
    }

    /// The name, and the CPU's number there.
    pub(super) fn answer(&self) -> ([u8; 12], u32) {
        let [ebx, ecx, edx, number] = self
            .registers
            .each_ref()
            .map(|register| register.load(Ordering::Acquire));
        let mut name = [0; 12];
        let bytes = [ebx, ecx, edx].into_iter().flat_map(u32::to_le_bytes);
        name.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        (name, number)
    }
}

#[expect(unsafe_code, reason = "the firmware passes the argument as an address")]
extern "efiapi" fn ask(argument: *mut c_void) {
    // SAFETY: `Question::run` passed a reference to it, and waits as `Entrance::run` does.
    let question = unsafe { &*argument.cast::<Question>() };
    question.ask_here();
}
