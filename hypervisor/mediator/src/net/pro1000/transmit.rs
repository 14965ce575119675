//! The guest's transmit ring: its descriptors are read once, each frame is copied into a buffer of ours, and the module
//! decides on that copy.

use super::descriptor::{
    BYTES, COMMAND_CHECK, COMMAND_END, COMMAND_EXTENDED, COMMAND_IPV4, COMMAND_REPORT, COMMAND_SEGMENT,
    COMMAND_SUM, COMMAND_TAG, COMMAND_TCP, LEGACY_LENGTH, LENGTH, OPTION_NETWORK, OPTION_TRANSPORT,
    TRANSMIT_DONE, TRANSMIT_STATUS, TYPE_CONTEXT, TYPE_DATA, TYPE_SHIFT, Words, address, high, words,
};
use super::ring::Ring;
use super::sender::{LARGE_BYTES, NoRoom, Sender, Wish};
use super::spec::{CAUSE_TXDW, CAUSE_TXQE};
use crate::cpu::walk::GuestMemory;
use crate::net::frame::{Checksum, Frame, HEADER_LENGTH, Network, Offload, Segmentation};
use crate::net::incident::{Incident, Incidents};
use crate::net::module::Module;
use crate::net::port::Verdict;
use crate::seam::{Buffer, Host, Instant};
use alloc::vec::Vec;

/// Pieces of a frame at most; a frame of more is none.
const PIECES: usize = 128;
/// Descriptors read at once.
const BATCH: usize = 16;
/// Descriptors carried out in one look at most.
const LOOK: usize = 1024;
/// A frame check sequence.
const CHECK_BYTES: usize = 4;

/// The guest's ring and what is known of the frame under way.
pub(super) struct Transmit {
    pub(super) ring: Ring,
    pieces: Vec<Piece>,
    /// Descriptors with RS whose frame is not sent yet.
    reports: Vec<u64>,
    form: Form,
    stage: Stage,
    /// The contexts for checksums and for segmentation; newer members have one for both, and then both are the same.
    sums: Context,
    segments: Context,
}

/// Bytes of a frame in guest memory.
#[derive(Clone, Copy)]
struct Piece {
    address: u64,
    length: usize,
}

/// What the first and last descriptor of a frame say of all of it.
#[derive(Clone, Copy, Default)]
struct Form {
    command: u8,
    options: u8,
    /// Legacy: the offsets of a checksum.
    legacy_sum: Option<Checksum>,
    tag: Option<u16>,
}

/// How far the frame under way is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// More descriptors follow.
    Gathering,
    /// Too many have.
    Overlong,
    /// Whole, and waits for room.
    Whole,
}

/// A context descriptor (SDM 3.3.6).
#[derive(Clone, Copy, Default)]
struct Context {
    network: Sum,
    transport: Sum,
    command: u8,
    headers: u16,
    payload: u16,
}

#[derive(Clone, Copy, Default)]
struct Sum {
    start: u16,
    place: u16,
    last: u16,
}

/// What a look needs besides the ring.
pub(super) struct Way<'a, H> {
    pub(super) module: &'a mut Module,
    pub(super) sender: &'a mut Sender,
    pub(super) incidents: &'a mut Incidents,
    pub(super) host: &'a mut H,
    pub(super) now: Instant,
    /// CTRL.VME: tags are inserted.
    pub(super) tags: Tags,
    pub(super) contexts: Contexts,
}

/// Whether the NIC inserts tags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tags {
    Inserted,
    Left,
}

/// How many contexts the NIC keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Contexts {
    One,
    Two,
}

/// Whether a frame could be handled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    ByDevice,
    /// The device does not know of it: no cause will come from there.
    Stopped,
}

impl Transmit {
    pub(super) fn new() -> Self {
        Self {
            ring: Ring::default(),
            pieces: Vec::with_capacity(PIECES),
            reports: Vec::with_capacity(PIECES),
            form: Form::default(),
            stage: Stage::Gathering,
            sums: Context::default(),
            segments: Context::default(),
        }
    }

    /// As after a reset.
    pub(super) fn reset(&mut self) {
        self.ring = Ring::default();
        (self.sums, self.segments) = (Context::default(), Context::default());
        self.forget();
    }

    /// Whether the guest has given descriptors that are not carried out yet.
    pub(super) fn waits(&self) -> bool {
        self.stage == Stage::Whole || self.ring.waiting() != 0
    }

