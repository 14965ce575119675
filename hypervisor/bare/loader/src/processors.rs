//! Every CPU of the machine: entered one after the other, then asked whether it is inside.
//!
//! The application processors go first, each called by the firmware's MP services and returned by the hypervisor,
//! as guest, to the loop in which the firmware lets it wait. The boot CPU goes last: only from then on are the
//! INIT and start-up messages it sends caught, so between the two nothing may use the MP services. Asking every
//! CPU afterwards uses them again, and so shows that a woken CPU stays inside.

mod application;

use crate::console::say;
use crate::hypervisor::{Hypervisor, answer};
use crate::protocol;
use crate::refuse::Refusal;
use alloc::vec::Vec;
use application::{Entrance, Question};
use core::time::Duration;
use sekisho_abi::boot::{CPUID_SIGNATURE, Handover};
use uefi::boot::{self, ScopedProtocol};
use uefi::proto::pi::mp::MpServices;
use uefi::{Error, Status};

/// How long one CPU may take for one step. It takes microseconds; the rest is for emulators.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// The CPUs that the firmware has enabled.
pub(crate) struct Processors {
    /// None where the firmware has no such services: then there is the boot CPU alone.
    services: Option<ScopedProtocol<MpServices>>,
    /// The firmware's number of the boot CPU.
    boot: usize,
    /// The firmware's numbers of the others.
    application: Vec<usize>,
}

/// Whether the calling CPU runs under the hypervisor. Another hypervisor could pretend to be ours; whoever can
/// start one below us owns the machine anyway.
pub(crate) fn is_inside() -> bool {
    let question = Question::new();
    question.ask_here();
    let (signature, _) = question.answer();
    signature == *CPUID_SIGNATURE
}

impl Processors {
    /// Those the firmware knows; disabled ones are said and left in their reset state.
    pub(crate) fn find() -> Result<Self, Refusal> {
        match boot::get_handle_for_protocol::<MpServices>() {
            Ok(handle) => Self::listed(handle).map_err(|error| Refusal::Processors(error.status())),
            Err(_) => Ok(Self {
                services: None,
                boot: 0,
                application: Vec::new(),
            }),
        }
    }

    fn listed(handle: uefi::Handle) -> uefi::Result<Self> {
        let services = protocol::shared::<MpServices>(handle)?;
        let boot = services.who_am_i()?;
        let mut application = Vec::new();
        for number in 0..services.get_number_of_processors()?.total {
            match services.get_processor_info(number)? {
                information if information.is_bsp() => {}
                information if information.is_enabled() => application.push(number),
                _ => say!("CPU {number}: disabled by the firmware"),
            }
        }
        Ok(Self {
            services: Some(services),
            boot,
            application,
        })
    }

    /// How many will be entered.
    pub(crate) fn count(&self) -> u64 {
        self.application.len() as u64 + 1
    }

    /// Enters every CPU; returns as guest.
    pub(crate) fn enter(&self, hypervisor: &Hypervisor, handover: &Handover) -> Result<(), Refusal> {
        let answers = self.enter_quietly(hypervisor, handover)?;
        for (cpu, raw) in self.numbers().zip(answers) {
            answer(raw)?.map_err(|failure| Refusal::NotEntered(cpu, failure))?;
        }
        Ok(())
    }

    /// The raw answer of each CPU, in the order of [`Self::numbers`]; the boot CPU enters only if all others did.
    fn enter_quietly(&self, hypervisor: &Hypervisor, handover: &Handover) -> Result<Vec<u64>, Refusal> {
        let mut answers = Vec::with_capacity(self.application.len() + 1);
        let entrances = self
            .application
            .iter()
            .map(|cpu| (*cpu, Entrance::new(hypervisor, handover)));
        let entrances: Vec<_> = entrances.collect();
        let _quiet = no_callbacks();
        for (cpu, entrance) in &entrances {
            self.run(*cpu, |services| entrance.run(services, *cpu, STEP_TIMEOUT))?;
            answers.push(entrance.answer());
        }
        if answers.iter().all(|raw| *raw == 0) {
            answers.push(hypervisor.enter(handover));
        }
        Ok(answers)
    }

    /// Asks every CPU who it runs under; all must say the hypervisor, each with a number of its own.
    pub(crate) fn verify_inside(&self) -> Result<(), Refusal> {
        let mut seen = Vec::new();
        for cpu in self.numbers() {
            let question = Question::new();
            if cpu == self.boot {
                question.ask_here();
            } else {
                self.run(cpu, |services| question.run(services, cpu, STEP_TIMEOUT))?;
            }
            let (signature, index) = question.answer();
            if signature != *CPUID_SIGNATURE {
                return Err(Refusal::Outside(cpu));
            }
            if seen.contains(&index) {
                return Err(Refusal::Twice(cpu, index));
            }
            seen.push(index);
            say!("CPU {cpu}: inside, as number {index}");
        }
        Ok(())
    }

    /// All numbers, the boot CPU's last.
    fn numbers(&self) -> impl Iterator<Item = usize> {
        self.application.iter().copied().chain([self.boot])
    }

    /// One step on an application processor.
    fn run(&self, cpu: usize, step: impl Fn(&MpServices) -> uefi::Result) -> Result<(), Refusal> {
        let result = match &self.services {
            Some(services) => step(services),
            None => Err(Error::from(Status::UNSUPPORTED)),
        };
        result.map_err(|error| Refusal::NotRun(cpu, error.status()))
    }
}

/// Keeps the firmware's event callbacks out until the guard is dropped.
///
/// One of them that used the MP services while the boot CPU is still outside would reset a CPU that is inside.
/// `NOTIFY` is the highest level at which the firmware's services may still be called, and leaves the timer on.
#[expect(unsafe_code, reason = "raising the level wrongly would hang the firmware")]
fn no_callbacks() -> boot::TplGuard {
    // SAFETY: the loader runs at APPLICATION, which is lower; nothing it calls under the guard needs less than
    // NOTIFY, and the guard ends before the console is used again.
    unsafe { boot::raise_tpl(boot::Tpl::NOTIFY) }
}
