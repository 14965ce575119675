//! What the guest asks in a command slot, as a private copy taken once, when it rings the doorbell.

use super::scatter::Scatter;
use super::slot::Way;
use super::spec::{
    CONTROL_SRST, HEADER_B, HEADER_BYTES, HEADER_C, HEADER_CFL, HEADER_CFL_REGISTER, HEADER_PMP, HEADER_R,
    HEADER_W, PACKET_BYTES, TABLE_ADDRESS, TABLE_PACKET, TABLE_REGIONS,
};
use crate::cpu::walk::{GuestMemory, Unreachable};
use crate::disk::command::{FIS_BYTES, TaskFile};

/// A command as the guest submitted it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    /// Where its header lies, for PRDBC.
    pub(super) header: u64,
    /// What it is.
    pub(super) kind: Kind,
    /// Which way the guest says its data moves; believed of packet commands only.
    pub(super) way: Way,
    /// The packet of a packet command.
    pub(super) packet: [u8; PACKET_BYTES],
    /// Where its data lies.
    pub(super) scatter: Scatter,
}

/// What a command FIS is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// A command.
    Command(TaskFile),
    /// An update of the device control register: software reset on or off.
    Control {
        /// Byte 15: SRST or nothing.
        control: u8,
    },
    /// Nothing that a controller without port multipliers takes.
    Malformed,
    /// It lies where the guest has no memory.
    Unreachable,
}

/// Port multiplier port, in byte 1 of a command FIS; and that it carries a command.
const FIS_PORT: u8 = 0x0f;
const FIS_COMMAND: u8 = 0x80;
const FIS_TYPE: u8 = 0x27;

impl Request {
    /// Copies what is submitted in `slot` of the command list at `list`.
    pub(super) fn copy<G: GuestMemory>(list: u64, slot: usize, guest: &G) -> Self {
        let header = list.saturating_add((slot * HEADER_BYTES) as u64);
        Self::try_copy(header, guest).unwrap_or(Self {
            header,
            kind: Kind::Unreachable,
            way: Way::In,
            packet: [0; PACKET_BYTES],
            scatter: Scatter::new(0, 0),
        })
    }

    fn try_copy<G: GuestMemory>(address: u64, guest: &G) -> Result<Self, Unreachable> {
        let mut header = [0; HEADER_BYTES / 2];
        guest.read(address, &mut header)?;
        let [w0, w1, w2, w3, _, _, _, _, t0, t1, t2, t3, t4, t5, t6, t7] = header;
        let flags = u32::from_le_bytes([w0, w1, w2, w3]);
        let table = u64::from_le_bytes([t0, t1, t2, t3, t4, t5, t6, t7]) & TABLE_ADDRESS;
        let mut start = [0; TABLE_PACKET + PACKET_BYTES];
        guest.read(table, &mut start)?;
        let fis = start.first_chunk().copied().unwrap_or([0; FIS_BYTES]);
        let packet = start.last_chunk().copied().unwrap_or([0; PACKET_BYTES]);
        let regions = table.saturating_add(TABLE_REGIONS as u64);
        Ok(Self {
            header: address,
            kind: kind(flags, &fis),
            way: if flags & HEADER_W == 0 { Way::In } else { Way::Out },
            packet,
            scatter: Scatter::new(regions, u16::from_le_bytes([w2, w3])),
        })
    }
}

fn kind(header: u32, fis: &[u8; FIS_BYTES]) -> Kind {
    let [fis_type, about, rest @ ..] = *fis;
    let [.., control, _, _, _, _] = rest;
    if header & (HEADER_B | HEADER_PMP) != 0
        || header & HEADER_CFL < HEADER_CFL_REGISTER
        || about & FIS_PORT != 0
    {
        return Kind::Malformed;
    }
    match TaskFile::from_fis(fis) {
        Some(task) => Kind::Command(task),
        None if fis_type == FIS_TYPE && about & FIS_COMMAND == 0 => Kind::Control {
            control: control & CONTROL_SRST,
        },
        None => Kind::Malformed,
    }
}

/// The flags of the header of a FIS that updates the device control register to `control`: R and C with SRST, neither
/// without it (10.4.1), whatever the guest's header had.
pub(super) const fn control_flags(control: u8) -> u32 {
    if control & CONTROL_SRST == 0 {
        0
    } else {
        HEADER_R | HEADER_C
    }
}

/// The FIS that updates the device control register to `control`.
pub(super) const fn control_fis(control: u8) -> [u8; FIS_BYTES] {
    let mut fis = [0; FIS_BYTES];
    fis[0] = FIS_TYPE;
    fis[15] = control;
    fis
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_has_the_flags_that_go_with_it_whatever_the_guest_set() {
        for (control, header, expected) in [
            (CONTROL_SRST, 0, HEADER_R | HEADER_C),
            (0, HEADER_R | HEADER_C, 0),
            (0xff, HEADER_C, HEADER_R | HEADER_C),
        ] {
            let kind = kind(header | HEADER_CFL_REGISTER, &control_fis(control));
            let Kind::Control { control } = kind else {
                panic!("{kind:?} is no control");
            };
            assert_eq!(control_flags(control), expected);
        }
    }
}
