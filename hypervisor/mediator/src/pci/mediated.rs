//! Configuration space of a function whose registers a mediator of ours has: an allow-list of what the guest may write.
//!
//! The function keeps the addresses it had at takeover, where the machine traps them: the guest sizes and writes base
//! address registers that only look like the real ones. Decoding stays on in hardware, and a NIC's bus mastering,
//! whatever the guest's command register says. Message interrupts go to interrupt addresses and carry interrupts; a
//! function in a low power state would forget what the mediator told it, so it stays in D0.

use super::access::{ConfigSpace, Width, dword_of};
use super::bar::{Bar, BarKind, Bars};
use super::spec::{self, capability, command};
use sekisho_abi::pci::{Address, Identity};
use sekisho_abi::selection::Driver;

/// Bits 31 to 20 of a message address: interrupts are writes to FEEx_xxxxh (APM volume 2, 16.11).
const MESSAGE_ADDRESS: u32 = 0xfee0_0000;
const MESSAGE_ADDRESS_MASK: u32 = 0xfff0_0000;
/// Delivery modes of message data: fixed and lowest priority. INIT, NMI and SMI are not a device's to send.
const DELIVERY_MODE: u32 = 7 << 8;
const LOWEST_PRIORITY: u32 = 1 << 8;
/// A list of capabilities is at most this long: 48 of them fill the space.
const MOST_CAPABILITIES: usize = 48;
/// Vendor of the controllers whose timing registers are known.
const INTEL: u16 = 0x8086;

/// What the guest sees and may change of one mediated function.
#[derive(Clone, Debug)]
pub(super) struct Mediated {
    /// The bits of the command register that stay on in hardware: decoding, and for a NIC bus mastering too, since it
    /// transfers for us whatever the guest does with it.
    held: u32,
    /// Those bits as the guest wrote them.
    wanted: u32,
    /// Base address registers as the guest sees them, from [`spec::BAR_0`].
    bases: [VirtualBase; 6],
    message_interrupts: Option<Messages>,
    /// Offset of the power management capability.
    power: Option<u16>,
    /// Offset of the MSI-X capability, which looks like a vendor's: its table is outside of what is mediated.
    hidden: Option<u16>,
    /// Where an AHCI controller's index and data ports are.
    index_data: Option<IndexData>,
    /// The vendor's timing registers may be written: they say how fast, not where.
    timing: bool,
}

/// A pair of registers through which all others of an AHCI controller are reached (Serial ATA AHCI 1.3.1, 2.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IndexData {
    /// Offset of the base address register that the pair lies behind.
    pub base: u16,
    /// Bytes from that base to the index; the data is four behind it.
    pub offset: u32,
}

/// A write that the guest may not do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Refused;

/// One half of a base address register that is not the hardware's.
#[derive(Clone, Copy, Default, Debug)]
struct VirtualBase {
    value: u32,
    /// Bits that can be set.
    settable: u32,
}

/// The MSI capability (PCI Local Bus Specification 3.0, 6.8.1).
#[derive(Clone, Copy, Debug)]
struct Messages {
    offset: u16,
    /// Whether the address has an upper half, which moves what follows.
    wide: bool,
    /// Whether there are mask bits behind the data; else other registers of the function may lie there.
    masking: bool,
}

impl Mediated {
    /// What the function at `identity.address` shows at takeover.
    pub(super) fn examine<C: ConfigSpace>(
        hardware: &mut C,
        identity: &Identity,
        bars: &Bars,
        driver: Driver,
    ) -> Self {
        let address = identity.address;
        let held = match driver {
            Driver::Pro1000 | Driver::Pro100 => command::ACTIVE,
            _ => command::DECODE,
        };
        let mut mediated = Self {
            held,
            wanted: hardware.read(address, spec::COMMAND, Width::Word) & held,
            bases: [VirtualBase::default(); 6],
            message_interrupts: None,
            power: None,
            hidden: None,
            index_data: None,
            timing: driver == Driver::Ata && identity.vendor == INTEL,
        };
        for bar in bars.iter().filter(|bar| bar.kind() != BarKind::Rom) {
            mediated.imitate(bar, bar.raw(hardware, address));
        }
        let mut serial_ata = None;
        for (offset, header) in capabilities(hardware, address) {
            let [id, ..] = header.to_le_bytes();
            match id {
                capability::MESSAGE_INTERRUPTS => {
                    let has = |bit| header >> 16 & bit != 0;
                    mediated.message_interrupts = Some(Messages {
                        offset,
                        wide: has(capability::MESSAGE_ADDRESS_64),
                        masking: has(capability::MESSAGE_MASKING),
                    });
                }
                capability::POWER => mediated.power = Some(offset),
                capability::SERIAL_ATA => serial_ata = Some(offset),
                capability::MESSAGE_INTERRUPTS_X => mediated.hidden = Some(offset),
                _ => {}
            }
        }
        mediated.index_data =
            serial_ata.and_then(|offset| IndexData::new(hardware.read(address, offset + 4, Width::Dword)));
        mediated
    }

