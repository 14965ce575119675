//! The guest's wide vector registers, lent to a tunnel's cipher and given back.
//!
//! A world switch exchanges SSE registers alone, and the host runs without CR4.OSXSAVE: what AVX and AVX-512 have above
//! bit 127 stays in the CPU as the guest left it. Here it is kept in memory of ours for as long as the cipher works, which is
//! from the first long packet of an access to a NIC to the end of that access; an access without one costs nothing.
//!
//! No vendor's business: neither virtualization extension switches XCR0 or what it enables. Nothing interrupts: NMIs and
//! machine checks are held off while an exit is handled, and the handlers of faults, which end in a stop, know no AVX.
//!
//! Sources: APM volume 2, 11.5 (extended state), volume 4 (XSAVE, XRSTOR), volume 3, CPUID Fn0000_000D; Intel SDM volume 1,
//! chapter 13 and 14.1 (VEX-encoded instructions write zeros above what they write).

use alloc::boxed::Box;
use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count, CpuidResult};
use sekisho_mediator::net::module::vpn::{Lender, Vectors};
use spin::Mutex;
use x86_64::registers::control::{Cr4, Cr4Flags};
use x86_64::registers::xcontrol::XCr0;

/// State components by their bits in XCR0 (SDM volume 1, 13.1): x87, SSE and AVX, without which no AVX instruction runs.
const ENABLED: u64 = 0b111;
/// Masks, bits 256 to 511 of registers 0 to 15, and registers 16 to 31: together or not at all.
const AVX512: u64 = 0b111 << 5;
/// Bits 128 to 255 of registers 0 to 15.
const UPPER_HALVES: u32 = 2;
/// Bits 256 to 511 of them, which AVX2 instructions set to zero.
const ABOVE: u32 = 6;
/// Bytes for both components where any CPU so far has them, in XSAVE's standard format.
const AREA: usize = 2048;
/// Where the legacy region and the header end.
const FIRST_COMPONENT: u32 = 576;

/// Registers that the guest lends.
pub(crate) struct Lent {
    plan: Plan,
    guest: Mutex<Guest>,
}

/// What a CPU needs for AVX2.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Plan {
    /// Bits that XCR0 must have while it runs. AVX-512's too, though nothing uses it: without them nobody could keep what AVX2
    /// instructions overwrite, even if the guest has turned it off.
    enabled: u64,
    /// The components that AVX2 instructions change, but for the one that the world switch exchanges.
    changed: u64,
}

/// What is the guest's. Its memory is the hypervisor's own, which no guest can reach, and never holds anything of ours.
struct Guest {
    area: Area,
    /// The registers before they were lent, while they are.
    control: Option<Control>,
    times: u64,
}

/// Control registers that a loan changes.
struct Control {
    cr4: u64,
    xcr0: u64,
}

/// Memory in XSAVE's standard format. Header and reserved bytes are zero, as XRSTOR demands.
#[repr(C, align(64))]
struct Area([u8; AREA]);

impl Lent {
    /// `None` where the CPU has no AVX2, or state that would not fit.
    pub(crate) fn new() -> Option<&'static Self> {
        let lent = Self {
            plan: Plan::new(leaf)?,
            guest: Mutex::new(Guest {
                area: Area([0; AREA]),
                control: None,
                times: 0,
            }),
        };
        Some(Box::leak(Box::new(lent)))
    }

    /// For a cipher.
    ///
    /// # Safety
    /// Whoever calls the cipher calls [`Self::give_back`] behind it, on the same CPU, before the guest runs there or another
    /// CPU calls the cipher.
    pub(crate) unsafe fn vectors(&'static self) -> Vectors {
        // SAFETY: `new` has found AVX2 and BMI2, which all CPUs of a machine have; `lend` lets them be used and keeps what
        // they change for the guest; the caller sees to it that it gets it back, and so nothing else.
        unsafe { Vectors::lent(self) }
    }

    /// The guest's registers are the guest's again, if they were lent. What the cipher left in them is overwritten; in the
    /// lower halves the world switch does that.
    pub(crate) fn give_back(&self) {
        let guest = &mut *self.guest.lock();
        let Some(Control { cr4, xcr0 }) = guest.control.take() else {
            return;
        };
        // SAFETY: saved by `lend` on this CPU, with the same components, which are still enabled.
        unsafe { guest.area.restore(self.plan.changed) };
        // SAFETY: the value that was there before.
        unsafe { XCr0::write_raw(xcr0) };
        // SAFETY: as above.
        unsafe { Cr4::write_raw(cr4) };
    }

    /// How often the guest has lent.
    pub(crate) fn times(&self) -> u64 {
        self.guest.lock().times
    }
}

