//! Refusing to boot: the reason, what to do about it, and then power off.
//!
//! Returning an error to the firmware instead would make it start its next boot entry, which is the operating
//! system without us: a laptop that cannot be protected must not look as if it were.

use crate::console::{say, wait_for_key};
use crate::store::Unread;
use alloc::string::String;
use core::fmt;
use core::panic::PanicInfo;
use core::time::Duration;
use sekisho_abi::boot::Status as Answer;
use sekisho_abi::pci::Address;
use sekisho_keys::luks2::UnlockError;
use sekisho_keys::secrets::OpenError;
use sekisho_keys::store::{Locked, StoreError};
use sekisho_mediator::boot::acpi::AcpiError;
use sekisho_mediator::boot::image::ImageError;
use sekisho_mediator::boot::place::PlaceError;
use uefi::runtime::ResetType;
use uefi::{Status, runtime};

/// How long a refusal can be read before the machine powers off; a key ends it.
const READING_TIME: Duration = Duration::from_secs(30);

/// Why this machine is not booted.
pub(crate) enum Refusal {
    /// The firmware does not tell where it loaded us.
    OwnImage(Status),
    /// The image is damaged.
    Image(ImageError),
    /// An ACPI table is damaged.
    Tables(AcpiError),
    /// No block of free memory is large enough.
    NoMemory,
    /// The firmware does not hand the chosen memory out, or does not let it be executed.
    Memory(Status),
    /// The hypervisor's layout does not fit.
    Place(PlaceError),
    /// The key store beside the loader is not that of the policy.
    Store(StoreError<Unread>),
    /// The sealed secrets do not open with any answer.
    Locked(Locked),
    /// As many wrong answers were given.
    Attempts(u8),
    /// The hypervisor answered that it cannot run here.
    Answer(Answer),
    /// The hypervisor found a disk that is not as the policy and the pins say: its own sentence.
    Disk(String),
    /// The hypervisor answered a number that is no [`Answer`].
    UnknownAnswer(u64),
    /// The firmware's list of devices cannot be read.
    Devices(Status),
    /// The firmware's driver does not let go of a device.
    NotReleased(Address, Status),
    /// The firmware's list of CPUs cannot be read.
    Processors(Status),
    /// The firmware could not run a step on a CPU.
    NotRun(usize, Status),
    /// A CPU could not enter the hypervisor.
    NotEntered(usize, Answer),
    /// A CPU runs outside of the hypervisor although it was entered.
    Outside(usize),
    /// Two CPUs say they are the same one.
    Twice(usize, u32),
}

impl From<ImageError> for Refusal {
    fn from(error: ImageError) -> Self {
        Self::Image(error)
    }
}

impl From<AcpiError> for Refusal {
    fn from(error: AcpiError) -> Self {
        Self::Tables(error)
    }
}

impl From<StoreError<Unread>> for Refusal {
    fn from(error: StoreError<Unread>) -> Self {
        Self::Store(error)
    }
}

impl From<PlaceError> for Refusal {
    fn from(error: PlaceError) -> Self {
        Self::Place(error)
    }
}

/// Says why and what to do, waits to be read, and powers off.
pub(crate) fn refuse(refusal: &Refusal) -> ! {
    explain_and_power_off(refusal, refusal.remedy())
}

/// The same for a defect of the loader itself.
pub(crate) fn panicked(info: &PanicInfo<'_>) -> ! {
    explain_and_power_off(&format_args!("the loader stopped: {info}"), TRY_AGAIN)
}

fn explain_and_power_off(reason: &dyn fmt::Display, remedy: &str) -> ! {
    say!("refused to boot: {reason}.");
    say!("what to do: {remedy}.");
    say!(
        "powering off in {} seconds, or when a key is pressed.",
        READING_TIME.as_secs()
    );
    wait_for_key(READING_TIME);
    runtime::reset(ResetType::SHUTDOWN, Status::SECURITY_VIOLATION, None)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnImage(status) => write!(f, "the firmware does not tell where the image lies ({status})"),
            Self::Image(error) => error.fmt(f),
            Self::Tables(error) => error.fmt(f),
            Self::NoMemory => write!(f, "no block of free memory is large enough for the hypervisor"),
            Self::Memory(status) => write!(
                f,
                "the firmware does not give memory for the hypervisor ({status})"
            ),
            Self::Place(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Locked(locked) => locked.fmt(f),
            Self::Attempts(attempts) => write!(f, "{attempts} wrong answers were given"),
            Self::Answer(answer) => f.write_str(reason(*answer)),
            Self::Disk(sentence) if sentence.is_empty() => f.write_str(reason(Answer::Disk)),
            Self::Disk(sentence) => f.write_str(sentence),
            Self::UnknownAnswer(raw) => write!(f, "the hypervisor gave the unknown answer {raw:#x}"),
            Self::Devices(status) => {
                write!(f, "the firmware's list of PCI devices cannot be read ({status})")
            }
            Self::NotReleased(address, status) => {
                write!(
                    f,
                    "the firmware's driver does not let go of PCI device {address} ({status})"
                )
            }
            Self::Processors(status) => write!(f, "the firmware's list of CPUs cannot be read ({status})"),
            Self::NotRun(cpu, status) => {
                write!(f, "CPU {cpu} did not do what the firmware asked of it ({status})")
            }
            Self::NotEntered(cpu, answer) => write!(f, "CPU {cpu} cannot be protected: {}", reason(*answer)),
            Self::Outside(cpu) => write!(f, "CPU {cpu} runs outside of the hypervisor"),
            Self::Twice(cpu, index) => {
                write!(f, "CPU {cpu} answers as number {index}, which another CPU has")
            }
        }
    }
}

