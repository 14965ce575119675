//! Segments, task state and interrupt table of the boot CPU.
//!
//! Every vector has a stack of its own kind, so that a fault is survived while RSP points anywhere.

use crate::exception;
use core::cell::UnsafeCell;
use x86_64::VirtAddr;
use x86_64::instructions::segmentation::{CS, DS, ES, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable};
use x86_64::structures::tss::TaskStateSegment;

const STACK_SIZE: usize = 32 << 10;
/// The NMI's own place in the interrupt stack table, so that it may come during another fault.
const NMI_STACK: u16 = 2;
const FAULT_STACK: u16 = 1;
const NMI: u8 = 2;

#[repr(align(16))]
#[expect(dead_code, reason = "only the CPU uses the bytes")]
struct Stack([u8; STACK_SIZE]);

/// An interrupt gate; AMD64 Architecture Programmer's Manual, volume 2, figure 4-24.
#[repr(C)]
#[derive(Clone, Copy)]
struct Gate {
    offset_low: u16,
    selector: u16,
    flags: u16,
    offset_middle: u16,
    offset_high: u32,
    reserved: u32,
}

/// Present, interrupt gate.
const GATE: u16 = 0x8e00;

struct Tables {
    gdt: GlobalDescriptorTable,
    tss: TaskStateSegment,
    idt: [Gate; exception::VECTORS],
    stacks: [Stack; 2],
}

struct Cell(UnsafeCell<Tables>);
// SAFETY: written once by the boot CPU, before anything else uses it.
unsafe impl Sync for Cell {}

static TABLES: Cell = Cell(UnsafeCell::new(Tables {
    gdt: GlobalDescriptorTable::new(),
    tss: TaskStateSegment::new(),
    idt: [Gate {
        offset_low: 0,
        selector: 0,
        flags: 0,
        offset_middle: 0,
        offset_high: 0,
        reserved: 0,
    }; exception::VECTORS],
    stacks: [const { Stack([0; STACK_SIZE]) }; 2],
}));

/// The operand of LIDT.
#[repr(C, packed)]
struct Pointer {
    limit: u16,
    base: u64,
}

/// Loads them. Called once.
pub(crate) fn load() {
    // SAFETY: called once, and nothing else refers to the tables before they are loaded.
    let tables: &'static mut Tables = unsafe { &mut *TABLES.0.get() };
    let mut tops = tables.tss.interrupt_stack_table;
    for (stack, top) in tables.stacks.iter().zip(&mut tops) {
        *top = VirtAddr::new((&raw const *stack) as u64 + STACK_SIZE as u64);
    }
    tables.tss.interrupt_stack_table = tops;
    let code = tables.gdt.append(Descriptor::kernel_code_segment());
    let data = tables.gdt.append(Descriptor::kernel_data_segment());
    let task = tables.gdt.append(Descriptor::tss_segment(&tables.tss));
    tables.gdt.load();
    // SAFETY: the selectors are those just made; the segments are flat, as the firmware's were.
    unsafe {
        CS::set_reg(code);
        SS::set_reg(data);
        DS::set_reg(data);
        ES::set_reg(data);
        load_tss(task);
    }
    for (vector, address) in exception::stubs() {
        if let Some(gate) = tables.idt.get_mut(usize::from(vector)) {
            *gate = Gate {
                offset_low: address as u16,
                selector: code.0,
                flags: GATE | if vector == NMI { NMI_STACK } else { FAULT_STACK },
                offset_middle: (address >> 16) as u16,
                offset_high: (address >> 32) as u32,
                reserved: 0,
            };
        }
    }
    let pointer = Pointer {
        limit: size_of_val(&tables.idt) as u16 - 1,
        base: (&raw const tables.idt) as u64,
    };
    // SAFETY: the table is static and every gate leads to a stub.
    unsafe { core::arch::asm!("lidt [{}]", in(reg) &raw const pointer, options(nostack, readonly)) };
}
