//! A machine's functions, and the routing of configuration cycles to them through bridges.

use super::function::Function;
use sekisho_abi::pci::Address;
use sekisho_mediator::pci::{ConfigSpace, MemoryRange, Width, spec};

/// A function plugged into the machine: stays the same whatever bus number it answers at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(usize);

/// Where a function is plugged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// On the root bus with this number.
    Root(u8),
    /// Behind a bridge.
    Behind(Slot),
}

/// Something a careful user of configuration space does not do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breach {
    /// An access that is not aligned to its width, or leaves the space.
    Malformed(Address, u16),
    /// Bits beyond the access's width.
    WideValue(Address, u16),
    /// All ones in a base address that is decoded meanwhile.
    SizedWhileDecoding(Address, u16),
}

/// Functions, plugged somewhere.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    plugged: Vec<Plugged>,
    breaches: Vec<Breach>,
    accesses: u64,
}

#[derive(Clone, Debug)]
struct Plugged {
    place: Place,
    devfn: u8,
    /// `None` while the slot is empty.
    function: Option<Function>,
    /// An old device that answers at every function number.
    numbers: FunctionNumbers,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FunctionNumbers {
    Decoded,
    Ignored,
}

impl Machine {
    /// A machine without functions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Plugs a function in at device and function number `devfn` (device in bits 7..3).
    pub fn plug(&mut self, place: Place, devfn: u8, function: Function) -> Slot {
        self.plugged.push(Plugged {
            place,
            devfn,
            function: Some(function),
            numbers: FunctionNumbers::Decoded,
        });
        Slot(self.plugged.len() - 1)
    }

    /// Plugs a device in that does not look at the function number, so answers at all eight.
    pub fn plug_careless(&mut self, place: Place, device: u8, function: Function) -> Slot {
        let slot = self.plug(place, device << 3, function);
        if let Some(plugged) = self.plugged.get_mut(slot.0) {
            plugged.numbers = FunctionNumbers::Ignored;
        }
        slot
    }

    /// Takes the function out and puts `function`, if any, in its place.
    pub fn swap(&mut self, slot: Slot, function: Option<Function>) {
        if let Some(plugged) = self.plugged.get_mut(slot.0) {
            plugged.function = function;
        }
    }

    /// The function in a slot; `None` if it is empty.
    #[must_use]
    pub fn function(&self, slot: Slot) -> Option<&Function> {
        self.plugged.get(slot.0)?.function.as_ref()
    }

    /// The double word at `offset` of the function in a slot; all ones if it is empty.
    #[must_use]
    pub fn dword(&self, slot: Slot, offset: u16) -> u32 {
        self.function(slot)
            .map_or(u32::MAX, |function| function.dword(offset))
    }

    /// The command register of the function in a slot.
    #[must_use]
    pub fn command(&self, slot: Slot) -> u32 {
        self.dword(slot, spec::COMMAND) & 0xffff
    }

    /// Which memory functions answer now.
    pub fn decoded(&self) -> impl Iterator<Item = MemoryRange> + '_ {
        self.functions().flat_map(Function::decoded)
    }

    /// Which memory bridges lead to now.
    pub fn windows(&self) -> impl Iterator<Item = MemoryRange> + '_ {
        self.functions().flat_map(Function::windows)
    }

    /// What was done that should not be.
    #[must_use]
    pub fn breaches(&self) -> &[Breach] {
        &self.breaches
    }

    /// How many accesses reached this machine.
    #[must_use]
    pub const fn accesses(&self) -> u64 {
        self.accesses
    }

    fn functions(&self) -> impl Iterator<Item = &Function> {
        self.plugged
            .iter()
            .filter_map(|plugged| plugged.function.as_ref())
    }

    /// The slot that answers at `address`, by the bus numbers that bridges have now.
    fn route(&self, address: Address) -> Option<usize> {
        let on_root = Place::Root(address.bus());
        if self.plugged.iter().any(|plugged| plugged.place == on_root) {
            return self.answering(on_root, address);
        }
        let mut place = on_root;
        // Bridges nest at most as deep as there are functions.
        for _ in 0..self.plugged.len() {
            let bridge = self.bridge_towards(place, address.bus())?;
            place = Place::Behind(Slot(bridge));
            if self.leads_right_to(bridge, address.bus()) {
                return self.answering(place, address);
            }
        }
        None
    }

    fn answering(&self, place: Place, address: Address) -> Option<usize> {
        self.plugged
            .iter()
            .position(|plugged| plugged.answers(place, address))
    }

    /// The bridge that takes a cycle for `bus` further. A bus that is no root bus is asked of the bridges on all of
    /// them.
    fn bridge_towards(&self, place: Place, bus: u8) -> Option<usize> {
        self.plugged.iter().position(|plugged| {
            let beside = match place {
                Place::Root(_) => matches!(plugged.place, Place::Root(_)),
                Place::Behind(_) => plugged.place == place,
            };
            beside && plugged.leads_to(bus)
        })
    }

    fn leads_right_to(&self, bridge: usize, bus: u8) -> bool {
        self.function(Slot(bridge))
            .and_then(Function::buses)
            .is_some_and(|(secondary, _)| secondary == bus)
    }

    /// Resets everything behind a bridge.
    fn reset_behind(&mut self, bridge: usize) {
        let mut behind = vec![bridge];
        // Each function is behind one bridge, so this ends.
        while let Some(bridge) = behind.pop() {
            for (index, plugged) in self.plugged.iter_mut().enumerate() {
                if plugged.place == Place::Behind(Slot(bridge)) {
                    plugged.function.iter_mut().for_each(Function::reset);
                    behind.push(index);
                }
            }
        }
    }

    fn is_well_formed(&mut self, address: Address, offset: u16, width: Width) -> bool {
        self.accesses += 1;
        let fits = offset < spec::SPACE_SIZE && offset.is_multiple_of(width.bytes());
        if !fits {
            self.breaches.push(Breach::Malformed(address, offset));
        }
        fits
    }
}

