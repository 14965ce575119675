//! The hypervisor's own GDT, TSS and IDT: what the CPU finds when something goes wrong in the host.
//!
//! Each CPU has its own, so that #DF, NMI and #MC run on stacks that the fault cannot have spoilt.

use crate::cpu::Cpu;
use crate::faults;
use crate::region::{Exhausted, PAGE, Region};
use core::ptr::NonNull;
use x86_64::VirtAddr;
use x86_64::instructions::tables::load_tss;
use x86_64::registers::model_specific::GsBase;
use x86_64::registers::segmentation::{CS, DS, ES, FS, GS, SS, Segment};
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use x86_64::structures::idt::{EntryOptions, InterruptDescriptorTable};
use x86_64::structures::tss::TaskStateSegment;

/// Interrupt stack table entry of the double-fault handler.
const DOUBLE_FAULT_STACK: u16 = 0;
/// That of the NMI handler.
const NMI_STACK: u16 = 1;
/// That of the machine-check handler.
const MACHINE_CHECK_STACK: u16 = 2;
/// Pages in each of those stacks.
const STACK_PAGES: u64 = 4;

/// One CPU's descriptor tables.
pub(crate) struct Descriptors {
    gdt: &'static GlobalDescriptorTable,
    idt: &'static InterruptDescriptorTable,
    code: SegmentSelector,
    task: SegmentSelector,
}

impl Descriptors {
    /// Tables with stacks of their own from the region.
    pub(crate) fn new(region: &mut Region) -> Result<Self, Exhausted> {
        let mut task = TaskStateSegment::new();
        let mut stacks = [VirtAddr::zero(); 7];
        for (stack, _) in stacks
            .iter_mut()
            .zip([DOUBLE_FAULT_STACK, NMI_STACK, MACHINE_CHECK_STACK])
        {
            *stack = stack_top(region.pages(STACK_PAGES)?);
        }
        task.interrupt_stack_table = stacks;
        let task: &'static TaskStateSegment = region.place(task)?;
        let mut gdt = GlobalDescriptorTable::new();
        let code = gdt.append(Descriptor::kernel_code_segment());
        let task = gdt.append(Descriptor::tss_segment(task));
        let gdt: &'static GlobalDescriptorTable = region.place(gdt)?;
        let idt: &'static InterruptDescriptorTable = region.place(interrupt_table(code))?;
        Ok(Self { gdt, idt, code, task })
    }
}

fn stack_top(bottom: NonNull<u8>) -> VirtAddr {
    VirtAddr::new(bottom.as_ptr().addr() as u64 + STACK_PAGES * PAGE)
}

/// Every vector leads to [`faults`]. Interrupts cannot arrive: IF and GIF are off but for one instruction.
fn interrupt_table(code: SegmentSelector) -> InterruptDescriptorTable {
    let mut idt = InterruptDescriptorTable::new();
    let set = |options: &mut EntryOptions, stack: Option<u16>| {
        // SAFETY: the selector is the GDT's code segment.
        unsafe { options.set_code_selector(code) };
        if let Some(stack) = stack {
            // SAFETY: the TSS has this stack.
            unsafe { options.set_stack_index(stack) };
        }
    };
    macro_rules! vectors {
        ($($entry:ident = $handler:ident, $stack:expr;)*) => { $(
            // SAFETY: the handler is made for this vector: with or without error code as the CPU pushes it.
            set(unsafe { idt.$entry.set_handler_addr(VirtAddr::from_ptr(faults::$handler as *const ())) }, $stack);
        )* };
    }
    vectors! {
        divide_error = divide_error, None;
        debug = debug, None;
        non_maskable_interrupt = non_maskable_interrupt, Some(NMI_STACK);
        breakpoint = breakpoint, None;
        invalid_opcode = invalid_opcode, None;
        device_not_available = device_not_available, None;
        double_fault = double_fault, Some(DOUBLE_FAULT_STACK);
        segment_not_present = segment_not_present, None;
        stack_segment_fault = stack_fault, None;
        general_protection_fault = general_protection, None;
        page_fault = page_fault, None;
        x87_floating_point = floating_point, None;
        alignment_check = alignment_check, None;
        machine_check = machine_check, Some(MACHINE_CHECK_STACK);
        simd_floating_point = simd, None;
    }
    idt
}

/// Loads them. The guest's are in its VMCB by now.
pub(crate) fn load(cpu: &Cpu) {
    let own = &cpu.descriptors;
    own.gdt.load();
    // SAFETY: the selector is this GDT's 64-bit code segment.
    unsafe { CS::set_reg(own.code) };
    for load in [DS::set_reg, ES::set_reg, SS::set_reg, FS::set_reg, GS::set_reg] {
        // SAFETY: null data segments are allowed at CPL 0 in 64-bit mode.
        unsafe { load(SegmentSelector::NULL) };
    }
    // SAFETY: the selector is this GDT's TSS, which lives for ever.
    unsafe { load_tss(own.task) };
    let base = VirtAddr::from_ptr(core::ptr::from_ref(cpu));
    // Before the IDT: its handlers find the CPU by GS.
    GsBase::write(base);
    own.idt.load();
}
