//! The short texts that patterns are compared with, kept in place: a decision takes no memory.
//!
//! Devices that arrive are decided in the hypervisor while the guest waits; what it could make grow there would be
//! a way to stop it.

use core::fmt;
use core::ops::Deref;
use core::str;

/// Bytes of the longest: a counter's ten digits (IDs are `ffff:ffff`).
const LONGEST: usize = 10;

/// One device's text for one item.
#[derive(Default)]
pub(super) struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Text {
    /// `arguments`, which are no longer than [`LONGEST`]; of longer ones only the parts that fit.
    pub(super) fn of(arguments: fmt::Arguments<'_>) -> Self {
        let mut text = Self::default();
        // What did not fit is left out; the tests have each kind at its longest.
        let _ = fmt::write(&mut text, arguments);
        text
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = self.length.saturating_add(part.len());
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(part.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        let written = self.bytes.get(..self.length).unwrap_or_default();
        // Only whole parts are written, so it is UTF-8.
        str::from_utf8(written).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pci::{Address, Identity};
    use crate::selection::Property;

    #[test]
    fn each_text_is_whole_at_its_longest() {
        let device = Identity {
            address: Address::from_devfn(0xff, 0xff),
            vendor: 0xffff,
            device: 0xffff,
            revision: 0xff,
            class_code: u32::MAX,
            header_type: 0xff,
            subsystem_vendor: 0xffff,
            subsystem: 0xffff,
        };
        for (property, expected) in [
            (Property::Slot, "ff:1f.7"),
            (Property::Class, "ffff"),
            (Property::Id, "ffff:ffff"),
            (Property::Subsystem, "ffff:ffff"),
            (Property::Revision, "ff"),
            (Property::ProgrammingInterface, "ff"),
            (Property::ClassCode, "ffffff"),
            (Property::HeaderType, "ff"),
        ] {
            assert_eq!(&*property.text(&device), expected);
        }
        assert_eq!(&*Text::of(format_args!("{}", u32::MAX)), "4294967295");
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let [first, second] = ["0123456", "789ab"];
        assert_eq!(&*Text::of(format_args!("{first}{second}")), first);
    }
}
