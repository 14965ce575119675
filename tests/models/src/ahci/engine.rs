//! A port at work: the link comes up, commands are sent to the drive, data moves, answers are received.
//!
//! Each step does one thing, so that everything in flight can be looked at. Which of several things is next is drawn
//! by lot: a queue completes in any order.

use super::port::{Link, Port};
use super::spec::{TFD_WAITING, cmd, interrupt, received, serr};
use super::table::{Command, Order, SRST, Slot};
use crate::ata::spec::{command, status};
use crate::ata::{Acceptance, Direction, Outcome, Protocol, TaskFile, Transfer};
use crate::breach::Breach;
use crate::bytes;
use crate::memory::POISON;
use crate::sequence::Sequence;

/// What the drive is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Drive {
    /// Nothing that keeps it from taking a command.
    #[default]
    Ready,
    /// A command outside the queue, with the steps that are left.
    Busy(u32),
    /// A command that it never answers.
    Silent,
    /// Held in a software reset.
    InReset,
}

/// A port's progress.
#[derive(Clone, Debug, Default)]
pub(super) struct Engine {
    /// PxCMD.CCS.
    pub(super) slot: u8,
    /// Commands as they were issued, by slot.
    commands: Vec<(u8, Command)>,
    drive: Drive,
    /// Slots in the drive's queue, with the steps that are left.
    queue: Vec<(u8, u32)>,
    /// After an error nothing goes on before PxCMD.ST was cleared.
    is_halted: bool,
}

impl Port {
    /// PxCI is written: these slots are issued.
    pub(super) fn issue(&mut self, slots: u32) {
        let runs = self.command & cmd::ST != 0;
        self.expect(runs, super::spec::port::CI, slots);
        for number in (0..32).filter(|number| runs && slots >> number & 1 != 0) {
            let slot = self.slot(number);
            if (self.issued | self.queue_mask()) >> number & 1 != 0 {
                self.memory.breach(Breach::SlotInUse(slot.port, number));
                continue;
            }
            self.issued |= 1 << number;
            let fetched = Command::fetch(&self.memory, self.list, slot);
            if let Some(command) = fetched {
                self.check_issue(slot, &command);
                self.poison(&command);
                self.engine.commands.push((number, command));
            }
        }
    }

    /// Does one thing; whether there was one to do.
    pub(super) fn step(&mut self, chance: &mut Sequence) -> bool {
        self.follow_command() || self.follow_link() || self.work(chance)
    }

    /// The commands of a drive that is gone or reset.
    pub(super) fn drop_commands(&mut self) {
        self.engine.queue.clear();
        self.engine.drive = Drive::Ready;
    }

    /// The command list stands still: nothing of it is remembered.
    pub(super) fn abandon(&mut self) {
        self.engine.is_halted = false;
        self.engine.slot = 0;
        self.engine.queue.clear();
        self.release_all();
    }

    /// No command is outstanding any more.
    pub(super) fn release_all(&mut self) {
        for (number, _) in std::mem::take(&mut self.engine.commands) {
            self.memory.release(self.slot(number).owner());
        }
    }

    /// PxCMD.CR and FR follow ST and FRE.
    fn follow_command(&mut self) -> bool {
        let before = self.command;
        if before & cmd::FRE == 0 {
            self.command &= !cmd::FR;
        } else {
            self.command |= cmd::FR;
        }
        if before & cmd::ST != 0 {
            self.command |= cmd::CR;
        } else if before & cmd::CR != 0 {
            self.command &= !cmd::CR;
            self.abandon();
        }
        self.command != before
    }

    fn follow_link(&mut self) -> bool {
        match self.link {
            Link::Down | Link::Up => return false,
            Link::Training => {
                self.link = Link::Quiet;
                self.errors |= serr::N | serr::X;
            }
            Link::Quiet => {
                self.link = Link::Up;
                self.send_signature();
            }
        }
        true
    }

    fn send_signature(&mut self) {
        let Some(drive) = &self.drive else { return };
        self.signature = drive.signature();
        let [count, a, b, c] = self.signature.to_le_bytes();
        let outcome = Outcome {
            error: 1,
            count: count.into(),
            lba: u64::from(u32::from_le_bytes([a, b, c, 0])),
            ..Outcome::good(Vec::new())
        };
        self.receive_register(&outcome);
    }