    /// Where its index and data ports are, if it has them.
    pub(super) const fn index_data(&self) -> Option<IndexData> {
        self.index_data
    }

    /// Makes the function answer and transfer, for its mediator.
    pub(super) fn enable<C: ConfigSpace>(&self, hardware: &mut C, address: Address) {
        let before = hardware.read(address, spec::COMMAND, Width::Word);
        let active = before | command::ACTIVE;
        if active != before {
            hardware.write(address, spec::COMMAND, Width::Word, active);
        }
    }

    /// What the guest reads.
    pub(super) fn read<C: ConfigSpace>(
        &self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
    ) -> u32 {
        let dword = dword_of(offset);
        if let Some(base) = self.base(dword) {
            return width.extract(base.value, offset);
        }
        match dword {
            spec::ROM => 0,
            spec::COMMAND => {
                let real = hardware.read(address, spec::COMMAND, Width::Dword);
                width.extract(real & !self.held | self.wanted, offset)
            }
            dword if self.hidden == Some(dword) => {
                let real = hardware.read(address, dword, Width::Dword);
                width.extract(real & !0xff | u32::from(capability::VENDOR), offset)
            }
            _ => hardware.read(address, offset, width),
        }
    }

    /// The guest writes; what the allow-list has reaches the hardware.
    pub(super) fn write<C: ConfigSpace>(
        &mut self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
        value: u32,
    ) -> Result<(), Refused> {
        let dword = dword_of(offset);
        if let Some(base) = self.base_mut(dword) {
            let written = width.merge(base.value, offset, value);
            base.value = written & base.settable | base.value & !base.settable;
            return Ok(());
        }
        match dword {
            // There is no ROM for the guest: sizing it finds nothing.
            spec::ROM => Ok(()),
            spec::COMMAND => {
                self.write_command(hardware, address, offset, width, value);
                Ok(())
            }
            // Cache line size and latency timer; the self-test shares their double word.
            spec::CACHE_LINE if offset & 3 < 2 => {
                hardware.write(address, offset, narrow(width), value & narrow(width).ones());
                Ok(())
            }
            // The interrupt line is the system's to use; what follows it is read-only.
            spec::INTERRUPT_LINE if offset == spec::INTERRUPT_LINE => {
                hardware.write(address, offset, Width::Byte, value & 0xff);
                Ok(())
            }
            _ if self.timing && (spec::IDE_TIMING..spec::IDE_TIMING_END).contains(&dword) => {
                // Bit 15 of each channel's register turns its decoding off; it stays on.
                let keep = if dword == spec::IDE_TIMING { 0x8000_8000 } else { 0 };
                let whole = width.merge(hardware.read(address, dword, Width::Dword), offset, value);
                hardware.write(address, dword, Width::Dword, whole | keep);
                Ok(())
            }
            _ => self.write_capability(hardware, address, offset, width, value),
        }
    }

    /// The command register keeps decoding; the status register beside it is cleared by ones.
    fn write_command<C: ConfigSpace>(
        &mut self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
        value: u32,
    ) {
        let lanes = width.lanes(offset);
        let written = width.merge(0, offset, value);
        if lanes & 0xffff != 0 {
            let real = hardware.read(address, spec::COMMAND, Width::Word);
            let wanted = real & !self.held | self.wanted;
            let merged = wanted & !lanes | written & lanes & 0xffff;
            self.wanted = merged & self.held;
            let held = real & self.held;
            hardware.write(address, spec::COMMAND, Width::Word, merged | held);
        }
        if lanes >> 16 != 0 {
            hardware.write(address, spec::STATUS, Width::Word, written >> 16);
        }
    }

