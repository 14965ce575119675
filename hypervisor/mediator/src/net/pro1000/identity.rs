//! Which members of the family are mediated: those whose registers and descriptors are the ones of `spec.rs`.

/// Members that are alike for a mediator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// PCI and PCI-X: 82540 to 82547.
    Pci,
    /// PCI Express: 82571 to 82574, 82583, 80003ES2LAN.
    Express,
    /// Part of a chipset: ICH8 to ICH10, and the PCH with 82577 to 82579, I217 to I219.
    Chipset,
}

/// Device numbers of a family, Intel's.
struct Row(Family, &'static [u16]);

const ROWS: [Row; 11] = [
    // 82540EM, EP.
    Row(Family::Pci, &[0x100e, 0x1015, 0x1016, 0x1017, 0x101e]),
    // 82545, 82546.
    Row(
        Family::Pci,
        &[
            0x100f, 0x1010, 0x1011, 0x1012, 0x101d, 0x1026, 0x1027, 0x1028, 0x1079, 0x107a, 0x107b, 0x108a,
            0x1099, 0x10b5,
        ],
    ),
    // 82541, 82547.
    Row(
        Family::Pci,
        &[
            0x1013, 0x1014, 0x1018, 0x1019, 0x101a, 0x1075, 0x1076, 0x1077, 0x1078, 0x107c,
        ],
    ),
    // 82571, 82572.
    Row(
        Family::Express,
        &[
            0x105e, 0x105f, 0x1060, 0x107d, 0x107e, 0x107f, 0x10a4, 0x10a5, 0x10b9, 0x10bc, 0x10d5, 0x10d9,
            0x10da,
        ],
    ),
    // 82573, 82574, 82583.
    Row(Family::Express, &[0x108b, 0x108c, 0x109a, 0x10d3, 0x10f6, 0x150c]),
    // 80003ES2LAN.
    Row(Family::Express, &[0x1096, 0x1098, 0x10ba, 0x10bb]),
    // ICH8.
    Row(
        Family::Chipset,
        &[0x1049, 0x104a, 0x104b, 0x104c, 0x104d, 0x10c4, 0x10c5, 0x1501],
    ),
    // ICH9, ICH10.
    Row(
        Family::Chipset,
        &[
            0x10bd, 0x10bf, 0x10c0, 0x10c2, 0x10c3, 0x10cb, 0x10cc, 0x10cd, 0x10ce, 0x10de, 0x10df, 0x10e5,
            0x10f5, 0x1525, 0x294c,
        ],
    ),
    // 82577, 82578, 82579.
    Row(Family::Chipset, &[0x10ea, 0x10eb, 0x10ef, 0x10f0, 0x1502, 0x1503]),
    // I217, I218.
    Row(Family::Chipset, &[0x153a, 0x153b, 0x1559, 0x155a]),
    // I219.
    Row(
        Family::Chipset,
        &[0x156f, 0x1570, 0x15b7, 0x15bd, 0x15be, 0x15d7, 0x15d8, 0x15e3],
    ),
];

impl Family {
    /// The family of Intel's device `device`. `None` where it is not mediated: 82542 to 82544, whose registers lie
    /// elsewhere, and those with advanced descriptors (82575, 82576, 82580, I210, I350 and their kin).
    #[must_use]
    pub fn of(device: u16) -> Option<Self> {
        let row = ROWS.iter().find(|Row(_, devices)| devices.contains(&device));
        row.map(|Row(family, _)| *family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_in_one_row() {
        let mut devices: alloc::vec::Vec<u16> = ROWS
            .iter()
            .flat_map(|Row(_, devices)| *devices)
            .copied()
            .collect();
        let count = devices.len();
        devices.sort_unstable();
        devices.dedup();
        assert_eq!(devices.len(), count);
    }

    #[test]
    fn those_of_the_emulator_are_mediated_and_those_with_other_descriptors_are_not() {
        assert_eq!(Family::of(0x100e), Some(Family::Pci));
        assert_eq!(Family::of(0x10d3), Some(Family::Express));
        for other in [
            0x1000, 0x1004, 0x1008, 0x10a7, 0x10c9, 0x150e, 0x1521, 0x1533, 0x157b, 0x1f40, 0x0438,
        ] {
            assert_eq!(Family::of(other), None, "{other:#x}");
        }
    }
}
