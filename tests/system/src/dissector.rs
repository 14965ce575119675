//! What Wireshark's dissectors say of the frames on a wire.

use crate::failure::Failure;
use crate::network::Wire;
use crate::tool;
use std::path::PathBuf;
use std::process::Command;

/// What no honest frame is: one that ends too early, breaks its protocol, or has a wrong checksum of any kind.
pub const ILL_FORMED: &str = "(_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 || \
                              tcp.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0)";

/// The frames on a wire to which a display filter applies, in a line each. Checksums are looked at.
///
/// # Errors
/// [`Failure::Tool`] where the record cannot be read.
pub fn frames(wire: &Wire, filter: &str) -> Result<Vec<String>, Failure> {
    let mut command = Command::new("tshark");
    for protocol in ["ip", "udp", "tcp"] {
        command.args(["-o", &format!("{protocol}.check_checksum:TRUE")]);
    }
    let text = tool::run(command.args(["-n", "-Y", filter, "-r"]).arg(frames_alone(wire)?))?;
    Ok(text.lines().map(str::to_owned).collect())
}

/// The record without what some models of NICs have the emulator put before each frame.
fn frames_alone(wire: &Wire) -> Result<PathBuf, Failure> {
    let Some(prefix) = wire.prefix() else {
        return Ok(wire.record.clone());
    };
    let output = wire.record.with_extension("frames.pcap");
    let mut command = Command::new("editcap");
    command
        .args(["-L", "-C", &prefix.to_string()])
        .arg(&wire.record)
        .arg(&output);
    tool::run(&mut command)?;
    Ok(output)
}
