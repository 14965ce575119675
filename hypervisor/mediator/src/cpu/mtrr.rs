//! The memory type range registers, as far as they set the memory type of the hypervisor's region.
//!
//! The registers are shared: what the guest sets holds for the hypervisor too. A guest may use them freely for its
//! own memory, but a write after which our region would have another type than now (uncached, say, or a mix)
//! vanishes. The fixed ranges lie below 1 MiB, where the region never is.
//!
//! Threads of one core share these registers from family 17h on (AMD PPR 54945, whose MTRRs name cores, not threads),
//! so what was seen before is no measure: each judgement starts from what the hardware holds.
//!
//! Sources: AMD APM volume 2, section 7.7 (MTRRs), 7.7.3 (variable ranges), 7.7.4 (overlaps); Intel SDM volume 3,
//! section 12.11.

/// Most variable ranges of one CPU (MTRRcap.VCNT has 8 bits; no CPU known has more than 10).
pub const MAX_VARIABLE_RANGES: usize = 16;

/// MTRRphysBase0; base and mask alternate from here.
pub const VARIABLE_FIRST: u32 = 0x200;
/// MTRRdefType.
pub const DEFAULT_TYPE: u32 = 0x2ff;

/// The grain in which the region is looked at; it starts and ends on one.
const CHUNK: u64 = 2 << 20;
/// Most chunks of a region: 256 MiB.
const MAX_CHUNKS: u64 = 128;

const PAGE_ADDRESS: u64 = 0x000f_ffff_ffff_f000;
const MASK_VALID: u64 = 1 << 11;
const DEFAULT_ENABLED: u64 = 1 << 11;
/// Type, FE and E.
const DEFAULT_BITS: u64 = 0xcff;
const BASE_RESERVED: u64 = 0xf00;
const MASK_RESERVED: u64 = 0x7ff;
/// The memory type, in a base and in the default type.
const TYPE_FIELD: u64 = 0xff;

const UNCACHEABLE: u8 = 0;
const WRITE_THROUGH: u8 = 4;
const WRITE_BACK: u8 = 6;

/// The hypervisor's memory: a multiple of 2 MiB, aligned to it, above 1 MiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// First byte.
    pub start: u64,
    /// Bytes.
    pub size: u64,
}

/// One variable range, as its two registers hold it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Variable {
    base: u64,
    mask: u64,
}

/// One CPU's registers, as they were last seen or written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryTypes {
    region: Region,
    variable: [Variable; MAX_VARIABLE_RANGES],
    count: usize,
    default_type: u64,
    /// Bits above the physical address width.
    beyond_memory: u64,
}

/// Whether a write may reach the hardware.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Verdict {
    /// It leaves the region's type, or makes it write-back; the hardware gets it, and it is noted.
    Harmless,
    /// It would change the region's type; nothing is noted.
    Harmful,
    /// It turns the ranges off, which would make the region uncached. Every operating system does so for the moment
    /// in which it sets them, and then turns them on again; meanwhile they stay on, and each is judged by itself.
    Paused,
    /// No such register, or bits that the hardware refuses with #GP; nothing is noted.
    Fault,
}

/// The memory type of a stretch of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effective {
    /// The same type for every byte.
    One(u8),
    /// More than one, or an overlap that the manuals leave undefined.
    Mixed,
}

impl MemoryTypes {
    /// From the hardware, read through `read`. `capability` is MTRRcap (0xFE), `address_bits` the physical address
    /// width (CPUID 8000_0008 EAX bits 7..0).
    #[must_use]
    pub fn capture(region: Region, capability: u64, address_bits: u8, read: impl FnMut(u32) -> u64) -> Self {
        let mut captured = Self {
            region,
            variable: [Variable::default(); MAX_VARIABLE_RANGES],
            count: usize::from(capability.to_le_bytes()[0]).min(MAX_VARIABLE_RANGES),
            default_type: 0,
            beyond_memory: u64::MAX.checked_shl(u32::from(address_bits)).unwrap_or(0),
        };
        captured.refresh(read);
        captured
    }

    /// What the hardware holds now, read through `read`: to be done before a write is judged.
    pub fn refresh(&mut self, mut read: impl FnMut(u32) -> u64) {
        for (number, range) in (0..).step_by(2).zip(self.variable.iter_mut().take(self.count)) {
            range.base = read(VARIABLE_FIRST + number);
            range.mask = read(VARIABLE_FIRST + number + 1);
        }
        self.default_type = read(DEFAULT_TYPE);
    }

    /// Judges a write of `value` to `msr`, a variable range or the default type.
    pub fn write(&mut self, msr: u32, value: u64) -> Verdict {
        let mut after = *self;
        let Some((register, reserved)) = after.register(msr) else {
            return Verdict::Fault;
        };
        if value & reserved != 0 || (reserved & TYPE_FIELD == 0 && !is_memory_type(value)) {
            return Verdict::Fault;
        }
        *register = value;
        if after.is_write_back() || after.same_types_as(self) {
            *self = after;
            Verdict::Harmless
        } else if msr == DEFAULT_TYPE && value & DEFAULT_ENABLED == 0 {
            Verdict::Paused
        } else {
            Verdict::Harmful
        }
    }

