//! A look: frames of the real ring to the module and the guest, the guest's to the module and the real ring.

use super::control::Use;
use super::identity::Family;
use super::receive::{self, NoBuffers};
use super::receiver::{Arrival, Marks};
use super::sender::{LARGE_BYTES, NoRoom, Wish};
use super::spec::{CAUSE_ASSERTED, CAUSE_RXT0, STATUS};
use super::transmit::{self, Contexts, Tags, Way};
use super::{Backlog, Nic, link};
use crate::net::frame::{Frame, HEADER_LENGTH, Offload};
use crate::net::incident::Incident;
use crate::net::module::Module;
use crate::net::offload::{Malformed, check_sequence, finish, insert_tag};
use crate::net::port::Guest;
use crate::net::port::{Full, Outlets, Verdict, WireLink};
use crate::seam::{Host, Instant, Registers};

/// Frames taken out of the real ring in one look at most.
const FRAMES: usize = 256;
/// Bytes of a frame check sequence.
const CHECK_BYTES: usize = 4;

/// What became of a received frame.
enum Done {
    /// It is out of the real ring: with the guest, the module, or dropped.
    Taken(Taken),
    /// The guest has no buffer for it yet.
    Kept,
}

#[derive(PartialEq, Eq)]
enum Taken {
    ByGuest,
    ByOthers,
    /// It is the guest's, which has no room for it.
    NoRoom,
}

impl Nic {
    /// Moves what can be moved. The causes that the device will not raise.
    pub(super) fn look<R: Registers, H: Host>(
        &mut self,
        module: &mut Module,
        registers: &mut R,
        host: &mut H,
        now: Instant,
    ) -> u32 {
        let received = self.take_frames(module, host, now);
        self.receiver.tell(registers);
        received | self.send_frames(module, registers, host, now)
    }

    fn send_frames<R: Registers, H: Host>(
        &mut self,
        module: &mut Module,
        registers: &mut R,
        host: &mut H,
        now: Instant,
    ) -> u32 {
        if !self.control.transmits() || !self.transmit.waits() {
            return 0;
        }
        let mut way = Way {
            module,
            sender: &mut self.sender,
            incidents: &mut self.incidents,
            host,
            now,
            tags: self.control.tags(),
            contexts: match self.family {
                Family::Pci => Contexts::Two,
                Family::Express | Family::Chipset => Contexts::One,
            },
        };
        let causes = self.transmit.look(&mut way);
        self.sender.tell(registers);
        causes
    }

    fn take_frames<H: Host>(&mut self, module: &mut Module, host: &mut H, now: Instant) -> u32 {
        let mut causes = 0;
        self.shown = 0;
        for _ in 0..FRAMES {
            let Some(arrival) = self.receiver.peek(host) else {
                self.receive.backlog = Backlog::None;
                return causes;
            };
            let done = match arrival {
                Arrival::Frame(length, marks) => self.take_frame(length, marks, module, host, now),
                Arrival::Damaged => Done::Taken(Taken::ByOthers),
            };
            match done {
                Done::Taken(taken) => {
                    if taken == Taken::ByGuest && self.receive.backlog == Backlog::Late {
                        causes |= CAUSE_RXT0;
                    }
                    self.receiver.finish(host);
                }
                Done::Kept => break,
            }
        }
        if self.receive.backlog == Backlog::None {
            self.receive.backlog = Backlog::Told;
        }
        causes
    }

