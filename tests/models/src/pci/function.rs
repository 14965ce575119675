//! One function's 4 KiB of registers: which bits can be written, and what base addresses do with a write.

use sekisho_mediator::pci::{MemoryRange, Width, spec};

/// Header type of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Header {
    /// Type 0.
    Endpoint,
    /// Type 1.
    Bridge,
}

/// What one base address register decodes, and how many bytes of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BarModel {
    /// 32-bit memory.
    Memory32(u32),
    /// 64-bit memory; takes the next register too.
    Memory64(u64),
    /// I/O ports.
    Io(u32),
}

/// One function as it comes out of reset, or later.
#[derive(Clone, Debug)]
pub struct Function {
    header: Header,
    registers: Vec<u32>,
    writable: Vec<u32>,
    /// Register offset, whole mask of settable address bits, whether the pair is 64 bits wide.
    memory: Vec<(u16, u64)>,
    rom: Option<(u16, u32)>,
    after_reset: Vec<u32>,
}

const DWORDS: usize = spec::SPACE_SIZE as usize / 4;
/// Command bits that these functions have: decoding, bus mastering, parity, SERR#, interrupt disable.
const COMMAND_WRITABLE: u32 = 0x0547;
/// Bridge control, in the upper half of the dword at 0x3c, and the interrupt line below it.
const BRIDGE_CONTROL_WRITABLE: u32 = 0x0fff_00ff;
/// Bridge control's secondary bus reset, in the same dword.
const SECONDARY_BUS_RESET: u32 = 1 << 22;
const BRIDGE_CONTROL: u16 = 0x3c;

impl Function {
    /// A type 0 function without base addresses.
    #[must_use]
    pub fn endpoint(vendor: u16, device: u16, class_code: u32) -> Self {
        let mut function = Self::blank(Header::Endpoint, vendor, device, class_code);
        function.define(0x3c, 0x0000_0100, 0xff);
        function.define(0x2c, 0x1100_1af4, 0);
        function
    }

    /// A PCI-to-PCI bridge without bus numbers.
    #[must_use]
    pub fn bridge(vendor: u16, device: u16) -> Self {
        let mut function = Self::blank(Header::Bridge, vendor, device, 0x06_0400);
        function.define(0x0c, 1 << 16, 0x0000_ffff);
        function.define(spec::BUS_NUMBERS, 0, 0x00ff_ffff);
        function.define(0x1c, 0x0101, 0xf0f0);
        function.define(spec::MEMORY_WINDOW, 0x0000_fff0, 0xfff0_fff0);
        function.define(spec::PREFETCHABLE_WINDOW, 0x0001_fff1, 0xfff0_fff0);
        function.define(spec::PREFETCHABLE_BASE_UPPER, 0, u32::MAX);
        function.define(spec::PREFETCHABLE_LIMIT_UPPER, 0, u32::MAX);
        function.define(BRIDGE_CONTROL, 0, BRIDGE_CONTROL_WRITABLE);
        function
    }

    fn blank(header: Header, vendor: u16, device: u16, class_code: u32) -> Self {
        let mut function = Self {
            header,
            registers: vec![0; DWORDS],
            writable: vec![0; DWORDS],
            memory: Vec::new(),
            rom: None,
            after_reset: Vec::new(),
        };
        function.define(spec::VENDOR, u32::from(device) << 16 | u32::from(vendor), 0);
        function.define(spec::COMMAND, 0, COMMAND_WRITABLE);
        function.define(spec::REVISION, class_code << 8 | 0x02, 0);
        function.define(0x0c, 0, 0x0000_ffff);
        // A vendor's registers behind the header, and an extended capability.
        function.define(0x60, 0, u32::MAX);
        function.define(0x64, 0, u32::MAX);
        function.define(0x100, 0x0001_0001, 0);
        function.define(0x104, 0, u32::MAX);
        function.after_reset.clone_from(&function.registers);
        function
    }

    /// With a base address register, its size a power of two.
    #[must_use]
    pub fn with_bar(mut self, number: u16, bar: BarModel) -> Self {
        let offset = spec::BAR_0 + number * 4;
        match bar {
            BarModel::Io(size) => self.define(offset, spec::BAR_IO, !(size - 1) & !3),
            BarModel::Memory32(size) => {
                let settable = !(size - 1);
                self.define(offset, 0, settable);
                self.memory.push((offset, u64::from(settable)));
            }
            BarModel::Memory64(size) => {
                let settable = !(size - 1);
                self.define(offset, spec::BAR_TYPE_64, low(settable));
                self.define(offset + 4, 0, high(settable));
                self.memory.push((offset, settable));
            }
        }
        self
    }

    /// With an expansion ROM of `size` bytes.
    #[must_use]
    pub fn with_rom(mut self, size: u32) -> Self {
        let offset = match self.header {
            Header::Endpoint => spec::ROM,
            Header::Bridge => spec::BRIDGE_ROM,
        };
        let settable = !(size - 1);
        self.define(offset, 0, settable | spec::ROM_ENABLE);
        self.rom = Some((offset, settable));
        self
    }

    /// With every register from 0x40 to 0xff writable: a chipset's, which may mean anything.
    #[must_use]
    pub fn with_vendor_registers(mut self) -> Self {
        for offset in (spec::HEADER_END..0x100).step_by(4) {
            self.define(offset, 0, u32::MAX);
        }
        self
    }

    /// With a list of capabilities that starts at `first`; their registers are [`Self::with_vendor_registers`].
    #[must_use]
    pub fn with_capabilities(mut self, first: u8) -> Self {
        let status = self.dword(spec::COMMAND) | spec::capability::LISTED << 16;
        self.define(spec::COMMAND, status, COMMAND_WRITABLE);
        self.define(spec::capability::FIRST, u32::from(first), 0);
        self
    }

