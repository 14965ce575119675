//! Verdicts: ranges, what a disk has, subcommands, and that nothing gets past them.

use super::table::{Fate, command};
use super::*;
use proptest::prelude::*;

/// 2^29 blocks: more than a 28-bit address can say.
const DISK: Known = Known {
    kind: Kind::Disk,
    block_bytes: 512,
    blocks: 1 << 29,
    lba48: true,
    queue_depth: 32,
    multiple: 16,
    discard: false,
};
const DISCARD: Known = Known {
    discard: true,
    ..DISK
};
const OPTICAL: Known = Known {
    kind: Kind::Packet,
    blocks: 0,
    ..DISK
};

fn task(command: u8) -> TaskFile {
    TaskFile {
        command,
        count: 1,
        device: 0xe0,
        ..TaskFile::default()
    }
}

fn content(task: &TaskFile) -> Content {
    match judge(task, &DISK) {
        Verdict::Content(content) => content,
        other => panic!("{task:x?} is {other:?}"),
    }
}

fn range(task: &TaskFile) -> (u64, u32) {
    let content = content(task);
    (content.first, content.blocks)
}

#[test]
fn a_28_bit_address_ends_in_the_device_register() {
    let task = TaskFile {
        lba: 0xffff_ff12_3456,
        device: 0xef,
        count: 0xff07,
        ..task(0xc8)
    };
    assert_eq!(
        range(&task),
        (0xf12_3456, 7),
        "what a 28-bit command does not use does not count"
    );
}

#[test]
fn a_count_of_zero_is_the_largest() {
    let none = |command| TaskFile {
        count: 0xff00,
        ..task(command)
    };
    assert_eq!(range(&none(0x20)), (0, 256));
    assert_eq!(
        range(&TaskFile {
            count: 0,
            ..task(0x25)
        }),
        (0, 65_536)
    );
    let queued = TaskFile {
        features: 0,
        count: 31 << 3,
        ..task(0x61)
    };
    assert_eq!(range(&queued), (0, 65_536));
}

#[test]
fn a_queued_command_has_its_count_in_features_and_its_tag_in_count() {
    let task = TaskFile {
        features: 0x0102,
        count: 0x8000 | 5 << 3,
        lba: 0x1234_5678,
        device: 0x40,
        ..task(0x60)
    };
    let expected = Content {
        direction: Direction::Read,
        protocol: Protocol::QueuedIn,
        first: 0x1234_5678,
        blocks: 0x102,
        unit: 1,
        tag: Some(5),
    };
    assert_eq!(content(&task), expected);
}

#[test]
fn multiple_moves_as_many_blocks_as_were_set_and_only_then() {
    assert_eq!(content(&task(0xc4)).unit, 16);
    assert_eq!(content(&task(0x20)).unit, 1);
    let unset = Known { multiple: 0, ..DISK };
    assert_eq!(judge(&task(0xc4), &unset), Verdict::Refuse(Reason::Absent));
    let set = TaskFile {
        count: 0xff08,
        ..task(0xc6)
    };
    let expected = Verdict::Pass {
        protocol: Protocol::NonData,
        bytes: 0,
        after: After::Multiple(8),
    };
    assert_eq!(judge(&set, &DISK), expected);
}

#[test]
fn cylinders_are_refused_where_a_command_could_mean_them() {
    let with = |command| TaskFile {
        device: 0xa0,
        ..task(command)
    };
    assert_eq!(judge(&with(0x30), &DISK), Verdict::Refuse(Reason::Cylinders));
    assert_eq!(range(&with(0x35)), (0, 1), "48-bit commands know blocks only");
    let given = piece(&with(0x35), 0, 1).unwrap();
    assert_eq!(given.device, 0xe0, "and the device is told so");
}

#[test]
fn what_the_disk_does_not_have_is_refused() {
    let absent = Verdict::Refuse(Reason::Absent);
    let small = Known {
        lba48: false,
        queue_depth: 0,
        ..DISK
    };
    assert_eq!(judge(&task(0x25), &small), absent);
    assert_eq!(judge(&task(0x60), &small), absent);
    let shallow = Known {
        queue_depth: 8,
        ..DISK
    };
    let tag = |tag: u16| TaskFile {
        count: tag << 3,
        ..task(0x60)
    };
    assert!(matches!(judge(&tag(7), &shallow), Verdict::Content(_)));
    assert_eq!(judge(&tag(8), &shallow), absent);
    assert_eq!(judge(&task(0x20), &OPTICAL), absent);
    assert_eq!(judge(&task(0xa0), &DISK), absent);
}

