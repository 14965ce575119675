//! The firmware's console: the screen, and the serial port where the firmware mirrors it.

use core::fmt::{self, Arguments, Write};
use core::time::Duration;
use sekisho_crypto::secret::SecretBytes;
use sekisho_mediator::boot::prompt::{Answer, Echo, Key as Typed};
use uefi::proto::console::text::{Key, Output};
use uefi::{boot, system};

/// How often the keyboard is looked at.
const KEY_INTERVAL: Duration = Duration::from_millis(10);

/// Prints one line behind the mark that scripts look for.
macro_rules! say {
    ($($argument:tt)*) => { $crate::console::line(format_args!($($argument)*)) };
}
pub(crate) use say;

/// Prints one line; use [`say!`].
pub(crate) fn line(text: Arguments<'_>) {
    show(|console| writeln!(console, "sekisho: {text}"));
}

/// Asks `question` and returns what is answered; waits for ever.
pub(crate) fn ask(question: &str) -> SecretBytes {
    // What was typed before the question is no answer to it: the keys of a boot menu, say. A keyboard that cannot be
    // reset can still be read.
    let _ = system::with_stdin(|keyboard| keyboard.reset(false));
    show(|console| write!(console, "sekisho: {question}"));
    let mut answer = Answer::default();
    loop {
        match answer.take(key()) {
            Echo::Nothing => {}
            Echo::Star => show(|console| console.write_char('*')),
            Echo::Back(stars) => {
                show(|console| (0..stars).try_for_each(|_| console.write_str("\u{8} \u{8}")));
            }
            Echo::Done => break,
        }
    }
    show(|console| console.write_str("\n"));
    answer.finish()
}

/// The next key.
fn key() -> Typed {
    loop {
        if let Some(key) = pressed() {
            return match key {
                Key::Printable(character) => Typed::from_firmware(character.into(), 0),
                Key::Special(scan_code) => Typed::from_firmware(0, scan_code.0),
            };
        }
        boot::stall(KEY_INTERVAL);
    }
}

/// Waits until a key is pressed, but not longer than `longest`.
pub(crate) fn wait_for_key(longest: Duration) {
    let looks = longest.as_millis() / KEY_INTERVAL.as_millis().max(1);
    for _ in 0..looks {
        // Without a keyboard there is no key to wait for, but still something to read.
        if pressed().is_some() {
            return;
        }
        boot::stall(KEY_INTERVAL);
    }
}

fn pressed() -> Option<Key> {
    system::with_stdin(|keyboard| keyboard.read_key()).ok().flatten()
}

fn show(print: impl FnMut(&mut Output) -> fmt::Result) {
    // A console that cannot print is no reason to boot unprotected, nor to stop.
    let _ = system::with_stdout(print);
}