impl Refusal {
    /// What the person in front of the machine can do.
    const fn remedy(&self) -> &'static str {
        match self {
            Self::Image(_) | Self::Place(_) | Self::UnknownAnswer(_) => REBUILD,
            Self::Answer(answer) | Self::NotEntered(_, answer) => remedy(*answer),
            Self::Disk(_) => remedy(Answer::Disk),
            Self::Store(StoreError::Converting { .. }) => {
                "let `sekisho disk encrypt` or `sekisho disk decrypt` end what it began, then write the image anew"
            }
            Self::Locked(Locked::Unusable(OpenError::Unlock(UnlockError::Memory { .. }))) => {
                "set the passphrase anew with less memory by `sekisho keys passwd --argon2-memory`, and write the image anew"
            }
            Self::Store(_) | Self::Locked(_) => {
                "write the image anew with `sekisho image build --keys` from the key store, or start from another copy"
            }
            Self::Attempts(_) => "start the machine again with the passphrase or the recovery key at hand",
            Self::Tables(_) | Self::OwnImage(_) | Self::Devices(_) | Self::Processors(_) => {
                "update this machine's firmware, or report its model and this message"
            }
            Self::NoMemory | Self::Memory(_) => {
                "free memory below 4 GiB: disable option ROMs and network boot"
            }
            Self::NotReleased(..) => "unplug the device or disable its option ROM in the firmware setup",
            Self::NotRun(..) | Self::Outside(_) | Self::Twice(..) => TRY_AGAIN,
        }
    }
}

const REBUILD: &str = "write the image anew with `sekisho image build`, or start from another copy of it";
const TRY_AGAIN: &str = "start the machine again, and report this message if it comes back";

/// The sentence behind a status of the hypervisor.
const fn reason(answer: Answer) -> &'static str {
    match answer {
        Answer::Done => "the hypervisor reports success where it failed",
        Answer::NoSvm => "this CPU has no AMD-V (SVM)",
        Answer::SvmDisabled => "the firmware has disabled AMD-V (SVM)",
        Answer::NoNestedPaging => "this CPU's AMD-V has no nested paging",
        Answer::NoGigabytePages => "this CPU has no 1 GiB pages",
        Answer::WrongHandover => "loader and hypervisor are of different builds",
        Answer::BadPolicy => "the hypervisor cannot read the compiled policy",
        Answer::BadLayout => "the hypervisor cannot read its own layout",
        Answer::OutOfMemory => "the hypervisor's memory is too small for this machine's CPUs and devices",
        Answer::TooMany => "this machine has more CPUs or PCI functions than this build can hold",
        Answer::NoSuchDriver => "the policy uses a driver that this build does not have",
        Answer::OutOfOrder => "the hypervisor was called out of order",
        Answer::FiveLevels => "the firmware runs with five levels of page tables (LA57)",
        Answer::BadConfigWindow => "the firmware's PCI configuration window (ACPI MCFG) is not usable",
        Answer::Disk => "a disk is not as the policy and the pins say",
    }
}

const fn remedy(answer: Answer) -> &'static str {
    match answer {
        Answer::NoSvm | Answer::NoNestedPaging | Answer::NoGigabytePages => {
            "use a machine with an AMD CPU that has AMD-V, nested paging and 1 GiB pages"
        }
        Answer::FiveLevels => "disable 5-level paging (LA57) in the firmware setup",
        Answer::BadConfigWindow => "update this machine's firmware, or report its model and this message",
        Answer::SvmDisabled => "enable SVM (AMD-V) in the firmware setup",
        Answer::BadPolicy | Answer::BadLayout | Answer::WrongHandover => REBUILD,
        Answer::NoSuchDriver => {
            "change the policy and build the image anew: `sekisho image build` names the driver"
        }
        Answer::OutOfMemory | Answer::TooMany => "report this machine's model and this message",
        Answer::Disk => {
            "connect the disk this laptop was set up with and restore its partition table; where the change was meant, \
             run `sekisho disk encrypt` again, which pins it anew"
        }
        Answer::Done | Answer::OutOfOrder => TRY_AGAIN,
    }
}