    fn take_frame<H: Host>(
        &mut self,
        length: usize,
        marks: Marks,
        module: &mut Module,
        host: &mut H,
        now: Instant,
    ) -> Done {
        let layout = self.control.layout();
        let guest_receives = self.guest == Guest::Present && self.control.receives();
        let has_room = !guest_receives || receive::has_room(&self.receive.ring, layout, length);
        if !has_room && (self.usage == Use::Guest || self.receiver.hold.goes_on(now)) {
            return Done::Kept;
        }
        let was_shown = self.receiver.hold.was_shown();
        self.shown += usize::from(!was_shown);
        let check = if self.control.has_check() { CHECK_BYTES } else { 0 };
        let Self {
            receiver,
            receive,
            filter,
            control,
            incidents,
            usage,
            ..
        } = self;
        let taken = receiver.read(length, host, |bytes, guest| {
            let frame = Frame {
                bytes: bytes.get(..bytes.len().saturating_sub(check)).unwrap_or_default(),
                offload: Offload {
                    tag: marks.is_tagged().then_some(marks.tag),
                    ..Offload::default()
                },
            };
            if !was_shown && module.incoming(frame, now) == Verdict::Stop || !guest_receives {
                return Taken::ByOthers;
            }
            let is_its = |frame: Frame<'_>| {
                frame
                    .destination()
                    .is_some_and(|destination| filter.accepts(destination, control.receive))
            };
            if *usage == Use::Module && !is_its(frame) {
                return Taken::ByOthers;
            }
            match receive::deliver(&mut receive.ring, layout, [bytes, &[]], marks, guest, incidents) {
                Ok(()) => Taken::ByGuest,
                Err(NoBuffers) => Taken::NoRoom,
            }
        });
        let taken = taken.unwrap_or(Taken::ByOthers);
        match taken {
            Taken::ByGuest => self.receiver.hold.taken(now),
            Taken::ByOthers => self.receiver.hold.gone(now),
            Taken::NoRoom if self.receiver.hold.waits(now) => return Done::Kept,
            Taken::NoRoom => {
                self.receiver.hold.gone(now);
                self.incidents.add(Incident::Dropped, 0, 0);
                self.missed = self.missed.saturating_add(1);
            }
        }
        Done::Taken(taken)
    }

    /// The guest has read the causes: frames that are still in the real ring have none left.
    pub(super) const fn note_causes_read(&mut self) {
        if !matches!(self.receive.backlog, Backlog::None) {
            self.receive.backlog = Backlog::Late;
        }
    }

    /// Tells the guest of causes.
    pub(super) fn raise<R: Registers>(&mut self, causes: u32, registers: &mut R) {
        if self.guest == Guest::Present {
            self.causes.raise(causes, registers);
        }
    }

    /// What the guest reads as causes, where the look that it led to found `more`.
    pub(super) fn answer<R: Registers>(&mut self, causes: u32, more: u32, registers: &mut R) -> u32 {
        let is_asked = match self.family {
            Family::Pci => causes != 0,
            // A driver takes causes without this bit for those of another device.
            Family::Express | Family::Chipset => causes & CAUSE_ASSERTED != 0,
        };
        if is_asked {
            return causes | more;
        }
        self.raise(more, registers);
        causes
    }

    /// Lets the module do what is due: when it is due again, and the causes to raise.
    pub(super) fn let_module_work<R: Registers, H: Host>(
        &mut self,
        module: &mut Module,
        registers: &mut R,
        host: &mut H,
        now: Instant,
    ) -> (Option<Instant>, u32) {
        self.with_ways(registers, host, |ways| module.poll(now, ways))
    }

    /// Lets a module give frames out, and says what it says, and the causes to raise.
    pub(super) fn with_ways<R: Registers, H: Host, T>(
        &mut self,
        registers: &mut R,
        host: &mut H,
        work: impl FnOnce(&mut Ways<'_, H>) -> T,
    ) -> (T, u32) {
        let mut ways = Ways {
            link: link::of_wire(registers.read(STATUS)),
            nic: self,
            host,
            causes: 0,
        };
        let result = work(&mut ways);
        let causes = ways.causes;
        self.sender.tell(registers);
        (result, causes)
    }
}

/// Where the module's own frames go.
pub(super) struct Ways<'a, H> {
    nic: &'a mut Nic,
    host: &'a mut H,
    link: WireLink,
    causes: u32,
}

impl<H: Host> Outlets for Ways<'_, H> {
    fn to_wire(&mut self, frame: Frame<'_>) -> Result<(), Full> {
        let Nic {
            sender,
            scratch,
            incidents,
            control,
            ..
        } = &mut *self.nic;
        // The NIC inserts tags only where the guest had it do so.
        let frame = match frame.offload.tag {
            Some(_) if control.tags() == Tags::Left => match insert_tag(frame, scratch) {
                Ok(frame) => frame,
                Err(Malformed) => {
                    incidents.add(Incident::RefusedOffload, 0, 0);
                    return Ok(());
                }
            },
            _ => frame,
        };
        let length = frame.bytes.len();
        if !transmit::is_inside(frame.offload, length) || !(HEADER_LENGTH..=LARGE_BYTES).contains(&length) {
            incidents.add(Incident::RefusedOffload, 0, 0);
            return Ok(());
        }
        let mut buffer = sender.take(length, self.host).map_err(|NoRoom| Full)?;
        self.host.with(&mut buffer, |bytes, _| {
            if let Some(place) = bytes.get_mut(..length) {
                place.copy_from_slice(frame.bytes);
            }
        });
        sender.send(buffer, length, frame.offload, Wish::QUIET, self.host);
        Ok(())
    }

    fn wire(&self) -> WireLink {
        self.link
    }

    fn to_guest(&mut self, frame: Frame<'_>) -> Result<(), Full> {
        let Nic {
            guest,
            control,
            receive,
            scratch,
            incidents,
            ..
        } = &mut *self.nic;
        if *guest == Guest::Absent || !control.receives() {
            return Err(Full);
        }
        let mut frame = frame;
        let mut marks = Marks::MADE_HERE;
        if let (Some(tag), Tags::Inserted) = (frame.offload.tag, control.tags()) {
            marks = marks.with_tag(tag);
            frame.offload.tag = None;
        }
        let layout = control.layout();
        let memory = self.host.guest();
        let mut delivered = 0;
        let mut is_full = false;
        let done = finish(frame, scratch, |bytes| {
            let check = control.has_check().then(|| check_sequence(bytes));
            let check = check.as_ref().map_or(&[][..], |check| check);
            let parts = [bytes, check];
            match receive::deliver(&mut receive.ring, layout, parts, marks, memory, incidents) {
                Ok(()) => delivered += 1,
                Err(NoBuffers) => is_full = true,
            }
        });
        if delivered > 0 {
            self.causes |= CAUSE_RXT0;
        } else if is_full {
            return Err(Full);
        }
        if is_full {
            // Of a frame in pieces, some were there.
            self.nic.incidents.add(Incident::Dropped, 0, 0);
        }
        if done.is_err() {
            self.nic.incidents.add(Incident::RefusedOffload, 0, 0);
        }
        Ok(())
    }
}
