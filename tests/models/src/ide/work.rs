//! A channel at work: the selected drive takes a command, data moves block by block or by the bus master, and it ends.

use super::channel::Channel;
use super::spec::register;
use crate::ata::spec::{command, error, status};
use crate::ata::{Acceptance, Direction, Drive, Outcome, Protocol, TaskFile, Transfer, packet::PACKET_SIZE};
use crate::bytes;

/// A command and its packet, if it has one.
#[derive(Clone, Debug)]
pub(super) struct Job {
    task: TaskFile,
    packet: Vec<u8>,
    transfer: Transfer,
}

/// Data from the drive: how much of it was taken, and where the block that is offered ends.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    outcome: Outcome,
    block: usize,
    taken: usize,
    end: usize,
}

/// Data for the drive.
#[derive(Clone, Debug)]
pub(super) struct Writing {
    job: Job,
    block: usize,
    given: Vec<u8>,
    end: usize,
}

/// What the selected drive is doing.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Idle,
    /// The command register was written.
    Received(TaskFile),
    /// PACKET waits for its packet.
    Packet(TaskFile, Vec<u8>),
    /// The packet is there.
    PacketReceived(TaskFile, Vec<u8>),
    /// Takes its time.
    Delayed(Job),
    Reading(Reading),
    Writing(Writing),
    /// Waits for the bus master.
    Dma(Job),
    /// Never answers.
    Silent,
    /// Held in reset, and coming out of it.
    InReset,
    Resetting,
}

const READY: u8 = status::DRDY | status::DSC;