impl Plugged {
    fn answers(&self, place: Place, address: Address) -> bool {
        let number = match self.numbers {
            FunctionNumbers::Decoded => self.devfn == address.devfn(),
            FunctionNumbers::Ignored => self.devfn >> 3 == address.device(),
        };
        self.function.is_some() && self.place == place && number
    }

    fn leads_to(&self, bus: u8) -> bool {
        let buses = self.function.as_ref().and_then(Function::buses);
        buses.is_some_and(|(secondary, subordinate)| secondary <= bus && bus <= subordinate)
    }
}

impl ConfigSpace for Machine {
    fn read(&mut self, address: Address, offset: u16, width: Width) -> u32 {
        if !self.is_well_formed(address, offset, width) {
            return width.ones();
        }
        let slot = self.route(address);
        let function = slot
            .and_then(|slot| self.plugged.get(slot))
            .and_then(|plugged| plugged.function.as_ref());
        function.map_or(width.ones(), |function| function.read(offset, width))
    }

    fn write(&mut self, address: Address, offset: u16, width: Width, value: u32) {
        if !self.is_well_formed(address, offset, width) {
            return;
        }
        if value & !width.ones() != 0 {
            self.breaches.push(Breach::WideValue(address, offset));
        }
        let Some(slot) = self.route(address) else {
            return;
        };
        let Some(function) = self
            .plugged
            .get_mut(slot)
            .and_then(|plugged| plugged.function.as_mut())
        else {
            return;
        };
        if width == Width::Dword && function.is_sized_while_decoding(offset, value) {
            self.breaches.push(Breach::SizedWhileDecoding(address, offset));
        }
        function.write(offset, width, value);
        if function.resets() {
            self.reset_behind(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::function::BarModel;
    use super::*;

    const NIC: u32 = 0x02_0000;

    fn bridged() -> (Machine, Slot, Slot) {
        let mut machine = Machine::new();
        let bridge = machine.plug(Place::Root(0), 0x1c << 3, Function::bridge(0x8086, 0x2940));
        let nic = Function::endpoint(0x8086, 0x10d3, NIC).with_bar(0, BarModel::Memory32(0x2_0000));
        let nic = machine.plug(Place::Behind(bridge), 0, nic);
        (machine, bridge, nic)
    }

    #[test]
    fn a_function_behind_a_bridge_answers_only_at_the_number_the_bridge_has() {
        let (mut machine, _, _) = bridged();
        let [at_two, at_five] = [2, 5].map(|bus| Address::from_devfn(bus, 0));
        assert_eq!(machine.read(at_two, 0, Width::Word), 0xffff);
        machine.write(Address::from_devfn(0, 0x1c << 3), 0x18, Width::Dword, 0x02_0200);
        assert_eq!(machine.read(at_two, 0, Width::Word), 0x8086);
        machine.write(Address::from_devfn(0, 0x1c << 3), 0x18, Width::Dword, 0x05_0500);
        assert_eq!(machine.read(at_two, 0, Width::Word), 0xffff);
        assert_eq!(machine.read(at_five, 0, Width::Word), 0x8086);
    }

    #[test]
    fn a_secondary_bus_reset_clears_what_is_behind() {
        let (mut machine, _, nic) = bridged();
        let bridge = Address::from_devfn(0, 0x1c << 3);
        machine.write(bridge, 0x18, Width::Dword, 0x02_0200);
        machine.write(Address::from_devfn(2, 0), 0x10, Width::Dword, 0xfebc_0000);
        machine.write(Address::from_devfn(2, 0), 0x04, Width::Word, 6);
        assert_eq!(machine.decoded().count(), 1);
        machine.write(bridge, 0x3e, Width::Word, 0x40);
        assert_eq!((machine.command(nic), machine.dword(nic, 0x10)), (0, 0));
        assert_eq!(machine.dword(nic, 0), 0x10d3_8086);
    }

    #[test]
    fn sizing_with_decoding_on_is_a_breach() {
        let (mut machine, _, nic) = bridged();
        machine.write(Address::from_devfn(0, 0x1c << 3), 0x18, Width::Dword, 0x02_0200);
        let address = Address::from_devfn(2, 0);
        machine.write(address, 0x10, Width::Dword, u32::MAX);
        assert_eq!(machine.dword(nic, 0x10), 0xfffe_0000);
        assert_eq!(machine.breaches(), []);
        machine.write(address, 0x04, Width::Word, 2);
        machine.write(address, 0x10, Width::Dword, u32::MAX);
        assert_eq!(machine.breaches(), [Breach::SizedWhileDecoding(address, 0x10)]);
    }

    #[test]
    fn a_64_bit_base_address_is_one_range() {
        let mut machine = Machine::new();
        let function = Function::endpoint(0x1b36, 0x10, 0x01_0802)
            .with_bar(0, BarModel::Memory64(0x4000))
            .set_up(0x10, 0xc000)
            .set_up(0x14, 8)
            .set_up(0x04, 2);
        machine.plug(Place::Root(0), 0x20, function);
        assert!(machine.decoded().eq(MemoryRange::new(0x8_0000_c000, 0x4000)));
    }
}
