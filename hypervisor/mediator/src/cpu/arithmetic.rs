//! Integer operations with their flags, for instructions that combine a register with a device register.
//!
//! Results and flags as AMD APM volume 3 gives them for each instruction; bits it leaves undefined (AF after a
//! logical operation, all but CF after a bit test) are cleared or kept, as CPUs do.

use super::registers::Width;

/// An operation on two operands of the same width.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operation {
    Add,
    AddWithCarry,
    Subtract,
    SubtractWithBorrow,
    And,
    Or,
    Xor,
}

const CARRY: u64 = 1 << 0;
const PARITY: u64 = 1 << 2;
const ADJUST: u64 = 1 << 4;
pub(super) const ZERO: u64 = 1 << 6;
const SIGN: u64 = 1 << 7;
const OVERFLOW: u64 = 1 << 11;
const STATUS: u64 = CARRY | PARITY | ADJUST | ZERO | SIGN | OVERFLOW;

/// `left` combined with `right`, and the flags after it.
pub(super) fn combine(operation: Operation, width: Width, left: u64, right: u64, flags: u64) -> (u64, u64) {
    let (left, right) = (left & width.mask(), right & width.mask());
    let carry = flags & CARRY;
    match operation {
        Operation::Add => add(width, left, right, 0, flags),
        Operation::AddWithCarry => add(width, left, right, carry, flags),
        Operation::Subtract => subtract(width, left, right, 0, flags),
        Operation::SubtractWithBorrow => subtract(width, left, right, carry, flags),
        Operation::And => logical(width, left & right, flags),
        Operation::Or => logical(width, left | right, flags),
        Operation::Xor => logical(width, left ^ right, flags),
    }
}

/// `value` plus one; CF is kept.
pub(super) fn increment(width: Width, value: u64, flags: u64) -> (u64, u64) {
    let (result, after) = combine(Operation::Add, width, value, 1, flags);
    (result, after & !CARRY | flags & CARRY)
}

/// `value` less one; CF is kept.
pub(super) fn decrement(width: Width, value: u64, flags: u64) -> (u64, u64) {
    let (result, after) = combine(Operation::Subtract, width, value, 1, flags);
    (result, after & !CARRY | flags & CARRY)
}

/// What BT, BTS, BTR and BTC do with the bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BitChange {
    Keep,
    Set,
    Reset,
    Complement,
}

/// `value` with bit `number` (taken modulo the width) changed, and the flags with the old bit in CF.
pub(super) fn test_bit(change: BitChange, width: Width, value: u64, number: u64, flags: u64) -> (u64, u64) {
    let bit = 1 << (number & u64::from(width.bits() - 1));
    let result = match change {
        BitChange::Keep => value,
        BitChange::Set => value | bit,
        BitChange::Reset => value & !bit,
        BitChange::Complement => value ^ bit,
    };
    (result, flags & !CARRY | if value & bit == 0 { 0 } else { CARRY })
}

fn add(width: Width, left: u64, right: u64, carry: u64, flags: u64) -> (u64, u64) {
    let sum = u128::from(left) + u128::from(right) + u128::from(carry);
    let result = left.wrapping_add(right).wrapping_add(carry) & width.mask();
    let carried = if sum > u128::from(width.mask()) { CARRY } else { 0 };
    let overflow = (left ^ result) & (right ^ result) & width.sign();
    (
        result,
        arithmetic_flags(width, result, left ^ right, carried, overflow, flags),
    )
}

fn subtract(width: Width, left: u64, right: u64, borrow: u64, flags: u64) -> (u64, u64) {
    let result = left.wrapping_sub(right).wrapping_sub(borrow) & width.mask();
    let borrowed = if u128::from(left) < u128::from(right) + u128::from(borrow) {
        CARRY
    } else {
        0
    };
    let overflow = (left ^ right) & (left ^ result) & width.sign();
    (
        result,
        arithmetic_flags(width, result, left ^ right, borrowed, overflow, flags),
    )
}

fn logical(width: Width, result: u64, flags: u64) -> (u64, u64) {
    (result, flags & !STATUS | result_flags(width, result))
}