    fn write_capability<C: ConfigSpace>(
        &self,
        hardware: &mut C,
        address: Address,
        offset: u16,
        width: Width,
        value: u32,
    ) -> Result<(), Refused> {
        let dword = dword_of(offset);
        let whole = width.merge(hardware.read(address, dword, Width::Dword), offset, value);
        if self.power.is_some_and(|power| dword == power + 4) {
            hardware.write(address, dword, Width::Dword, whole & !capability::POWER_STATE);
            return Ok(());
        }
        let messages = self.message_interrupts.ok_or(Refused)?;
        if !messages.allows(dword, whole) {
            return Err(Refused);
        }
        if dword == messages.data() {
            // What shares its double word is not the capability's.
            hardware.write(address, dword, Width::Word, whole & 0xffff);
        } else {
            hardware.write(address, offset, width, value);
        }
        Ok(())
    }

    fn imitate(&mut self, bar: &Bar, raw: u64) {
        let address_bits = match bar.kind() {
            BarKind::Io => 0xffff_fffc,
            BarKind::Memory32 | BarKind::Memory64 => !0xf,
            BarKind::Unsized | BarKind::Rom => 0,
        };
        let settable = address_bits & !bar.size().wrapping_sub(1);
        let halves = |value: u64| [value & 0xffff_ffff, value >> 32].map(low_dword);
        let parts = halves(raw).into_iter().zip(halves(settable));
        let count = if bar.kind() == BarKind::Memory64 { 2 } else { 1 };
        let first = usize::from((bar.offset() - spec::BAR_0) / 4);
        for (base, (value, settable)) in self.bases.iter_mut().skip(first).take(count).zip(parts) {
            *base = VirtualBase { value, settable };
        }
    }

    fn base(&self, dword: u16) -> Option<&VirtualBase> {
        self.bases.get(usize::from(dword.checked_sub(spec::BAR_0)? / 4))
    }

    fn base_mut(&mut self, dword: u16) -> Option<&mut VirtualBase> {
        self.bases
            .get_mut(usize::from(dword.checked_sub(spec::BAR_0)? / 4))
    }
}

impl IndexData {
    /// From the second double word of the Serial ATA capability: the base address register in bits 3 to 0, in double
    /// words of configuration space, and the offset in bits 23 to 4. A pair in configuration space itself stays out
    /// of reach: what the guest writes there is refused.
    fn new(place: u32) -> Option<Self> {
        let base = u16::try_from((place & 0xf) * 4).ok()?;
        let within = (spec::BAR_0..=spec::BAR_0 + 20).contains(&base);
        within.then_some(Self {
            base,
            offset: (place >> 4 & 0xf_ffff) * 4,
        })
    }
}

impl Messages {
    /// Offset of the data, a word.
    const fn data(self) -> u16 {
        self.offset + if self.wide { 12 } else { 8 }
    }

    /// Whether the double word at `dword` may hold `value`. The mask bits may be anything.
    fn allows(self, dword: u16, value: u32) -> bool {
        let data = self.data() - self.offset;
        match dword.checked_sub(self.offset) {
            Some(0) => true,
            Some(4) => value & MESSAGE_ADDRESS_MASK == MESSAGE_ADDRESS || value == 0,
            Some(8) if self.wide => value == 0,
            Some(place) if place == data => value & DELIVERY_MODE <= LOWEST_PRIORITY,
            Some(place) => self.masking && place == data + 4,
            None => false,
        }
    }
}

/// Offset and first double word (id, next, control) of each capability; a list that runs in circles ends.
fn capabilities<C: ConfigSpace>(hardware: &mut C, address: Address) -> impl Iterator<Item = (u16, u32)> {
    let listed = hardware.read(address, spec::STATUS, Width::Word) & capability::LISTED != 0;
    let mut next = if listed {
        hardware.read(address, capability::FIRST, Width::Byte) & 0xfc
    } else {
        0
    };
    core::iter::from_fn(move || {
        let offset = u16::try_from(next)
            .ok()
            .filter(|offset| *offset >= spec::HEADER_END)?;
        let header = hardware.read(address, offset, Width::Dword);
        next = header >> 8 & 0xfc;
        Some((offset, header))
    })
    .take(MOST_CAPABILITIES)
}

/// At most a word: the half of the double word that the guest may write.
const fn narrow(width: Width) -> Width {
    match width {
        Width::Byte => Width::Byte,
        Width::Word | Width::Dword => Width::Word,
    }
}

const fn low_dword(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
