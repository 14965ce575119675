//! A machine that is switched on: its two serial ports, its monitor, its end.
//!
//! COM1 is the firmware's and the guest's console, COM2 the hypervisor's log. The emulator's process belongs to
//! this value alone and ends with it.

use super::Machine;
use crate::console::{Console, Unseen};
use crate::emulator::{Emulator, NAME};
use crate::failure::Failure;
use crate::network::enter;
use crate::paths;
use rustix::io::{FdFlags, fcntl_setfd};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long the monitor may take to answer.
const MONITOR_PATIENCE: Duration = Duration::from_secs(20);

/// A machine that is switched on.
pub struct Running {
    process: Child,
    /// The firmware's and the guest's console.
    pub com1: Console,
    /// The hypervisor's log.
    pub com2: Console,
    monitor: Console,
    logs: PathBuf,
    pub(super) commands: u32,
}

/// How the emulator ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The guest switched the machine off.
    PoweredOff,
    /// The guest wrote this value to the exit port.
    Value(i32),
    /// The emulator itself failed or was ended.
    Failed,
}

impl Running {
    pub(super) fn start(machine: &Machine, name: &str) -> Result<Self, Failure> {
        let logs = paths::cache("logs")?.join(name);
        std::fs::create_dir_all(&logs).map_err(Failure::file(&logs))?;
        let emulator = Emulator::of(machine.cpu)?;
        let mut command = match machine.namespace {
            Some(process) => enter(process, &emulator.program),
            None => Command::new(&emulator.program),
        };
        command.args(&emulator.arguments);
        command.args(machine.arguments());
        let (com1, com1_far) = port(&mut command, &logs, "com1", &["-serial", "chardev:com1"])?;
        let (com2, com2_far) = port(&mut command, &logs, "com2", &["-serial", "chardev:com2"])?;
        let (monitor, monitor_far) = port(&mut command, &logs, "monitor", &["-mon", "monitor"])?;
        let errors = logs.join("emulator.log");
        let sink = File::create(&errors).map_err(Failure::file(&errors))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(sink);
        let process = command.spawn().map_err(|error| Failure::Tool {
            command: NAME.to_owned(),
            output: error.to_string(),
        })?;
        // Only the emulator may hold the far ends, or its end would go unnoticed.
        drop((com1_far, com2_far, monitor_far));
        Ok(Self {
            process,
            com1,
            com2,
            monitor,
            logs,
            commands: 0,
        })
    }

    /// Waits for `phrase` on COM1; returns the text before it.
    ///
    /// # Errors
    /// [`Failure::Silence`] or [`Failure::Ended`].
    pub fn expect_com1(&mut self, phrase: &str, patience: Duration) -> Result<String, Failure> {
        let seen = self.com1.wait_for(phrase, patience);
        seen.map_err(|unseen| self.unseen(phrase, unseen))
    }

    /// Gives the emulator's monitor one command and returns its answer.
    ///
    /// # Errors
    /// [`Failure`] if the monitor does not come back.
    pub fn monitor(&mut self, command: &str) -> Result<String, Failure> {
        // Each answer ends with a prompt; the one before this command is taken first.
        let typed = self.monitor.wait_for("(qemu) ", MONITOR_PATIENCE).and_then(|_| {
            self.monitor
                .type_text(&format!("{command}\n"))
                .map_err(|_| Unseen::Ended)?;
            self.monitor.wait_for("\n", MONITOR_PATIENCE)?;
            let answer = self.monitor.wait_for("(qemu) ", MONITOR_PATIENCE)?;
            self.monitor.rewind("(qemu) ");
            Ok(answer)
        });
        typed.map_err(|unseen| self.unseen(command, unseen))
    }

    /// Waits until the machine is off.
    ///
    /// # Errors
    /// [`Failure::Silence`] if it stays on.
    pub fn wait_end(&mut self, patience: Duration) -> Result<Ending, Failure> {
        // The emulator closes its monitor when it ends, and only then.
        let closed = self.monitor.wait_end(patience);
        closed.map_err(|unseen| self.unseen("goodbye", unseen))?;
        let status = self.process.wait().map_err(Failure::file(NAME))?;
        Ok(match status.code() {
            Some(0) => Ending::PoweredOff,
            // isa-debug-exit makes every value odd; an emulator that cannot start says 1.
            Some(code) if code & 1 == 1 && code > 1 => Ending::Value(code >> 1),
            _ => Ending::Failed,
        })
    }

    /// CPU time the emulator has used so far, in all its threads.
    ///
    /// # Errors
    /// [`Failure::File`] if the system does not tell.
    pub fn cpu_time(&self) -> Result<Duration, Failure> {
        let path = format!("/proc/{}/stat", self.process.id());
        let text = std::fs::read_to_string(&path).map_err(Failure::file(&path))?;
        // Fields 14 and 15, counted from the command name's closing parenthesis (field 2), in 1/100 s.
        let fields: Vec<&str> = text
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        let ticks: u64 = fields
            .iter()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Joins this process's standard input and output with COM1 until the machine is off.
    ///
    /// # Errors
    /// [`Failure::File`] if the console cannot be shared.
    pub fn attach(&mut self) -> Result<(), Failure> {
        let mut keyboard = self.com1.writer().map_err(Failure::file("COM1"))?;
        // Ends with the process: a read of the terminal cannot be taken back.
        std::thread::spawn(move || std::io::copy(&mut std::io::stdin().lock(), &mut keyboard));
        self.com1
            .show(&mut std::io::stdout())
            .map_err(Failure::file("standard output"))?;
        self.process.wait().map_err(Failure::file(NAME))?;
        Ok(())
    }

    /// The claim `what` is false: a failure that shows the logs.
    pub fn refute(&mut self, what: impl Into<String>) -> Failure {
        Failure::Claim {
            what: what.into(),
            tail: self.tail(),
        }
    }

    fn unseen(&mut self, phrase: &str, unseen: Unseen) -> Failure {
        let awaited = format!("{phrase:?}");
        let tail = self.tail();
        match unseen {
            Unseen::Silence => Failure::Silence { awaited, tail },
            Unseen::Ended => Failure::Ended { awaited, tail },
        }
    }

    fn tail(&mut self) -> String {
        let errors = std::fs::read_to_string(self.logs.join("emulator.log")).unwrap_or_default();
        // It warns of every feature of the CPU model that it lacks, and of NICs without a cable.
        let errors: Vec<&str> = errors
            .lines()
            .filter(|line| !line.contains("warning: "))
            .collect();
        let errors = errors.join("\n");
        format!(
            "--- the end of COM1 ({logs})\n{}\n--- the end of COM2, the hypervisor's log\n{}\n--- the emulator\n{errors}",
            self.com1.tail(),
            self.com2.tail(),
            logs = self.logs.display(),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A serial port of the machine: our end, and the far one that must live until the emulator has it.
fn port(
    command: &mut Command,
    logs: &Path,
    name: &str,
    arguments: &[&str],
) -> Result<(Console, UnixStream), Failure> {
    let path = logs.join(format!("{name}.log"));
    let log = File::create(&path).map_err(Failure::file(&path))?;
    let (near, far) = UnixStream::pair().map_err(Failure::file(name))?;
    fcntl_setfd(&far, FdFlags::empty()).map_err(|error| Failure::file(name)(error.into()))?;
    command.args(["-chardev", &format!("socket,id={name},fd={}", far.as_raw_fd())]);
    command.args(arguments);
    let console = Console::open(near, log).map_err(Failure::file(name))?;
    Ok((console, far))
}
