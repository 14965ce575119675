//! Page tables in every mode, instructions fetched through them, and tables that mean nothing.

extern crate std;

use super::emulate::Refusal;
use super::fetch::fetch;
use super::linear::LinearMemory;
use super::walk::{
    GuestMemory, Intent, Paging, Privilege, Unreachable, Untranslated, present_address, translate,
};
use core::cell::RefCell;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Physical memory that has only the bytes somebody put there.
#[derive(Default)]
struct Physical(RefCell<BTreeMap<u64, u8>>);

impl Physical {
    fn put(&self, address: u64, bytes: &[u8]) {
        for (place, byte) in (address..).zip(bytes) {
            self.0.borrow_mut().insert(place, *byte);
        }
    }

    fn entries(words: &[(u64, u64)]) -> Self {
        let memory = Self::default();
        for (address, word) in words {
            memory.put(*address, &word.to_le_bytes());
        }
        memory
    }
}

impl GuestMemory for Physical {
    fn read(&self, guest_physical: u64, buffer: &mut [u8]) -> Result<(), Unreachable> {
        for (place, byte) in (guest_physical..).zip(buffer.iter_mut()) {
            *byte = *self.0.borrow().get(&place).ok_or(Unreachable)?;
        }
        Ok(())
    }

    fn write(&self, guest_physical: u64, bytes: &[u8]) -> Result<(), Unreachable> {
        let mut present = [0; 16];
        self.read(guest_physical, present.get_mut(..bytes.len()).ok_or(Unreachable)?)?;
        self.put(guest_physical, bytes);
        Ok(())
    }
}

const PG: u64 = 1 << 31;
const WP: u64 = 1 << 16;
const PSE: u64 = 1 << 4;
const PAE: u64 = 1 << 5;
const LA57: u64 = 1 << 12;
const SMEP: u64 = 1 << 20;
const LONG: u64 = 1 << 8 | 1 << 10;
const NXE: u64 = 1 << 11;

/// Present, writable, for the user.
const ALL: u64 = 7;
const LARGE: u64 = 1 << 7;
const NX: u64 = 1 << 63;

const FOUR: Paging = Paging {
    cr0: PG | WP,
    cr3: 0x1018,
    cr4: PAE,
    efer: LONG | NXE,
};
/// Indices 1, 2, 3 and 4, offset 0x567 in a 4 KiB page.
const LINEAR: u64 = 1 << 39 | 2 << 30 | 3 << 21 | 4 << 12 | 0x567;

fn four_levels(leaf: u64) -> Physical {
    Physical::entries(&[
        (0x1008, 0x2000 | ALL),
        (0x2010, 0x3000 | ALL),
        (0x3018, 0x4000 | ALL),
        (0x4020, leaf),
    ])
}

fn read_by_user(paging: &Paging, linear: u64, memory: &Physical) -> Result<u64, Untranslated> {
    translate(paging, linear, Intent::Read, Privilege::User, memory)
}

#[test]
fn four_levels_lead_to_pages_of_three_sizes() {
    assert_eq!(
        read_by_user(&FOUR, LINEAR, &four_levels(0xabc_d000 | ALL)),
        Ok(0xabc_d567)
    );
    let two_mega = Physical::entries(&[
        (0x1008, 0x2007),
        (0x2010, 0x3007),
        (0x3018, 0x4020_0000 | LARGE | ALL),
    ]);
    assert_eq!(read_by_user(&FOUR, LINEAR, &two_mega), Ok(0x4020_4567));
    let giga = Physical::entries(&[(0x1008, 0x2007), (0x2010, 0x1_4000_0000 | LARGE | ALL)]);
    assert_eq!(read_by_user(&FOUR, LINEAR, &giga), Ok(0x1_4060_4567));
}

#[test]
fn the_upper_half_of_linear_addresses_uses_the_upper_entries() {
    let memory = Physical::entries(&[(0x1ff8, 0x2007), (0x2ff8, 0x8000_0000 | LARGE | ALL)]);
    assert_eq!(
        read_by_user(&FOUR, 0xffff_ffff_c000_0123, &memory),
        Ok(0x8000_0123)
    );
}

#[test]
fn five_levels_lead_on_to_four() {
    let paging = Paging {
        cr3: 0x9000,
        cr4: PAE | LA57,
        ..FOUR
    };
    let memory = four_levels(0xabc_d000 | ALL);
    memory.put(0x9008, &0x1007_u64.to_le_bytes());
    assert_eq!(read_by_user(&paging, 1 << 48 | LINEAR, &memory), Ok(0xabc_d567));
    assert_eq!(
        read_by_user(&FOUR, 1 << 48 | LINEAR, &memory),
        Ok(0xabc_d567),
        "four levels ignore the rest"
    );
}

