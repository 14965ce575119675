//! The registers of a command, and of its answer.

use super::spec::{device, status};
use crate::bytes;

/// A command as its registers say it, whatever carried it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TaskFile {
    /// Command code.
    pub command: u8,
    /// Features, both bytes.
    pub features: u16,
    /// Count, both bytes.
    pub count: u16,
    /// Logical block address, 48 bits as in the registers.
    pub lba: u64,
    /// Device register: the address mode, and bits 27 to 24 of a 28-bit address.
    pub device: u8,
}

/// Bytes of a register FIS.
pub const FIS_SIZE: usize = 20;
const FIS_TO_DEVICE: u8 = 0x27;
const FIS_IS_COMMAND: u8 = 0x80;

impl TaskFile {
    /// A command without an address.
    #[must_use]
    pub const fn plain(command: u8) -> Self {
        Self {
            command,
            features: 0,
            count: 0,
            lba: 0,
            device: 0,
        }
    }

    /// A command with a 28-bit address; `count` 0 says 256.
    #[must_use]
    pub fn short(command: u8, lba: u64, count: u8) -> Self {
        Self {
            count: count.into(),
            lba: lba & 0xff_ffff,
            device: device::LBA | bytes::nth(lba, 3) & 0xf,
            ..Self::plain(command)
        }
    }

    /// A command with a 48-bit address; `count` 0 says 65,536.
    #[must_use]
    pub const fn long(command: u8, lba: u64, count: u16) -> Self {
        Self {
            count,
            lba,
            device: device::LBA,
            ..Self::plain(command)
        }
    }

    /// A queued command in the slot `tag`.
    #[must_use]
    pub fn queued(command: u8, tag: u8, lba: u64, count: u16) -> Self {
        Self {
            features: count,
            count: u16::from(tag) << 3,
            ..Self::long(command, lba, 0)
        }
    }

    /// With this in the features register.
    #[must_use]
    pub const fn with_features(mut self, features: u16) -> Self {
        self.features = features;
        self
    }

    /// A queued command's tag.
    #[must_use]
    pub fn tag(&self) -> u8 {
        bytes::nth(self.count.into(), 0) >> 3
    }

    /// As a register FIS (Serial ATA 3.1, section 10.5.5); `None` where it is no command.
    #[must_use]
    pub fn from_fis(fis: &[u8]) -> Option<Self> {
        let at = |place| bytes::byte(fis, place);
        let lba = [at(4), at(5), at(6), at(8), at(9), at(10), 0, 0];
        (at(0) == FIS_TO_DEVICE && at(1) & FIS_IS_COMMAND != 0).then(|| Self {
            command: at(2),
            features: u16::from_le_bytes([at(3), at(11)]),
            count: u16::from_le_bytes([at(12), at(13)]),
            lba: u64::from_le_bytes(lba),
            device: at(7),
        })
    }

    /// The register FIS that carries it.
    #[must_use]
    pub fn fis(&self) -> [u8; FIS_SIZE] {
        let [a, b, c, d, e, f, ..] = self.lba.to_le_bytes();
        let [features, features_high] = self.features.to_le_bytes();
        let [count, count_high] = self.count.to_le_bytes();
        let mut fis = [0; FIS_SIZE];
        let head = [
            FIS_TO_DEVICE,
            FIS_IS_COMMAND,
            self.command,
            features,
            a,
            b,
            c,
            self.device,
        ];
        bytes::put(&mut fis, 0, &head);
        bytes::put(&mut fis, 8, &[d, e, f, features_high, count, count_high]);
        fis
    }
}

/// Which way a command's data goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// There is none.
    None,
    /// From the device.
    In,
    /// To the device.
    Out,
}

/// How a command's data goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// There is none.
    NonData,
    /// In blocks of this many bytes, each asked for.
    Pio(usize),
    /// By the controller.
    Dma,
    /// By the controller, when the device likes.
    Queued,
}

/// The data of a command that a disk takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Which way.
    pub direction: Direction,
    /// How.
    pub protocol: Protocol,
    /// Bytes.
    pub bytes: usize,
    /// Steps of the model that it takes longer than others.
    pub delay: u32,
}

impl Transfer {
    /// No data.
    pub const NONE: Self = Self {
        direction: Direction::None,
        protocol: Protocol::NonData,
        bytes: 0,
        delay: 0,
    };
}

/// What a disk does with a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Acceptance {
    /// Takes it.
    Takes(Transfer),
    /// Ends it at once.
    Refuses(Outcome),
    /// Nothing, ever: it stays busy until it is reset.
    Silent,
}

/// How a command ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Status register.
    pub status: u8,
    /// Error register.
    pub error: u8,
    /// Count register.
    pub count: u16,
    /// Address registers.
    pub lba: u64,
    /// Data for the host; fewer than asked for where it failed.
    pub data: Vec<u8>,
}

impl Outcome {
    /// Without an error.
    #[must_use]
    pub const fn good(data: Vec<u8>) -> Self {
        Self {
            status: status::DRDY | status::DSC,
            error: 0,
            count: 0,
            lba: 0,
            data,
        }
    }

    /// With one.
    #[must_use]
    pub const fn failed(error: u8) -> Self {
        Self {
            status: status::DRDY | status::DSC | status::ERR,
            error,
            count: 0,
            lba: 0,
            data: Vec::new(),
        }
    }

    /// Whether it went well.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.status & (status::ERR | status::DF) == 0
    }
}
