//! The WireGuard engine beside boringtun's, which seals and opens with ring, the cipher alone beside ring's, and the whole way
//! of a packet through the gateway. What measures are programs of another workspace, since boringtun brings older versions of the cipher crates.

use super::Row;
use crate::failure::Failure;
use crate::{paths, tool};
use std::process::Command;

/// Our speed in the data path, in boringtun's, and the cipher's in ring's.
const AIM: f64 = 0.95;
/// Nanoseconds.
const SECOND: f64 = 1e9;

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    let mut all = run("measure", engine)?;
    all.extend(run("cipher", cipher)?);
    all.extend(run("gateway", gateway)?);
    Ok(all)
}

/// What `program` says, by lines.
fn run<const N: usize>(program: &str, rows: fn(&str) -> Option<[Row; N]>) -> Result<Vec<Row>, Failure> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--release", "--locked", "-q", "--bin", program]);
    command.args(["--manifest-path", "tests/wireguard/Cargo.toml"]);
    command.args(["--target-dir", "target/wireguard"]);
    let output = tool::run(command.current_dir(paths::root()))?;
    let rows: Option<Vec<[Row; N]>> = output.lines().map(rows).collect();
    rows.map(|rows| rows.into_iter().flatten().collect())
        .ok_or(Failure::Tool {
            command: format!("{command:?}"),
            output,
        })
}

/// Of one line: what, our nanoseconds, boringtun's.
fn engine(line: &str) -> Option<[Row; 2]> {
    let mut fields = line.split('\t');
    let what = fields.next()?;
    let ours: f64 = fields.next()?.parse().ok()?;
    let theirs: f64 = fields.next()?.parse().ok()?;
    let time = if what == "handshake" {
        Row::new("tunnel, handshakes".to_owned(), SECOND / ours, "/s")
            .higher()
            .beside("boringtun", SECOND / theirs)
    } else {
        Row::new(format!("tunnel, {what}"), ours, "ns").beside("boringtun", theirs)
    };
    let speed = Row::new(format!("tunnel, {what}: speed"), theirs / ours, "of boringtun's").higher();
    let is_data = what.starts_with("seal");
    Some([time, if is_data { speed.with_aim(AIM) } else { speed }])
}

/// Of one line: what, nanoseconds of a packet.
fn gateway(line: &str) -> Option<[Row; 1]> {
    let (what, nanoseconds) = line.split_once('\t')?;
    let nanoseconds: f64 = nanoseconds.parse().ok()?;
    let rate = SECOND / nanoseconds;
    Some([Row::new(format!("gateway, {what}"), rate, "packets/s").higher()])
}

/// Of one line: what, our nanoseconds, ring's, the crate's.
fn cipher(line: &str) -> Option<[Row; 1]> {
    let mut fields = line.split('\t');
    let what = fields.next()?;
    let mut nanoseconds = || fields.next()?.parse::<f64>().ok();
    let (ours, ring, portable) = (nanoseconds()?, nanoseconds()?, nanoseconds()?);
    let speed = Row::new(format!("cipher alone, {what}: speed"), ring / ours, "of ring's");
    Some([speed.higher().with_aim(AIM).beside("the crate", ring / portable)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_time_is_half_the_speed() {
        let [time, speed] = engine("seal and open, 64 bytes\t200\t100").unwrap();
        assert_eq!((time.value, time.reference_value), (200.0, Some(100.0)));
        assert_eq!((speed.value, speed.aim), (0.5, Some(0.95)));
        assert_eq!(engine("handshake\t200"), None);
        let [rate, _] = engine("handshake\t200000\t100000").unwrap();
        assert_eq!((rate.value, rate.reference_value), (5000.0, Some(10_000.0)));
        let [rate] = gateway("from the guest, 64 bytes\t2000").unwrap();
        assert_eq!((rate.value, rate.unit), (500_000.0, "packets/s"));
        let [speed] = cipher("seal, 64 bytes\t200\t100\t400").unwrap();
        assert_eq!((speed.value, speed.reference_value), (0.5, Some(0.25)));
    }
}
