//! The WireGuard engine beside boringtun's, which seals and opens with ring. What measures is a program of another
//! workspace, since boringtun brings older versions of the cipher crates.

use super::Row;
use crate::failure::Failure;
use crate::{paths, tool};
use std::process::Command;

/// Our speed in the data path, in boringtun's.
const AIM: f64 = 0.95;

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--release", "--locked", "-q", "--bin", "measure"]);
    command.args(["--manifest-path", "tests/wireguard/Cargo.toml"]);
    command.args(["--target-dir", "target/wireguard"]);
    let output = tool::run(command.current_dir(paths::root()))?;
    let rows: Option<Vec<[Row; 2]>> = output.lines().map(rows).collect();
    rows.map(|rows| rows.into_iter().flatten().collect())
        .ok_or(Failure::Tool {
            command: format!("{command:?}"),
            output,
        })
}

/// Of one line: what, our nanoseconds, boringtun's.
fn rows(line: &str) -> Option<[Row; 2]> {
    let mut fields = line.split('\t');
    let what = fields.next()?;
    let ours: f64 = fields.next()?.parse().ok()?;
    let theirs: f64 = fields.next()?.parse().ok()?;
    let time = Row::new(format!("tunnel, {what}"), ours, "ns").beside("boringtun", theirs);
    let speed = Row::new(format!("tunnel, {what}: speed"), theirs / ours, "of boringtun's").higher();
    let is_data = what.starts_with("seal");
    Some([time, if is_data { speed.with_aim(AIM) } else { speed }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_time_is_half_the_speed() {
        let [time, speed] = rows("seal and open, 64 bytes\t200\t100").unwrap();
        assert_eq!((time.value, time.reference_value), (200.0, Some(100.0)));
        assert_eq!((speed.value, speed.aim), (0.5, Some(0.95)));
        assert_eq!(rows("handshake\t200"), None);
    }
}