impl Lender for Lent {
    fn lend(&self) {
        let guest = &mut *self.guest.lock();
        if guest.control.is_some() {
            return;
        }
        let cr4 = Cr4::read_raw();
        // SAFETY: the CPU has XSAVE; it lets XCR0 be reached and changes nothing else.
        unsafe { Cr4::write_raw(cr4 | Cr4Flags::OSXSAVE.bits()) };
        let xcr0 = XCr0::read_raw();
        // SAFETY: the CPU supports these bits beside those that the guest has set, and turning any on changes no register.
        unsafe { XCr0::write_raw(xcr0 | self.plan.enabled) };
        // SAFETY: the components are enabled, and `Plan::new` has found that they fit.
        unsafe { guest.area.save(self.plan.changed) };
        guest.control = Some(Control { cr4, xcr0 });
        guest.times += 1;
    }
}

impl Plan {
    /// For the CPU that answers `leaf(number, subleaf)` so, zeros where there is no such leaf.
    fn new(leaf: impl Fn(u32, u32) -> CpuidResult) -> Option<Self> {
        const XSAVE: u32 = 1 << 26;
        const AVX: u32 = 1 << 28;
        const AVX2: u32 = 1 << 5;
        const BMI2: u32 = 1 << 8;
        let has_avx = leaf(1, 0).ecx & (XSAVE | AVX) == XSAVE | AVX;
        let has_kernel = leaf(7, 0).ebx & (AVX2 | BMI2) == AVX2 | BMI2;
        let states = leaf(0xd, 0);
        let supported = u64::from(states.edx) << 32 | u64::from(states.eax);
        if !has_avx || !has_kernel || supported & ENABLED != ENABLED {
            return None;
        }
        let mut plan = Self {
            enabled: ENABLED,
            changed: 1 << UPPER_HALVES,
        };
        if supported & AVX512 == AVX512 {
            plan.enabled |= AVX512;
            plan.changed |= 1 << ABOVE;
        }
        let changed = [UPPER_HALVES, ABOVE].into_iter();
        let mut changed = changed.filter(|component| plan.changed >> component & 1 != 0);
        changed
            .all(|component| fits(leaf(0xd, component)))
            .then_some(plan)
    }
}

/// Whether a component lies in the area: EAX is its size, EBX its offset (APM volume 3, Fn0000_000D).
fn fits(component: CpuidResult) -> bool {
    let end = component.ebx.checked_add(component.eax);
    component.eax != 0 && component.ebx >= FIRST_COMPONENT && end.is_some_and(|end| end as usize <= AREA)
}

/// What CPUID says here.
fn leaf(number: u32, subleaf: u32) -> CpuidResult {
    if number > __cpuid(0).eax {
        return CpuidResult {
            eax: 0,
            ebx: 0,
            ecx: 0,
            edx: 0,
        };
    }
    __cpuid_count(number, subleaf)
}

impl Area {
    /// Saves components of the registers.
    ///
    /// # Safety
    /// CR4.OSXSAVE is on, XCR0 enables the components, and they fit.
    unsafe fn save(&mut self, components: u64) {
        // SAFETY: the caller's; the area is aligned by its type. Beside them MXCSR is stored.
        unsafe {
            asm!(
                "xsave64 [{area}]",
                area = in(reg) self.0.as_mut_ptr(),
                in("eax") components as u32,
                in("edx") (components >> 32) as u32,
                options(nostack, preserves_flags),
            );
        }
    }

