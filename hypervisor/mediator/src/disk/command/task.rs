//! The registers of one command, as a private copy.
//!
//! A Register Host to Device FIS (Serial ATA 3.x, 10.5.5) and the registers of an IDE channel carry the same fields, so
//! both end here. Nothing is judged: every value of every field is possible.

/// Bytes of a Register Host to Device FIS.
pub const FIS_BYTES: usize = 20;

/// FIS type of a Register Host to Device FIS.
const REGISTER_HOST_TO_DEVICE: u8 = 0x27;
/// Byte 1: the FIS carries a command, not an update of the device control register.
const IS_COMMAND: u8 = 1 << 7;
/// Device register: the address is an LBA, not cylinder, head and sector.
pub(super) const DEVICE_LBA: u8 = 1 << 6;
/// NOP, with its subcommand (FEATURES) 00h.
const NOP: u8 = 0x00;

/// The registers of one command, as a guest wrote them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TaskFile {
    /// COMMAND: the opcode.
    pub command: u8,
    /// FEATURES; bits 15:8 are what was written before in IDE.
    pub features: u16,
    /// LBA, 48 bits: LBA low, mid, high in bits 23:0, what was written before in 47:24. Bits 27:24 of a 28-bit address
    /// are not here but in DEVICE.
    pub lba: u64,
    /// COUNT; bits 15:8 are what was written before in IDE.
    pub count: u16,
    /// DEVICE.
    pub device: u8,
    /// Isochronous command completion; no IDE register.
    pub icc: u8,
    /// AUXILIARY; no IDE register.
    pub auxiliary: u32,
}

impl TaskFile {
    /// Out of a Register Host to Device FIS; `None` where it is another FIS, or one without a command.
    #[must_use]
    pub const fn from_fis(fis: &[u8; FIS_BYTES]) -> Option<Self> {
        let [kind, flags, command, features_low, l0, l1, l2, device, rest @ ..] = *fis;
        let [
            l3,
            l4,
            l5,
            features_high,
            count_low,
            count_high,
            icc,
            _control,
            a0,
            a1,
            a2,
            a3,
        ] = rest;
        if kind != REGISTER_HOST_TO_DEVICE || flags & IS_COMMAND == 0 {
            return None;
        }
        Some(Self {
            command,
            features: u16::from_le_bytes([features_low, features_high]),
            lba: u64::from_le_bytes([l0, l1, l2, l3, l4, l5, 0, 0]),
            count: u16::from_le_bytes([count_low, count_high]),
            device,
            icc,
            auxiliary: u32::from_le_bytes([a0, a1, a2, a3]),
        })
    }

    /// As a Register Host to Device FIS with a command, for port multiplier port 0, with interrupts on.
    #[must_use]
    pub const fn to_fis(&self) -> [u8; FIS_BYTES] {
        let [l0, l1, l2, l3, l4, l5, ..] = self.lba.to_le_bytes();
        let [features_low, features_high] = self.features.to_le_bytes();
        let [count_low, count_high] = self.count.to_le_bytes();
        let [a0, a1, a2, a3] = self.auxiliary.to_le_bytes();
        [
            REGISTER_HOST_TO_DEVICE,
            IS_COMMAND,
            self.command,
            features_low,
            l0,
            l1,
            l2,
            self.device,
            l3,
            l4,
            l5,
            features_high,
            count_low,
            count_high,
            self.icc,
            0,
            a0,
            a1,
            a2,
            a3,
        ]
    }
}

/// The command that every device aborts: NOP (ACS-4, NOP).
///
/// Given to the device in place of a refused one, so that the guest gets the device's own error and interrupt. Not
/// while queued commands are outstanding: as any other command, it would end them all.
#[must_use]
pub const fn aborted() -> TaskFile {
    TaskFile {
        command: NOP,
        features: 0,
        lba: 0,
        count: 0,
        device: 0,
        icc: 0,
        auxiliary: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fis_has_its_fields_where_serial_ata_says() {
        let task = TaskFile {
            command: 0x61,
            features: 0x0b03,
            lba: 0x0a09_0806_0504,
            count: 0x0d0c,
            device: 0x47,
            icc: 0x0e,
            auxiliary: 0x1312_1110,
        };
        let fis = [
            0x27, 0x80, 0x61, 0x03, 0x04, 0x05, 0x06, 0x47, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0,
            0x10, 0x11, 0x12, 0x13,
        ];
        assert_eq!(task.to_fis(), fis);
        assert_eq!(TaskFile::from_fis(&fis), Some(task));
    }

    #[test]
    fn a_fis_of_another_kind_or_without_a_command_is_none() {
        let mut fis = aborted().to_fis();
        fis[1] = 0x0f;
        assert_eq!(TaskFile::from_fis(&fis), None);
        fis[1] = 0x80;
        fis[0] = 0x46;
        assert_eq!(TaskFile::from_fis(&fis), None);
    }
}
