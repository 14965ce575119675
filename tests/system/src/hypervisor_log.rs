//! The hypervisor's log as it is shown on a serial port.

use sekisho_abi::event::Event;

/// One line of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// Its number, from 0.
    pub number: u64,
    /// `fatal`, `error`, `warning` or `info`.
    pub level: String,
    /// The event's code: `H0101`.
    pub event: String,
    /// What it says.
    pub text: String,
}

/// Every whole line in the text of a port. The loader's lines have neither number nor code.
#[must_use]
pub fn lines(text: &str) -> Vec<Line> {
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.filter_map(line).collect()
}

fn line(text: &str) -> Option<Line> {
    let (_, line) = text.trim_end().split_once("sekisho: ")?;
    let mut words = line.splitn(4, ' ');
    let mut word = || words.next();
    Some(Line {
        number: word()?.parse().ok()?,
        level: word()?.to_owned(),
        event: word().filter(|code| Event::named(code).is_some())?.to_owned(),
        text: word()?.to_owned(),
    })
}
