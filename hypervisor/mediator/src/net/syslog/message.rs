//! One message: the header that collectors parse, and the line.

use crate::clock::TimeOfDay;
use crate::log::{Event, Level};
use crate::net::frame::MacAddress;
use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};
use sekisho_abi::network::SyslogFormat;

/// What every collector has to take over IPv4 (RFC 5426, 3.2); no message is longer.
const LONGEST: usize = 480;
/// The facility `local0` (RFC 5424, 6.2.1).
const FACILITY: u8 = 16;
/// Who defines our structured data: there is no number of ours, so the one that RFC 5612 keeps for examples.
const ENTERPRISE: u32 = 32473;

/// Who speaks: the same in each message of one boot.
#[derive(Clone, Debug)]
pub struct Identity {
    host: String,
    boot: u128,
    policy: [u8; 32],
}

impl Identity {
    /// The machine with this policy and NIC: its host name is the policy's name and the NIC's hardware address, so that
    /// machines of one policy are told apart. `boot` is random, another at every boot.
    #[must_use]
    pub fn new(policy_name: &str, policy_hash: [u8; 32], nic: MacAddress, boot: u128) -> Self {
        let [a, b, c, d, e, g] = nic.0;
        Self {
            host: format!("{policy_name}-{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{g:02x}"),
            boot,
            policy: policy_hash,
        }
    }
}

/// What a message says.
pub(super) struct Text<'t> {
    /// The kind of event.
    pub(super) event: Event,
    /// The number of the line in the log.
    pub(super) line: u64,
    /// The line's text: printable ASCII.
    pub(super) text: &'t dyn fmt::Display,
}

/// A message in fixed memory.
pub(super) struct Message {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Default for Message {
    fn default() -> Self {
        Self {
            bytes: [0; LONGEST],
            length: 0,
        }
    }
}

impl Message {
    /// The message.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Writes one. What does not fit is cut; nothing that we send is that long.
    pub(super) fn write(
        &mut self,
        format: SyslogFormat,
        identity: &Identity,
        sequence: u32,
        time: Option<TimeOfDay>,
        text: &Text<'_>,
    ) {
        let _ = match format {
            SyslogFormat::Rfc5424 => self.rfc5424(identity, sequence, time, text),
            SyslogFormat::Rfc3164 => self.rfc3164(identity, time, text),
        };
    }

    /// RFC 5424, 6.
    fn rfc5424(
        &mut self,
        identity: &Identity,
        sequence: u32,
        time: Option<TimeOfDay>,
        text: &Text<'_>,
    ) -> fmt::Result {
        write!(self, "<{}>1 ", priority(text.event))?;
        match time {
            Some(time) => write!(self, "{time}")?,
            None => self.write_str("-")?,
        }
        let Identity {
            host, boot, policy, ..
        } = identity;
        write!(self, " {host} sekisho - {} ", text.event)?;
        write!(self, "[meta sequenceId=\"{sequence}\"]")?;
        write!(self, "[sekisho@{ENTERPRISE} boot=\"{boot:032x}\" policy=\"")?;
        for byte in policy {
            write!(self, "{byte:02x}")?;
        }
        write!(self, "\" line=\"{}\"] {}", text.line, text.text)
    }

    /// RFC 3164, 4.1. Without a time there is neither time nor host name, which the collector then adds (4.3.3).
    fn rfc3164(&mut self, identity: &Identity, time: Option<TimeOfDay>, text: &Text<'_>) -> fmt::Result {
        write!(self, "<{}>", priority(text.event))?;
        if let Some(time) = time {
            write!(self, "{} {} ", time.bsd(), identity.host)?;
        }
        write!(self, "sekisho: {} {} {}", text.line, text.event, text.text)
    }
}

impl Write for Message {
    /// Fails once the message is full.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let rest = self.bytes.get_mut(self.length..).ok_or(fmt::Error)?;
        let fits = text.len().min(rest.len());
        let (place, bytes) = (rest.get_mut(..fits), text.as_bytes().get(..fits));
        if let (Some(place), Some(bytes)) = (place, bytes) {
            place.copy_from_slice(bytes);
        }
        self.length += fits;
        if fits == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

/// Facility and severity (RFC 5424, 6.2.1).
fn priority(event: Event) -> u8 {
    let severity = match event.level() {
        Level::Fatal => 2,
        Level::Error => 3,
        Level::Warning => 4,
        Level::Info => 6,
    };
    FACILITY * 8 + severity
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::WallClock;
    use crate::seam::Instant;
    use alloc::string::ToString;

    fn message(format: SyslogFormat, clock: Option<WallClock>, text: &str) -> String {
        let nic = MacAddress([0x52, 0x54, 0, 0x12, 0x34, 0x56]);
        let identity = Identity::new("field-laptop", [0xab; 32], nic, 0x1234);
        let text = Text {
            event: Event::STARTED,
            line: 7,
            text: &text,
        };
        let mut message = Message::default();
        let time = clock.map(|clock| clock.time(Instant(0)));
        message.write(format, &identity, 9, time, &text);
        core::str::from_utf8(message.bytes()).unwrap().to_string()
    }

    const CLOCK: Option<WallClock> = Some(WallClock {
        at: Instant(0),
        since_1970: 1_795_377_645_000_000_000,
    });

    #[test]
    fn a_message_of_today_is_as_the_documentation_shows_it() {
        let policy = "ab".repeat(32);
        assert_eq!(
            message(SyslogFormat::Rfc5424, CLOCK, "4 CPUs"),
            format!(
                "<134>1 2026-11-22T20:00:45.000000Z field-laptop-525400123456 sekisho - H0101 [meta sequenceId=\"9\"]\
                 [sekisho@32473 boot=\"00000000000000000000000000001234\" policy=\"{policy}\" line=\"7\"] 4 CPUs"
            )
        );
        let without = message(SyslogFormat::Rfc5424, None, "4 CPUs");
        assert!(without.starts_with("<134>1 - field-laptop-525400123456 sekisho - H0101 ["));
    }

    #[test]
    fn a_message_of_the_old_form_has_time_and_host_or_neither() {
        assert_eq!(
            message(SyslogFormat::Rfc3164, CLOCK, "4 CPUs"),
            "<134>Nov 22 20:00:45 field-laptop-525400123456 sekisho: 7 H0101 4 CPUs"
        );
        assert_eq!(
            message(SyslogFormat::Rfc3164, None, "4 CPUs"),
            "<134>sekisho: 7 H0101 4 CPUs"
        );
    }

    #[test]
    fn the_longest_line_fits_and_what_is_longer_is_cut() {
        let line = "x".repeat(crate::log::TEXT_SIZE);
        assert!(message(SyslogFormat::Rfc5424, CLOCK, &line).ends_with(&line));
        assert_eq!(
            message(SyslogFormat::Rfc5424, CLOCK, &"x".repeat(1000)).len(),
            LONGEST
        );
    }
}
