//! An HPET of 100 MHz with three comparators, of which the first sends no messages.

use super::*;
use alloc::collections::BTreeMap;

const PERIOD_10_NS: u32 = 10_000_000;
const OURS: u32 = FIRST + 2 * SIZE;

struct Timers {
    registers: BTreeMap<u32, u32>,
    counter: u32,
    /// How much the counter counts at each look.
    pace: u32,
}

impl Registers for Timers {
    fn read(&mut self, offset: u32) -> u32 {
        if offset == COUNTER {
            self.counter = self.counter.wrapping_add(self.pace);
            return self.counter;
        }
        self.registers.get(&offset).copied().unwrap_or(0)
    }

    fn write(&mut self, offset: u32, value: u32) {
        self.registers.insert(offset, value);
    }
}

fn timers() -> Timers {
    let can = CAN_MESSAGE;
    Timers {
        registers: [
            (CAPABILITIES, 2 << 8),
            (PERIOD, PERIOD_10_NS),
            (FIRST + SIZE, can),
            (OURS, can),
        ]
        .into(),
        counter: u32::MAX - 50,
        pace: 1,
    }
}

#[test]
fn the_last_comparator_that_sends_messages_is_taken_and_the_counter_counts() {
    let mut timers = timers();
    let waker = Waker::take(&mut timers).unwrap();
    assert_eq!(waker.comparator, OURS);
    assert_eq!(timers.read(CONFIGURATION), ENABLE);
}

#[test]
fn what_has_no_period_or_sends_no_messages_is_left_alone() {
    for (register, value) in [(PERIOD, 0), (PERIOD, u32::MAX)] {
        let mut timers = timers();
        timers.write(register, value);
        assert_eq!(Waker::take(&mut timers), None);
    }
    let mut timers = timers();
    timers.write(OURS, 0);
    timers.write(FIRST + SIZE, 0);
    assert_eq!(Waker::take(&mut timers), None);
    assert_eq!(timers.read(CONFIGURATION), 0);
}

#[test]
fn an_armed_comparator_sends_an_nmi_to_that_cpu_when_the_time_has_passed() {
    let mut timers = timers();
    let mut waker = Waker::take(&mut timers).unwrap();
    assert!(!waker.is_due(&mut timers));
    waker.arm(&mut timers, 3, 1_000_000);
    assert_eq!(timers.read(OURS + MESSAGE_ADDRESS), 0xfee0_3000);
    assert_eq!(timers.read(OURS + MESSAGE_DATA), 0x400);
    assert_eq!(timers.read(OURS), INTERRUPTS | HALF | MESSAGES);
    // 1 ms is 100,000 ticks; the counter comes round on the way.
    let value = timers.read(OURS + VALUE);
    assert_eq!(value, (u32::MAX - 50 + 1).wrapping_add(100_000));
    assert!(!waker.is_due(&mut timers));
    timers.counter = value.wrapping_sub(2);
    assert!(!waker.is_due(&mut timers));
    assert!(waker.is_due(&mut timers));
}

#[test]
fn a_moment_that_passes_while_it_is_set_is_set_again_further_away() {
    let mut timers = timers();
    let mut waker = Waker::take(&mut timers).unwrap();
    timers.pace = 5_000;
    waker.arm(&mut timers, 0, 0);
    timers.pace = 0;
    assert!(!waker.is_due(&mut timers));
}

#[test]
fn the_guest_has_the_other_timers_and_neither_ours_nor_the_counter() {
    let mut timers = timers();
    let mut waker = Waker::take(&mut timers).unwrap();
    waker.arm(&mut timers, 0, 1_000_000);
    let before = timers.registers.clone();
    for offset in (OURS..OURS + SIZE)
        .chain(COUNTER..COUNTER_END)
        .chain([WINDOW, u32::MAX])
    {
        for width in [Width::One, Width::Two, Width::Four, Width::Eight] {
            waker.guest_writes(&mut timers, u64::from(offset), width, u64::MAX);
        }
    }
    assert_eq!(timers.registers, before);
    waker.guest_writes(&mut timers, u64::from(CONFIGURATION), Width::Eight, 2);
    assert_eq!(timers.read(CONFIGURATION), ENABLE | 2);
    waker.guest_writes(&mut timers, u64::from(FIRST + VALUE), Width::Eight, 7 << 32 | 9);
    assert_eq!(
        (timers.read(FIRST + VALUE), timers.read(FIRST + VALUE + 4)),
        (9, 7)
    );
}