    /// Carries out what the guest has given, as far as there is room; the causes that the device will not raise.
    pub(super) fn look<H: Host>(&mut self, way: &mut Way<'_, H>) -> u32 {
        let mut causes = 0;
        let mut left = LOOK;
        if self.stage == Stage::Whole && self.send(way, &mut causes).is_err() {
            return causes;
        }
        while left > 0 {
            let mut batch = [0; BATCH * BYTES];
            let units = usize::try_from(self.ring.contiguous())
                .unwrap_or(0)
                .min(BATCH)
                .min(left);
            let Some(bytes) = batch.get_mut(..units * BYTES).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            let place = self.ring.place();
            if place.is_none_or(|place| way.host.guest().read(place, bytes).is_err()) {
                way.incidents
                    .add(Incident::UnreachableMemory, 0, place.unwrap_or(u64::MAX));
                break;
            }
            let (descriptors, _) = bytes.as_chunks::<BYTES>();
            for descriptor in descriptors {
                let place = self.ring.place().unwrap_or(0);
                self.ring.advance(1);
                left -= 1;
                self.accept(words(*descriptor), place, way);
                if self.stage == Stage::Whole && self.send(way, &mut causes).is_err() {
                    return causes;
                }
            }
        }
        causes
    }

    /// One descriptor.
    fn accept<H: Host>(&mut self, words: Words, place: u64, way: &mut Way<'_, H>) {
        let [_, _, control, upper] = words;
        let [_, _, _, command] = control.to_le_bytes();
        if command & COMMAND_REPORT != 0 && self.reports.len() < PIECES {
            self.reports.push(place);
        }
        let kind = control >> TYPE_SHIFT & 15;
        let length = if command & COMMAND_EXTENDED == 0 {
            self.form.legacy(control, upper, way.tags);
            control & LEGACY_LENGTH
        } else if kind == TYPE_CONTEXT {
            self.set_context(words, way.contexts);
            self.report_done(way.host.guest(), way.incidents);
            return;
        } else if kind == TYPE_DATA {
            self.form.data(command, upper, self.pieces.is_empty(), way.tags);
            control & LENGTH
        } else {
            way.incidents.add(Incident::MalformedDescriptor, 0, 0);
            return;
        };
        let length = usize::try_from(length).unwrap_or(0);
        if self.pieces.len() >= PIECES {
            self.stage = Stage::Overlong;
        } else if length > 0 {
            let address = address(words);
            self.pieces.push(Piece { address, length });
        }
        if command & COMMAND_END != 0 {
            if self.stage == Stage::Overlong {
                self.pieces.clear();
            }
            self.stage = Stage::Whole;
        }
    }

    fn set_context(&mut self, words: Words, contexts: Contexts) {
        let context = Context::of(words);
        if contexts == Contexts::One || context.command & COMMAND_SEGMENT != 0 {
            self.segments = context;
        }
        if contexts == Contexts::One || context.command & COMMAND_SEGMENT == 0 {
            self.sums = context;
        }
    }

    /// The whole frame: copied, decided, and given to the device. Where there is no room it stays.
    fn send<H: Host>(&mut self, way: &mut Way<'_, H>, causes: &mut u32) -> Result<(), NoRoom> {
        let length = self.pieces.iter().map(|piece| piece.length).sum::<usize>();
        let sent = match self.offload() {
            Some(offload) if (HEADER_LENGTH..=LARGE_BYTES).contains(&length) => {
                let buffer = way.sender.take(length, way.host)?;
                self.decide(buffer, length, offload, way)
            }
            Some(_) => {
                way.incidents.add(Incident::MalformedDescriptor, 0, 0);
                Sent::Stopped
            }
            None => {
                way.incidents.add(Incident::RefusedOffload, 0, 0);
                Sent::Stopped
            }
        };
        if sent == Sent::Stopped {
            *causes |= CAUSE_TXQE;
            if self.form.command & COMMAND_REPORT != 0 {
                *causes |= CAUSE_TXDW;
            }
        }
        self.report_done(way.host.guest(), way.incidents);
        self.forget();
        Ok(())
    }

    fn decide<H: Host>(
        &mut self,
        mut buffer: Buffer,
        length: usize,
        offload: Offload,
        way: &mut Way<'_, H>,
    ) -> Sent {
        // What the guest checks itself ends with its check sequence, which is the device's to write.
        let has_check = self.form.command & COMMAND_CHECK == 0;
        let kept = length - if has_check { CHECK_BYTES } else { 0 };
        let pieces = &self.pieces;
        let module = &mut *way.module;
        let verdict = way.host.with(&mut buffer, |bytes, guest| {
            gather(pieces, bytes, guest)?;
            let bytes = bytes.get(..kept).ok_or(0u64)?;
            if !is_inside(offload, kept) {
                return Ok(None);
            }
            Ok(Some(module.outgoing(Frame { bytes, offload }, way.now)))
        });
        match verdict {
            Ok(Some(Verdict::Forward)) => {
                let wish = Wish::of(self.form.command);
                way.sender.send(buffer, kept, offload, wish, way.host);
                return Sent::ByDevice;
            }
            Ok(Some(Verdict::Stop)) => {}
            Ok(None) => way.incidents.add(Incident::RefusedOffload, 0, 0),
            Err(address) => way.incidents.add(Incident::UnreachableMemory, 0, address),
        }
        way.sender.put(buffer);
        Sent::Stopped
    }

