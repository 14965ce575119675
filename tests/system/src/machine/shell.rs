//! The Linux guest: from power-on to its shell, and commands given to that shell.

use super::{Ending, Running};
use crate::failure::Failure;
use std::time::Duration;

/// From power-on to the shell; a boot takes 20 to 30 s on an idle host.
const BOOT_PATIENCE: Duration = Duration::from_secs(240);
/// For one command.
const COMMAND_PATIENCE: Duration = Duration::from_secs(90);
/// From the guest's decision to switch off to the emulator's end.
const END_PATIENCE: Duration = Duration::from_secs(60);

/// The kernel's first line, on its early console: whatever the boot loader did before is over by then.
const KERNEL_STARTS: &str = "Linux version";
/// How the loader asks for a passphrase.
const QUESTION: &str = "sekisho: passphrase or recovery key for ";
/// What the guest's init prints when it takes commands.
const READY: &str = "sekisho-guest: ready";

impl Running {
    /// Waits until the Linux guest takes commands.
    ///
    /// # Errors
    /// [`Failure`] with both logs where it does not.
    pub fn wait_shell(&mut self) -> Result<(), Failure> {
        self.expect_com1(READY, BOOT_PATIENCE)?;
        self.expect_com1("\n", COMMAND_PATIENCE)?;
        Ok(())
    }

    /// Answers the loader's question for the passphrase.
    ///
    /// # Errors
    /// [`Failure`] with both logs where it does not ask.
    pub fn unlock(&mut self, passphrase: &str) -> Result<(), Failure> {
        self.expect_com1(QUESTION, BOOT_PATIENCE)?;
        self.com1
            .type_text(&format!("{passphrase}\r"))
            .map_err(Failure::file("COM1"))
    }

    /// Waits until the kernel has started.
    ///
    /// # Errors
    /// [`Failure`] with both logs where it does not.
    pub fn wait_kernel(&mut self) -> Result<(), Failure> {
        self.expect_com1(KERNEL_STARTS, BOOT_PATIENCE)?;
        Ok(())
    }

    /// Runs `command` in the guest's shell and returns what it printed.
    ///
    /// # Errors
    /// [`Failure::Command`] if it ends with another status than 0.
    pub fn run(&mut self, command: &str) -> Result<String, Failure> {
        self.run_within(command, COMMAND_PATIENCE)
    }

    /// The same, for what takes its time.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub fn run_within(&mut self, command: &str, patience: Duration) -> Result<String, Failure> {
        self.commands += 1;
        let id = self.commands;
        self.give(&format!("{id} {command}"))?;
        let output = self.expect_com1(&format!("sekisho-guest: end {id} "), patience)?;
        let status = self.expect_com1("\n", COMMAND_PATIENCE)?;
        let output = output.replace('\r', "");
        match status.trim().parse() {
            Ok(0) => Ok(output),
            status => Err(Failure::Command {
                command: command.to_owned(),
                status: status.unwrap_or(-1),
                output,
            }),
        }
    }

    /// Gives a command that does not come back, such as a reboot.
    ///
    /// # Errors
    /// [`Failure`] if the console is closed.
    pub fn give_last(&mut self, command: &str) -> Result<(), Failure> {
        self.give(&format!("last {command}"))
    }

    /// Switches the guest off and waits for the machine to end.
    ///
    /// # Errors
    /// [`Failure`] if it does not, or not by power-off.
    pub fn power_off(&mut self) -> Result<(), Failure> {
        self.give_last("poweroff -f")?;
        match self.wait_end(END_PATIENCE)? {
            Ending::PoweredOff => Ok(()),
            other => Err(self.refute(format!(
                "the guest switched off, and the machine ended as {other:?}"
            ))),
        }
    }

    fn give(&mut self, line: &str) -> Result<(), Failure> {
        self.com1
            .type_text(&format!("{line}\n"))
            .map_err(Failure::file("COM1"))
    }
}
