//! The log that leaves by a shared NIC, and every frame of the appliance's, judged by programs that nobody here wrote.

use super::{APPLIANCE, wait_inside};
use crate::{Failure, Running, assert_same};
use sekisho_system::collectors::{Collectors, Parsed};
use sekisho_system::dissector::{ILL_FORMED, frames};
use sekisho_system::hypervisor_log::{Line, lines};
use sekisho_system::network::{Network, Wire};
use sekisho_system::wired::{self, get_lease};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const RULE: &str = "net = \"ippass\"\nlog = true";
/// A message goes through two daemons to a file.
const ARRIVAL: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(200);
/// Our structured data, by the number that RFC 5612 keeps for examples.
const OURS: &str = "sekisho@32473";

#[test]
fn rsyslog_and_syslog_ng_find_every_field_of_every_message() -> Result<(), Failure> {
    let run = run("rfc5424", "e1000")?;
    let policy = wired::policy("e1000", RULE, &policy_end("rfc5424"));
    let policy = hexadecimal(&sekisho_crypto::sha256(policy.as_bytes()));
    for (judge, messages) in &run.parsed {
        let mut boots = BTreeSet::new();
        for (index, (line, message)) in run.lines.iter().zip(messages).enumerate() {
            assert_common(judge, &run, line, message);
            assert_eq!(message.event, line.event, "{judge}: {message:?}");
            assert_eq!(message.message, line.text, "{judge}");
            let value = |id: &str, name: &str| message.data.get(id)?.get(name).map(String::as_str);
            let number = (index + 1).to_string();
            assert_eq!(value("meta", "sequenceId"), Some(&*number), "{judge}: a gap");
            assert_eq!(value(OURS, "line"), Some(&*line.number.to_string()), "{judge}");
            assert_eq!(value(OURS, "policy"), Some(&*policy), "{judge}");
            boots.insert(value(OURS, "boot").unwrap_or_default().to_owned());
            assert_eq!(message.data.len(), 2, "{judge}: {message:?}");
        }
        let boots: Vec<String> = boots.into_iter().collect();
        assert!(
            matches!(boots.as_slice(), [one] if one.len() == 32),
            "{judge}: {boots:?}"
        );
    }
    Ok(())
}

#[test]
#[ignore = "long: make test-long"]
fn rsyslog_and_syslog_ng_read_the_old_form_too() -> Result<(), Failure> {
    let run = run("rfc3164", "e1000e")?;
    for (judge, messages) in &run.parsed {
        for (line, message) in run.lines.iter().zip(messages) {
            assert_common(judge, &run, line, message);
            let text = format!("{} {} {}", line.number, line.event, line.text);
            assert_eq!(message.message, text, "{judge}");
            assert!(message.data.is_empty(), "{judge}: {message:?}");
        }
    }
    Ok(())
}

/// What each judge parsed, by its name.
type Judged = [(&'static str, Vec<Parsed>); 2];

/// What a run left.
struct Run {
    /// The log's lines, as the serial port showed them.
    lines: Vec<Line>,
    /// The messages of those and maybe more.
    parsed: Judged,
    /// The wire's NIC.
    wire: Wire,
    /// The time of day on the host, before and behind.
    times: [String; 2],
}

/// What both forms have.
fn assert_common(judge: &str, run: &Run, line: &Line, message: &Parsed) {
    let severity = match line.level.as_str() {
        "fatal" => "crit",
        "error" => "err",
        level => level,
    };
    assert_eq!(message.facility, "local0", "{judge}: {message:?}");
    assert_eq!(message.severity, severity, "{judge}: {message:?}");
    assert_eq!(message.application, "sekisho", "{judge}: {message:?}");
    let host = format!("wired-{}", hexadecimal(&run.wire.hardware_bytes()));
    assert_eq!(message.host, host, "{judge}: {message:?}");
    let second = message.time.get(..19).unwrap_or_default();
    let [begin, end] = &run.times;
    assert!(
        message.time.ends_with('Z') && *begin.as_str() <= *second && *second <= *end.as_str(),
        "{judge}: {} is not between {begin} and {end}",
        message.time
    );
}

/// Boots a machine that shares its NIC, talks to both of its hosts, and waits until its log is with both collectors.
fn run(format: &str, model: &'static str) -> Result<Run, Failure> {
    let name = format!("judges-{format}");
    let (machine, mut network, wire) = wired::under(&name, model, RULE, &policy_end(format))?;
    network.lease(&wire)?;
    let collectors = Collectors::start(&mut network, &wire)?;
    // The firmware's clock has no fractions.
    let begin = host_time("2 seconds ago")?;
    let mut machine = machine.start(&name)?;
    wait_inside(&mut machine)?;
    machine.wait_shell()?;
    let address = get_lease(&mut machine, &wire)?;
    network.run(&format!("busybox ping -c 2 -W 5 {address}"))?;
    network.run(&format!("busybox ping -c 2 -W 5 -s 3000 {APPLIANCE}"))?;
    let echoed = network.run(&format!(
        "echo told and told again | busybox nc -w 5 {APPLIANCE} 7"
    ))?;
    assert_same(&mut machine, "the echo", &echoed.trim(), &"told and told again")?;
    let (lines, parsed) = wait_arrival(&mut machine, &collectors)?;
    let times = [begin, host_time("now")?];
    machine.power_off()?;
    assert_frames(&network, &wire)?;
    Ok(Run {
        lines,
        parsed,
        wire,
        times,
    })
}

/// The end of the policy.
fn policy_end(format: &str) -> String {
    format!(
        "[ip]\naddress = \"{APPLIANCE}/24\"\n[syslog]\nto = \"198.51.100.1\"\nformat = \"{format}\"\n\
         [echo]\nallow = [\"198.51.100.0/24\"]\n"
    )
}

/// Waits until every line that the log has now is with both collectors.
fn wait_arrival(machine: &mut Running, collectors: &Collectors) -> Result<(Vec<Line>, Judged), Failure> {
    let seen = lines(machine.com2.text());
    assert!(seen.len() > 10, "the log has {} lines", seen.len());
    let start = Instant::now();
    loop {
        let parsed = collectors.parsed()?;
        if parsed.iter().all(|(_, messages)| messages.len() >= seen.len()) {
            return Ok((seen, parsed));
        }
        if start.elapsed() > ARRIVAL {
            let counts = parsed.map(|(judge, messages)| (judge, messages.len()));
            return Err(machine.refute(format!("of {} lines arrived: {counts:?}", seen.len())));
        }
        std::thread::sleep(POLL);
    }
}

/// Of all that the appliance sent nothing is ill-formed; and it sent each kind.
fn assert_frames(network: &Network, wire: &Wire) -> Result<(), Failure> {
    let own = format!("(ip.src == {APPLIANCE} || arp.src.proto_ipv4 == {APPLIANCE})");
    for kind in ["arp", "icmp", "tcp", "syslog", "ip.flags.mf == 1"] {
        let sent = frames(wire, &format!("{own} && {kind}"))?;
        assert!(!sent.is_empty(), "no {kind} in {}", network.folder().display());
    }
    let wrong = frames(wire, &format!("{own} && {ILL_FORMED}"))?;
    assert_eq!(wrong, [""; 0]);
    Ok(())
}

fn host_time(when: &str) -> Result<String, Failure> {
    let mut date = std::process::Command::new("date");
    let text = sekisho_system::tool::run(date.args(["-u", "-d", when, "+%Y-%m-%dT%H:%M:%S"]))?;
    Ok(text.trim().to_owned())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
