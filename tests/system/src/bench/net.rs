//! A NIC's load in five machines: bare, passed, shared with the appliance, behind a tunnel, and the appliance's alone.

use super::Row;
use crate::failure::Failure;
use crate::machine::Running;
use crate::network::{Network, Wire};
use crate::report;
use crate::tunneled::{self, GUEST, INSIDE, Plan, Tunneled};
use crate::wired;
use std::time::{Duration, Instant};

/// The NIC's model.
const MODEL: &str = "e1000e";
/// Each load runs so often; the least CPU time is taken, since noise only adds.
const REPEATS: u8 = 5;
/// MiB that one load moves.
const SIZE: u32 = 64;
/// MiB that go to the appliance and come back.
const ECHO_SIZE: u32 = 16;
/// For one load, under an emulator that shares its host.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often the guest is pinged.
const PINGS: u32 = 100;
/// The appliance, where it has an address.
const APPLIANCE: &str = "198.51.100.7";
const OWN: &str = "[ip]\naddress = \"198.51.100.7/24\"\n[echo]\nallow = [\"198.51.100.0/24\"]\n";

/// The modules with which the guest has the NIC, and what the ancestor's cost, in times bare.
const MODULES: [(&str, &str, f64); 2] = [("pass", "", 5.0), ("ippass", OWN, 6.0)];
/// Aims: times bare, milliseconds, parts of what `ippass` does.
const AIM: f64 = 2.0;
const PING_AIM: f64 = 1.2;
const OWN_AIM: f64 = 0.9;
/// A ping to the guest through the ancestor, in milliseconds.
const PING_REFERENCE: f64 = 3.7;

/// What the guest's loads took.
struct Loads {
    download: Cost,
    upload: Cost,
    /// Milliseconds.
    ping: f64,
}

/// What one load took.
struct Cost {
    /// The emulator's.
    cpu: f64,
    seconds: f64,
    exits_per_packet: f64,
}

pub(super) fn measure() -> Result<Vec<Row>, Failure> {
    let (machine, network, wire) = wired::bare("bench-net-bare", MODEL)?;
    let mut machine = machine.start("bench-net-bare")?;
    machine.wait_shell()?;
    let bare = on_wire(machine, network, &wire, Exits::None)?;
    let mut rows = Vec::new();
    for (name, cost) in bare.named() {
        rows.push(Row::new(
            format!("{name}, bare"),
            cost.cpu * 1024.0 / f64::from(SIZE),
            "CPU s/GiB",
        ));
        rows.push(Row::new(format!("{name}, bare"), f64::from(SIZE) / cost.seconds, "MiB/s").higher());
    }
    rows.push(Row::new("ping of the guest, bare", bare.ping, "ms"));
    let mut shared = f64::NAN;
    let mut passed = None;
    for (module, more, reference) in MODULES {
        let name = format!("bench-net-{module}");
        let (machine, network, wire) = wired::under(&name, MODEL, &format!("net = \"{module}\""), more)?;
        let mut machine = machine.start(&name)?;
        machine.wait_shell()?;
        if module == "ippass" {
            shared = echo(&network)?;
        }
        let under = on_wire(machine, network, &wire, Exits::Counted)?;
        for ((name, cost), (_, bare)) in under.named().into_iter().zip(bare.named()) {
            let name = format!("{name}, {module}");
            let ratio = Row::new(name.clone(), cost.cpu / bare.cpu, "times bare, CPU");
            rows.push(ratio.with_aim(AIM).with_reference(reference));
            rows.push(Row::new(name.clone(), bare.seconds / cost.seconds, "of bare, MiB/s").higher());
            rows.push(Row::new(
                name,
                cost.exits_per_packet * 1000.0,
                "exits/1000 packets",
            ));
        }
        let ping = Row::new(format!("ping of the guest, {module}"), under.ping, "ms");
        rows.push(ping.with_aim(PING_AIM).with_reference(PING_REFERENCE));
        passed.get_or_insert(under);
    }
    if let Some(passed) = passed {
        rows.extend(tunnel(&passed)?);
    }
    rows.push(Row::new("echo of the appliance, ippass", shared, "MiB/s").higher());
    let (machine, network, _) = wired::under("bench-net-ip", MODEL, "net = \"ip\"", OWN)?;
    let mut machine = machine.start("bench-net-ip")?;
    machine.wait_shell()?;
    let own = Row::new(
        "echo of the appliance, ip",
        echo(&network)? / shared,
        "times ippass",
    );
    rows.push(own.higher().with_aim(OWN_AIM));
    machine.power_off()?;
    Ok(rows)
}

/// Whether a hypervisor counts exits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exits {
    Counted,
    None,
}

