//! A look: frames of the real receive chain to the module and the guest, the guest's blocks to the real command unit.

use super::attach::COUNTERS;
use super::command::{LONGEST, Way, order_frame};
use super::receive::{NoBuffer, State};
use super::spec::{CAUSE_NOT_READY, CAUSE_RECEIVED, CU_DUMP_ADDRESS};
use super::units::{self, Arrival, DATA_BYTES};
use super::{Backlog, Nic, Ports, Use};
use crate::cpu::walk::GuestMemory;
use crate::net::frame::{Frame, HEADER_LENGTH, Offload};
use crate::net::incident::Incident;
use crate::net::module::Module;
use crate::net::offload::{check_sequence, finish};
use crate::net::port::Guest;
use crate::net::port::{Full, Outlets, Verdict, WireLink};
use crate::seam::{Host, Instant};

/// Bytes of a frame check sequence.
const CHECK_BYTES: usize = 4;
/// What the device writes behind its counters when they are there (6.3.2.2).
const DUMPED: [u32; 2] = [0xa005, 0xa007];

enum Done {
    Taken,
    /// The guest has no buffer for it yet.
    Kept,
}

impl Nic {
    /// Moves what can be moved.
    pub(super) fn look<P: Ports, H: Host>(
        &mut self,
        module: &mut Module,
        ports: &mut P,
        host: &mut H,
        now: Instant,
    ) {
        let mut causes = self.take_frames(module, ports, host, now);
        let mut way = Way {
            module,
            commands: &mut self.commands,
            settings: &mut self.settings,
            incidents: &mut self.incidents,
            host,
            now,
            usage: self.usage,
        };
        causes |= self.command_unit.look(&mut way);
        if self.usage != Use::Nobody {
            self.commands.begin(ports, host);
        }
        self.raise(causes, ports);
    }

    fn take_frames<P: Ports, H: Host>(
        &mut self,
        module: &mut Module,
        ports: &mut P,
        host: &mut H,
        now: Instant,
    ) -> u8 {
        self.shown = 0;
        let mut causes = 0;
        if self.usage == Use::Nobody {
            return causes;
        }
        if let Done::Kept = self.drain(module, host, now, &mut causes) {
            return causes;
        }
        let is_wanted = self.usage == Use::Module || self.receive_unit.state != State::Idle;
        if !is_wanted {
            return causes;
        }
        if !self.receiver.is_used_up() {
            if !self.receiver.stop_near_end(ports) {
                return causes;
            }
            if let Done::Kept = self.drain(module, host, now, &mut causes) {
                return causes;
            }
        }
        self.receiver.begin(ports, host);
        causes
    }

    /// Takes what the device has received, as far as there is room for it.
    fn drain<H: Host>(&mut self, module: &mut Module, host: &mut H, now: Instant, causes: &mut u8) -> Done {
        while let Some(arrival) = self.receiver.peek(host) {
            if let Arrival::Frame(length) = arrival
                && let Done::Kept = self.take_frame(length, module, host, now, causes)
            {
                if self.backlog == Backlog::None {
                    self.backlog = Backlog::Told;
                }
                return Done::Kept;
            }
            self.receiver.finish(host);
        }
        self.backlog = Backlog::None;
        Done::Taken
    }

    fn take_frame<H: Host>(
        &mut self,
        length: usize,
        module: &mut Module,
        host: &mut H,
        now: Instant,
        causes: &mut u8,
    ) -> Done {
        let is_ready = self.receive_unit.state == State::Ready;
        let waits = self.guest == Guest::Present && self.receive_unit.state != State::Idle;
        if !is_ready && waits && (self.usage == Use::Guest || self.receiver.hold.goes_on(now)) {
            return Done::Kept;
        }
        let was_shown = self.receiver.hold.was_shown();
        self.shown += usize::from(!was_shown);
        let check = if self.settings.has_check() { CHECK_BYTES } else { 0 };
        let Self {
            receiver,
            receive_unit,
            settings,
            incidents,
            usage,
            ..
        } = self;
        let taken = receiver.read(length, host, |bytes, guest| {
            let frame = Frame {
                bytes: bytes.get(..bytes.len().saturating_sub(check)).unwrap_or_default(),
                offload: Offload::default(),
            };
            if !was_shown && module.incoming(frame, now) == Verdict::Stop || !waits {
                return Ok(None);
            }
            let is_its = frame
                .destination()
                .is_some_and(|destination| settings.accepts(destination));
            if *usage == Use::Module && !is_its {
                return Ok(None);
            }
            if !is_ready {
                return Err(NoBuffer);
            }
            receive_unit.deliver([bytes, &[]], guest, incidents).map(Some)
        });
        match taken {
            Some(Ok(Some(more))) => {
                self.receiver.hold.taken(now);
                *causes |= more;
                if self.backlog == Backlog::Late {
                    *causes |= CAUSE_RECEIVED;
                }
            }
            Some(Err(NoBuffer)) => {
                *causes |= if is_ready { CAUSE_NOT_READY } else { 0 };
                if self.usage == Use::Guest || self.receiver.hold.waits(now) {
                    return Done::Kept;
                }
                self.receiver.hold.gone(now);
                self.incidents.add(Incident::Dropped, 0, 0);
            }
            Some(Ok(None)) | None => self.receiver.hold.gone(now),
        }
        Done::Taken
    }

