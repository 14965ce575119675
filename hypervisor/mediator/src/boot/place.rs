//! Places the hypervisor: copies its segments, zeroes the rest of the region, adds the load address where the
//! layout says so.
//!
//! The layout's digest was compared before, so a layout that does not fit is a build error rather than an
//! attack; it is refused all the same, since what is placed here runs with every privilege.

use core::fmt;
use sekisho_abi::boot::{Access, HypervisorLayout, PAGE, Segment};

/// Why a layout cannot be placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaceError {
    /// The hypervisor needs more memory than the region has.
    TooLarge {
        /// Bytes the layout asks for.
        needed: u32,
    },
    /// The segment at this offset overlaps another, is unaligned, or leaves the layout's memory.
    Segment(u32),
    /// The segments take more or fewer bytes than the file has.
    FileSize,
    /// A relocation lies outside the layout's memory.
    Relocation(u32),
    /// The entry point is in no executable segment.
    Entry(u32),
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { needed } => {
                write!(f, "the hypervisor needs {needed} bytes, more than its region has")
            }
            Self::Segment(offset) => write!(f, "the hypervisor's segment at {offset:#x} is misplaced"),
            Self::FileSize => write!(f, "the hypervisor's segments are not as long as its section"),
            Self::Relocation(offset) => {
                write!(f, "the hypervisor's relocation at {offset:#x} is outside of it")
            }
            Self::Entry(offset) => write!(f, "the hypervisor's entry point {offset:#x} is not in its code"),
        }
    }
}

/// Places `file` into `region`, whose first byte will run at `load_address`.
///
/// # Errors
/// [`PlaceError`]; `region` is undefined then.
pub fn place(
    layout: &HypervisorLayout,
    file: &[u8],
    region: &mut [u8],
    load_address: u64,
) -> Result<(), PlaceError> {
    region.fill(0);
    let memory = size(layout.memory_size)
        .and_then(|length| region.get_mut(..length))
        .ok_or(PlaceError::TooLarge {
            needed: layout.memory_size,
        })?;
    copy_segments(&layout.segments, file, memory)?;
    for offset in &layout.relocations {
        relocate(memory, *offset, load_address).ok_or(PlaceError::Relocation(*offset))?;
    }
    let is_code = |segment: &Segment| {
        segment.access == Access::Execute
            && layout
                .entry
                .checked_sub(segment.offset)
                .is_some_and(|within| within < segment.memory_size)
    };
    layout
        .segments
        .iter()
        .any(is_code)
        .then_some(())
        .ok_or(PlaceError::Entry(layout.entry))
}

/// Copies the segments one after the other, each behind the one before.
fn copy_segments(segments: &[Segment], mut file: &[u8], memory: &mut [u8]) -> Result<(), PlaceError> {
    let mut free_from = 0;
    for segment in segments {
        let misplaced = PlaceError::Segment(segment.offset);
        let end = segment.offset.checked_add(segment.memory_size).ok_or(misplaced)?;
        if segment.offset < free_from || segment.offset % PAGE != 0 || segment.file_size > segment.memory_size
        {
            return Err(misplaced);
        }
        free_from = end;
        let range = size(segment.offset).ok_or(misplaced)?..size(end).ok_or(misplaced)?;
        let length = size(segment.file_size).ok_or(misplaced)?;
        let (bytes, rest) = file.split_at_checked(length).ok_or(PlaceError::FileSize)?;
        file = rest;
        let target = memory
            .get_mut(range)
            .and_then(|whole| whole.get_mut(..length))
            .ok_or(misplaced)?;
        target.copy_from_slice(bytes);
    }
    file.is_empty().then_some(()).ok_or(PlaceError::FileSize)
}

fn relocate(memory: &mut [u8], offset: u32, load_address: u64) -> Option<()> {
    let word: &mut [u8; 8] = memory.get_mut(size(offset)?..)?.first_chunk_mut()?;
    *word = u64::from_le_bytes(*word).wrapping_add(load_address).to_le_bytes();
    Some(())
}

fn size(bytes: u32) -> Option<usize> {
    usize::try_from(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    const LOAD_ADDRESS: u64 = 0x7d00_0000;

    fn segment(offset: u32, file_size: u32, memory_size: u32, access: Access) -> Segment {
        Segment {
            offset,
            file_size,
            memory_size,
            access,
        }
    }

    /// Code of 16 bytes, then data of 8 bytes (an offset to relocate) in 16.
    fn layout() -> HypervisorLayout {
        HypervisorLayout {
            entry: 8,
            memory_size: 0x2000,
            segments: vec![
                segment(0, 16, 16, Access::Execute),
                segment(0x1000, 8, 16, Access::Write),
            ],
            relocations: vec![0x1000],
        }
    }

    fn file() -> Vec<u8> {
        [vec![0x90; 16], 0x1008u64.to_le_bytes().to_vec()].concat()
    }

    fn placed(layout: &HypervisorLayout, file: &[u8]) -> Result<Vec<u8>, PlaceError> {
        let mut region = vec![0xaa; 0x3000];
        place(layout, file, &mut region, LOAD_ADDRESS).map(|()| region)
    }

    #[test]
    fn segments_are_copied_relocated_and_the_rest_is_zero() {
        let mut expected = vec![0; 0x3000];
        expected[..16].fill(0x90);
        expected[0x1000..0x1008].copy_from_slice(&(LOAD_ADDRESS + 0x1008).to_le_bytes());
        assert_eq!(placed(&layout(), &file()), Ok(expected));
    }

    #[test]
    fn a_segment_that_overlaps_is_unaligned_or_leaves_memory_is_refused() {
        let bad = [
            segment(0, 8, 16, Access::Write),
            segment(0x1008, 8, 16, Access::Write),
            segment(0x1000, 8, 4, Access::Write),
            segment(0x1000, 8, 0x1001, Access::Write),
            segment(0xffff_f000, 8, 0x1000, Access::Write),
        ];
        for second in bad {
            let layout = HypervisorLayout {
                segments: vec![layout().segments[0], second],
                ..layout()
            };
            assert_eq!(placed(&layout, &file()), Err(PlaceError::Segment(second.offset)));
        }
    }

    #[test]
    fn bytes_that_are_missing_or_left_over_are_refused() {
        assert_eq!(placed(&layout(), &file()[1..]), Err(PlaceError::FileSize));
        assert_eq!(
            placed(&layout(), &[file(), vec![0]].concat()),
            Err(PlaceError::FileSize)
        );
    }

    #[test]
    fn a_relocation_outside_is_refused() {
        for offset in [0x1ff9, 0x2000, u32::MAX] {
            let layout = HypervisorLayout {
                relocations: vec![offset],
                ..layout()
            };
            assert_eq!(placed(&layout, &file()), Err(PlaceError::Relocation(offset)));
        }
    }

    #[test]
    fn an_entry_outside_the_code_is_refused() {
        for entry in [16, 0x1000, u32::MAX] {
            let layout = HypervisorLayout { entry, ..layout() };
            assert_eq!(placed(&layout, &file()), Err(PlaceError::Entry(entry)));
        }
    }

    #[test]
    fn a_hypervisor_larger_than_its_region_is_refused() {
        let layout = HypervisorLayout {
            memory_size: 0x4000,
            ..layout()
        };
        assert_eq!(
            placed(&layout, &file()),
            Err(PlaceError::TooLarge { needed: 0x4000 })
        );
    }
}