impl Loads {
    fn named(&self) -> [(&'static str, &Cost); 2] {
        [
            ("64 MiB to the guest", &self.download),
            ("64 MiB from it", &self.upload),
        ]
    }
}

/// TCP through a tunnel to wireguard-go, whose own CPU time is not counted, beside a passed NIC.
fn tunnel(passed: &Loads) -> Result<Vec<Row>, Failure> {
    let plan = Plan {
        name: "bench-net-vpn",
        model: MODEL,
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.start(&mut scene.network)?;
    let mut machine = scene.machine.start(plan.name)?;
    tunneled::boot(&mut machine)?;
    tunneled::lease(&mut machine, "eth0")?;
    let under = loads(machine, scene.network, [INSIDE, GUEST], Exits::Counted)?;
    let mut rows = Vec::new();
    for ((name, cost), (_, passed)) in under.named().into_iter().zip(passed.named()) {
        let name = format!("{name}, vpn");
        rows.push(Row::new(name.clone(), cost.cpu / passed.cpu, "times pass, CPU"));
        rows.push(Row::new(name.clone(), passed.seconds / cost.seconds, "of pass, MiB/s").higher());
        rows.push(Row::new(
            name.clone(),
            cost.cpu * 1024.0 / f64::from(SIZE),
            "CPU s/GiB",
        ));
        rows.push(Row::new(name, f64::from(SIZE) / cost.seconds, "MiB/s").higher());
    }
    rows.push(Row::new("ping of the guest, vpn", under.ping, "ms"));
    Ok(rows)
}

/// The loads of a guest that is on the wire itself.
fn on_wire(mut machine: Running, mut network: Network, wire: &Wire, exits: Exits) -> Result<Loads, Failure> {
    network.lease(wire)?;
    let address = wired::get_lease(&mut machine, wire)?;
    loads(machine, network, [&wire.outside(), &address], exits)
}

/// The guest downloads a file from `outside` and serves it at `address`, from its shell on to its end.
fn loads(
    mut machine: Running,
    mut network: Network,
    [outside, address]: [&str; 2],
    exits: Exits,
) -> Result<Loads, Failure> {
    let folder = network.folder().display().to_string();
    network.run(&format!("head -c {SIZE}M /dev/urandom > {folder}/file"))?;
    network.serve(&format!("exec busybox httpd -f -p 80 -h {folder}"))?;
    machine.run("httpd -p 80 -h /")?;
    let download = least(&mut machine, exits, |machine| {
        let fetch = format!("wget -q -O /file http://{outside}/file");
        machine.run_within(&fetch, PATIENCE).map(|_| ())
    })?;
    let upload = least(&mut machine, exits, |_| {
        let fetch = format!("busybox wget -q -O /dev/null http://{address}/file");
        network.run(&fetch).map(|_| ())
    })?;
    let ping = round_trip(&network, address)?;
    machine.power_off()?;
    Ok(Loads {
        download,
        upload,
        ping,
    })
}

fn least(
    machine: &mut Running,
    exits: Exits,
    load: impl Fn(&mut Running) -> Result<(), Failure>,
) -> Result<Cost, Failure> {
    let mut least = once(machine, exits, &load)?;
    for _ in 1..REPEATS {
        let cost = once(machine, exits, &load)?;
        if cost.cpu < least.cpu {
            least = cost;
        }
    }
    Ok(least)
}

fn once(
    machine: &mut Running,
    exits: Exits,
    load: impl Fn(&mut Running) -> Result<(), Failure>,
) -> Result<Cost, Failure> {
    let before = counts(machine, exits)?;
    let (cpu, start) = (machine.cpu_time()?, Instant::now());
    load(machine)?;
    let (cpu, seconds) = (machine.cpu_time()? - cpu, start.elapsed());
    let after = counts(machine, exits)?;
    Ok(Cost {
        cpu: cpu.as_secs_f64(),
        seconds: seconds.as_secs_f64(),
        exits_per_packet: (after.0 - before.0) / (after.1 - before.1),
    })
}

/// VM exits, and packets both ways, so far.
fn counts(machine: &mut Running, exits: Exits) -> Result<(f64, f64), Failure> {
    let packets = machine.run("cd /sys/class/net/eth0/statistics; cat rx_packets tx_packets")?;
    let packets = packets.lines().filter_map(|line| line.trim().parse::<f64>().ok());
    let packets = packets.sum();
    if exits == Exits::None {
        return Ok((0.0, packets));
    }
    let exits = report::exits(&machine.run("agent counters")?);
    // Counts stay far below 2^32, where doubles are exact.
    let exits = exits.iter().filter_map(|(_, count)| u32::try_from(*count).ok());
    Ok((exits.map(f64::from).sum(), packets))
}

/// The mean of pings to `address`, in milliseconds.
fn round_trip(network: &Network, address: &str) -> Result<f64, Failure> {
    let text = network.run(&format!("busybox ping -q -c {PINGS} -i 0.05 {address}"))?;
    // "round-trip min/avg/max = 0.1/0.2/0.3 ms"
    let mean = text
        .rsplit(" = ")
        .next()
        .and_then(|times| times.split('/').nth(1));
    mean.and_then(|mean| mean.parse().ok()).ok_or(Failure::Tool {
        command: "ping".to_owned(),
        output: text,
    })
}

/// MiB a second that go to the appliance's echo service and come back.
fn echo(network: &Network) -> Result<f64, Failure> {
    let start = Instant::now();
    let back = network.run(&format!(
        "head -c {ECHO_SIZE}M /dev/zero | busybox nc {APPLIANCE} 7 | wc -c"
    ))?;
    let seconds = start.elapsed().as_secs_f64();
    let whole = back.trim().parse() == Ok(u64::from(ECHO_SIZE) << 20);
    whole
        .then_some(f64::from(ECHO_SIZE) / seconds)
        .ok_or(Failure::Tool {
            command: "echo".to_owned(),
            output: back,
        })
}