    /// What the frame's descriptors leave to the NIC. `None` where that is something not done here.
    fn offload(&self) -> Option<Offload> {
        let form = &self.form;
        let is_extended = form.command & COMMAND_EXTENDED != 0;
        let is_segmented = is_extended && form.command & COMMAND_SEGMENT != 0;
        let context = if is_segmented { &self.segments } else { &self.sums };
        let sum = |option: u8, sum: Sum| (form.options & option != 0).then(|| sum.checksum());
        let mut offload = Offload {
            network: sum(OPTION_NETWORK, context.network),
            transport: sum(OPTION_TRANSPORT, context.transport),
            segmentation: None,
            tag: form.tag,
        };
        if !is_extended {
            offload.transport = form.legacy_sum;
        }
        if is_segmented {
            // Only TCP is cut into pieces here, and its checksum is always made anew.
            let is_tcp = context.command & COMMAND_TCP != 0;
            let is_done = is_tcp && offload.transport.is_some() && context.payload > 0;
            offload.segmentation = is_done.then(|| context.segmentation());
            offload.segmentation?;
        }
        Some(offload)
    }

    /// Tells the guest that its descriptors are done with.
    fn report_done<G: GuestMemory>(&mut self, guest: &G, incidents: &mut Incidents) {
        if !self.pieces.is_empty() && self.stage != Stage::Whole {
            return;
        }
        for place in self.reports.drain(..) {
            let place = place.saturating_add(TRANSMIT_STATUS);
            if guest.write(place, &[TRANSMIT_DONE]).is_err() {
                incidents.add(Incident::UnreachableMemory, 0, place);
            }
        }
    }

    fn forget(&mut self) {
        self.pieces.clear();
        self.reports.clear();
        self.form = Form::default();
        self.stage = Stage::Gathering;
    }
}

impl Form {
    fn legacy(&mut self, control: u32, upper: u32, tags: Tags) {
        let [_, _, place, command] = control.to_le_bytes();
        let [_, start, ..] = upper.to_le_bytes();
        self.command = command;
        // IC counts in the last descriptor, and a place of zero cannot be meant.
        self.legacy_sum = (command & COMMAND_SUM != 0).then_some(Checksum {
            start: start.into(),
            place: place.into(),
            last: None,
        });
        self.set_tag(command, upper, tags);
    }

    fn data(&mut self, command: u8, upper: u32, is_first: bool, tags: Tags) {
        self.command = command;
        // Options count in the first descriptor of a frame (SDM 3.3.7.3).
        if is_first {
            let [_, options, ..] = upper.to_le_bytes();
            self.options = options;
        }
        self.set_tag(command, upper, tags);
    }

    fn set_tag(&mut self, command: u8, upper: u32, tags: Tags) {
        let is_tagged = command & COMMAND_TAG != 0 && tags == Tags::Inserted;
        self.tag = is_tagged.then(|| high(upper));
    }
}

impl Context {
    fn of(words: Words) -> Self {
        let [network, transport, control, sizes] = words;
        let [_, _, _, command] = control.to_le_bytes();
        let [_, headers, ..] = sizes.to_le_bytes();
        Self {
            network: Sum::of(network),
            transport: Sum::of(transport),
            command,
            headers: headers.into(),
            payload: high(sizes),
        }
    }

    fn segmentation(&self) -> Segmentation {
        Segmentation {
            headers: self.headers,
            payload: self.payload,
            start: self.network.start,
            network: if self.command & COMMAND_IPV4 == 0 {
                Network::Ipv6
            } else {
                Network::Ipv4
            },
        }
    }
}

impl Sum {
    fn of(word: u32) -> Self {
        let [start, place, ..] = word.to_le_bytes();
        Self {
            start: start.into(),
            place: place.into(),
            last: high(word),
        }
    }

    fn checksum(self) -> Checksum {
        Checksum {
            start: self.start,
            place: self.place,
            // Zero is the frame's end (SDM 3.3.6.1).
            last: (self.last != 0).then_some(self.last),
        }
    }
}

/// Copies the pieces, one behind the other; the address that is not the guest's where one is not.
fn gather<G: GuestMemory>(pieces: &[Piece], mut bytes: &mut [u8], guest: &G) -> Result<(), u64> {
    for piece in pieces {
        let (part, rest) = bytes.split_at_mut_checked(piece.length).ok_or(piece.address)?;
        guest.read(piece.address, part).map_err(|_| piece.address)?;
        bytes = rest;
    }
    Ok(())
}

/// Whether all that is asked for lies in the frame: the NIC is not trusted to look.
pub(super) fn is_inside(offload: Offload, length: usize) -> bool {
    let most = offload.segmentation.map_or(length, |it| usize::from(it.headers));
    let fits = |sum: Option<Checksum>| {
        sum.is_none_or(|sum| {
            let ends = sum
                .last
                .is_none_or(|last| usize::from(last) < length && last >= sum.start);
            usize::from(sum.place) + 2 <= most && usize::from(sum.start) < most && ends
        })
    };
    let has_payload = offload
        .segmentation
        .is_none_or(|it| usize::from(it.start) < most && (HEADER_LENGTH..length).contains(&most));
    fits(offload.network) && fits(offload.transport) && has_payload
}
