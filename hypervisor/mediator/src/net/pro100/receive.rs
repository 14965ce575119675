//! The guest's receive unit: frames are copied behind its descriptors, in the simplified mode.

use super::command::words;
use super::spec::{CAUSE_NOT_READY, COUNT, DONE, FLEXIBLE, GOOD, HEADER, LAST, RECEIVED, SUSPEND};
use crate::cpu::walk::GuestMemory;
use crate::net::incident::{Incident, Incidents};

/// A frame did not fit into its buffer (6.4.3.1).
const TRUNCATED: u32 = 1 << 9;
/// Descriptors without room that are passed over for one frame at most.
const PASSED_OVER: usize = 16;

/// The guest's receive unit.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct ReceiveUnit {
    pub(super) base: u32,
    /// From the base to the next descriptor.
    next: u32,
    pub(super) state: State,
}

/// What it does (6.3.1).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum State {
    #[default]
    Idle,
    Suspended,
    NoResources,
    Ready,
}

impl State {
    /// As the status register has it.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Idle => 0,
            Self::Suspended => 1,
            Self::NoResources => 2,
            Self::Ready => 4,
        }
    }
}

impl ReceiveUnit {
    /// The guest starts it at a descriptor.
    pub(super) const fn start(&mut self, pointer: u32) {
        self.next = pointer;
        self.state = State::Ready;
    }

    /// The guest lets it go on.
    pub(super) fn resume(&mut self) {
        if self.state == State::Suspended {
            self.state = State::Ready;
        }
    }

    /// Copies a frame, in two parts, behind the next descriptor of a unit that is ready. The causes that the device will
    /// not raise.
    ///
    /// # Errors
    /// [`NoBuffer`]: the unit is not ready any more, and the frame went nowhere.
    pub(super) fn deliver<G: GuestMemory>(
        &mut self,
        parts: [&[u8]; 2],
        guest: &G,
        incidents: &mut Incidents,
    ) -> Result<u8, NoBuffer> {
        let Some(descriptor) = self.next_with_room(guest, incidents) else {
            self.state = State::NoResources;
            return Err(NoBuffer);
        };
        let Descriptor {
            place,
            control,
            link,
            size,
        } = descriptor;
        if fill(place, parts, size, guest).is_err() {
            incidents.add(Incident::UnreachableMemory, 0, place);
        }
        self.next = link;
        if control & LAST != 0 {
            self.state = State::NoResources;
        } else if control & SUSPEND != 0 {
            self.state = State::Suspended;
        }
        Ok(if self.state == State::Ready {
            0
        } else {
            CAUSE_NOT_READY
        })
    }

    /// The next descriptor with room for data. The device passes over one without, which a driver keeps before the end of
    /// its ring while it moves that.
    fn next_with_room<G: GuestMemory>(&mut self, guest: &G, incidents: &mut Incidents) -> Option<Descriptor> {
        for _ in 0..PASSED_OVER {
            let place = u64::from(self.base.wrapping_add(self.next));
            let mut header = [0; HEADER];
            if guest.read(place, &mut header).is_err() {
                incidents.add(Incident::UnreachableMemory, 0, place);
                return None;
            }
            let [control, link, _, sizes] = words(header);
            if control & FLEXIBLE != 0 {
                // Buffers of their own are not done here: as if there were none.
                incidents.add(Incident::RefusedOffload, 0, 0);
                return None;
            }
            let size = usize::try_from(sizes >> 16 & COUNT).unwrap_or(0);
            if size > 0 {
                return Some(Descriptor {
                    place,
                    control,
                    link,
                    size,
                });
            }
            if control & (LAST | SUSPEND) != 0 {
                return None;
            }
            self.next = link;
        }
        None
    }
}

/// The guest has no descriptor with room for a frame, which is told by [`CAUSE_NOT_READY`].
pub(super) struct NoBuffer;

/// A receive descriptor, read once.
struct Descriptor {
    place: u64,
    control: u32,
    link: u32,
    size: usize,
}

/// Data, then the count, then the status: the guest may be waiting for that.
fn fill<G: GuestMemory>(place: u64, parts: [&[u8]; 2], size: usize, guest: &G) -> Result<(), ()> {
    let write = |address: u64, bytes: &[u8]| guest.write(address, bytes).map_err(|_| ());
    let mut at = 0;
    for part in parts {
        let part = part.get(..part.len().min(size - at)).unwrap_or_default();
        if !part.is_empty() {
            write(place + HEADER as u64 + at as u64, part)?;
        }
        at += part.len();
    }
    let is_whole = at == parts.iter().map(|part| part.len()).sum::<usize>();
    let count = u16::try_from(at).unwrap_or(0) | RECEIVED;
    write(place + HEADER as u64 - 4, &count.to_le_bytes())?;
    let status = if is_whole { DONE | GOOD } else { DONE | TRUNCATED };
    let [low, high, ..] = status.to_le_bytes();
    write(place, &[low, high])
}
