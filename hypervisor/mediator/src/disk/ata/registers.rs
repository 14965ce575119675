//! What the guest wrote into the registers of a command, two writes deep, as both drives of a channel keep it.

use super::spec::{device, register};
use crate::disk::command::TaskFile;

/// A register that remembers its last two values (ATA/ATAPI-7 volume 1, 6.16).
#[derive(Clone, Copy, Default)]
struct Deep {
    current: u8,
    previous: u8,
}

/// The registers of a channel.
#[derive(Clone, Copy)]
pub(super) struct Written {
    features: Deep,
    count: Deep,
    lba: [Deep; 3],
    device: u8,
}

/// Which drive of a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Position {
    /// Device 0, the master.
    First,
    /// Device 1, the slave.
    Second,
}

impl Position {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::First, Self::Second];

    /// The device register that selects it and says nothing else.
    pub(super) const fn select(self) -> u8 {
        match self {
            Self::First => 0,
            Self::Second => device::SECOND,
        }
    }
}

impl Written {
    /// After a reset: the signature of an ATA device (ATA/ATAPI-7 volume 2, 9.12).
    pub(super) const RESET: Self = {
        const fn deep(current: u8) -> Deep {
            Deep { current, previous: 0 }
        }
        Self {
            features: deep(0),
            count: deep(1),
            lba: [deep(1), deep(0), deep(0)],
            device: 0,
        }
    };

    /// The guest wrote `value` at `offset` of the command block.
    pub(super) fn write(&mut self, offset: u16, value: u8) {
        let [low, mid, high] = &mut self.lba;
        let register = match offset {
            register::FEATURES => &mut self.features,
            register::COUNT => &mut self.count,
            register::LBA_LOW => low,
            register::LBA_MID => mid,
            register::LBA_HIGH => high,
            register::DEVICE => {
                self.device = value;
                return;
            }
            _ => return,
        };
        register.write(value);
    }

    /// The device register.
    pub(super) const fn device(&self) -> u8 {
        self.device
    }

    /// The drive that the guest speaks to.
    pub(super) const fn selected(&self) -> Position {
        if self.device & device::SECOND == 0 {
            Position::First
        } else {
            Position::Second
        }
    }

    /// The registers as one command.
    pub(super) fn task(&self, command: u8) -> TaskFile {
        let [low, mid, high] = self.lba;
        let lba = [
            low.current,
            mid.current,
            high.current,
            low.previous,
            mid.previous,
            high.previous,
            0,
            0,
        ];
        TaskFile {
            command,
            features: self.features.word(),
            lba: u64::from_le_bytes(lba),
            count: self.count.word(),
            device: self.device,
            ..TaskFile::default()
        }
    }
}

impl Deep {
    const fn write(&mut self, value: u8) {
        self.previous = self.current;
        self.current = value;
    }

    const fn word(self) -> u16 {
        u16::from_le_bytes([self.current, self.previous])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_writes_make_one_48_bit_address() {
        let mut written = Written::RESET;
        for (offset, value) in [(1, 0x91), (2, 0x92), (3, 0x44), (4, 0x55), (5, 0x66)] {
            written.write(offset, value);
        }
        for (offset, value) in [(1, 0x81), (2, 0x82), (3, 0x11), (4, 0x22), (5, 0x33), (6, 0x50)] {
            written.write(offset, value);
        }
        let task = written.task(0x25);
        assert_eq!(task.lba, 0x6655_4433_2211);
        assert_eq!((task.features, task.count), (0x9181, 0x9282));
        assert_eq!((task.device, task.command), (0x50, 0x25));
        assert_eq!(written.selected(), Position::Second);
    }
}
