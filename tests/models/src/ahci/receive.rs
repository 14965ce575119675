//! What a port receives from its drive: FISes put into memory, and what each does to the registers.

use super::port::Port;
use super::spec::{cmd, interrupt, received};
use crate::ata::{FIS_SIZE, Outcome};
use crate::bytes;

/// The interrupt bit of a received FIS.
const INTERRUPT: u8 = 1 << 6;

impl Port {
    /// A device to host register FIS: the command ended like this.
    pub(super) fn receive_register(&mut self, outcome: &Outcome) {
        self.task_file = task_file(outcome);
        self.receive(received::REGISTER, &registers(outcome));
        self.interrupts |= interrupt::DHRS;
    }

    /// A PIO setup FIS: data came, and this is the status behind it.
    pub(super) fn receive_pio_setup(&mut self, outcome: &Outcome) {
        self.task_file = task_file(outcome);
        let mut rest = registers(outcome);
        bytes::put(&mut rest, 14, &[outcome.status]);
        self.receive(received::PIO_SETUP, &rest);
        self.interrupts |= interrupt::PSS;
    }

    /// A set device bits FIS: these queued commands are complete, or the queue has failed.
    pub(super) fn receive_device_bits(&mut self, outcome: &Outcome, completed: u32) {
        // BSY and DRQ keep their values.
        self.task_file = self.task_file & 0x88 | task_file(outcome) & !0x88;
        let [a, b, c, d] = completed.to_le_bytes();
        let content = [INTERRUPT, outcome.status & 0x77, outcome.error, a, b, c, d];
        self.receive(received::SET_DEVICE_BITS, &content);
        self.interrupts |= interrupt::SDBS;
    }

    /// Puts a FIS of this type where it belongs, `content` behind the type.
    pub(super) fn receive(&mut self, (fis_type, place): (u8, u64), content: &[u8]) {
        if self.command & cmd::FR == 0 {
            return;
        }
        let fis = [&[fis_type], content].concat();
        if self.memory.device_write(self.fis_area + place, &fis).is_none() {
            self.interrupts |= interrupt::HBFS;
        }
    }
}

fn task_file(outcome: &Outcome) -> u32 {
    u32::from(outcome.error) << 8 | u32::from(outcome.status)
}

/// A register FIS behind its type (Serial ATA 3.1, section 10.5.6).
fn registers(outcome: &Outcome) -> Vec<u8> {
    let [a, b, c, d, e, f, ..] = outcome.lba.to_le_bytes();
    let [count, count_high] = outcome.count.to_le_bytes();
    let mut rest = vec![0; FIS_SIZE - 1];
    bytes::put(
        &mut rest,
        0,
        &[INTERRUPT, outcome.status, outcome.error, a, b, c, 0x40],
    );
    bytes::put(&mut rest, 7, &[d, e, f, 0, count, count_high]);
    rest
}
