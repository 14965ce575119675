//! For people: one table a hardware model, the most frequent first.

use super::{columns, count, heading};
use crate::plan::{Fleet, Hardware, Planner};
use std::fmt::Write;

/// A fleet's hardware models with the fates of their devices.
#[must_use]
pub fn for_people(planner: &Planner<'_>, fleet: &Fleet) -> String {
    let groups = fleet.groups();
    let mut text = format!(
        "policy {}: {} of {}\n",
        planner.policy().name,
        count(fleet.machines(), "machine"),
        count(groups.len(), "model")
    );
    for hardware in &groups {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{}\n", heading(hardware));
        table(&mut text, &columns(planner, hardware));
        disks(&mut text, hardware);
    }
    text
}

fn table(text: &mut String, rows: &[[String; 6]]) {
    let mut widths = [0; 6];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    for row in rows {
        let cells = row.iter().zip(widths);
        let line: String = cells.map(|(cell, width)| format!("  {cell:width$}")).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

fn disks(text: &mut String, hardware: &Hardware) {
    for (layout, machines) in &hardware.disks {
        let on = if *machines == hardware.tally.machines {
            String::new()
        } else {
            format!(" (on {machines} of them)")
        };
        let _ = writeln!(text, "  disk {layout}{on}");
    }
}