    /// With the multi-function bit.
    #[must_use]
    pub fn multi_function(mut self) -> Self {
        let header = self.dword(0x0c) | u32::from(spec::MULTI_FUNCTION) << 16;
        self.define(0x0c, header, 0x0000_ffff);
        self
    }

    /// As firmware left it: `value` in the register at `offset`.
    #[must_use]
    pub fn set_up(mut self, offset: u16, value: u32) -> Self {
        self.write(offset, Width::Dword, value);
        self
    }

    /// The double word that holds `offset`.
    #[must_use]
    pub fn dword(&self, offset: u16) -> u32 {
        self.registers.get(index(offset)).copied().unwrap_or(u32::MAX)
    }

    /// The command register.
    #[must_use]
    pub fn command(&self) -> u32 {
        self.dword(spec::COMMAND) & 0xffff
    }

    /// Which memory it answers now.
    pub fn decoded(&self) -> impl Iterator<Item = MemoryRange> + '_ {
        let on = self.command() & spec::command::MEMORY != 0;
        let rom = self.rom.and_then(|(offset, settable)| {
            let register = self.dword(offset);
            let size = u64::from(!settable) + 1;
            (register & spec::ROM_ENABLE != 0).then(|| MemoryRange::new(u64::from(register & settable), size))
        });
        let bars = self.memory.iter().map(|(offset, settable)| {
            let (mut base, mut size) = (u64::from(self.dword(*offset)), u64::from(!low(*settable)) + 1);
            if high(*settable) != 0 {
                base |= u64::from(self.dword(offset + 4)) << 32;
                size = !settable + 1;
            }
            MemoryRange::new(base & settable, size)
        });
        bars.chain(rom).flatten().filter(move |_| on)
    }

    /// Which memory its windows lead to now.
    pub fn windows(&self) -> impl Iterator<Item = MemoryRange> + '_ {
        let on = self.header == Header::Bridge && self.command() & spec::command::MEMORY != 0;
        let window = |register: u32, base_upper: u32, limit_upper: u32| {
            let base = u64::from(base_upper) << 32 | u64::from(register & 0xfff0) << 16;
            let limit = u64::from(limit_upper) << 32 | u64::from(register & 0xfff0_0000) | 0xf_ffff;
            MemoryRange::inclusive(base, limit)
        };
        let prefetchable = window(
            self.dword(spec::PREFETCHABLE_WINDOW),
            self.dword(spec::PREFETCHABLE_BASE_UPPER),
            self.dword(spec::PREFETCHABLE_LIMIT_UPPER),
        );
        [window(self.dword(spec::MEMORY_WINDOW), 0, 0), prefetchable]
            .into_iter()
            .flatten()
            .filter(move |_| on)
    }

    /// Header type.
    #[must_use]
    pub const fn header(&self) -> Header {
        self.header
    }

    /// The bus right behind a bridge, and the last one.
    pub(super) fn buses(&self) -> Option<(u8, u8)> {
        let [_, secondary, subordinate, _] = self.dword(spec::BUS_NUMBERS).to_le_bytes();
        (self.header == Header::Bridge && secondary != 0).then_some((secondary, subordinate))
    }

    /// Whether a bridge holds the bus behind it in reset.
    pub(super) fn resets(&self) -> bool {
        self.header == Header::Bridge && self.dword(BRIDGE_CONTROL) & SECONDARY_BUS_RESET != 0
    }

    /// Whether writing `value` here would make a base address all ones while it is decoded.
    pub(super) fn is_sized_while_decoding(&self, offset: u16, value: u32) -> bool {
        let registers = match self.header {
            Header::Endpoint => spec::BAR_0..spec::BAR_0 + 24,
            Header::Bridge => spec::BAR_0..spec::BAR_0 + 8,
        };
        let settable = self.writable.get(index(offset)).copied().unwrap_or(0);
        let decode = if self.dword(offset) & spec::BAR_IO != 0 {
            spec::command::IO
        } else {
            spec::command::MEMORY
        };
        registers.contains(&offset)
            && settable != 0
            && value & settable == settable
            && self.command() & decode != 0
    }

    pub(super) fn read(&self, offset: u16, width: Width) -> u32 {
        self.dword(offset) >> shift(offset) & width.ones()
    }

    pub(super) fn write(&mut self, offset: u16, width: Width, value: u32) {
        let lanes = width.ones() << shift(offset);
        let place = index(offset);
        let settable = self.writable.get(place).copied().unwrap_or(0) & lanes;
        if let Some(register) = self.registers.get_mut(place) {
            *register = *register & !settable | value << shift(offset) & settable;
        }
    }

    /// Back to how it comes out of reset.
    pub(super) fn reset(&mut self) {
        self.registers.clone_from(&self.after_reset);
    }

    fn define(&mut self, offset: u16, value: u32, writable: u32) {
        let place = index(offset);
        for (list, content) in [(&mut self.registers, value), (&mut self.writable, writable)] {
            if let Some(register) = list.get_mut(place) {
                *register = content;
            }
        }
        if let Some(register) = self.after_reset.get_mut(place) {
            *register = value;
        }
    }
}

fn index(offset: u16) -> usize {
    usize::from(offset / 4)
}

const fn shift(offset: u16) -> u32 {
    (offset & 3) as u32 * 8
}

const fn low(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

const fn high(value: u64) -> u32 {
    low(value >> 32)
}
