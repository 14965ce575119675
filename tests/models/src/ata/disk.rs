//! An ATA disk that carries out task files, harmful ones too.

use super::fault::{Fault, Harm};
use super::identify::identify;
use super::log;
use super::operation::{Extent, Operation, decode};
use super::platter::{Durability, Platter};
use super::spec::{command, device, error};
use super::task::{Acceptance, Outcome, Protocol, TaskFile, Transfer};
use crate::bytes;
use crate::sequence::Sequence;

/// How large a disk is, and whose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// Logical sectors.
    pub sectors: u64,
    /// Bytes of each: 512 or 4096, where the disk is not an odd one.
    pub sector_size: usize,
    /// At most 20 characters.
    pub serial: String,
}

/// What a guest may set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features {
    /// Whether a write may wait for the next flush.
    pub write_cache: WriteCache,
    /// Sectors a block of READ MULTIPLE; 0 before it was set.
    pub multiple: u8,
}

/// The volatile write cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteCache {
    /// Writes complete early.
    On,
    /// Writes complete when they are safe.
    Off,
}

impl WriteCache {
    /// Whether it is on.
    #[must_use]
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

impl Features {
    const RESET: Self = Self {
        write_cache: WriteCache::On,
        multiple: 16,
    };

    pub(super) const fn durability(&self) -> Durability {
        match self.write_cache {
            WriteCache::On => Durability::Cached,
            WriteCache::Off => Durability::Forced,
        }
    }
}

/// A queued command that failed: everything else is aborted until log 10h is read.
#[derive(Clone, Debug)]
pub(super) struct QueueError {
    pub(super) tag: u8,
    pub(super) outcome: Outcome,
}

/// A disk.
#[derive(Clone, Debug)]
pub struct Disk {
    geometry: Geometry,
    features: Features,
    /// What it holds.
    pub platter: Platter,
    faults: Vec<Fault>,
    harm: Vec<Harm>,
    trimmed: Vec<(u64, u64)>,
    queue_error: Option<QueueError>,
    commands: u64,
    log: Vec<TaskFile>,
}

/// Bytes of the device's buffer that no read should ever show: it is not the disk's content.
const NOISE: u8 = 0x5a;
const SET_TRANSFER_MODE: u16 = 0x03;
const WRITE_CACHE_ON: u16 = 0x02;
const WRITE_CACHE_OFF: u16 = 0x82;
const LOOK_AHEAD_ON: u16 = 0xaa;
const LOOK_AHEAD_OFF: u16 = 0x55;
const TRIM: u16 = 1;

impl Disk {
    /// An empty disk.
    #[must_use]
    pub const fn new(geometry: Geometry) -> Self {
        let platter = Platter::new(geometry.sector_size);
        Self {
            geometry,
            features: Features::RESET,
            platter,
            faults: Vec::new(),
            harm: Vec::new(),
            trimmed: Vec::new(),
            queue_error: None,
            commands: 0,
            log: Vec::new(),
        }
    }

