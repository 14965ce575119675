//! Programs of the host: run to the end, judged by their exit status.

use crate::failure::Failure;
use std::process::Command;

/// Runs `command` and returns what it wrote to its standard output.
///
/// # Errors
/// [`Failure::Tool`] with both its outputs if it cannot be started or fails.
pub fn run(command: &mut Command) -> Result<String, Failure> {
    let shown = format!("{command:?}");
    let failed = |output: String| Failure::Tool {
        command: shown.clone(),
        output,
    };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(stdout);
    }
    Err(failed(stdout + &String::from_utf8_lossy(&output.stderr)))
}