#[test]
fn pae_has_three_levels_and_a_root_aligned_to_32_bytes() {
    let paging = Paging {
        cr0: PG,
        cr3: 0x1020,
        cr4: PAE,
        efer: 0,
    };
    let memory = Physical::entries(&[(0x1030, 0x3001), (0x3018, 0x4007), (0x4020, 0x5_0000_0007)]);
    assert_eq!(
        read_by_user(&paging, LINEAR & 0xffff_ffff, &memory),
        Ok(0x5_0000_0567)
    );
    let memory = Physical::entries(&[(0x1030, 0x3001), (0x3018, 0x5_0020_0000 | LARGE | ALL)]);
    assert_eq!(
        read_by_user(&paging, LINEAR & 0xffff_ffff, &memory),
        Ok(0x5_0020_4567)
    );
}

#[test]
fn two_levels_have_pages_of_four_kilobytes_and_megabytes() {
    let paging = Paging {
        cr0: PG,
        cr3: 0x1000,
        cr4: PSE,
        efer: 0,
    };
    let memory = Physical::entries(&[(0x1008, 0x2007), (0x200c, 0x89_a007)]);
    assert_eq!(read_by_user(&paging, 0x0080_3567, &memory), Ok(0x89_a567));
    // PSE-36: entry bits 20..13 are address bits 39..32.
    let memory = Physical::entries(&[(0x1008, 0x1040_0000 | 0x92 << 13 | LARGE | ALL)]);
    assert_eq!(read_by_user(&paging, 0x0080_3567, &memory), Ok(0x92_1040_3567));
    // Without PSE the bit means nothing and the entry names a table.
    let without = Paging { cr4: 0, ..paging };
    assert_eq!(
        read_by_user(&without, 0x0080_3567, &memory),
        Err(Untranslated::Unreachable)
    );
}

#[test]
fn without_paging_addresses_are_physical() {
    let paging = Paging {
        cr0: 1,
        cr3: 0,
        cr4: 0,
        efer: 0,
    };
    assert_eq!(
        read_by_user(&paging, 0xdead_beef, &Physical::default()),
        Ok(0xdead_beef)
    );
}

#[test]
fn each_level_can_refuse() {
    let supervisor = 0x4003;
    let cases = [
        ("absent", 0, Intent::Read, Privilege::User, 0b0_0100),
        (
            "absent, fetched",
            0,
            Intent::Fetch,
            Privilege::Supervisor,
            0b1_0000,
        ),
        (
            "the supervisor's",
            supervisor,
            Intent::Read,
            Privilege::User,
            0b0_0101,
        ),
        ("read-only", 0x4005, Intent::Write, Privilege::User, 0b0_0111),
        (
            "read-only, WP",
            0x4005,
            Intent::Write,
            Privilege::Supervisor,
            0b0_0011,
        ),
        (
            "not executable",
            0x4007 | NX,
            Intent::Fetch,
            Privilege::User,
            0b1_0101,
        ),
    ];
    for (name, entry2, intent, privilege, code) in cases {
        let memory = four_levels(0x5007);
        memory.put(0x3018, &u64::to_le_bytes(entry2));
        let result = translate(&FOUR, LINEAR, intent, privilege, &memory);
        assert_eq!(result, Err(Untranslated::PageFault(code)), "{name}");
    }
}

#[test]
fn what_is_switched_off_does_not_refuse() {
    let read_only = four_levels(0x5005);
    let no_write_protect = Paging { cr0: PG, ..FOUR };
    let result = translate(
        &no_write_protect,
        LINEAR,
        Intent::Write,
        Privilege::Supervisor,
        &read_only,
    );
    assert_eq!(result, Ok(0x5567));
    let no_execute = four_levels(0x5007 | NX);
    let without_nx = Paging { efer: LONG, ..FOUR };
    assert_eq!(
        translate(&without_nx, LINEAR, Intent::Fetch, Privilege::User, &no_execute),
        Ok(0x5567)
    );
    assert_eq!(
        translate(
            &FOUR,
            LINEAR,
            Intent::Fetch,
            Privilege::Supervisor,
            &four_levels(0x5007)
        ),
        Ok(0x5567)
    );
}

#[test]
fn smep_keeps_the_supervisor_from_the_users_code() {
    let paging = Paging {
        cr4: PAE | SMEP,
        ..FOUR
    };
    let result = translate(
        &paging,
        LINEAR,
        Intent::Fetch,
        Privilege::Supervisor,
        &four_levels(0x5007),
    );
    assert_eq!(result, Err(Untranslated::PageFault(0b1_0001)));
}

#[test]
fn tables_outside_of_memory_are_told_apart_from_absent_ones() {
    let memory = Physical::entries(&[(0x1008, 0x2007), (0x2010, 0xdead_0007)]);
    assert_eq!(
        read_by_user(&FOUR, LINEAR, &memory),
        Err(Untranslated::Unreachable)
    );
}