    /// It will misbehave.
    pub fn inject(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Its size and name.
    #[must_use]
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Every command it was sent.
    #[must_use]
    pub fn commands(&self) -> &[TaskFile] {
        &self.log
    }

    /// What was done to it that no guest should be able to do.
    #[must_use]
    pub fn harm(&self) -> &[Harm] {
        &self.harm
    }

    /// Ranges that were trimmed: first sector, count.
    #[must_use]
    pub fn trimmed(&self) -> &[(u64, u64)] {
        &self.trimmed
    }

    /// A reset by the wire or by software: settings that do not survive it are gone.
    pub fn reset(&mut self) {
        self.queue_error = None;
        let renamed = self.faults.iter().find_map(|fault| match fault {
            Fault::OtherSerialAfterReset(serial) => Some(serial.clone()),
            _ => None,
        });
        if let Some(serial) = renamed {
            self.geometry.serial = serial;
        }
    }

    /// The power fails and comes back.
    pub fn lose_power(&mut self, chance: &mut Sequence) {
        self.platter.lose_power(chance);
        self.features = Features::RESET;
        self.reset();
    }

    /// What it does with a command whose registers have arrived.
    pub fn accept(&mut self, task: &TaskFile) -> Acceptance {
        self.commands += 1;
        self.log.push(*task);
        let (number, mut delay) = (self.commands, 0);
        for fault in &self.faults {
            match fault {
                Fault::Bricked => return Acceptance::Silent,
                Fault::Silent { command } if *command == number => return Acceptance::Silent,
                Fault::Abort { command } if *command == number => {
                    return self.refuse(task, Outcome::failed(error::ABRT));
                }
                Fault::Slow { command, steps } if *command == number => delay = *steps,
                _ => {}
            }
        }
        let (operation, transfer) = decode(task, &self.geometry, &self.features);
        match self.objection(task, operation) {
            Some(error) => self.refuse(task, Outcome::failed(error)),
            None => Acceptance::Takes(Transfer { delay, ..transfer }),
        }
    }

    /// Carries out a command that it took, `data` being what the host sent.
    pub fn carry_out(&mut self, task: &TaskFile, data: &[u8]) -> Outcome {
        let (operation, transfer) = decode(task, &self.geometry, &self.features);
        let outcome = match operation {
            Operation::Read(extent) => self.read(extent),
            Operation::Verify(extent) => Outcome {
                data: Vec::new(),
                ..self.read(extent)
            },
            Operation::Write(extent, durability) => {
                self.platter.write(extent.first, data, durability);
                Outcome::good(Vec::new())
            }
            Operation::Trim => self.trim(data),
            Operation::Flush => {
                self.platter.flush();
                Outcome::good(Vec::new())
            }
            Operation::Identify => Outcome::good(identify(&self.geometry, &self.features)),
            Operation::Log => self.read_log(task, transfer.bytes),
            Operation::Smart => log::smart(task, transfer.bytes),
            Operation::SetFeatures => self.set_features(task),
            Operation::SetMultiple => {
                self.features.multiple = bytes::nth(task.count.into(), 0);
                Outcome::good(Vec::new())
            }
            Operation::NativeMax => Outcome {
                lba: self.geometry.sectors - 1,
                ..Outcome::good(Vec::new())
            },
            Operation::Diagnostic => Outcome {
                error: 1,
                ..Outcome::good(Vec::new())
            },
            Operation::Nothing => Outcome::good(Vec::new()),
            Operation::Noise => Outcome::good(vec![NOISE; transfer.bytes]),
            Operation::Harm => self.obey(task, data),
            Operation::Unknown => Outcome::failed(error::ABRT),
        };
        if !outcome.is_good() {
            self.note_queue_error(task, transfer, &outcome);
        }
        outcome
    }

    fn refuse(&mut self, task: &TaskFile, outcome: Outcome) -> Acceptance {
        let (_, transfer) = decode(task, &self.geometry, &self.features);
        self.note_queue_error(task, transfer, &outcome);
        Acceptance::Refuses(outcome)
    }

    fn note_queue_error(&mut self, task: &TaskFile, transfer: Transfer, outcome: &Outcome) {
        if transfer.protocol == Protocol::Queued && self.queue_error.is_none() {
            self.queue_error = Some(QueueError {
                tag: task.tag(),
                outcome: Outcome {
                    data: Vec::new(),
                    ..outcome.clone()
                },
            });
        }
    }

    /// Why a command is not taken: its error bits.
    fn objection(&self, task: &TaskFile, operation: Operation) -> Option<u8> {
        let is_recovery = operation == Operation::Log && task.lba & 0xff == log::QUEUE_ERROR;
        if self.queue_error.is_some() && !is_recovery {
            return Some(error::ABRT);
        }
        match operation {
            Operation::Unknown => Some(error::ABRT),
            Operation::Read(extent) | Operation::Write(extent, _) | Operation::Verify(extent) => {
                self.objection_to(task, extent)
            }
            Operation::Trim if task.features & 0xff != TRIM || task.count == 0 => Some(error::ABRT),
            Operation::Log if task.count == 0 => Some(error::ABRT),
            Operation::SetMultiple if !matches!(task.count & 0xff, 0 | 1 | 2 | 4 | 8 | 16) => {
                Some(error::ABRT)
            }
            _ => None,
        }
    }

    fn objection_to(&self, task: &TaskFile, extent: Extent) -> Option<u8> {
        let is_inside = extent
            .first
            .checked_add(extent.count)
            .is_some_and(|end| end <= self.geometry.sectors);
        if task.device & device::LBA == 0 {
            Some(error::ABRT)
        } else if is_inside {
            None
        } else {
            Some(error::IDNF)
        }
    }

    fn read(&self, extent: Extent) -> Outcome {
        let mut data = Vec::new();
        for lba in extent.first..extent.first + extent.count {
            match self.platter.read(lba) {
                Ok(sector) => data.extend(sector),
                Err(bad) => {
                    return Outcome {
                        lba: bad.lba,
                        data,
                        ..Outcome::failed(error::UNC)
                    };
                }
            }
        }
        Outcome::good(data)
    }

    /// Ranges of 48 bits of address and 16 of count (ACS-4, section 7.6.3.2).
    fn trim(&mut self, data: &[u8]) -> Outcome {
        for entry in data.chunks_exact(8) {
            let entry = bytes::qword(entry, 0);
            let (first, count) = (entry & 0xffff_ffff_ffff, entry >> 48);
            if count == 0 {
                continue;
            }
            if first + count > self.geometry.sectors {
                return Outcome::failed(error::IDNF);
            }
            self.trimmed.push((first, count));
            self.platter.trim(first, count);
        }
        Outcome::good(Vec::new())
    }

    fn read_log(&mut self, task: &TaskFile, length: usize) -> Outcome {
        let identify = identify(&self.geometry, &self.features);
        let queue_error = match task.lba & 0xff {
            log::QUEUE_ERROR => self.queue_error.take(),
            _ => None,
        };
        log::general(task, length, &identify, queue_error.as_ref())
    }

    fn set_features(&mut self, task: &TaskFile) -> Outcome {
        match task.features & 0xff {
            WRITE_CACHE_ON => self.features.write_cache = WriteCache::On,
            WRITE_CACHE_OFF => {
                self.platter.flush();
                self.features.write_cache = WriteCache::Off;
            }
            SET_TRANSFER_MODE | LOOK_AHEAD_ON | LOOK_AHEAD_OFF | 0x05 | 0x85 | 0x10 | 0x90 | 0x66 | 0xcc => {}
            _ => return Outcome::failed(error::ABRT),
        }
        Outcome::good(Vec::new())
    }

    /// Does what the command says, to the harm of whoever let it through.
    fn obey(&mut self, task: &TaskFile, data: &[u8]) -> Outcome {
        self.harm.push(Harm {
            command: task.command,
            features: task.features,
        });
        self.platter.keep_aside(data);
        match task.command {
            command::WRITE_UNCORRECTABLE_EXT => self.platter.spoil(task.lba),
            command::SANITIZE | command::SECURITY_ERASE_UNIT | command::CFA_ERASE => self.platter.erase(0),
            command::SET_MAX | command::SET_MAX_EXT | command::ACCESSIBLE_MAX => {
                self.geometry.sectors = self.geometry.sectors.min(task.lba + 1);
            }
            // SCT Write Same fills what it is told to, here all of it.
            command::WRITE_LOG_EXT | command::WRITE_LOG_DMA_EXT | command::SMART => self.platter.erase(NOISE),
            _ => self.inject(Fault::Bricked),
        }
        Outcome::good(Vec::new())
    }
}
