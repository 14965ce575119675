//! What the driver does after an error, as section 6.2.2 says and Linux's libata does it.

use super::ahci::{AhciDriver, Completion, Failure};
use super::{Request, Window};
use crate::ahci::spec::{cmd, port};
use crate::ata::TaskFile;
use crate::ata::spec::{command, status};
use crate::bytes;

/// The log of the queued command that failed.
const QUEUE_ERROR: u64 = 0x10;
const TAG: u8 = 0x1f;
/// In the log's first byte: the failed command was not a queued one.
const NOT_QUEUED: u8 = 0x80;

/// Finds out which command failed, restarts the port, and ends everything outstanding: the failed one with its error,
/// the others to be issued again.
pub(super) fn recover(driver: &mut AhciDriver, window: &mut impl Window) -> Vec<Completion> {
    let task_file = driver.read(window, port::TFD).to_le_bytes();
    let command = driver.read(window, port::CMD);
    let mut failed = (
        bytes::nth(u64::from(command >> cmd::CCS_SHIFT), 0) & TAG,
        task_file,
        0,
    );
    let was_queueing = driver.is_queueing();
    let mut ended = driver.fail_all(Failure::Again);
    if restart(driver, window).is_err() {
        ended
            .iter_mut()
            .for_each(|completion| completion.result = Err(Failure::Gone));
        return ended;
    }
    if was_queueing {
        match read_queue_error(driver, window) {
            Some(found) => failed = found,
            None => return ended,
        }
    }
    let (slot, [status, error, ..], lba) = failed;
    for completion in ended.iter_mut().filter(|completion| completion.slot == slot) {
        completion.result = Err(Failure::Device { status, error, lba });
    }
    ended
}

/// The tag, registers and address of the queued command that failed.
fn read_queue_error(driver: &mut AhciDriver, window: &mut impl Window) -> Option<(u8, [u8; 4], u64)> {
    let task = TaskFile::long(command::READ_LOG_EXT, QUEUE_ERROR, 1);
    let page = driver.run(window, &Request::brings(task, 512)).ok()?.data;
    let at = |place| bytes::byte(&page, place);
    let lba = [at(4), at(5), at(6), at(8), at(9), at(10), 0, 0];
    (at(0) & NOT_QUEUED == 0).then(|| (at(0) & TAG, [at(2), at(3), 0, 0], u64::from_le_bytes(lba)))
}

/// Stops and starts the command list; a drive that does not answer is reset by the wire.
fn restart(driver: &AhciDriver, window: &mut impl Window) -> Result<(), Failure> {
    let settings = driver.read(window, port::CMD);
    driver.write(window, port::CMD, settings & !cmd::ST);
    driver.await_bits(window, port::CMD, cmd::CR, 0)?;
    let busy = u32::from(status::BSY | status::DRQ);
    if driver.read(window, port::TFD) & busy != 0 {
        return driver.reset_link(window);
    }
    driver.go(window)
}

impl AhciDriver {
    /// COMRESET (section 10.4.2). Whatever was outstanding is to be issued again.
    ///
    /// # Errors
    /// [`Failure`] where no drive comes back.
    pub fn reset_link(&self, window: &mut impl Window) -> Result<(), Failure> {
        const DET: u32 = 0xf;
        self.stop(window)?;
        let control = self.read(window, port::SCTL) & !DET;
        self.write(window, port::SCTL, control | 1);
        window.wait();
        self.write(window, port::SCTL, control);
        self.go(window)
    }

    /// Resets the link while commands are outstanding, as a driver does whose command timed out.
    ///
    /// # Errors
    /// [`Failure`] where no drive comes back.
    pub fn give_up(&mut self, window: &mut impl Window) -> Result<Vec<Completion>, Failure> {
        let ended = self.fail_all(Failure::TimedOut);
        self.reset_link(window).map(|()| ended)
    }
}