impl Channel {
    /// Does one thing; whether there was one to do.
    pub(super) fn step(&mut self) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Received(task) if task.command == command::PACKET => {
                self.phase = Phase::Packet(task, Vec::new());
                self.status = READY | status::DRQ;
            }
            Phase::Received(task) => self.take(task, Vec::new()),
            Phase::PacketReceived(task, packet) => self.take(task, packet),
            Phase::Delayed(mut job) if job.transfer.delay > 0 => {
                job.transfer.delay -= 1;
                self.phase = Phase::Delayed(job);
            }
            Phase::Delayed(job) => self.begin(job),
            Phase::Reading(reading) if self.status & status::BSY != 0 => self.offer(reading),
            Phase::Writing(writing) if self.status & status::BSY != 0 => self.go_on_writing(writing),
            Phase::Dma(job) if self.bus_master.is_active() => self.move_by_bus_master(&job),
            Phase::Resetting => {
                self.drives.iter_mut().flatten().for_each(Drive::reset);
                self.status = READY;
                self.sign();
            }
            unchanged => {
                self.phase = unchanged;
                return false;
            }
        }
        true
    }

    /// The host takes data.
    pub(super) fn read_data(&mut self, into: &mut [u8]) {
        into.fill(u8::MAX);
        let Phase::Reading(reading) = &mut self.phase else {
            return self.expect(false, register::DATA);
        };
        let wanted = reading.taken.saturating_add(into.len());
        let is_offered = self.status & status::DRQ != 0 && wanted <= reading.end;
        if !is_offered {
            return self.expect(false, register::DATA);
        }
        if let Some(offered) = reading.outcome.data.get(reading.taken..wanted) {
            into.copy_from_slice(offered);
        }
        reading.taken = wanted;
        if reading.taken == reading.end {
            self.status = status::BSY;
            let is_last = reading.end == reading.outcome.data.len() && reading.outcome.is_good();
            // The last block of an ATA read is followed by no interrupt; a packet's is.
            if is_last && !self.ends_with_interrupt() {
                self.status = READY;
                self.phase = Phase::Idle;
            }
        }
    }

    /// The host gives data.
    pub(super) fn write_data(&mut self, given: &[u8]) {
        let has_request = self.status & status::DRQ != 0;
        match &mut self.phase {
            Phase::Packet(task, packet) if has_request && packet.len() + given.len() <= PACKET_SIZE => {
                packet.extend(given);
                if packet.len() == PACKET_SIZE {
                    self.status = status::BSY;
                    self.phase = Phase::PacketReceived(*task, std::mem::take(packet));
                }
            }
            Phase::Writing(writing) if has_request && writing.given.len() + given.len() <= writing.end => {
                writing.given.extend(given);
                if writing.given.len() == writing.end {
                    self.status = status::BSY;
                }
            }
            _ => self.expect(false, register::DATA),
        }
    }

    fn take(&mut self, task: TaskFile, packet: Vec<u8>) {
        let Some(drive) = self.drive() else { return };
        match drive.accept(&task, &packet) {
            Acceptance::Silent => self.phase = Phase::Silent,
            Acceptance::Refuses(outcome) => self.end(&outcome),
            Acceptance::Takes(transfer) => {
                self.phase = Phase::Delayed(Job {
                    task,
                    packet,
                    transfer,
                });
            }
        }
    }

    fn begin(&mut self, job: Job) {
        match (job.transfer.protocol, job.transfer.direction) {
            (Protocol::Queued, _) => self.end(&Outcome::failed(error::ABRT)),
            (Protocol::Dma, Direction::In | Direction::Out) if job.transfer.bytes > 0 => {
                self.phase = Phase::Dma(job);
            }
            (Protocol::Pio(block), Direction::In) if job.transfer.bytes > 0 => {
                let outcome = self.carry_out(&job, &[]);
                self.offer(Reading {
                    outcome,
                    block: self.limit(block, &job.task),
                    taken: 0,
                    end: 0,
                });
            }
            (Protocol::Pio(block), Direction::Out) if job.transfer.bytes > 0 => {
                let block = self.limit(block, &job.task);
                self.status = READY | status::DRQ;
                // The first block is not asked for by an interrupt, but a packet's is.
                if is_packet(&job.task) {
                    self.ask();
                }
                self.phase = Phase::Writing(Writing {
                    block,
                    given: Vec::new(),
                    end: block.min(job.transfer.bytes),
                    job,
                });
            }
            _ => {
                let outcome = self.carry_out(&job, &[]);
                self.end(&outcome);
                if job.task.command == command::EXECUTE_DEVICE_DIAGNOSTIC {
                    self.sign();
                }
            }
        }
    }

    /// Offers the next block, or ends.
    fn offer(&mut self, mut reading: Reading) {
        let length = reading.outcome.data.len();
        if reading.taken == length {
            return self.end(&reading.outcome);
        }
        reading.end = length.min(reading.taken + reading.block);
        let size = (reading.end - reading.taken) as u64;
        self.status = READY | status::DRQ;
        self.announce(size);
        self.phase = Phase::Reading(reading);
        self.ask();
    }

    fn go_on_writing(&mut self, mut writing: Writing) {
        let bytes = writing.job.transfer.bytes;
        if writing.given.len() == bytes {
            let outcome = self.carry_out(&writing.job, &writing.given);
            return self.end(&outcome);
        }
        writing.end = bytes.min(writing.end + writing.block);
        self.status = READY | status::DRQ;
        self.announce((writing.end - writing.given.len()) as u64);
        self.phase = Phase::Writing(writing);
        self.ask();
    }

    fn move_by_bus_master(&mut self, job: &Job) {
        let is_in = job.transfer.direction == Direction::In;
        let fits = self.bus_master.capacity() >= job.transfer.bytes;
        self.bus_master
            .expect(is_in == self.bus_master.to_memory() && fits);
        let sent = match is_in {
            true => Some(Vec::new()),
            false => self.bus_master.gather(job.transfer.bytes),
        };
        let Some(sent) = sent else {
            self.bus_master.fail();
            return self.end(&Outcome::failed(error::ICRC | error::ABRT));
        };
        let outcome = self.carry_out(job, &sent);
        if self.bus_master.scatter(&outcome.data).is_none() {
            self.bus_master.fail();
        }
        self.bus_master.end(sent.len() + outcome.data.len());
        self.end(&outcome);
    }

    fn carry_out(&mut self, job: &Job, sent: &[u8]) -> Outcome {
        let drive = self.drive();
        let lost = || Outcome::failed(error::ABRT);
        drive.map_or_else(lost, |drive| drive.carry_out(&job.task, &job.packet, sent))
    }

    /// The command has ended.
    fn end(&mut self, outcome: &Outcome) {
        self.phase = Phase::Idle;
        self.status = outcome.status;
        self.error = outcome.error;
        if !outcome.is_good() || outcome.lba != 0 || outcome.count != 0 {
            self.answer(outcome.count, outcome.lba);
        }
        self.ask();
    }

    fn ends_with_interrupt(&mut self) -> bool {
        matches!(self.drive(), Some(Drive::Packet(_)))
    }

    /// A packet's blocks are at most as long as the host has said in the address registers.
    fn limit(&self, block: usize, task: &TaskFile) -> usize {
        let [_, mid, high] = &self.lba;
        let said = usize::from(u16::from_le_bytes([mid.last, high.last]));
        if is_packet(task) && said != 0 {
            said & !1
        } else {
            block
        }
    }

    /// A packet drive says how long the block is.
    fn announce(&mut self, size: u64) {
        if self.ends_with_interrupt() {
            self.answer(0, u64::from(bytes::low_word(size)) << 8);
        }
    }
}

const fn is_packet(task: &TaskFile) -> bool {
    task.command == command::PACKET
}
