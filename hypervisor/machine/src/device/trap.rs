//! Where the guest's accesses to a mediated function are trapped: all that its base addresses answer.

use crate::address::PhysRange;
use alloc::vec::Vec;
use sekisho_abi::selection::Driver;
use sekisho_mediator::disk::ata::{Block, Channel};
use sekisho_mediator::pci::{BarKind, Fate, Function, Taken, Width};

/// AHCI's registers are behind the sixth base address (Serial ATA AHCI 1.3.1, 2.1.11).
const AHCI_BASE: u16 = 0x24;
/// A NIC's registers are behind the first (PCI/PCI-X Family of Gigabit Ethernet Controllers SDM, 4.2.1; 8255x Open Source
/// Software Developer Manual 1.3, 4.1).
pub(super) const NIC_BASE: u16 = 0x10;
/// Bytes in the page that a trap in memory takes at least.
const PAGE: u64 = 4096;

/// A trapped range and what answers there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Trap {
    pub(crate) place: Place,
    pub(crate) leads_to: LeadsTo,
    /// Number of the device.
    pub(crate) device: usize,
    /// What drives it.
    pub(crate) driver: Driver,
}

/// Where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// These physical addresses.
    Memory(PhysRange),
    /// These ports, both included.
    Ports(u16, u16),
}

/// What answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LeadsTo {
    /// The device's registers, by their offset from the start.
    Registers,
    /// The index register of an AHCI controller at this port, its data register four behind.
    IndexData(u16),
    /// A block of ports of an IDE controller, of which the trap's first port has this offset.
    Ide(Block, u16),
    /// The ports of a NIC, of which this is the first: its registers, or a window to them.
    Ports(u16),
    /// Nothing: loads give ones, stores vanish.
    Nothing,
}

impl Trap {
    /// The offset of `address` from the start, if it lies in this trap.
    #[inline]
    pub(crate) fn memory_offset(&self, address: u64) -> Option<u64> {
        match self.place {
            Place::Memory(range) if range.contains(address) => Some(address - range.start),
            _ => None,
        }
    }

    /// The offset of `port` in the block of an IDE controller that the trap leads to.
    pub(super) fn port_offset(&self, port: u16) -> u16 {
        let LeadsTo::Ide(_, offset) = self.leads_to else {
            return 0;
        };
        let first = self.ports().map_or(port, |(first, _)| first);
        port.wrapping_sub(first).wrapping_add(offset)
    }

    /// The channel whose data an access of this width at `port` moves.
    pub(super) fn data_port(&self, port: u16, width: Width) -> Option<Channel> {
        match self.leads_to {
            LeadsTo::Ide(Block::Command(channel), _)
                if width != Width::Byte && self.port_offset(port) == 0 =>
            {
                Some(channel)
            }
            _ => None,
        }
    }

    /// Whether `port` lies in it.
    #[inline]
    pub(crate) fn has_port(&self, port: u16) -> bool {
        matches!(self.place, Place::Ports(first, last) if (first..=last).contains(&port))
    }

    /// Whether an access of `width` bytes at `port`, which may begin before it, touches one of its ports.
    pub(crate) fn is_touched(&self, port: u16, width: u8) -> bool {
        let last = u32::from(port) + u32::from(width.saturating_sub(1));
        matches!(self.place, Place::Ports(first, end) if port <= end && u32::from(first) <= last)
    }

    /// Its physical addresses.
    pub(crate) fn memory(&self) -> Option<PhysRange> {
        match self.place {
            Place::Memory(range) => Some(range),
            Place::Ports(..) => None,
        }
    }

    /// Its ports, first and last.
    pub(crate) fn ports(&self) -> Option<(u16, u16)> {
        match self.place {
            Place::Memory(_) => None,
            Place::Ports(first, last) => Some((first, last)),
        }
    }

    /// The pages that are absent from the guest's map for it.
    pub(crate) fn pages(&self) -> Option<PhysRange> {
        let range = self.memory()?;
        Some(PhysRange {
            start: range.start & !(PAGE - 1),
            end: range.end.next_multiple_of(PAGE),
        })
    }
}