#[test]
fn a_pair_does_not_reach_over_into_what_is_ours() {
    let mut timers = timers();
    let waker = Waker::take(&mut timers).unwrap();
    waker.guest_writes(&mut timers, u64::from(OURS - 4), Width::Eight, u64::MAX);
    assert_eq!(timers.read(OURS), 0);
}

#[test]
fn another_comparator_sends_interrupts_and_nothing_else() {
    let mut timers = timers();
    let waker = Waker::take(&mut timers).unwrap();
    let mut write = |offset: u32, value: u64| {
        waker.guest_writes(&mut timers, u64::from(FIRST + SIZE + offset), Width::Four, value);
        timers.read(FIRST + SIZE + offset)
    };
    assert_eq!(write(MESSAGE_ADDRESS, 0xfee0_1000), 0xfee0_1000);
    assert_eq!(write(MESSAGE_ADDRESS, 0x1000), 0xfee0_1000);
    assert_eq!(write(MESSAGE_DATA, 0x31), 0x31);
    for mode in [2, 4, 5, 7] {
        assert_eq!(write(MESSAGE_DATA, mode << 8), 0x31);
    }
}

/// One whose moment, a millisecond away, has just passed.
fn passed() -> (Timers, Waker) {
    let mut timers = timers();
    timers.counter = 0;
    let mut waker = Waker::take(&mut timers).unwrap();
    waker.arm(&mut timers, 0, 1_000_000);
    timers.counter = timers.read(OURS + VALUE);
    (timers, waker)
}

#[test]
fn the_nmi_of_a_moment_is_ours_once() {
    let (mut timers, mut waker) = passed();
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Moment);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Other);
    waker.arm(&mut timers, 0, 1_000_000);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Other);
}

#[test]
fn a_message_that_comes_after_its_moment_was_told_of_is_not_the_guests() {
    let (mut timers, mut waker) = passed();
    // Another NMI was first.
    assert_eq!(waker.judge(&mut timers, Cause::Another), Owner::Moment);
    waker.arm(&mut timers, 0, 1_000_000);
    assert_eq!(waker.judge(&mut timers, Cause::Another), Owner::Other);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Stray);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Other);
}

#[test]
fn a_message_that_was_one_with_another_nmi_is_awaited_until_the_next_moment_only() {
    let (mut timers, mut waker) = passed();
    assert_eq!(waker.judge(&mut timers, Cause::Another), Owner::Moment);
    waker.arm(&mut timers, 0, 1_000_000);
    timers.counter = timers.read(OURS + VALUE);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Moment);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Other);
}

#[test]
fn a_moment_that_passed_while_it_was_set_may_send_a_message_of_its_own() {
    let mut timers = timers();
    let mut waker = Waker::take(&mut timers).unwrap();
    timers.counter = 0;
    timers.pace = 2_500;
    waker.arm(&mut timers, 0, 0);
    timers.pace = 1;
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Stray);
    timers.counter = timers.read(OURS + VALUE);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Moment);
}

#[test]
fn the_message_of_a_counter_that_comes_round_on_the_way_is_not_the_guests() {
    let mut timers = timers();
    let mut waker = Waker::take(&mut timers).unwrap();
    waker.arm(&mut timers, 0, 1_000_000);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Stray);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Other);
    timers.counter = timers.read(OURS + VALUE);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Moment);
}

#[test]
fn of_two_messages_that_come_after_the_moment_neither_is_the_guests() {
    let mut timers = timers();
    let mut waker = Waker::take(&mut timers).unwrap();
    // The counter comes round before the moment, and both messages are late.
    waker.arm(&mut timers, 0, 1_000_000);
    timers.counter = timers.read(OURS + VALUE);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Moment);
    waker.arm(&mut timers, 0, 1_000_000);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Stray);
    assert_eq!(waker.judge(&mut timers, Cause::Unknown), Owner::Other);
}