/// `operands` is the exclusive or of both; with the result's bit 4 it shows the carry out of bit 3.
fn arithmetic_flags(width: Width, result: u64, operands: u64, carry: u64, overflow: u64, flags: u64) -> u64 {
    let adjust = (operands ^ result) & ADJUST;
    let overflow = if overflow == 0 { 0 } else { OVERFLOW };
    flags & !STATUS | result_flags(width, result) | carry | adjust | overflow
}

fn result_flags(width: Width, result: u64) -> u64 {
    let zero = if result == 0 { ZERO } else { 0 };
    let sign = if result & width.sign() == 0 { 0 } else { SIGN };
    let parity = if (result & 0xff).count_ones().is_multiple_of(2) {
        PARITY
    } else {
        0
    };
    zero | sign | parity
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operation, width, left, right, flags before, result, flags after. Taken from the definitions in AMD APM
    /// volume 3 by hand, not from this code.
    #[rustfmt::skip] // one line a case
    const CASES: &[(Operation, Width, u64, u64, u64, u64, u64)] = &[
        (Operation::Add, Width::One, 0xff, 0x01, 0, 0x00, CARRY | PARITY | ADJUST | ZERO),
        (Operation::Add, Width::One, 0x7f, 0x01, 0, 0x80, ADJUST | SIGN | OVERFLOW),
        (Operation::Add, Width::Two, 0x00ff, 0x0100, 0, 0x01ff, PARITY),
        (Operation::Add, Width::Eight, u64::MAX, 1, 0, 0, CARRY | PARITY | ADJUST | ZERO),
        (Operation::AddWithCarry, Width::Four, 0xffff_ffff, 0, CARRY, 0, CARRY | PARITY | ADJUST | ZERO),
        (Operation::AddWithCarry, Width::Eight, u64::MAX, u64::MAX, CARRY, u64::MAX, CARRY | PARITY | ADJUST | SIGN),
        (Operation::Subtract, Width::One, 0x00, 0x01, 0, 0xff, CARRY | PARITY | ADJUST | SIGN),
        (Operation::Subtract, Width::One, 0x80, 0x01, 0, 0x7f, ADJUST | OVERFLOW),
        (Operation::Subtract, Width::Four, 5, 5, CARRY, 0, PARITY | ZERO),
        (Operation::SubtractWithBorrow, Width::Two, 0, 0xffff, CARRY, 0, CARRY | PARITY | ADJUST | ZERO),
        (Operation::And, Width::Four, 0xf0f0, 0x0ff0, CARRY | OVERFLOW, 0x00f0, PARITY),
        (Operation::Or, Width::One, 0x80, 0x01, CARRY, 0x81, PARITY | SIGN),
        (Operation::Xor, Width::Eight, u64::MAX, u64::MAX, 0, 0, PARITY | ZERO),
    ];

    #[test]
    fn results_and_flags_are_the_manuals() {
        for (operation, width, left, right, before, result, after) in CASES {
            assert_eq!(
                combine(*operation, *width, *left, *right, *before),
                (*result, *after),
                "{operation:?} {width:?} {left:x} {right:x}"
            );
        }
    }

    #[test]
    fn other_flags_are_kept() {
        let interrupt = 1 << 9 | 2;
        assert_eq!(combine(Operation::Add, Width::Four, 1, 1, interrupt).1, interrupt);
    }

    #[test]
    fn counting_keeps_the_carry() {
        assert_eq!(increment(Width::One, 0xff, 0), (0, PARITY | ADJUST | ZERO));
        assert_eq!(
            decrement(Width::One, 0, CARRY),
            (0xff, CARRY | PARITY | ADJUST | SIGN)
        );
    }

    #[test]
    fn a_bit_test_wraps_at_the_width() {
        assert_eq!(
            test_bit(BitChange::Keep, Width::Two, 0x8000, 31, 0),
            (0x8000, CARRY)
        );
        assert_eq!(
            test_bit(BitChange::Reset, Width::Four, 0b101, 2, 0),
            (0b001, CARRY)
        );
        assert_eq!(test_bit(BitChange::Set, Width::Four, 0b101, 1, CARRY), (0b111, 0));
        assert_eq!(
            test_bit(BitChange::Complement, Width::Eight, 0, 63, CARRY),
            (1 << 63, 0)
        );
    }
}