#[test]
fn a_range_ends_where_the_disk_does() {
    let at = |first: u64, count: u16| TaskFile {
        lba: first,
        count,
        ..task(0x35)
    };
    let last = DISK.blocks - 1;
    assert_eq!(range(&at(last, 1)), (last, 1));
    assert_eq!(judge(&at(last, 2), &DISK), Verdict::Refuse(Reason::OutOfRange));
    assert_eq!(
        judge(&at((1 << 48) - 1, 0), &DISK),
        Verdict::Refuse(Reason::OutOfRange)
    );
    let tiny = Known { blocks: 5, ..DISK };
    assert_eq!(judge(&at(0, 0), &tiny), Verdict::Refuse(Reason::OutOfRange));
}

#[test]
fn a_range_ends_where_the_registers_do_on_a_larger_disk_too() {
    let at = |count| TaskFile {
        lba: 0xff_ffff,
        device: 0xef,
        count,
        ..task(0xc8)
    };
    assert_eq!(range(&at(1)), (0xfff_ffff, 1));
    assert_eq!(judge(&at(2), &DISK), Verdict::Refuse(Reason::OutOfRange));
}

#[test]
fn a_piece_keeps_its_command_and_clears_what_is_not_its_own() {
    let queued = TaskFile {
        command: 0x61,
        features: 0,
        lba: 0x100,
        count: 0xbf00 | 9 << 3 | 7,
        device: 0xcf,
        icc: 3,
        auxiliary: 0xffff_ffff,
    };
    let expected = TaskFile {
        features: 0x40,
        lba: 0x0123_4567_89ab,
        count: 0x8000 | 9 << 3,
        device: 0xc0,
        auxiliary: 0,
        ..queued
    };
    assert_eq!(
        piece(&queued, 0x0123_4567_89ab, 0x40),
        Some(expected),
        "FUA, tag and priority"
    );
    let short = TaskFile {
        lba: 0xffff_0000_0000,
        features: 0xffff,
        icc: 9,
        ..task(0xca)
    };
    let expected = TaskFile {
        lba: 0x12_3456,
        device: 0xea,
        count: 0,
        ..task(0xca)
    };
    assert_eq!(piece(&short, 0xa12_3456, 256), Some(expected));
}

#[test]
fn a_piece_that_its_registers_cannot_say_is_none() {
    assert_eq!(piece(&task(0xc8), 0, 0), None);
    assert_eq!(piece(&task(0xc8), 0, 257), None);
    assert_eq!(piece(&task(0xc8), 0xfff_ffff, 2), None);
    assert_eq!(piece(&task(0x25), (1 << 48) - 1, 2), None);
    assert_eq!(piece(&task(0x25), u64::MAX, 65_536), None);
    assert_eq!(piece(&task(0xec), 0, 1), None, "no content");
}

#[test]
fn trim_goes_only_where_the_policy_lets_it() {
    let trim = TaskFile {
        features: 1,
        count: 8,
        ..task(0x06)
    };
    assert_eq!(judge(&trim, &DISK), Verdict::Refuse(Reason::Discard));
    assert_eq!(judge(&trim, &DISCARD), Verdict::Trim { bytes: 4096 });
    let other = TaskFile { features: 3, ..trim };
    assert_eq!(judge(&other, &DISCARD), Verdict::Refuse(Reason::Subcommand));
    let none = TaskFile { count: 0, ..trim };
    assert_eq!(judge(&none, &DISCARD), Verdict::Refuse(Reason::Length));
    let long = TaskFile { count: 129, ..trim };
    assert_eq!(judge(&long, &DISCARD), Verdict::Refuse(Reason::Length));
}

#[test]
fn packets_overlap_on_no_drive() {
    let packet = |features| TaskFile {
        features,
        ..task(0xa0)
    };
    assert_eq!(judge(&packet(0), &OPTICAL), Verdict::Packet);
    assert_eq!(judge(&packet(5), &OPTICAL), Verdict::Packet);
    assert_eq!(judge(&packet(2), &OPTICAL), Verdict::Refuse(Reason::LegacyQueue));
}

