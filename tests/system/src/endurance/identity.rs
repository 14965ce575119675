//! hdparm and smartctl show the disk as on the bare machine, less what the mediator hides on purpose.

use crate::failure::Failure;
use crate::machine::Running;

/// What is asked.
const QUESTIONS: [&str; 3] = ["hdparm -I $disk", "smartctl -a $disk", "smartctl -x $disk"];
/// What differs from run to run on the same machine.
const CHANGES: [&str; 1] = ["Local Time is"];
/// What the mediator hides, by words of the lines that say it: TRIM, as the policy does not let it through. The emulator's
/// disk has no integrity word, and hdparm says what it would be with the bits that are left.
const HIDDEN: [&str; 2] = ["TRIM", "Integrity word not set"];

/// What a machine's disk says of itself.
pub struct Answers(Vec<Vec<String>>);

impl Answers {
    /// Asks the disk of `machine`.
    ///
    /// # Errors
    /// [`Failure`] where a program cannot run.
    pub fn of(machine: &mut Running) -> Result<Self, Failure> {
        let answers = QUESTIONS.iter().map(|question| {
            // smartctl's status has a bit for each thing it found; what it found is in its lines.
            let text = machine.run(&format!("{question}; echo status $?"))?;
            let lines = text.lines().map(|line| {
                line.replace("/dev/sda", "/dev/sd?")
                    .replace("/dev/sdb", "/dev/sd?")
            });
            Ok(lines
                .filter(|line| !CHANGES.iter().any(|word| line.contains(word)))
                .collect())
        });
        Ok(Self(answers.collect::<Result<_, Failure>>()?))
    }
}

/// The lines in which the answers differ: `-` what only the bare machine says, `+` what only the other does.
#[must_use]
pub fn differences(bare: &Answers, under: &Answers) -> Vec<String> {
    let mut found = Vec::new();
    for ((question, bare), under) in QUESTIONS.iter().zip(&bare.0).zip(&under.0) {
        let gone = bare.iter().filter(|line| !under.contains(line));
        let new = under.iter().filter(|line| !bare.contains(line));
        found.extend(gone.map(|line| format!("{question}: - {line}")));
        found.extend(new.map(|line| format!("{question}: + {line}")));
    }
    found
}

/// Of the differences those that are not meant.
#[must_use]
pub fn unexpected(differences: &[String]) -> Vec<&String> {
    let meant = |line: &&String| HIDDEN.iter().any(|word| line.contains(word));
    differences.iter().filter(|line| !meant(line)).collect()
}
