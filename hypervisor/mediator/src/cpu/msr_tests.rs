//! Reads and writes of the registers that are ours.

use super::efer::Features;
use super::interrupt_command::ApicMode;
use super::msr::*;
use super::mtrr::{MemoryTypes, Region};

/// A CPU whose registers hold what the test says, at real time 1000.
struct Holding(u64);

impl Hardware for Holding {
    fn msr(&self, _: u32) -> u64 {
        self.0
    }

    fn timestamp(&self) -> u64 {
        1000
    }
}

const STATE: State = State {
    efer: 0xd01,
    cr0: 0x8000_0011,
    tsc_offset: 50,
    tsc_adjust: 7,
    features: Features::all(),
    apic_mode: ApicMode::XApic,
};

fn write_where(present: u64, msr: u32, value: u64, state: &State) -> WriteDecision {
    let region = Region {
        start: 2 << 20,
        size: 2 << 20,
    };
    let mut types = MemoryTypes::capture(region, 8, 40, |msr| if msr == 0x2ff { 0x806 } else { 0 });
    write(msr, value, state, &mut types, &Holding(present))
}

#[test]
fn the_registers_of_svm_do_not_exist() {
    for msr in [
        0xc000_0104,
        0xc001_0114,
        0xc001_0115,
        0xc001_0116,
        0xc001_0117,
        0xc001_0118,
        0xc001_0131,
    ] {
        assert_eq!(read(msr, &STATE), ReadDecision::Fault);
        assert_eq!(write_where(0, msr, 0, &STATE), WriteDecision::Fault);
        assert!(
            OURS.iter()
                .any(|ours| (ours.first..=ours.last).contains(&msr) && ours.read == Fate::Fault)
        );
    }
}

#[test]
fn registers_beyond_the_permission_map_do_not_exist() {
    for msr in [
        0x2000,
        0x4000_0000,
        0xbfff_ffff,
        0xc000_2000,
        0xc001_2000,
        u32::MAX,
    ] {
        assert_eq!(read(msr, &STATE), ReadDecision::Fault);
        assert_eq!(write_where(0, msr, 0, &STATE), WriteDecision::Fault);
    }
}

#[test]
fn the_table_is_ascending_and_inside_the_permission_map() {
    assert!(OURS.windows(2).all(|pair| pair[0].last < pair[1].first));
    let maps = [0..=0x1fff, 0xc000_0000..=0xc000_1fff, 0xc001_0000..=0xc001_1fff];
    for ours in OURS {
        let inside = maps
            .iter()
            .any(|map| map.contains(&ours.first) && map.contains(&ours.last));
        assert!(inside && ours.first <= ours.last, "{ours:x?}");
    }
}

#[test]
fn whatever_exits_for_a_decision_has_one() {
    for ours in OURS.iter().filter(|ours| ours.read == Fate::Decide) {
        assert_ne!(read(ours.first, &STATE), ReadDecision::Fault, "{ours:x?}");
    }
    // Written back unchanged, no register of ours faults (the x2APIC command needs its mode).
    let state = State {
        apic_mode: ApicMode::X2Apic,
        ..STATE
    };
    for ours in OURS
        .iter()
        .filter(|ours| ours.write == Fate::Decide && ours.first != EFER)
    {
        assert_ne!(
            write_where(0, ours.first, 0, &state),
            WriteDecision::Fault,
            "{ours:x?}"
        );
    }
}

#[test]
fn memory_cannot_be_moved_but_the_present_value_may_be_written() {
    for msr in [
        0xc001_0016,
        0xc001_0019,
        0xc001_001a,
        0xc001_001d,
        0xc001_0058,
        0xc001_0112,
    ] {
        assert_eq!(
            write_where(0x8000_0000, msr, 0x8000_0000, &STATE),
            WriteDecision::Unchanged
        );
        assert_eq!(
            write_where(0x8000_0000, msr, 0x4000_0000, &STATE),
            WriteDecision::Vanish
        );
    }
}

#[test]
fn a_range_that_a_sibling_thread_set_counts() {
    /// A CPU whose other thread made the first range's base the region, uncached, after this one was taken over.
    struct Shared;
    impl Hardware for Shared {
        fn msr(&self, msr: u32) -> u64 {
            match msr {
                0x200 => 2 << 20,
                0x2ff => 0x806,
                _ => 0,
            }
        }

        fn timestamp(&self) -> u64 {
            0
        }
    }
    let region = Region {
        start: 2 << 20,
        size: 2 << 20,
    };
    let mut types = MemoryTypes::capture(region, 8, 40, |msr| if msr == 0x2ff { 0x806 } else { 0 });
    let mask = 0xff_ffe0_0800;
    assert_eq!(
        write(0x201, mask, &STATE, &mut types, &Shared),
        WriteDecision::Vanish
    );
    assert_eq!(
        write(0x203, mask, &STATE, &mut types, &Shared),
        WriteDecision::Hardware(mask)
    );
}