/// The traps of device number `device`, which is `function`.
pub(crate) fn traps(function: &Function, taken: Taken, device: usize) -> Vec<Trap> {
    let mut traps = Vec::new();
    // Programming interface, bits 0 and 2: the channel is in native mode.
    let interface = function.identity().class_code;
    let native = |channel| match channel {
        Channel::Primary => interface & 1 != 0,
        Channel::Secondary => interface & 4 != 0,
    };
    for bar in function.bars().iter() {
        let place = match bar.kind() {
            BarKind::Memory32 | BarKind::Memory64 => match PhysRange::new(bar.address(), bar.size()) {
                Some(range) if range.start != 0 => Place::Memory(range),
                _ => continue,
            },
            BarKind::Io => {
                let last = bar.address().saturating_add(bar.size().saturating_sub(1));
                match (u16::try_from(bar.address()), u16::try_from(last)) {
                    (Ok(first), Ok(last)) if first != 0 => Place::Ports(first, last),
                    _ => continue,
                }
            }
            BarKind::Rom | BarKind::Unsized => continue,
        };
        let leads_to = match (taken.driver, place) {
            (Driver::Ahci, Place::Memory(_)) if bar.offset() == AHCI_BASE => LeadsTo::Registers,
            (Driver::Ahci, Place::Ports(first, _)) => function
                .index_data()
                .filter(|pair| pair.base == bar.offset())
                .and_then(|pair| u16::try_from(pair.offset).ok()?.checked_add(first))
                .map_or(LeadsTo::Nothing, LeadsTo::IndexData),
            (Driver::Ata, Place::Ports(..)) => {
                ide_block(bar.offset(), native).map_or(LeadsTo::Nothing, |block| LeadsTo::Ide(block, 0))
            }
            _ if function.fate() == Fate::Own => LeadsTo::Nothing,
            (Driver::Pro1000 | Driver::Pro100, Place::Memory(_)) if bar.offset() == NIC_BASE => {
                LeadsTo::Registers
            }
            (Driver::Pro1000 | Driver::Pro100, Place::Ports(first, _)) => LeadsTo::Ports(first),
            _ => LeadsTo::Nothing,
        };
        traps.push(Trap {
            place,
            leads_to,
            device,
            driver: taken.driver,
        });
    }
    if taken.driver == Driver::Ata {
        let fixed = COMPATIBLE.iter().filter(|(channel, ..)| !native(*channel));
        traps.extend(fixed.map(|(_, first, last, block, offset)| Trap {
            place: Place::Ports(*first, *last),
            leads_to: LeadsTo::Ide(*block, *offset),
            device,
            driver: taken.driver,
        }));
    }
    traps
}

/// The ports of a channel in compatibility mode (PCI IDE Controller Specification 1.0, 2.1), with the offset that the
/// first has in its block.
const COMPATIBLE: [(Channel, u16, u16, Block, u16); 4] = [
    (
        Channel::Primary,
        0x1f0,
        0x1f7,
        Block::Command(Channel::Primary),
        0,
    ),
    (
        Channel::Primary,
        0x3f6,
        0x3f6,
        Block::Control(Channel::Primary),
        2,
    ),
    (
        Channel::Secondary,
        0x170,
        0x177,
        Block::Command(Channel::Secondary),
        0,
    ),
    (
        Channel::Secondary,
        0x376,
        0x376,
        Block::Control(Channel::Secondary),
        2,
    ),
];

/// What lies behind the base address at `offset`; those of a channel in compatibility mode mean nothing.
fn ide_block(offset: u16, native: impl Fn(Channel) -> bool) -> Option<Block> {
    let block = match offset {
        0x10 => Block::Command(Channel::Primary),
        0x14 => Block::Control(Channel::Primary),
        0x18 => Block::Command(Channel::Secondary),
        0x1c => Block::Control(Channel::Secondary),
        0x20 => return Some(Block::BusMaster),
        _ => return None,
    };
    match block {
        Block::Command(channel) | Block::Control(channel) if native(channel) => Some(block),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The command block of a primary channel.
    fn channel() -> Trap {
        Trap {
            place: Place::Ports(0x1f0, 0x1f7),
            leads_to: LeadsTo::Ide(Block::Command(Channel::Primary), 0),
            device: 0,
            driver: Driver::Ata,
        }
    }

    #[test]
    fn an_access_that_begins_before_a_trap_and_ends_in_it_touches_it() {
        for (port, width) in [
            (0x1ef, 2),
            (0x1ed, 4),
            (0x1ee, 4),
            (0x1ef, 4),
            (0x1f0, 1),
            (0x1f7, 4),
        ] {
            assert!(channel().is_touched(port, width), "{port:#x}, {width}");
        }
    }

    #[test]
    fn an_access_beside_a_trap_does_not_touch_it() {
        for (port, width) in [
            (0x1ef, 1),
            (0x1ee, 2),
            (0x1ec, 4),
            (0x1f8, 4),
            (u16::MAX, 4),
            (0, 1),
        ] {
            assert!(!channel().is_touched(port, width), "{port:#x}, {width}");
        }
    }
}
