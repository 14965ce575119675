//! Registers of an IDE controller, and the layout of its descriptor tables.
//!
//! Sources: ATA/ATAPI-7 volume 2 (T13/1532D), sections 6 and 9; Programming Interface for Bus Master IDE Controller
//! 1.0, sections 1.2 and 2.

/// Offsets into [`super::Block::Command`].
pub mod register {
    /// Data, sixteen bits or wider.
    pub const DATA: u16 = 0;
    /// Read: error. Written: features.
    pub const FEATURES: u16 = 1;
    /// Sector count.
    pub const COUNT: u16 = 2;
    /// LBA bits 7:0, and 31:24 of what was written before.
    pub const LBA_LOW: u16 = 3;
    /// LBA bits 15:8, and 39:32 of what was written before.
    pub const LBA_MID: u16 = 4;
    /// LBA bits 23:16, and 47:40 of what was written before.
    pub const LBA_HIGH: u16 = 5;
    /// Device.
    pub const DEVICE: u16 = 6;
    /// Read: status, which takes the interrupt back. Written: command.
    pub const STATUS: u16 = 7;
}

/// Offset into [`super::Block::Control`]. Read: status, without a side effect. Written: device control.
pub const CONTROL: u16 = 2;

/// Bits of the status register.
pub mod status {
    /// The device is at work; no other bit holds.
    pub const BUSY: u8 = 1 << 7;
    /// Device ready.
    pub const READY: u8 = 1 << 6;
    /// Device fault.
    pub const FAULT: u8 = 1 << 5;
    /// The data port has, or waits for, data.
    pub const DATA_REQUEST: u8 = 1 << 3;
    /// The last command failed.
    pub const ERROR: u8 = 1 << 0;
    /// Where no device drives the bus: its pull-ups, or its pull-down on bit 7.
    pub const FLOATING: [u8; 2] = [0xff, 0x7f];
}

/// Bits of the device control register.
pub mod control {
    /// Reads give what was written before the last write (48-bit addresses).
    pub const HIGH_ORDER: u8 = 1 << 7;
    /// Always set by old drivers.
    pub const OBSOLETE: u8 = 1 << 3;
    /// Both drives are reset as long as it is set.
    pub const RESET: u8 = 1 << 2;
    /// The drives do not interrupt.
    pub const NO_INTERRUPT: u8 = 1 << 1;
}

/// Bits of the device register.
pub mod device {
    /// The address is an LBA.
    pub const LBA: u8 = 1 << 6;
    /// Device 1.
    pub const SECOND: u8 = 1 << 4;
}

/// Offsets into one channel's half of [`super::Block::BusMaster`], and that half's size.
pub mod bus_master {
    /// Command.
    pub const COMMAND: u16 = 0;
    /// Status.
    pub const STATUS: u16 = 2;
    /// Descriptor table pointer, four bytes.
    pub const TABLE: u16 = 4;
    /// Bytes of one channel.
    pub const SIZE: u16 = 8;

    /// Bit of the command: the engine runs.
    pub const START: u8 = 1 << 0;
    /// Bit of the command: towards memory.
    pub const TO_MEMORY: u8 = 1 << 3;
    /// Bit of the status: the engine runs and has descriptors left.
    pub const ACTIVE: u8 = 1 << 0;
    /// Bit of the status: a bus error; cleared by writing one.
    pub const ERROR: u8 = 1 << 1;
    /// Bit of the status: the drive interrupted; cleared by writing one.
    pub const INTERRUPT: u8 = 1 << 2;
}

/// Bytes of a descriptor.
pub const DESCRIPTOR_BYTES: usize = 8;
/// Neither a region nor a table may cross a multiple of this.
pub const BOUNDARY: u64 = 64 * 1024;

/// One region of memory in a descriptor table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptor {
    /// Where it begins; even.
    pub address: u32,
    /// Bytes, even, 2 to 64 KiB.
    pub bytes: u32,
    /// No descriptor follows.
    pub last: bool,
}

impl Descriptor {
    const LAST: u16 = 1 << 15;

    /// As the controller reads it: bit 0 of address and count do not exist, a count of 0 is 64 KiB.
    #[must_use]
    pub const fn decode(raw: u64) -> Self {
        let [a0, a1, a2, a3, c0, c1, f0, f1] = raw.to_le_bytes();
        let count = u16::from_le_bytes([c0, c1]) & !1;
        Self {
            address: u32::from_le_bytes([a0, a1, a2, a3]) & !1,
            bytes: if count == 0 { 1 << 16 } else { count as u32 },
            last: u16::from_le_bytes([f0, f1]) & Self::LAST != 0,
        }
    }

    /// As it lies in memory.
    #[must_use]
    pub const fn encode(self) -> [u8; DESCRIPTOR_BYTES] {
        let [a0, a1, a2, a3] = self.address.to_le_bytes();
        // 64 KiB is said as 0: the bits above do not exist.
        let [c0, c1, ..] = self.bytes.to_le_bytes();
        let [f0, f1] = if self.last { Self::LAST } else { 0 }.to_le_bytes();
        [a0, a1, a2, a3, c0, c1, f0, f1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_has_its_fields_where_the_interface_says() {
        let descriptor = Descriptor {
            address: 0x1234_5678,
            bytes: 0xabce,
            last: true,
        };
        let bytes = [0x78, 0x56, 0x34, 0x12, 0xce, 0xab, 0, 0x80];
        assert_eq!(descriptor.encode(), bytes);
        assert_eq!(Descriptor::decode(u64::from_le_bytes(bytes)), descriptor);
    }

    #[test]
    fn the_largest_region_is_said_as_0_and_odd_bits_do_not_exist() {
        let largest = Descriptor {
            address: 0x1_0000,
            bytes: 0x1_0000,
            last: false,
        };
        assert_eq!(largest.encode(), [0, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(Descriptor::decode(0x0001_0001_0001), largest);
    }
}
