//! The test machine: which CPU, how many, which disks and devices, bare or under the hypervisor.

mod running;
mod shell;

use crate::failure::Failure;
use crate::network::Wire;
use std::path::{Path, PathBuf};

pub use running::{Ending, Running};

/// The CPU models of the claims.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cpu {
    /// An AMD EPYC with SVM and nested paging.
    Epyc,
    /// The same without SVM: what a guest of the hypervisor should believe it has.
    EpycWithoutSvm,
    /// The same with SVM but without nested paging.
    EpycWithoutNestedPaging,
    /// An AMD EPYC with SVM and x2APIC, and the IOMMU without which Linux does not use that; in a newer emulator.
    EpycWithX2Apic,
    /// Everything the emulator has, with 5-level paging and VGIF.
    Max,
}

impl Cpu {
    /// QEMU's `-cpu`.
    #[must_use]
    pub const fn model(self) -> &'static str {
        match self {
            Self::Epyc => "EPYC,+svm",
            Self::EpycWithoutSvm => "EPYC,-svm",
            Self::EpycWithoutNestedPaging => "EPYC,+svm,-npt",
            Self::EpycWithX2Apic => "EPYC,+svm,+x2apic",
            Self::Max => "max",
        }
    }
}

/// What the time stamp counter counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clock {
    /// Time; one host thread a CPU.
    Time,
    /// Executed instructions, 16 ticks each; all CPUs in one host thread.
    Instructions,
}

/// A disk image, and what becomes of what is written to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disk {
    /// The image.
    pub image: PathBuf,
    /// Whether it is there after the end.
    pub writes: Writes,
}

/// What becomes of what is written to a disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Writes {
    /// It is in the image.
    Kept,
    /// It is in the image, and each write and flush in this log.
    Logged(PathBuf),
    /// It is gone at the end.
    Forgotten,
}

impl Disk {
    /// What is written to `image` stays.
    #[must_use]
    pub fn kept(image: &Path) -> Self {
        Self {
            image: image.to_owned(),
            writes: Writes::Kept,
        }
    }

    /// What is written to `image` stays; `log` tells in which order it came, and when it was flushed.
    #[must_use]
    pub fn logged(image: &Path, log: &Path) -> Self {
        Self {
            image: image.to_owned(),
            writes: Writes::Logged(log.to_owned()),
        }
    }

    /// The part of QEMU's `-drive` that says how the image is used.
    fn backend(&self) -> String {
        let file = self.image.display();
        match &self.writes {
            Writes::Kept => format!("format=raw,snapshot=off,file={file}"),
            Writes::Forgotten => format!("format=raw,snapshot=on,file={file}"),
            // Each entry is counted at once; the log need not outlive the host.
            Writes::Logged(log) => format!(
                "driver=blklogwrites,file.driver=file,file.filename={file},log.driver=file,log.filename={},\
                 log.cache.no-flush=on,log-super-update-interval=1",
                log.display()
            ),
        }
    }

    /// `image` stays as it is.
    #[must_use]
    pub fn forgotten(image: &Path) -> Self {
        Self {
            image: image.to_owned(),
            writes: Writes::Forgotten,
        }
    }
}

/// The machine's disk controller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Controller {
    /// The AHCI controller of a PC with PCI Express.
    Ahci,
    /// The IDE controller of an older PC, in compatibility mode.
    Ide,
}

/// A machine not yet switched on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Machine {
    /// The CPU model.
    pub cpu: Cpu,
    /// How many CPUs.
    pub cpus: u8,
    /// Memory in MiB.
    pub memory: u32,
    /// What RDTSC tells.
    pub clock: Clock,
    /// Disks in boot order.
    pub disks: Vec<Disk>,
    /// What they are attached to.
    pub controller: Controller,
    /// The arguments of one `-device` each, in slot order.
    pub devices: Vec<String>,
    /// NICs with a wire, behind those.
    pub wires: Vec<Wire>,
    /// The process in whose network namespace the wires are.
    pub namespace: Option<u32>,
}

