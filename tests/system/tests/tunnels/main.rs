//! Tunnels at length: what takes too long for every run of the tests. `make tunnels`, or with `--test-threads=1`.

mod inside;
mod kernel;
mod length;
mod outside;

use sekisho_system::failure::Failure;
use sekisho_system::machine::Running;
use sekisho_system::network::Network;
use sekisho_system::tunneled::{GUEST, INSIDE};
use std::time::Duration;

/// For what moves, under emulation: for each exchange, and a MiB of it.
const PATIENCE: Duration = Duration::from_secs(600);
const PATIENCE_A_MEBIBYTE: Duration = Duration::from_secs(30);

/// Moves so many MiB of random bytes by HTTP through the tunnel, first to the guest and then back, with equal checksums.
fn exchange(machine: &mut Running, network: &mut Network, mebibytes: u32) -> Result<(), Failure> {
    let folder = network.folder().display().to_string();
    let sent = network.run(&format!(
        "cd {folder} && head -c {mebibytes}M /dev/urandom > file && md5sum < file"
    ))?;
    network.serve(&format!("exec busybox httpd -f -p {INSIDE}:80 -h {folder}"))?;
    let got = machine.run_within(
        &format!("wget -q -O /file http://{INSIDE}/file && md5sum < /file"),
        PATIENCE + PATIENCE_A_MEBIBYTE * mebibytes,
    );
    network.end_last();
    assert_same(machine, "what the guest downloaded", got?.trim(), sent.trim())?;
    machine.run("pidof httpd || httpd -p 80 -h /")?;
    let back = network.run(&format!("busybox wget -q -O - http://{GUEST}/file | md5sum"))?;
    assert_same(machine, "what the guest sent back", back.trim(), sent.trim())
}

/// Fails with both sides if they differ.
fn assert_same(machine: &mut Running, what: &str, seen: &str, expected: &str) -> Result<(), Failure> {
    if seen == expected {
        return Ok(());
    }
    Err(machine.refute(format!("{what}\n  seen:     {seen}\n  expected: {expected}")))
}
