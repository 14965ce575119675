//! The registers of a real IDE controller, and the names by which the guest's accesses arrive.
//!
//! Sources: ATA/ATAPI-7 volume 2 (T13/1532D), section 6 (registers); PCI IDE Controller Specification 1.0, section 2
//! (where they lie); Programming Interface for Bus Master IDE Controller 1.0, section 2.

use super::registers::Position;

/// One of the two channels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Channel {
    /// Ports 1F0h to 1F7h and 3F6h, or the first two base addresses.
    Primary,
    /// Ports 170h to 177h and 376h, or the third and fourth base address.
    Secondary,
}

/// One of the controller's ranges of ports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Block {
    /// Eight ports: data, error and features, count, three of the address, device, status and command.
    Command(Channel),
    /// Four ports as a base address has them, of which the third is alternate status and device control. In
    /// compatibility mode this third one, 3F6h or 376h, is the only port of the controller's.
    Control(Channel),
    /// Sixteen ports, the fifth base address: eight of the primary channel, eight of the secondary.
    BusMaster,
}

/// The real controller. Offsets are within the block.
pub trait Ports {
    /// Reads one byte; never the data port.
    fn read(&mut self, block: Block, offset: u16) -> u8;

    /// Writes one byte; never the data port.
    fn write(&mut self, block: Block, offset: u16, value: u8);

    /// Writes the bus master's pointer to the descriptor table of `channel`, in one access.
    fn write_table(&mut self, channel: Channel, address: u32);

    /// Fills `bytes`, an even number of them, from the data port, sixteen bits an access or wider.
    fn read_data(&mut self, channel: Channel, bytes: &mut [u8]);

    /// Gives `bytes`, an even number of them, to the data port, sixteen bits an access or wider.
    fn write_data(&mut self, channel: Channel, bytes: &[u8]);
}

impl Channel {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Primary, Self::Secondary];

    /// The drives of a controller, counted through: what a policy calls a port.
    pub(super) const fn port(self, position: Position) -> u8 {
        match (self, position) {
            (Self::Primary, Position::First) => 0,
            (Self::Primary, Position::Second) => 1,
            (Self::Secondary, Position::First) => 2,
            (Self::Secondary, Position::Second) => 3,
        }
    }
}
