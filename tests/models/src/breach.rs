//! What a careful driver of a disk controller, or of a NIC, does not do.

/// One such thing, with the values that show it. Offsets are into the controller's registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breach {
    /// A device was sent to memory that it was not lent: address and bytes.
    DmaOutside(u64, usize),
    /// Bytes were touched while a device was transferring them: address.
    TouchedUnderTransfer(u64),
    /// A command header or table was changed while its command was outstanding: address.
    ChangedUnderCommand(u64),
    /// A word of shared memory that is not aligned, or not there: address.
    BadWord(u64),
    /// An access to a register that does not exist or is not 32 bits wide there.
    NoRegister(u32),
    /// Reserved or read-only bits written with other than their own value: offset, and those bits.
    ReservedBits(u32, u32),
    /// A register changed while an engine was using it.
    ChangedInUse(u32),
    /// A value that this register may not be given now: offset, value.
    Untimely(u32, u32),
    /// A command issued in a slot that has one: port, slot.
    SlotInUse(u8, u8),
    /// Queued and other commands outstanding together on this port.
    MixedQueue(u8),
    /// PxSACT does not say the same as the command in the slot: port, slot.
    WrongActive(u8, u8),
    /// A command header with reserved bits, a bad length or a misaligned table: port, slot.
    BadHeader(u8, u8),
    /// A command FIS that is none, or whose tag is not its slot: port, slot.
    BadFis(u8, u8),
    /// A region descriptor with an odd address or count, or reserved bits: port, slot.
    BadRegion(u8, u8),
    /// The regions hold fewer bytes than the command transfers: port, slot.
    ShortRegions(u8, u8),
    /// The header's write bit is not the command's direction: port, slot.
    WrongDirection(u8, u8),
    /// A task file register written, or data moved, when the device did not expect it: port address.
    NotExpected(u16),
    /// The bus master engine was started, stopped or pointed elsewhere at a wrong moment: port address.
    WrongBusMaster(u16),
    /// A transmit descriptor with undefined bits, or one that asks for what is outside of its frame: its index.
    BadDescriptor(u32),
}
