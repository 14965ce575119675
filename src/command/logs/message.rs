//! One message of the hypervisor's, in any form it has: RFC 5424, RFC 3164, or a line of the serial port.

use sekisho_abi::event::Event;
use syslog_loose::{Message as Parsed, Protocol, Variant, parse_message};

/// Bytes that are looked at; the longest of ours has 480.
const LONGEST: usize = 2048;
/// How the program calls itself, in each form.
const PROGRAM: &str = "sekisho";
/// Who defines our structured data.
const DATA: &str = "sekisho@32473";

/// What a message says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Message {
    /// Who sent it, if it says.
    pub(super) host: Option<String>,
    /// When, if it says.
    pub(super) time: Option<String>,
    /// 128 bits, another at every boot, in hexadecimal.
    pub(super) boot: Option<String>,
    /// Counts the messages of a boot from 1.
    pub(super) sequence: Option<u64>,
    /// The line's number in the log, from 0.
    pub(super) line: u64,
    /// The code of the kind of event: one that this version does not know has no meaning here.
    pub(super) code: String,
    /// What it says.
    pub(super) text: String,
}

impl Message {
    /// The message in a datagram or in a line of a file; `None` for what is not the hypervisor's.
    pub(super) fn read(text: &str) -> Option<Self> {
        let end = text.floor_char_boundary(LONGEST);
        let text: String = text
            .get(..end)?
            .trim_end()
            .chars()
            .map(|character| if character.is_control() { '?' } else { character })
            .collect();
        Self::of_rfc5424(&text).or_else(|| Self::of_line(&text))
    }

    /// The kind of event.
    pub(super) fn event(&self) -> Option<Event> {
        Event::named(&self.code)
    }

    fn of_rfc5424(text: &str) -> Option<Self> {
        let parsed = parse_message(text, Variant::RFC5424);
        if !matches!(parsed.protocol, Protocol::RFC5424(_)) || parsed.appname != Some(PROGRAM) {
            return None;
        }
        let number = |id, name| parameter(&parsed, id, name)?.parse().ok();
        Some(Self {
            host: parsed.hostname.map(str::to_owned),
            time: text
                .split(' ')
                .nth(1)
                .filter(|time| *time != "-")
                .map(str::to_owned),
            boot: parameter(&parsed, DATA, "boot"),
            sequence: number("meta", "sequenceId"),
            line: number(DATA, "line")?,
            code: parsed.msgid.filter(|code| is_code(code))?.to_owned(),
            text: parsed.msg.trim_start().to_owned(),
        })
    }

    /// `[TIME] [HOST] sekisho: NUMBER [LEVEL] CODE TEXT`; the serial port has the level and nothing before.
    fn of_line(line: &str) -> Option<Self> {
        let (before, rest) = line.split_once("sekisho: ")?;
        let (number, rest) = rest.split_once(' ')?;
        let (first, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        let (code, text) = if is_code(first) {
            (first, behind)
        } else {
            behind.split_once(' ').unwrap_or((behind, ""))
        };
        let (time, host) = split_header(before);
        Some(Self {
            host,
            time,
            boot: None,
            sequence: None,
            line: number.parse().ok()?,
            code: is_code(code).then(|| code.to_owned())?,
            text: text.to_owned(),
        })
    }
}

/// Time and host of a header of RFC 3164, or of a file with times of RFC 3339, where it has both.
fn split_header(header: &str) -> (Option<String>, Option<String>) {
    let header = match header.split_once('>') {
        Some((priority, rest)) if priority.starts_with('<') => rest,
        _ => header,
    };
    match header.trim_end().rsplit_once(' ') {
        Some((time, host)) if time.contains(':') => (Some(time.trim().to_owned()), Some(host.to_owned())),
        _ => (None, None),
    }
}

fn parameter(message: &Parsed<&str>, id: &str, name: &str) -> Option<String> {
    let mut elements = message.structured_data.iter();
    let element = elements.find(|element| element.id == id)?;
    let (_, value) = element.params().find(|(found, _)| **found == name)?;
    Some(value)
}

/// `H` and four digits.
fn is_code(word: &str) -> bool {
    let digits = word.strip_prefix('H').unwrap_or_default();
    digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEW: &str = "<134>1 2026-11-22T20:00:45.000000Z laptop sekisho - H0101 [meta sequenceId=\"9\"]\
                       [sekisho@32473 boot=\"12ab\" policy=\"cd\" line=\"7\"] [00:00.0] 4 CPUs";

    #[test]
    fn a_message_of_rfc_5424_has_every_field() {
        let expected = Message {
            host: Some("laptop".to_owned()),
            time: Some("2026-11-22T20:00:45.000000Z".to_owned()),
            boot: Some("12ab".to_owned()),
            sequence: Some(9),
            line: 7,
            code: "H0101".to_owned(),
            text: "[00:00.0] 4 CPUs".to_owned(),
        };
        assert_eq!(Message::read(NEW), Some(expected));
        let without = Message::read(&NEW.replace("2026-11-22T20:00:45.000000Z", "-")).unwrap();
        assert_eq!((without.time, without.sequence), (None, Some(9)));
    }

    #[test]
    fn a_line_is_read_with_and_without_what_is_before_it() {
        for (line, time, host) in [
            ("sekisho: 7 info H0101 4 CPUs", None, None),
            ("\x1b[2Jsekisho: 7 info H0101 4 CPUs\r\n", None, None),
            ("<134>sekisho: 7 H0101 4 CPUs", None, None),
            (
                "<134>Nov 22 20:00:45 laptop sekisho: 7 H0101 4 CPUs",
                Some("Nov 22 20:00:45"),
                Some("laptop"),
            ),
            (
                "Nov  2 20:00:45 laptop sekisho: 7 H0101 4 CPUs",
                Some("Nov  2 20:00:45"),
                Some("laptop"),
            ),
        ] {
            let message = Message::read(line).unwrap();
            assert_eq!(
                (message.line, &*message.code, &*message.text),
                (7, "H0101", "4 CPUs"),
                "{line}"
            );
            assert_eq!(
                (message.time.as_deref(), message.host.as_deref()),
                (time, host),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_not_the_hypervisors_is_none() {
        for line in [
            "",
            "sekisho: version 0.1.0",
            "sekisho: 16384 KiB reserved at 0x1000",
            "sekisho: x info H0101 text",
            "<134>1 - laptop sshd - - - sekisho",
            "<134>1 - laptop sekisho - H0101 - no line",
            &"\u{e9}".repeat(5000),
        ] {
            assert_eq!(Message::read(line), None, "{line}");
        }
    }

    #[test]
    fn nothing_can_draw_on_the_terminal() {
        let message = Message::read("sekisho: 7 info H0101 \x1b[31mred\u{9b}2J").unwrap();
        assert_eq!(message.text, "?[31mred?2J");
    }
}