    /// The register and its reserved bits.
    fn register(&mut self, msr: u32) -> Option<(&mut u64, u64)> {
        if msr == DEFAULT_TYPE {
            return Some((&mut self.default_type, !DEFAULT_BITS));
        }
        let number = msr.checked_sub(VARIABLE_FIRST)?;
        let index = usize::try_from(number / 2).ok()?;
        let range = self.variable.get_mut(..self.count)?.get_mut(index)?;
        Some(if number.is_multiple_of(2) {
            (&mut range.base, self.beyond_memory | BASE_RESERVED)
        } else {
            (&mut range.mask, self.beyond_memory | MASK_RESERVED)
        })
    }

    /// The type the hypervisor wants anyway. Firmware may leave application processors with all ranges off, and the
    /// guest that turns them on does the hypervisor good too.
    fn is_write_back(&self) -> bool {
        self.chunks()
            .all(|chunk| self.effective(chunk) == Effective::One(WRITE_BACK))
    }

    fn same_types_as(&self, other: &Self) -> bool {
        self.chunks().all(|chunk| {
            let now = self.effective(chunk);
            now != Effective::Mixed && now == other.effective(chunk)
        }) || self.same_over_region(other)
    }

    /// True if the two differ only in ranges that are no part of any chunk; the way out where firmware left a mix.
    fn same_over_region(&self, other: &Self) -> bool {
        self.default_type == other.default_type
            && self.variable.iter().zip(&other.variable).all(|(own, others)| {
                own == others
                    || self
                        .chunks()
                        .all(|chunk| own.covers(chunk) == Cover::None && others.covers(chunk) == Cover::None)
            })
    }

    fn chunks(&self) -> impl Iterator<Item = u64> + use<> {
        let start = self.region.start;
        (0..(self.region.size / CHUNK).min(MAX_CHUNKS)).map(move |number| start + number * CHUNK)
    }

    fn effective(&self, chunk: u64) -> Effective {
        if self.default_type & DEFAULT_ENABLED == 0 {
            return Effective::One(UNCACHEABLE);
        }
        let mut found: Option<u8> = None;
        for range in &self.variable {
            match range.covers(chunk) {
                Cover::None => {}
                Cover::Part => return Effective::Mixed,
                Cover::Whole => {
                    let Some(both) = overlap(found, range.memory_type()) else {
                        return Effective::Mixed;
                    };
                    found = Some(both);
                }
            }
        }
        Effective::One(found.unwrap_or(self.default_type.to_le_bytes()[0]))
    }
}

/// How much of a chunk a range covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cover {
    None,
    Part,
    Whole,
}

impl Variable {
    fn memory_type(self) -> u8 {
        self.base.to_le_bytes()[0]
    }

    /// An address is in the range if it agrees with the base in every bit that the mask has.
    fn covers(self, chunk: u64) -> Cover {
        if self.mask & MASK_VALID == 0 {
            return Cover::None;
        }
        let mask = self.mask & PAGE_ADDRESS;
        let within_chunk = CHUNK - 1;
        if (chunk ^ self.base) & mask & !within_chunk != 0 {
            Cover::None
        } else if mask & within_chunk != 0 {
            Cover::Part
        } else {
            Cover::Whole
        }
    }
}

/// The encodings that name a type: UC, WC, WT, WP, WB.
const fn is_memory_type(value: u64) -> bool {
    matches!(value & TYPE_FIELD, 0 | 1 | 4 | 5 | 6)
}

