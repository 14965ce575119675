//! The question at boot: what it says, what a key does to the answer, and what a wrong answer costs.
//!
//! Nothing here knows which answer is right, so nothing here can tell. Keys come from whoever sits at the machine or at
//! its serial port.

use alloc::format;
use alloc::string::String;
use core::time::Duration;
use sekisho_abi::storage::Unlock;
use sekisho_crypto::secret::SecretBytes;

/// Characters of the longest answer, as many as cryptsetup takes.
pub const LONGEST_ANSWER: usize = 512;
/// The longest pause after a wrong answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(32);

/// What may be answered, as the question and the judgement of an answer name it.
#[must_use]
pub const fn wanted(unlock: Unlock) -> &'static str {
    match (unlock.passphrase, unlock.recovery) {
        (true, false) => "passphrase",
        (false, true) => "recovery key",
        _ => "passphrase or recovery key",
    }
}

/// The question for `volumes`, at whose end the answer is typed.
#[must_use]
pub fn question<'name>(unlock: Unlock, volumes: impl IntoIterator<Item = &'name str>) -> String {
    let mut text = format!("{} for ", wanted(unlock));
    for (index, volume) in volumes.into_iter().enumerate() {
        text.push_str(if index == 0 { "" } else { ", " });
        text.push_str(volume);
    }
    text.push_str(": ");
    text
}

/// What somebody typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// A printable ASCII character, which is all that a passphrase has.
    Character(u8),
    /// Takes the last character back.
    Backspace,
    /// Takes all of them back.
    EraseLine,
    /// Ends the answer.
    Enter,
    /// Anything else.
    Other,
}

impl Key {
    /// An `EFI_INPUT_KEY`: `UnicodeChar`, and `ScanCode` where that is zero (UEFI 2.10, sections 12.3.3 and B.1).
    #[must_use]
    pub fn from_firmware(character: u16, scan_code: u16) -> Self {
        /// What some terminals send for the backspace key.
        const SCAN_DELETE: u16 = 0x08;
        match (character, scan_code) {
            (0, SCAN_DELETE) | (0x08 | 0x7f, _) => Self::Backspace,
            (0x0a | 0x0d, _) => Self::Enter,
            (0x15, _) => Self::EraseLine,
            _ => match u8::try_from(character) {
                Ok(character @ b' '..=b'~') => Self::Character(character),
                _ => Self::Other,
            },
        }
    }
}

/// What the screen shows of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Echo {
    /// Nothing: the key does not count.
    Nothing,
    /// One more star.
    Star,
    /// So many stars fewer.
    Back(usize),
    /// The answer is whole.
    Done,
}

/// An answer being typed.
pub struct Answer(SecretBytes);

impl Default for Answer {
    fn default() -> Self {
        Self(SecretBytes::with_capacity(LONGEST_ANSWER))
    }
}

impl Answer {
    /// Takes a key. An empty answer cannot be ended: it is a key too many, of somebody who was asked before.
    pub fn take(&mut self, key: Key) -> Echo {
        match key {
            Key::Character(character) if self.0.length() < LONGEST_ANSWER => match self.0.push(character) {
                Ok(()) => Echo::Star,
                Err(_) => Echo::Nothing,
            },
            Key::Backspace => self.0.pop().map_or(Echo::Nothing, |_| Echo::Back(1)),
            Key::EraseLine => {
                let stars = self.0.length();
                *self = Self::default();
                Echo::Back(stars)
            }
            Key::Enter if !self.0.is_empty() => Echo::Done,
            Key::Character(_) | Key::Enter | Key::Other => Echo::Nothing,
        }
    }

    /// What was typed.
    #[must_use]
    pub fn finish(self) -> SecretBytes {
        self.0
    }
}

/// The wrong answers that are left, of one start of the machine.
#[derive(Debug)]
pub struct Attempts {
    allowed: u8,
    wrong: u8,
}

/// What follows a wrong answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// After the pause it is asked again.
    Again {
        /// Answers that may still be given.
        left: u8,
        /// Twice as long after each wrong answer, up to a bound.
        pause: Duration,
    },
    /// Never again.
    NoneLeft,
}

impl Attempts {
    /// As many as the policy allows.
    #[must_use]
    pub const fn new(unlock: Unlock) -> Self {
        Self {
            allowed: unlock.attempts,
            wrong: 0,
        }
    }

