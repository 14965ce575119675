//! One measured value with its aim and the ancestor's figure; as a table for people, as JSON for comparison.

use serde::Serialize;
use std::fmt::Write;

/// The ancestor, measured the same way on the same emulator.
const ANCESTOR: &str = "BitVisor";

/// One value.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// `lower` or `higher`.
    pub better: &'static str,
    /// What it should not exceed, or fall below where more is better.
    pub aim: Option<f64>,
    /// Whose value is compared.
    pub reference: Option<&'static str>,
    /// That value.
    pub reference_value: Option<f64>,
}

impl Row {
    /// A value of which less is better, without aim or reference.
    #[must_use]
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            better: "lower",
            aim: None,
            reference: None,
            reference_value: None,
        }
    }

    /// More of it is better.
    #[must_use]
    pub const fn higher(mut self) -> Self {
        self.better = "higher";
        self
    }

    /// With what it should not exceed, or fall below where more is better.
    #[must_use]
    pub const fn with_aim(mut self, aim: f64) -> Self {
        self.aim = Some(aim);
        self
    }

    /// With the ancestor's value.
    #[must_use]
    pub const fn with_reference(self, value: f64) -> Self {
        self.beside(ANCESTOR, value)
    }

    /// With the value of `reference`.
    #[must_use]
    pub const fn beside(mut self, reference: &'static str, value: f64) -> Self {
        self.reference = Some(reference);
        self.reference_value = Some(value);
        self
    }

    fn is_missed(&self) -> bool {
        self.aim.is_some_and(|aim| match self.better {
            "higher" => self.value < aim,
            _ => self.value > aim,
        })
    }
}

/// The rows in columns.
#[must_use]
pub fn as_table(rows: &[Row]) -> String {
    let mut table = format!(
        "{:44} {:>12} {:14} {:>10} {:>12}\n",
        "", "value", "", "aim", "beside"
    );
    for row in rows {
        let missed = if row.is_missed() { "  missed" } else { "" };
        let _ = writeln!(
            table,
            "{:44} {:>12} {:14} {:>10} {:>12} {:8}{missed}",
            row.name,
            number(row.value),
            row.unit,
            row.aim.map(number).unwrap_or_default(),
            row.reference_value.map(number).unwrap_or_default(),
            row.reference.unwrap_or_default(),
        );
    }
    table
}

/// Whole numbers without, others with two decimals.
fn number(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// The rows as a JSON list.
///
/// # Errors
/// Those of serialising, for a value that is not a number.
pub fn as_json(rows: &[Row]) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(rows).map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_keys_that_readers_rely_on() {
        let row = Row::new("cpuid", 120.0, "instructions")
            .with_aim(150.0)
            .with_reference(364.0);
        let json: serde_json::Value = serde_json::from_str(&as_json(&[row]).unwrap()).unwrap();
        let expected = serde_json::json!([{
            "name": "cpuid", "value": 120.0, "unit": "instructions", "better": "lower", "aim": 150.0,
            "reference": "BitVisor", "reference_value": 364.0
        }]);
        assert_eq!(json, expected);
    }

    #[test]
    fn a_missed_aim_is_said() {
        let row = Row::new("ratio", 1.2, "times bare").with_aim(1.15);
        assert!(as_table(&[row]).trim_end().ends_with("missed"));
        let row = Row::new("speed", 0.9, "of the limit").higher().with_aim(0.95);
        assert!(as_table(&[row]).trim_end().ends_with("missed"));
        let row = Row::new("speed", 0.96, "of the limit").higher().with_aim(0.95);
        assert!(!as_table(&[row]).contains("missed"));
    }
}