/// The type where two ranges overlap; `None` where the manuals leave it undefined.
fn overlap(found: Option<u8>, next: u8) -> Option<u8> {
    match (found, next) {
        (None, only) => Some(only),
        (Some(one), other) if one == other => Some(one),
        (Some(UNCACHEABLE), _) | (Some(_), UNCACHEABLE) => Some(UNCACHEABLE),
        (Some(WRITE_THROUGH), WRITE_BACK) | (Some(WRITE_BACK), WRITE_THROUGH) => Some(WRITE_THROUGH),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 16 MiB at 0x7e00_0000.
    const REGION: Region = Region {
        start: 0x7e00_0000,
        size: 16 << 20,
    };
    const ENABLED: u64 = 1 << 11;
    const VALID: u64 = 1 << 11;
    const ADDRESS_BITS: u8 = 40;

    /// Default write-back, one uncached hole from 2 GiB to 4 GiB, as OVMF leaves it.
    fn usual() -> MemoryTypes {
        MemoryTypes::capture(REGION, 0x508, ADDRESS_BITS, |msr| match msr {
            0x200 => 0x8000_0000,
            0x201 => 0xff_8000_0000 | VALID,
            0x2ff => ENABLED | 6,
            _ => 0,
        })
    }

    #[test]
    fn ranges_beside_the_region_are_the_guests() {
        let mut types = usual();
        assert_eq!(types.write(0x202, 0xc000_0001), Verdict::Harmless);
        assert_eq!(types.write(0x203, 0xff_f000_0000 | VALID), Verdict::Harmless);
        assert_eq!(types.write(0x203, 0), Verdict::Harmless);
    }

    #[test]
    fn the_region_cannot_become_uncached() {
        let mut types = usual();
        assert_eq!(
            types.write(0x202, 0x7e00_0000),
            Verdict::Harmless,
            "not valid yet"
        );
        assert_eq!(types.write(0x203, 0xff_ff00_0000 | VALID), Verdict::Harmful);
        assert_eq!(
            types.write(0x203, 0xff_ffff_f000 | VALID),
            Verdict::Harmful,
            "one page of it"
        );
        assert_eq!(
            types.write(0x201, VALID),
            Verdict::Harmful,
            "the hole over everything"
        );
        assert_eq!(types.write(0x2ff, ENABLED), Verdict::Harmful);
    }

    #[test]
    fn a_range_of_the_same_type_may_cover_the_region() {
        let mut types = usual();
        assert_eq!(types.write(0x202, 0x6), Verdict::Harmless);
        assert_eq!(types.write(0x203, 0xff_8000_0000 | VALID), Verdict::Harmless);
        // Now the default no longer decides.
        assert_eq!(types.write(0x2ff, ENABLED), Verdict::Harmless);
        assert_eq!(types.write(0x203, 0), Verdict::Harmful);
    }

    #[test]
    fn turning_the_ranges_off_for_a_moment_is_no_attempt() {
        let mut types = usual();
        assert_eq!(types.write(0x2ff, 0), Verdict::Paused);
        assert_eq!(types.write(0x202, 0xc000_0001), Verdict::Harmless);
        assert_eq!(types.write(0x201, VALID), Verdict::Harmful);
        assert_eq!(types.write(0x2ff, ENABLED | 6), Verdict::Harmless);
    }

    #[test]
    fn a_refused_write_is_forgotten() {
        let mut types = usual();
        assert_eq!(types.write(0x2ff, ENABLED), Verdict::Harmful);
        assert_eq!(types, usual());
    }

    #[test]
    fn a_range_cannot_shrink_to_pages_of_the_region() {
        let mut types = MemoryTypes::capture(REGION, 0x508, ADDRESS_BITS, |msr| match msr {
            0x200 => 0x7e00_0006,
            0x201 => 0xff_ff00_0000 | VALID,
            0x2ff => ENABLED,
            _ => 0,
        });
        assert_eq!(types.write(0x201, 0xff_ff00_1000 | VALID), Verdict::Harmful);
    }

    #[test]
    fn overlaps_follow_the_manual() {
        assert_eq!(overlap(Some(6), 0), Some(0));
        assert_eq!(overlap(Some(6), 4), Some(4));
        assert_eq!(overlap(Some(1), 6), None);
        assert_eq!(overlap(None, 1), Some(1));
    }

    #[test]
    fn what_the_hardware_would_refuse_faults() {
        let mut types = usual();
        for (msr, value) in [
            (0x200, 2),           // no such type
            (0x200, 0x106),       // reserved bits
            (0x200, 1 << 40),     // beyond physical memory
            (0x201, 1),           // reserved bits
            (0x2ff, ENABLED | 7), // no such type
            (0x2ff, 1 << 12),     // reserved bits
            (0x210, 6),           // the ninth of eight ranges
            (0x1ff, 6),
        ] {
            assert_eq!(types.write(msr, value), Verdict::Fault, "{msr:x} {value:x}");
        }
    }

    #[test]
    fn where_firmware_left_a_mix_it_is_kept_or_becomes_write_back() {
        let mut types = MemoryTypes::capture(REGION, 0x508, ADDRESS_BITS, |msr| match msr {
            0x200 => 0x7e00_0000,
            0x201 => 0xff_ffff_f000 | VALID,
            0x2ff => ENABLED | 6,
            _ => 0,
        });
        assert_eq!(types.write(0x202, 0xc000_0000), Verdict::Harmless);
        assert_eq!(types.write(0x203, 0xff_f000_0000 | VALID), Verdict::Harmless);
        assert_eq!(types.write(0x200, 0x7e00_1000), Verdict::Harmful);
        assert_eq!(types.write(0x201, 0), Verdict::Harmless);
    }

    #[test]
    fn a_cpu_whose_ranges_firmware_left_off_may_turn_them_on() {
        let mut types = MemoryTypes::capture(REGION, 0x508, ADDRESS_BITS, |_| 0);
        assert_eq!(types.write(0x200, 0x8000_0000), Verdict::Harmless);
        assert_eq!(types.write(0x201, 0xff_8000_0000 | VALID), Verdict::Harmless);
        assert_eq!(types.write(0x2ff, ENABLED | 6), Verdict::Harmless);
        assert_eq!(types.write(0x2ff, ENABLED), Verdict::Harmful);
    }
}