    /// The opposite. Components that were in their initial state are so again.
    ///
    /// # Safety
    /// As for [`Self::save`], which has saved these components before.
    unsafe fn restore(&self, components: u64) {
        // SAFETY: the caller's; nothing but `save` writes the area. MXCSR gets the value that it had, which is the host's.
        // The compiler knows no registers above 128 bits here, and what is below they do not touch.
        unsafe {
            asm!(
                "xrstor64 [{area}]",
                area = in(reg) self.0.as_ptr(),
                in("eax") components as u32,
                in("edx") (components >> 32) as u32,
                options(nostack, preserves_flags),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A register of 256 bits.
    type Register = [u64; 4];

    /// A CPU with AVX2 that has these components beside x87 and SSE, each with its size and offset.
    fn cpu(components: &[(u32, u32, u32)]) -> impl Fn(u32, u32) -> CpuidResult {
        let supported = components
            .iter()
            .fold(0b11, |bits, (number, ..)| bits | 1 << number);
        move |number, subleaf| {
            let mut result = CpuidResult {
                eax: 0,
                ebx: 0,
                ecx: 0,
                edx: 0,
            };
            match (number, subleaf) {
                (1, _) => result.ecx = 1 << 26 | 1 << 28,
                (7, _) => result.ebx = 1 << 5 | 1 << 8,
                (0xd, 0) => result.eax = supported,
                (0xd, _) => {
                    let found = components.iter().find(|(number, ..)| *number == subleaf);
                    (result.eax, result.ebx) = found.map_or((0, 0), |(_, size, offset)| (*size, *offset));
                }
                _ => {}
            }
            result
        }
    }

    #[test]
    fn what_avx2_changes_is_kept_where_a_cpu_has_it() {
        let avx2 = Plan {
            enabled: 7,
            changed: 4,
        };
        assert_eq!(Plan::new(cpu(&[(2, 256, 576)])), Some(avx2));
        let avx512 = Plan {
            enabled: 0xe7,
            changed: 0x44,
        };
        // As Intel and as AMD lay them out.
        for [masks, above, more] in [[1088, 1152, 1664], [832, 896, 1408]] {
            let all = [(2, 256, 576), (5, 64, masks), (6, 512, above), (7, 1024, more)];
            assert_eq!(Plan::new(cpu(&all)), Some(avx512));
        }
    }

    #[test]
    fn a_cpu_that_lacks_something_or_needs_too_much_room_lends_nothing() {
        let whole = cpu(&[(2, 256, 576)]);
        for (missing, subleaf) in [(1, 0), (7, 0), (0xd, 0), (0xd, 2)] {
            let lacks = |number, other| {
                let is_missing = (number, other) == (missing, subleaf);
                whole(if is_missing { 0 } else { number }, other)
            };
            assert_eq!(Plan::new(lacks), None, "leaf {missing:#x}, {subleaf}");
        }
        for (size, offset) in [(256, 1793), (256, 0), (u32::MAX, 576), (256, u32::MAX)] {
            assert_eq!(Plan::new(cpu(&[(2, size, offset)])), None, "{size} at {offset}");
        }
    }

    #[test]
    fn upper_halves_that_were_saved_come_back() {
        let Some(plan) = Plan::new(leaf) else { return };
        // A process may keep what its system lets it use.
        let changed = plan.changed & XCr0::read_raw();
        let mut area = Area([0; AREA]);
        let pattern: [Register; 4] = [[1; 4], [2; 4], [3; 4], [4; 4]];
        let mut seen: [Register; 4] = [[0; 4]; 4];
        load(&pattern);
        // SAFETY: as the plan says, with what the system has enabled.
        unsafe { area.save(changed) };
        // SAFETY: the CPU has AVX, and the compiler is told of the registers.
        unsafe { asm!("vzeroall", out("xmm0") _, out("xmm7") _, out("xmm8") _, out("xmm15") _) };
        // SAFETY: saved above.
        unsafe { area.restore(changed) };
        store(&mut seen);
        for (seen, pattern) in seen.iter().zip(&pattern) {
            assert_eq!(seen[2..], pattern[2..]);
        }
    }

    fn load(from: &[Register; 4]) {
        // SAFETY: reads the array; the CPU has AVX, as the caller found.
        unsafe {
            asm!(
                "vmovdqu ymm0, [{from}]", "vmovdqu ymm7, [{from} + 32]",
                "vmovdqu ymm8, [{from} + 64]", "vmovdqu ymm15, [{from} + 96]",
                from = in(reg) from.as_ptr(),
                out("xmm0") _, out("xmm7") _, out("xmm8") _, out("xmm15") _,
            );
        }
    }

    fn store(to: &mut [Register; 4]) {
        // SAFETY: writes the array.
        unsafe {
            asm!(
                "vmovdqu [{to}], ymm0", "vmovdqu [{to} + 32], ymm7",
                "vmovdqu [{to} + 64], ymm8", "vmovdqu [{to} + 96], ymm15",
                to = in(reg) to.as_mut_ptr(),
            );
        }
    }
}