    /// Counts a wrong answer.
    pub fn wrong(&mut self) -> Wrong {
        self.wrong = self.wrong.saturating_add(1);
        match self.allowed.checked_sub(self.wrong) {
            None | Some(0) => Wrong::NoneLeft,
            Some(left) => Wrong::Again {
                left,
                pause: Duration::from_secs(1 << (self.wrong - 1).min(31)).min(LONGEST_PAUSE),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const BOTH: Unlock = Unlock {
        passphrase: true,
        recovery: true,
        attempts: 5,
    };

    /// What `keys` leave in an answer, and what the screen showed.
    fn typed(keys: impl IntoIterator<Item = Key>) -> (Vec<u8>, Vec<Echo>) {
        let mut answer = Answer::default();
        let echoes = keys.into_iter().map(|key| answer.take(key)).collect();
        (answer.finish().expose().to_vec(), echoes)
    }

    #[test]
    fn the_question_says_what_may_be_answered_and_for_which_volumes() {
        assert_eq!(
            question(BOTH, ["system"]),
            "passphrase or recovery key for system: "
        );
        let only = |passphrase, recovery| Unlock {
            passphrase,
            recovery,
            ..BOTH
        };
        assert_eq!(question(only(true, false), ["a", "b"]), "passphrase for a, b: ");
        assert_eq!(question(only(false, true), ["a"]), "recovery key for a: ");
    }

    #[test]
    fn keys_of_the_screen_and_of_a_terminal_mean_the_same() {
        let meanings = [
            (u16::from(b'a'), 0, Key::Character(b'a')),
            (u16::from(b'~'), 0, Key::Character(b'~')),
            (0x0d, 0, Key::Enter),
            (0x0a, 0, Key::Enter),
            (0x08, 0, Key::Backspace),
            (0x7f, 0, Key::Backspace),
            (0, 0x08, Key::Backspace),
            (0x15, 0, Key::EraseLine),
            (0, 0x17, Key::Other),
            (0x1f, 0, Key::Other),
            (0xe4, 0, Key::Other),
            (0x0161, 0, Key::Other),
        ];
        for (character, scan_code, key) in meanings {
            assert_eq!(Key::from_firmware(character, scan_code), key, "{character:#x}");
        }
    }

    #[test]
    fn an_answer_is_edited_and_its_stars_follow() {
        let (text, echoes) = typed([
            Key::Character(b'x'),
            Key::EraseLine,
            Key::Character(b'a'),
            Key::Other,
            Key::Character(b'b'),
            Key::Backspace,
            Key::Character(b'c'),
            Key::Enter,
        ]);
        assert_eq!(text, b"ac");
        assert_eq!(
            echoes,
            [
                Echo::Star,
                Echo::Back(1),
                Echo::Star,
                Echo::Nothing,
                Echo::Star,
                Echo::Back(1),
                Echo::Star,
                Echo::Done
            ]
        );
    }

    #[test]
    fn an_empty_answer_is_none() {
        let (_, echoes) = typed([Key::Enter, Key::Backspace, Key::EraseLine, Key::Enter]);
        assert_eq!(
            echoes,
            [Echo::Nothing, Echo::Nothing, Echo::Back(0), Echo::Nothing]
        );
    }

    #[test]
    fn an_answer_has_a_longest() {
        let (text, echoes) = typed([Key::Character(b'a'); LONGEST_ANSWER + 10]);
        assert_eq!(text.len(), LONGEST_ANSWER);
        assert_eq!(echoes.last(), Some(&Echo::Nothing));
    }

    #[test]
    fn wrong_answers_are_counted_and_each_costs_more_up_to_a_bound() {
        let mut attempts = Attempts::new(Unlock { attempts: 8, ..BOTH });
        let pauses: Vec<_> = (0..8)
            .map(|_| match attempts.wrong() {
                Wrong::Again { left, pause } => (left, pause.as_secs()),
                Wrong::NoneLeft => (0, 0),
            })
            .collect();
        assert_eq!(
            pauses,
            [(7, 1), (6, 2), (5, 4), (4, 8), (3, 16), (2, 32), (1, 32), (0, 0)]
        );
        assert_eq!(attempts.wrong(), Wrong::NoneLeft);
    }

    #[test]
    fn even_the_most_attempts_end() {
        for allowed in [0, 1, u8::MAX] {
            let mut attempts = Attempts::new(Unlock {
                attempts: allowed,
                ..BOTH
            });
            let again = (0..1000).filter(|_| attempts.wrong() != Wrong::NoneLeft).count();
            assert_eq!(again, usize::from(allowed.saturating_sub(1)));
        }
    }
}
