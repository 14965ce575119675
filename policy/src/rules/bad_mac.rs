//! E0113: not the hardware address of one NIC.

use crate::findings::Rule;
use crate::read::Malformed;

/// The bit of the first byte that makes an address a group's (IEEE 802, section 8.2).
const GROUP: u8 = 0x01;
const HELP: &str = "write six bytes in hexadecimal, for example `52:54:00:12:34:56`";

pub(crate) static RULE: Rule = Rule {
    code: "E0113",
    title: "not the hardware address of one NIC",
    text: "A hardware (MAC) address is six bytes in hexadecimal with colons or dashes. Addresses of groups, \
           broadcast among them, and the empty address do not belong to one NIC.",
    example: example!("bad-mac"),
    repair: &[("ff:ff:ff:ff:ff:ff", "52:54:00:12:34:56")],
    check: None,
};

pub(crate) fn parse(text: &str) -> Result<[u8; 6], Malformed> {
    let malformed = |remark: &str| Malformed::new(remark, HELP);
    let separator = if text.contains('-') { '-' } else { ':' };
    let bytes: Option<Vec<u8>> = text
        .split(separator)
        .map(|byte| {
            if byte.len() == 2 {
                u8::from_str_radix(byte, 16).ok()
            } else {
                None
            }
        })
        .collect();
    let bytes = bytes.ok_or_else(|| malformed("this is not a hardware address"))?;
    let bytes: [u8; 6] = bytes
        .try_into()
        .map_err(|_| malformed("a hardware address has six bytes"))?;
    match bytes {
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => Err(malformed("this is the broadcast address")),
        [first, ..] if first & GROUP != 0 => Err(malformed("this is the address of a group")),
        [0, 0, 0, 0, 0, 0] => Err(malformed("this is the empty address")),
        _ => Ok(bytes),
    }
}
