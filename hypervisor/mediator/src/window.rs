//! A guest's access to a window of 32-bit registers, as AHCI controllers (AHCI 1.3.1, 3) and Intel's gigabit NICs (SDM 13.1)
//! have them: register by register.

use crate::cpu::registers::Width;

/// An access that no driver makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Malformed;

/// What the guest reads at a byte offset, where `register` reads the one at an offset aligned to four: a part of one is cut
/// out of it, two make eight bytes.
///
/// # Errors
/// [`Malformed`] for one that crosses registers; none was read.
pub(crate) fn read(
    offset: u64,
    width: Width,
    mut register: impl FnMut(u32) -> u32,
) -> Result<u64, Malformed> {
    let offset = u32::try_from(offset).map_err(|_| Malformed)?;
    let within = offset % 4;
    match width {
        Width::One | Width::Two | Width::Four if within + u32::from(width.bytes()) <= 4 => {
            Ok(u64::from(register(offset - within)) >> (8 * within) & width.mask())
        }
        Width::Eight if within == 0 => {
            let low = u64::from(register(offset));
            Ok(u64::from(register(offset.saturating_add(4))) << 32 | low)
        }
        _ => Err(Malformed),
    }
}

/// The guest writes `value`, cut to `width`: `register` writes whole ones only, since bits that are cleared by writing ones
/// cannot be kept beside a part.
///
/// # Errors
/// [`Malformed`]; none was written.
pub(crate) fn write(
    offset: u64,
    width: Width,
    value: u64,
    mut register: impl FnMut(u32, u32),
) -> Result<(), Malformed> {
    let [low, high] = halves(value);
    match (u32::try_from(offset), width) {
        (Ok(offset), Width::Four) if offset % 4 == 0 => register(offset, low),
        (Ok(offset), Width::Eight) if offset % 4 == 0 => {
            register(offset, low);
            register(offset.saturating_add(4), high);
        }
        _ => return Err(Malformed),
    }
    Ok(())
}

/// The low and the high half, as two registers hold them.
pub(crate) const fn halves(value: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(offset: u32) -> u32 {
        0x4433_2211 + offset
    }

    #[test]
    fn parts_are_cut_out_and_two_make_eight_bytes() {
        assert_eq!(read(9, Width::One, register), Ok(0x22));
        assert_eq!(read(10, Width::Two, register), Ok(0x4433));
        assert_eq!(read(8, Width::Eight, register), Ok(0x4433_221d_4433_2219));
        let mut written = [(8, 1), (12, 2)].into_iter();
        let done = write(8, Width::Eight, 0x2_0000_0001, |offset, value| {
            assert_eq!(written.next(), Some((offset, value)));
        });
        assert_eq!((done, written.next()), (Ok(()), None));
    }

    #[test]
    fn what_crosses_registers_or_writes_a_part_touches_none() {
        let none = |_| panic!("a register was read");
        for (offset, width) in [
            (3, Width::Two),
            (2, Width::Four),
            (4 << 32, Width::Four),
            (6, Width::Eight),
        ] {
            assert_eq!(read(offset, width, none), Err(Malformed));
        }
        for (offset, width) in [
            (0, Width::One),
            (0, Width::Two),
            (2, Width::Four),
            (4 << 32, Width::Four),
        ] {
            let done = write(offset, width, 1, |_, _| panic!("a register was written"));
            assert_eq!(done, Err(Malformed));
        }
    }
}
