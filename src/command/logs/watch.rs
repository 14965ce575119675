//! What the order of messages tells beside their texts: losses on the way, and machines that started anew.

use super::message::Message;
use std::collections::BTreeMap;

/// Machines that are watched; messages of more are shown all the same.
const MACHINES: usize = 65_536;

/// What was noticed before a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Notice {
    /// Messages with these numbers, both included, did not come.
    Missing {
        /// The first.
        first: u64,
        /// The last.
        last: u64,
    },
    /// Another boot than that of the message before.
    Restarted,
    /// A message that a later one has overtaken, or that came twice.
    Late,
}

/// What came last of each machine.
#[derive(Default)]
pub(super) struct Watch {
    machines: BTreeMap<String, Last>,
}

struct Last {
    boot: Option<String>,
    number: u64,
}

impl Watch {
    /// What `message` tells by its numbers, as the next one of `machine`. Of what was sent before the first one nothing is
    /// known.
    pub(super) fn next(&mut self, machine: &str, message: &Message) -> Vec<Notice> {
        // Without sequence ids the lines' numbers serve, which begin at 0.
        let (number, first) = match message.sequence {
            Some(sequence) => (sequence, 1),
            None => (message.line, 0),
        };
        let Some(last) = self.machines.get_mut(machine) else {
            if self.machines.len() < MACHINES {
                let boot = message.boot.clone();
                self.machines.insert(machine.to_owned(), Last { boot, number });
            }
            return Vec::new();
        };
        let is_new = last.boot != message.boot || (message.boot.is_none() && number == 0);
        if is_new {
            *last = Last {
                boot: message.boot.clone(),
                number,
            };
            return [Notice::Restarted]
                .into_iter()
                .chain(missing(first, number))
                .collect();
        }
        if number <= last.number {
            return vec![Notice::Late];
        }
        let expected = last.number + 1;
        last.number = number;
        missing(expected, number).into_iter().collect()
    }
}

fn missing(expected: u64, number: u64) -> Option<Notice> {
    let last = number.checked_sub(1).filter(|last| *last >= expected)?;
    Some(Notice::Missing {
        first: expected,
        last,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(boot: &str, sequence: u64) -> Message {
        Message {
            host: None,
            time: None,
            boot: Some(boot.to_owned()),
            sequence: Some(sequence),
            line: 0,
            code: "H0101".to_owned(),
            text: String::new(),
        }
    }

    fn line(number: u64) -> Message {
        Message {
            boot: None,
            sequence: None,
            line: number,
            ..message("", 0)
        }
    }

    fn notices<const N: usize>(messages: [Message; N]) -> [Vec<Notice>; N] {
        let mut watch = Watch::default();
        messages.map(|message| watch.next("laptop", &message))
    }

    #[test]
    fn a_gap_is_told_with_both_its_ends() {
        let missing = |first, last| vec![Notice::Missing { first, last }];
        let of = [1, 2, 5, 6, 8].map(|sequence| message("a", sequence));
        assert_eq!(
            notices(of),
            [vec![], vec![], missing(3, 4), vec![], missing(7, 7)]
        );
        assert_eq!(notices([line(0), line(3)]), [vec![], missing(1, 2)]);
    }

    #[test]
    fn what_was_sent_before_anybody_listened_is_no_loss() {
        assert_eq!(notices([message("a", 3), message("a", 4)]), [vec![], vec![]]);
    }

    #[test]
    fn another_boot_is_told_and_begins_anew() {
        let restarted = vec![Notice::Restarted];
        let of = [message("a", 9), message("b", 1), message("b", 2)];
        assert_eq!(notices(of), [vec![], restarted.clone(), vec![]]);
        assert_eq!(notices([line(0), line(1), line(0)]), [vec![], vec![], restarted]);
        let lossy = vec![Notice::Restarted, Notice::Missing { first: 1, last: 2 }];
        assert_eq!(notices([message("a", 9), message("b", 3)]), [vec![], lossy]);
    }

    #[test]
    fn what_comes_late_or_twice_is_told_and_changes_nothing() {
        let of = [1, 2, 2, 1, 3].map(|sequence| message("a", sequence));
        let late = vec![Notice::Late];
        assert_eq!(notices(of), [vec![], vec![], late.clone(), late, vec![]]);
    }

    #[test]
    fn each_machine_has_numbers_of_its_own() {
        let mut watch = Watch::default();
        assert_eq!(watch.next("one", &message("a", 1)), []);
        assert_eq!(watch.next("two", &message("b", 1)), []);
        assert_eq!(watch.next("one", &message("a", 2)), []);
    }
}