#[test]
fn a_log_is_read_by_its_address_and_page() {
    let read = TaskFile {
        lba: 0x0001_0000_0030 | 0x02 << 8,
        count: 3,
        ..task(0x2f)
    };
    let expected = Verdict::Pass {
        protocol: Protocol::PioIn,
        bytes: 1536,
        after: After::Log {
            address: 0x30,
            page: 0x0102,
        },
    };
    assert_eq!(judge(&read, &DISK), expected);
    let smart = TaskFile {
        features: 0xd5,
        lba: 0xc2_4f06,
        count: 0xff01,
        ..task(0xb0)
    };
    let expected = Verdict::Pass {
        protocol: Protocol::PioIn,
        bytes: 512,
        after: After::Log { address: 6, page: 0 },
    };
    assert_eq!(judge(&smart, &DISK), expected);
    let long = TaskFile { count: 129, ..read };
    assert_eq!(judge(&long, &DISK), Verdict::Refuse(Reason::Length));
}

#[test]
fn sct_is_refused_by_every_door() {
    for address in [0xe0, 0xe1] {
        for (command, features) in [
            (0x2f, 0),
            (0x47, 0),
            (0x3f, 0),
            (0x57, 0),
            (0xb0, 0xd5),
            (0xb0, 0xd6),
        ] {
            let task = TaskFile {
                lba: 0xc2_4f00 | address,
                features,
                ..task(command)
            };
            let verdict = judge(&task, &DISK);
            assert!(
                matches!(verdict, Verdict::Refuse(Reason::Log | Reason::WritesLog)),
                "{task:x?}"
            );
        }
    }
}

#[test]
fn the_command_given_in_place_of_a_refused_one_passes() {
    let expected = Verdict::Pass {
        protocol: Protocol::NonData,
        bytes: 0,
        after: After::Nothing,
    };
    assert_eq!(judge(&aborted(), &DISK), expected);
}

fn any_task() -> impl Strategy<Value = TaskFile> {
    let registers = (
        any::<u8>(),
        any::<u16>(),
        any::<u64>(),
        any::<u16>(),
        any::<u8>(),
        any::<u32>(),
    );
    registers.prop_map(|(command, features, lba, count, device, auxiliary)| TaskFile {
        command,
        features,
        lba: lba >> 16 >> (auxiliary & 31),
        count,
        device,
        icc: 0,
        auxiliary,
    })
}

fn any_disk() -> impl Strategy<Value = Known> {
    (
        any::<[bool; 3]>(),
        1..=1_u64 << 48,
        0..48_u32,
        0..=32_u8,
        any::<u8>(),
    )
        .prop_map(
            |([packet, lba48, discard], blocks, shift, queue_depth, multiple)| Known {
                kind: if packet { Kind::Packet } else { Kind::Disk },
                block_bytes: 512,
                blocks: blocks >> shift,
                lba48,
                queue_depth,
                multiple,
                discard,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn whatever_the_registers_say_content_is_on_the_disk_and_said_again_by_its_piece(
        task in any_task(),
        disk in any_disk(),
    ) {
        match judge(&task, &disk) {
            Verdict::Content(content) => {
                prop_assert!((1..=LARGEST_BLOCKS).contains(&content.blocks));
                prop_assert!(content.first + u64::from(content.blocks) <= disk.blocks);
                prop_assert!(content.unit >= 1);
                prop_assert_eq!(content.protocol.direction(), Some(content.direction));
                let piece = piece(&task, content.first, content.blocks).unwrap();
                prop_assert_eq!(judge(&piece, &disk), Verdict::Content(content));
            }
            Verdict::Pass { protocol, bytes, .. } => {
                let carries = matches!(command(task.command).fate, Fate::Content { .. });
                prop_assert!(!carries, "content does not pass");
                prop_assert!(bytes <= LONGEST_ANSWER);
                prop_assert!(protocol.direction() != Some(Direction::Write));
                prop_assert_eq!(protocol.direction().is_some(), bytes > 0);
            }
            Verdict::Trim { bytes } => {
                prop_assert!(disk.discard && (512..=LONGEST_ANSWER).contains(&bytes));
            }
            Verdict::Packet => prop_assert_eq!(disk.kind, Kind::Packet),
            Verdict::Refuse(_) => {}
        }
        if let Fate::Refuse(reason) = command(task.command).fate {
            prop_assert_eq!(judge(&task, &disk), Verdict::Refuse(reason));
        }
    }

    #[test]
    fn a_fis_and_registers_are_the_same(task in any_task()) {
        prop_assert_eq!(TaskFile::from_fis(&task.to_fis()), Some(task));
    }
}