/// The NIC that `examples/first-light.toml` conceals, and the one it passes.
const NICS: [&str; 2] = ["e1000,romfile=", "e1000e,romfile="];

/// MiB of memory that Linux and its root fit in easily.
const MEMORY: u32 = 768;

/// I/O port whose write ends the emulator with status `2 * value + 1`.
pub const EXIT_PORT: u16 = 0xf4;

impl Machine {
    /// Two CPUs, two NICs, `guest` as the only disk.
    #[must_use]
    pub fn bare(guest: &Path) -> Self {
        Self {
            cpu: Cpu::Epyc,
            cpus: 2,
            memory: MEMORY,
            clock: Clock::Time,
            disks: vec![Disk::forgotten(guest)],
            controller: Controller::Ahci,
            devices: NICS.map(str::to_owned).to_vec(),
            wires: Vec::new(),
            namespace: None,
        }
    }

    /// The same machine with the appliance's disk `image` before the guest's.
    #[must_use]
    pub fn under(image: &Path, guest: &Path) -> Self {
        let mut machine = Self::bare(guest);
        machine.disks.insert(0, Disk::forgotten(image));
        machine
    }

    /// With another CPU model and number of CPUs.
    #[must_use]
    pub const fn with_cpus(mut self, cpu: Cpu, cpus: u8) -> Self {
        self.cpu = cpu;
        self.cpus = cpus;
        self
    }

    /// Switches it on; its logs go to a folder called `name`.
    ///
    /// # Errors
    /// [`Failure`] if the emulator cannot be started.
    pub fn start(&self, name: &str) -> Result<Running, Failure> {
        Running::start(self, name)
    }

    /// The emulator's arguments, serial ports and monitor apart.
    fn arguments(&self) -> Vec<String> {
        let accelerator = match self.clock {
            Clock::Time => "tcg,thread=multi",
            Clock::Instructions => "tcg,thread=single",
        };
        let mut words: Vec<String> = [
            "-no-user-config",
            "-nodefaults",
            "-display",
            "none",
            "-machine",
            match self.controller {
                Controller::Ahci => "q35,smm=off",
                Controller::Ide => "pc,smm=off",
            },
            "-accel",
            accelerator,
            "-cpu",
            self.cpu.model(),
            "-drive",
            "if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd",
            // The overlay stands for a fresh copy of the variables.
            "-drive",
            "if=pflash,format=raw,snapshot=on,file=/usr/share/OVMF/OVMF_VARS_4M.fd",
        ]
        .map(str::to_owned)
        .to_vec();
        words.extend(["-m".to_owned(), self.memory.to_string()]);
        words.extend(["-smp".to_owned(), self.cpus.to_string()]);
        words.extend([
            "-device".to_owned(),
            format!("isa-debug-exit,iobase={EXIT_PORT:#x},iosize=4"),
        ]);
        if self.cpu == Cpu::EpycWithX2Apic {
            let iommu = "intel-iommu,intremap=on,eim=on";
            words.extend(["-device".to_owned(), iommu.to_owned()]);
        }
        // As in chipsets: the emulator's timers can send messages, and say so only if asked.
        words.extend(["-global".to_owned(), "hpet.msi=on".to_owned()]);
        if self.clock == Clock::Instructions {
            words.extend(["-icount".to_owned(), "shift=4".to_owned()]);
        }
        for (number, disk) in self.disks.iter().enumerate() {
            words.extend([
                "-drive".to_owned(),
                format!("if=none,id=disk{number},{}", disk.backend()),
            ]);
            let boot = number + 1;
            let place = match self.controller {
                Controller::Ahci => format!("bus=ide.{number}"),
                Controller::Ide => format!("bus=ide.{},unit={}", number / 2, number % 2),
            };
            words.extend([
                "-device".to_owned(),
                format!("ide-hd,drive=disk{number},{place},bootindex={boot}"),
            ]);
        }
        for device in &self.devices {
            words.extend(["-device".to_owned(), device.clone()]);
        }
        words.extend(self.wires.iter().flat_map(Wire::arguments));
        words
    }
}
