//! What CPUID tells the guest: the real CPU, less the virtualisation features, plus the hypervisor's name.
//!
//! Executed often, so common leaves cost one comparison chain and no table. The raw values are the hardware's,
//! taken with the hypervisor's own CR4; bits that mirror CR4 are put back as the guest's CR4 has them.
//!
//! Sources: AMD APM volume 3, appendix E; Intel SDM volume 2, CPUID.

use sekisho_abi::boot::CPUID_SIGNATURE;

/// One answer of CPUID.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Leaf {
    /// EAX.
    pub eax: u32,
    /// EBX.
    pub ebx: u32,
    /// ECX.
    pub ecx: u32,
    /// EDX.
    pub edx: u32,
}

/// What of the asking CPU shows in the answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuestView {
    /// The guest's CR4.
    pub cr4: u64,
    /// The CPU's number in the hypervisor's list.
    pub cpu_index: u32,
}

/// The leaf that names the hypervisor.
pub const LEAF_HYPERVISOR: u32 = 0x4000_0000;
/// The leaf with the CPU's number and [`VERSION`]; the last of ours.
pub const LEAF_IDENTITY: u32 = 0x4000_0001;

/// EBX of [`LEAF_IDENTITY`]: major, minor and patch version in bits 23..16, 15..8, 7..0.
pub const VERSION: u32 = 0x0000_0100;

const CR4_OSXSAVE: u64 = 1 << 18;
const CR4_PKE: u64 = 1 << 22;

const FEATURES_VMX: u32 = 1 << 5;
const FEATURES_SMX: u32 = 1 << 6;
const FEATURES_OSXSAVE: u32 = 1 << 27;
const FEATURES_HYPERVISOR: u32 = 1 << 31;
const STRUCTURED_OSPKE: u32 = 1 << 4;
const EXTENDED_SVM: u32 = 1 << 2;
const EXTENDED_SKINIT: u32 = 1 << 12;
const SIZES_INVLPGB: u32 = 1 << 3;
const SIZES_NO_LMSLE: u32 = 1 << 20;
const SIZES_INVLPGB_COUNT: u32 = 0xffff;

/// What the guest gets for `leaf` and `subleaf`, where the CPU says `raw`.
#[inline]
#[must_use]
pub fn filter(leaf: u32, subleaf: u32, raw: Leaf, guest: &GuestView) -> Leaf {
    let mut seen = raw;
    match leaf {
        1 => {
            seen.ecx &= !(FEATURES_VMX | FEATURES_SMX | FEATURES_OSXSAVE);
            seen.ecx |= FEATURES_HYPERVISOR | when(guest.cr4 & CR4_OSXSAVE, FEATURES_OSXSAVE);
        }
        7 if subleaf == 0 => {
            seen.ecx = seen.ecx & !STRUCTURED_OSPKE | when(guest.cr4 & CR4_PKE, STRUCTURED_OSPKE);
        }
        0x8000_0001 => seen.ecx &= !(EXTENDED_SVM | EXTENDED_SKINIT),
        // INVLPGB and TLBSYNC are #UD in a guest whose VMCB does not enable them (APM volume 2, table B-1). EFER.LMSLE:
        // see `efer`.
        0x8000_0008 => {
            seen.ebx = seen.ebx & !SIZES_INVLPGB | SIZES_NO_LMSLE;
            seen.edx &= !SIZES_INVLPGB_COUNT;
        }
        // SVM revision and features; SME, SEV and their kin.
        0x8000_000a | 0x8000_001f => seen = Leaf::default(),
        0x4000_0000..=0x4000_00ff => seen = hypervisor_leaf(leaf, guest),
        _ => {}
    }
    seen
}