#[test]
fn the_guest_loads_no_microcode() {
    const LOADER: u32 = 0xc001_0020;
    assert_eq!(write_where(0, LOADER, 0x7e80_0000, &STATE), WriteDecision::Vanish);
    assert_eq!(write_where(0, LOADER, 0, &STATE), WriteDecision::Vanish);
    assert!(
        OURS.iter()
            .any(|ours| (ours.first..=ours.last).contains(&LOADER) && ours.write == Fate::Decide)
    );
}

#[test]
fn of_syscfg_only_the_fixed_range_bits_can_change() {
    let present = 0x0074_0000;
    for open in [1 << 18, 1 << 19, 3 << 18] {
        let value = present ^ open;
        assert_eq!(
            write_where(present, SYSCFG, value, &STATE),
            WriteDecision::Hardware(value)
        );
    }
    for closed in [20, 21, 22, 23, 24] {
        let value = present ^ 1 << closed;
        assert_eq!(write_where(present, SYSCFG, value, &STATE), WriteDecision::Vanish);
    }
}

#[test]
fn setting_the_clock_moves_offset_and_adjust_alike() {
    // The guest reads 1050 now and sets 2000.
    let expected = WriteDecision::Clock {
        offset: 1000,
        adjust: 957,
    };
    assert_eq!(write_where(0, TSC, 2000, &STATE), expected);
    let expected = WriteDecision::Clock {
        offset: 43,
        adjust: 0,
    };
    assert_eq!(write_where(0, TSC_ADJUST, 0, &STATE), expected);
}

#[test]
fn tsc_adjust_exists_where_the_cpu_has_it() {
    let state = State {
        features: Features::empty(),
        ..STATE
    };
    assert_eq!(read(TSC_ADJUST, &STATE), ReadDecision::Value(7));
    assert_eq!(read(TSC_ADJUST, &state), ReadDecision::Fault);
    assert_eq!(write_where(0, TSC_ADJUST, 0, &state), WriteDecision::Fault);
}

#[test]
fn the_guest_reads_its_own_efer() {
    assert_eq!(read(EFER, &STATE), ReadDecision::Value(0xd01));
    assert_eq!(write_where(0, EFER, 0x1d01, &STATE), WriteDecision::Fault);
    assert_eq!(write_where(0, EFER, 0xd00, &STATE), WriteDecision::Efer(0xd00));
}

#[test]
fn apic_modes_change_as_the_state_diagram_allows() {
    const PAGE: u64 = 0xfee0_0000;
    const BOOT: u64 = 1 << 8;
    let (off, x, x2, invalid) = (PAGE, PAGE | 0x800, PAGE | 0xc00, PAGE | 0x400);
    let allowed = |value, mode| WriteDecision::Apic(value | BOOT, mode);
    let cases = [
        (x, off, allowed(off, ApicMode::Disabled)),
        (off, x, allowed(x, ApicMode::XApic)),
        (x, x2, allowed(x2, ApicMode::X2Apic)),
        (x2, off, allowed(off, ApicMode::Disabled)),
        (x2, x, WriteDecision::Fault),
        (off, x2, WriteDecision::Fault),
        (x, invalid, WriteDecision::Fault),
        (x, x | 1, WriteDecision::Fault),
        (x, 0xfed0_0800, WriteDecision::Vanish),
    ];
    for (present, value, expected) in cases {
        let decision = write_where(present | BOOT, APIC_BASE, value, &STATE);
        assert_eq!(decision, expected, "{present:x} -> {value:x}");
    }
    let without = State {
        features: Features::all().difference(Features::X2APIC),
        ..STATE
    };
    assert_eq!(write_where(x, APIC_BASE, x2, &without), WriteDecision::Fault);
}

#[test]
fn a_command_by_register_needs_x2apic_mode_and_no_reserved_bits() {
    let state = State {
        apic_mode: ApicMode::X2Apic,
        ..STATE
    };
    let command = 0x0000_0001_000c_4500;
    assert_eq!(
        write_where(0, X2APIC_COMMAND, command, &state),
        WriteDecision::Command(command)
    );
    assert_eq!(
        write_where(0, X2APIC_COMMAND, command, &STATE),
        WriteDecision::Fault
    );
    assert_eq!(
        write_where(0, X2APIC_COMMAND, command | 1 << 12, &state),
        WriteDecision::Fault
    );
}