    /// The guest has read the causes: frames that are still with the device have none left.
    pub(super) const fn note_causes_read(&mut self) {
        if !matches!(self.backlog, Backlog::None) {
            self.backlog = Backlog::Late;
        }
    }

    /// The guest wants the counters, by this command.
    pub(super) fn dump<P: Ports, H: Host>(&mut self, command: u8, ports: &mut P, host: &mut H) {
        for offset in (0..COUNTERS).step_by(4) {
            host.store(&self.counters, offset, 0);
        }
        let place = u32::try_from(self.counters.address().0).unwrap_or(u32::MAX);
        units::command(ports, CU_DUMP_ADDRESS, Some(place));
        units::command(ports, command, None);
        let counters = &self.counters;
        let memory = &*host;
        let offsets = || (0..COUNTERS).step_by(4);
        let find = || offsets().find(|offset| DUMPED.contains(&memory.load(counters, *offset)));
        let _was_dumped = units::wait(ports, |_| find().is_some());
        let Some(end) = find() else {
            self.incidents.add(Incident::DeviceError, 0, 0);
            return;
        };
        let place = u64::from(self.dump_address);
        for offset in offsets().take_while(|offset| *offset <= end) {
            let word = host.load(&self.counters, offset).to_le_bytes();
            if host.guest().write(place + offset as u64, &word).is_err() {
                self.incidents.add(Incident::UnreachableMemory, 0, place);
                return;
            }
        }
    }

    /// Lets a module give frames out, and says what it says.
    pub(super) fn with_ways<P: Ports, H: Host, T>(
        &mut self,
        ports: &mut P,
        host: &mut H,
        work: impl FnOnce(&mut Ways<'_, H>) -> T,
    ) -> T {
        let mut ways = Ways {
            nic: self,
            host,
            causes: 0,
        };
        let result = work(&mut ways);
        let causes = ways.causes;
        if self.usage != Use::Nobody {
            self.commands.begin(ports, host);
        }
        self.raise(causes, ports);
        result
    }
}

/// Where the module's own frames go.
pub(super) struct Ways<'a, H> {
    nic: &'a mut Nic,
    host: &'a mut H,
    causes: u8,
}

impl<H: Host> Outlets for Ways<'_, H> {
    fn to_wire(&mut self, frame: Frame<'_>) -> Result<(), Full> {
        let Nic {
            commands, incidents, ..
        } = &mut *self.nic;
        let host = &mut *self.host;
        let mut is_full = false;
        let mut scratch = [0; DATA_BYTES];
        let mut is_odd = false;
        let done = finish(frame, &mut scratch, |bytes| {
            if !(HEADER_LENGTH..=LONGEST).contains(&bytes.len()) {
                is_odd = true;
                return;
            }
            let Some(mut slot) = commands.take(host) else {
                is_full = true;
                return;
            };
            host.with(&mut slot.data, |place, _| {
                if let Some(place) = place.get_mut(..bytes.len()) {
                    place.copy_from_slice(bytes);
                }
            });
            order_frame(slot, bytes.len(), 0, commands);
        });
        if done.is_err() || is_odd {
            incidents.add(Incident::RefusedOffload, 0, 0);
        }
        if is_full { Err(Full) } else { Ok(()) }
    }

    /// Not every member says it but by its PHY, which is the guest's to ask: what is lost is sent again.
    fn wire(&self) -> WireLink {
        WireLink::Up
    }

    fn to_guest(&mut self, frame: Frame<'_>) -> Result<(), Full> {
        let Nic {
            receive_unit,
            settings,
            incidents,
            ..
        } = &mut *self.nic;
        let mut causes = 0;
        let mut is_full = false;
        let mut scratch = [0; DATA_BYTES];
        let guest = self.host.guest();
        let done = finish(frame, &mut scratch, |bytes| {
            if receive_unit.state != State::Ready {
                is_full = true;
                return;
            }
            let check = settings.has_check().then(|| check_sequence(bytes));
            let check = check.as_ref().map_or(&[][..], |check| check);
            match receive_unit.deliver([bytes, check], guest, incidents) {
                Ok(more) => causes |= CAUSE_RECEIVED | more,
                Err(NoBuffer) => {
                    causes |= CAUSE_NOT_READY;
                    is_full = true;
                }
            }
        });
        self.causes |= causes;
        if done.is_err() {
            self.nic.incidents.add(Incident::RefusedOffload, 0, 0);
        }
        if is_full && causes & CAUSE_RECEIVED == 0 {
            Err(Full)
        } else {
            Ok(())
        }
    }
}