    /// Sends a command to the drive, or lets it finish one.
    fn work(&mut self, chance: &mut Sequence) -> bool {
        let runs = self.command & cmd::CR != 0 && self.command & cmd::ST != 0;
        if !runs || self.engine.is_halted || self.link != Link::Up {
            return false;
        }
        match self.engine.drive {
            Drive::Busy(0) => self.finish_single(),
            Drive::Busy(steps) => self.engine.drive = Drive::Busy(steps - 1),
            Drive::Silent | Drive::InReset => return self.send_control(),
            Drive::Ready => {
                let unsent = chance.set_bit(self.issued);
                let drawn = chance.below(2) == 0;
                match unsent {
                    Some(number) if drawn || self.engine.queue.is_empty() => self.send(number),
                    _ if self.engine.queue.is_empty() => return false,
                    _ => self.finish_queued(chance),
                }
            }
        }
        true
    }

    /// A drive that does nothing else still hears the control register.
    fn send_control(&mut self) -> bool {
        let waiting = self.engine.commands.iter().find_map(|(number, command)| {
            let is_unsent = self.issued >> number & 1 != 0;
            (is_unsent && matches!(command.order, Order::Control(_))).then_some(*number)
        });
        if let Some(number) = waiting {
            self.send(number);
        }
        waiting.is_some()
    }

    fn send(&mut self, number: u8) {
        self.engine.slot = number;
        let Some(command) = self.command_in(number).cloned() else {
            return self.halt(interrupt::HBFS);
        };
        match command.order {
            Order::Control(control) => self.control_device(number, control),
            Order::Task(task) => self.send_task(number, &command, &task),
        }
    }

    /// The two halves of a software reset (section 10.4.1).
    fn control_device(&mut self, number: u8, control: u8) {
        self.issued &= !(1 << number);
        self.forget(number);
        if control & SRST != 0 {
            self.drop_commands();
            self.engine.drive = Drive::InReset;
            self.task_file = TFD_WAITING;
        } else if self.engine.drive == Drive::InReset {
            self.engine.drive = Drive::Ready;
            if let Some(drive) = &mut self.drive {
                drive.reset();
            }
            self.send_signature();
        }
    }

    fn send_task(&mut self, number: u8, command: &Command, task: &TaskFile) {
        let Some(drive) = &mut self.drive else { return };
        self.task_file |= u32::from(status::BSY);
        match drive.accept(task, &command.packet) {
            Acceptance::Silent => self.engine.drive = Drive::Silent,
            Acceptance::Refuses(outcome) => self.fail(&outcome),
            Acceptance::Takes(transfer) => {
                self.check_transfer(number, command, transfer);
                if matches!(transfer.protocol, Protocol::Pio(_)) && transfer.direction == Direction::In {
                    // A PIO setup FIS comes before each block, with an interrupt that does not mean the end.
                    self.interrupts |= interrupt::PSS;
                }
                if transfer.protocol == Protocol::Queued {
                    self.engine.queue.push((number, transfer.delay));
                    self.issued &= !(1 << number);
                    self.task_file = u32::from(status::DRDY | status::DSC);
                } else {
                    self.engine.drive = Drive::Busy(transfer.delay);
                }
            }
        }
    }

    fn finish_single(&mut self) {
        self.engine.drive = Drive::Ready;
        let number = self.engine.slot;
        let Some(command) = self.command_in(number).cloned() else {
            return self.halt(interrupt::IFS);
        };
        let Some((outcome, moved)) = self.transfer(&command) else {
            return self.halt(interrupt::HBFS);
        };
        command.report(&self.memory, moved);
        if !outcome.is_good() {
            return self.fail(&outcome);
        }
        self.issued &= !(1 << number);
        self.forget(number);
        match command.order {
            Order::Task(task) if command.is_write || moved == 0 || is_dma(&task) => {
                self.receive_register(&outcome);
            }
            _ => self.receive_pio_setup(&outcome),
        }
    }