const fn hypervisor_leaf(leaf: u32, guest: &GuestView) -> Leaf {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *CPUID_SIGNATURE;
    match leaf {
        LEAF_HYPERVISOR => Leaf {
            eax: LEAF_IDENTITY,
            ebx: u32::from_le_bytes([a, b, c, d]),
            ecx: u32::from_le_bytes([e, f, g, h]),
            edx: u32::from_le_bytes([i, j, k, l]),
        },
        LEAF_IDENTITY => Leaf {
            eax: guest.cpu_index,
            ebx: VERSION,
            ecx: 0,
            edx: 0,
        },
        _ => Leaf {
            eax: 0,
            ebx: 0,
            ecx: 0,
            edx: 0,
        },
    }
}

#[inline]
const fn when(condition: u64, bit: u32) -> u32 {
    if condition == 0 { 0 } else { bit }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Leaf = Leaf {
        eax: u32::MAX,
        ebx: u32::MAX,
        ecx: u32::MAX,
        edx: u32::MAX,
    };
    const GUEST: GuestView = GuestView { cr4: 0, cpu_index: 3 };

    #[test]
    fn virtualisation_features_are_hidden() {
        assert_eq!(filter(1, 0, FULL, &GUEST).ecx, !(1 << 5 | 1 << 6 | 1 << 27));
        assert_eq!(filter(0x8000_0001, 0, FULL, &GUEST).ecx, !(1 << 2 | 1 << 12));
        assert_eq!(filter(0x8000_000a, 0, FULL, &GUEST), Leaf::default());
        assert_eq!(filter(0x8000_001f, 0, FULL, &GUEST), Leaf::default());
    }

    #[test]
    fn instructions_that_the_save_area_leaves_off_are_hidden() {
        let seen = filter(0x8000_0008, 0, FULL, &GUEST);
        let expected = Leaf {
            ebx: !(1 << 3),
            edx: 0xffff_0000,
            ..FULL
        };
        assert_eq!(seen, expected);
        assert_eq!(filter(0x8000_0008, 0, Leaf::default(), &GUEST).ebx, 1 << 20);
    }

    #[test]
    fn the_hypervisor_bit_is_set() {
        assert_eq!(filter(1, 0, Leaf::default(), &GUEST).ecx, 1 << 31);
    }

    #[test]
    fn bits_that_mirror_cr4_follow_the_guest_not_the_host() {
        let cr4 = 1 << 18 | 1 << 22;
        let guest = GuestView { cr4, ..GUEST };
        assert_eq!(filter(1, 0, Leaf::default(), &guest).ecx, 1 << 31 | 1 << 27);
        assert_eq!(filter(7, 0, Leaf::default(), &guest).ecx, 1 << 4);
        assert_eq!(filter(7, 0, FULL, &GUEST).ecx, !(1 << 4));
        assert_eq!(filter(7, 1, FULL, &GUEST), FULL);
    }

    #[test]
    fn the_hypervisor_says_who_it_is() {
        let name = filter(0x4000_0000, 0, FULL, &GUEST);
        assert_eq!(name.eax, 0x4000_0001);
        assert_eq!(
            [name.ebx, name.ecx, name.edx].map(u32::to_le_bytes).concat(),
            b"SekishoVisor"
        );
        assert_eq!(filter(0x4000_0001, 0, FULL, &GUEST).eax, 3);
        assert_eq!(filter(0x4000_0001, 0, FULL, &GUEST).ebx, VERSION);
        assert_eq!(filter(0x4000_0010, 0, FULL, &GUEST), Leaf::default());
    }

    #[test]
    fn the_version_is_the_crates() {
        let part = |text: &str| text.parse::<u32>().expect("a number");
        let expected = part(env!("CARGO_PKG_VERSION_MAJOR")) << 16
            | part(env!("CARGO_PKG_VERSION_MINOR")) << 8
            | part(env!("CARGO_PKG_VERSION_PATCH"));
        assert_eq!(VERSION, expected);
    }

    #[test]
    fn other_leaves_are_the_hardwares() {
        for leaf in [
            0,
            2,
            0xd,
            0x1f,
            0x3fff_ffff,
            0x4000_0100,
            0x8000_0000,
            0x8000_0007,
        ] {
            assert_eq!(filter(leaf, 0, FULL, &GUEST), FULL, "{leaf:x}");
        }
    }
}