#[test]
fn code_in_a_large_page_is_fetched() {
    // Where Linux has its text; the entry has its PAT bit, 12, set, which is no address bit.
    let memory = Physical::entries(&[
        (0x1ff8, 0x2003),
        (0x2ff0, 0x3003),
        (0x3040, 0x0120_0000 | 1 << 12 | LARGE | 3),
    ]);
    memory.put(0x0120_0234, &[0x33; 16]);
    let bytes = fetch(&FOUR, 0xffff_ffff_8100_0234, Privilege::Supervisor, &memory).expect("it is there");
    assert_eq!(bytes.as_slice(), [0x33; 15]);
    assert_eq!(
        present_address(&FOUR, 0xffff_ffff_8100_0234, &memory),
        Some(0x0120_0234),
        "the short way"
    );
    assert_eq!(
        present_address(&FOUR, LINEAR, &four_levels(0xabc_d001)),
        Some(0xabc_d567),
        "the short way"
    );
}

/// Two pages that are neighbours for the guest, and far from each other in memory.
fn two_pages(second: u64) -> Physical {
    let memory = four_levels(0x7_0000 | ALL);
    memory.put(0x4028, &second.to_le_bytes());
    memory.put(0x7_0000, &[0x11; 4096]);
    memory.put(0x9_0000, &[0x22; 4096]);
    memory
}

const PAGE_END: u64 = (LINEAR | 0xfff) + 1;

#[test]
fn an_instruction_across_two_pages_comes_from_both() {
    let memory = two_pages(0x9_0000 | ALL);
    for in_first in 1..=16 {
        let bytes = fetch(&FOUR, PAGE_END - in_first, Privilege::User, &memory).expect("both are there");
        let expected: std::vec::Vec<u8> = (0..15)
            .map(|place| if place < in_first { 0x11 } else { 0x22 })
            .collect();
        assert_eq!(bytes.as_slice(), expected, "{in_first}");
    }
}

#[test]
fn an_instruction_ends_where_the_next_page_is_absent() {
    for second in [0, 0x9_0000 | ALL | NX, 0xdead_0000 | ALL] {
        let bytes =
            fetch(&FOUR, PAGE_END - 3, Privilege::User, &two_pages(second)).expect("the first is there");
        assert_eq!(bytes.as_slice(), [0x11; 3]);
    }
    let absent = Err(Untranslated::PageFault(0b1_0100));
    assert_eq!(fetch(&FOUR, PAGE_END, Privilege::User, &two_pages(0)), absent);
}

#[test]
fn linear_memory_is_written_in_both_pages_or_none() {
    let memory = two_pages(0x9_0000 | ALL);
    let linear = LinearMemory {
        paging: FOUR,
        privilege: Privilege::User,
        memory: &memory,
    };
    assert_eq!(linear.write(PAGE_END - 3, &[1, 2, 3, 4]), Ok(()));
    let mut back = [0; 6];
    assert_eq!(linear.read(PAGE_END - 4, &mut back), Ok(()));
    assert_eq!(back, [0x11, 1, 2, 3, 4, 0x22]);

    let memory = two_pages(0x9_0000 | 5);
    let linear = LinearMemory {
        paging: FOUR,
        privilege: Privilege::User,
        memory: &memory,
    };
    let refusal = Refusal::PageFault {
        linear: PAGE_END,
        error_code: 0b0_0111,
    };
    assert_eq!(linear.write(PAGE_END - 3, &[1, 2, 3, 4]), Err(refusal));
    assert_eq!(linear.read(PAGE_END - 4, &mut back), Ok(()));
    assert_eq!(back, [0x11, 0x11, 0x11, 0x11, 0x22, 0x22]);
}

/// Memory that answers everything with a function of the address: a table that leads anywhere.
struct Hostile(u64);

impl GuestMemory for Hostile {
    fn read(&self, guest_physical: u64, buffer: &mut [u8]) -> Result<(), Unreachable> {
        for (place, byte) in (0..).zip(buffer.iter_mut()) {
            let word = guest_physical.wrapping_add(place).wrapping_mul(self.0 | 1);
            // Mostly present, so that walks go deep.
            *byte = word.to_be_bytes()[0] | u8::from(guest_physical.wrapping_add(place).is_multiple_of(8));
        }
        if guest_physical.is_multiple_of(7) {
            Err(Unreachable)
        } else {
            Ok(())
        }
    }

    fn write(&self, _: u64, _: &[u8]) -> Result<(), Unreachable> {
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_table_makes_the_walk_fail_or_leave_the_physical_range(
        registers in any::<[u64; 4]>(),
        linear in any::<u64>(),
        seed in any::<u64>(),
    ) {
        let [cr0, cr3, cr4, efer] = registers;
        let paging = Paging { cr0, cr3, cr4, efer };
        for privilege in [Privilege::User, Privilege::Supervisor] {
            if let Ok(physical) = translate(&paging, linear, Intent::Fetch, privilege, &Hostile(seed)) {
                prop_assert!(physical < 1 << 52);
            }
            if let Ok(bytes) = fetch(&paging, linear, privilege, &Hostile(seed)) {
                prop_assert!((1..=15).contains(&bytes.length()));
            }
        }
    }
}