    fn finish_queued(&mut self, chance: &mut Sequence) {
        let choice = bytes::size(chance.below(self.engine.queue.len() as u64));
        match self.engine.queue.get_mut(choice) {
            Some((_, steps)) if *steps > 0 => {
                *steps -= 1;
                return;
            }
            _ => {}
        }
        let (number, _) = self.engine.queue.remove(choice);
        let Some(command) = self.command_in(number).cloned() else {
            return self.halt(interrupt::IFS);
        };
        let Some((outcome, moved)) = self.transfer(&command) else {
            return self.halt(interrupt::HBFS);
        };
        if moved > 0 {
            self.receive(received::DMA_SETUP, &[0x20, 0, 0, number]);
        }
        let completed = if outcome.is_good() { 1 << number } else { 0_u32 };
        self.receive_device_bits(&outcome, completed);
        self.active &= !completed;
        if completed == 0 {
            self.halt(interrupt::TFES);
        } else {
            self.forget(number);
        }
    }

    /// Moves a command's data and lets the drive carry it out: how it ended, and bytes moved.
    fn transfer(&mut self, command: &Command) -> Option<(Outcome, usize)> {
        let Order::Task(task) = command.order else {
            return None;
        };
        let sent = match command.is_write {
            true => command.gather(&self.memory, command.capacity())?,
            false => Vec::new(),
        };
        let outcome = self.drive.as_mut()?.carry_out(&task, &command.packet, &sent);
        let moved = sent.len() + outcome.data.len().min(command.capacity());
        if command.interrupts_within(moved) {
            self.interrupts |= interrupt::DPS;
        }
        if !command.is_write {
            command.scatter(&self.memory, &outcome.data)?;
        } else if outcome.is_good() {
            // Whoever sends these bytes again without having put them there again is seen.
            let poison = vec![POISON; sent.len()];
            command.scatter(&self.memory, &poison)?;
        }
        Some((outcome, moved))
    }

    /// A command outside the queue, or one that the queue did not take, has failed.
    fn fail(&mut self, outcome: &Outcome) {
        self.engine.drive = Drive::Ready;
        self.receive_register(outcome);
        self.halt(interrupt::TFES);
    }

    fn halt(&mut self, cause: u32) {
        self.interrupts |= cause;
        self.engine.is_halted = true;
    }

    fn command_in(&self, number: u8) -> Option<&Command> {
        let mut found = self.engine.commands.iter().filter(|(of, _)| *of == number);
        found.next().map(|(_, command)| command)
    }

    /// The command in this slot is complete: its memory is the driver's again.
    fn forget(&mut self, number: u8) {
        self.engine.commands.retain(|(of, _)| *of != number);
        self.memory.release(self.slot(number).owner());
    }

    const fn slot(&self, number: u8) -> Slot {
        Slot {
            port: self.number,
            number,
        }
    }

    fn queue_mask(&self) -> u32 {
        let set = |mask, (number, _): &(u8, u32)| mask | 1 << number;
        self.engine.queue.iter().fold(0, set)
    }

    /// Bytes that a read will bring are nothing before it has brought them.
    fn poison(&self, command: &Command) {
        if !command.is_write {
            command.scatter(&self.memory, &vec![POISON; command.capacity()]);
        }
    }

    fn check_issue(&self, slot: Slot, command: &Command) {
        let is_active = self.active >> slot.number & 1 != 0;
        if is_active != command.is_queued() {
            self.memory.breach(Breach::WrongActive(slot.port, slot.number));
        }
        if let Order::Task(task) = command.order
            && command.is_queued()
            && task.tag() != slot.number
        {
            self.memory.breach(Breach::BadFis(slot.port, slot.number));
        }
        let others = self.engine.commands.iter();
        if others
            .filter(|(_, other)| other.is_queued() != command.is_queued())
            .count()
            > 0
        {
            self.memory.breach(Breach::MixedQueue(slot.port));
        }
    }

    fn check_transfer(&self, number: u8, command: &Command, transfer: Transfer) {
        let has_data = command.capacity() > 0 || transfer.bytes > 0;
        if has_data && command.is_write != (transfer.direction == Direction::Out) {
            self.memory.breach(Breach::WrongDirection(self.number, number));
        }
        if command.capacity() < transfer.bytes {
            self.memory.breach(Breach::ShortRegions(self.number, number));
        }
    }
}

const fn is_dma(task: &TaskFile) -> bool {
    matches!(
        task.command,
        command::READ_DMA
            | command::READ_DMA_EXT
            | command::READ_LOG_DMA_EXT
            | command::READ_BUFFER_DMA
            | command::TRUSTED_RECEIVE_DMA
            | command::PACKET
    )
}
