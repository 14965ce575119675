//! One line an attempt: what it was, how it ended, whether that was allowed.

use core::fmt;
use platform::attempt::Fault;
use platform::{counters, line, machine};

/// CPUID leaf 0x4000_0000 under the hypervisor.
const SIGNATURE: &[u8; 12] = b"SekishoVisor";

/// Where the program believes it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// On the bare machine: outcomes are only told.
    Bare,
    /// Under the hypervisor: outcomes are judged.
    Under,
}

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// By this fault.
    Fault(Fault),
    /// Without a fault, with this value (zero where it has none).
    Value(u64),
}

impl From<Result<u64, Fault>> for Outcome {
    fn from(result: Result<u64, Fault>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(fault) => Self::Fault(fault),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Value(value) => write!(f, "{value:#x}"),
        }
    }
}

/// The exception a fault is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exception {
    /// #UD
    InvalidOpcode = 6,
    /// #GP
    GeneralProtection = 13,
}

impl Outcome {
    /// Whether it is this exception.
    pub fn is(self, exception: Exception) -> bool {
        matches!(self, Self::Fault(fault) if fault.vector == exception as u8)
    }

    /// Whether it is any fault.
    pub fn is_fault(self) -> bool {
        matches!(self, Self::Fault(_))
    }

    /// Whether it is this value.
    pub fn is_value(self, expected: u64) -> bool {
        self == Self::Value(expected)
    }
}

/// Counts what failed.
pub struct Report {
    place: Place,
    failed: u32,
}

impl Report {
    /// Nothing failed yet.
    pub const fn new(place: Place) -> Self {
        Self { place, failed: 0 }
    }

    /// How many attempts ended in a way that was not allowed.
    pub const fn failed(&self) -> u32 {
        self.failed
    }

    /// Tells one outcome, judged by `allowed`.
    pub fn tell(
        &mut self,
        name: fmt::Arguments<'_>,
        outcome: impl Into<Outcome>,
        allowed: impl Fn(Outcome) -> bool,
    ) {
        let outcome = outcome.into();
        match (self.place, allowed(outcome)) {
            (Place::Bare, _) => line!("hostile: {name}: {outcome}"),
            (Place::Under, true) => line!("hostile: {name}: {outcome}: pass"),
            (Place::Under, false) => {
                self.failed += 1;
                line!("hostile: {name}: {outcome}: FAIL");
            }
        }
    }

    /// Each of `counters` has grown since it was `before`.
    pub fn counted(&mut self, counters: &[&str], before: &[Option<u64>]) {
        for (name, before) in counters.iter().zip(before) {
            let grown = counters::value(name)
                .unwrap_or(0)
                .saturating_sub(before.unwrap_or(0));
            self.tell(
                format_args!("attempts counted as {name}"),
                Outcome::Value(grown),
                |outcome| !outcome.is_value(0),
            );
        }
    }

    /// The hypervisor still answers.
    pub fn alive(&mut self) {
        let signature = machine::hypervisor_signature();
        let differing = signature
            .iter()
            .zip(SIGNATURE)
            .filter(|(seen, due)| seen != due)
            .count();
        self.tell(
            format_args!("the hypervisor still answers"),
            Outcome::Value(differing as u64),
            |outcome| outcome.is_value(0),
        );
    }
}
