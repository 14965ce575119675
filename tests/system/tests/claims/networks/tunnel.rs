//! A guest behind a tunnel, with wireguard-go at the other end: it reaches what is behind, and whatever it tries, its wire
//! shows nothing else.

use super::*;
use sekisho_system::report;
use sekisho_system::tunneled::{FAR, GUEST, INSIDE, Plan, Tunneled, boot, far_hardware, lease};

/// Kinds of frames by hardware addresses that the agent tries.
const ATTEMPTS: u32 = 300;
/// Batches of packets that 2 MiB there and back are at least: a ring of the guest's driver has 256.
const LENT_AT_LEAST: u64 = 20;

#[test]
fn a_guest_behind_a_tunnel_reaches_what_is_behind_it_and_its_wire_shows_nothing_else() -> Result<(), Failure>
{
    let plan = Plan {
        name: "tunnel",
        rule: "log = true",
        more: &format!("[syslog]\nto = \"{INSIDE}\"\n"),
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.start(&mut scene.network)?;
    let folder = scene.network.folder().display().to_string();
    scene
        .network
        .run(&format!("head -c 1048576 /dev/urandom > {folder}/file"))?;
    scene
        .network
        .serve(&format!("exec busybox httpd -f -p {INSIDE}:80 -h {folder}"))?;
    let mut machine = scene.machine.start("tunnel")?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    machine.run(&format!("ping -c 3 -W 10 {INSIDE}"))?;
    let got = machine.run(&format!("wget -q -O - http://{INSIDE}/file | sha256sum"))?;
    let sent = scene.network.run(&format!("sha256sum < {folder}/file"))?;
    assert_same(&mut machine, "the file", &got.trim(), &sent.trim())?;
    machine.power_off()?;
    let count = scene.judge(&[])?;
    assert!(count > 20, "a file takes that many acknowledgements: {count}");
    Ok(())
}

#[test]
fn a_guest_keeps_its_wide_vectors_while_a_tunnel_uses_them() -> Result<(), Failure> {
    let plan = Plan {
        name: "tunnel-vectors",
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.start(&mut scene.network)?;
    let folder = scene.network.folder().display().to_string();
    scene
        .network
        .run(&format!("head -c 2097152 /dev/urandom > {folder}/file"))?;
    scene
        .network
        .serve(&format!("exec busybox httpd -f -p {INSIDE}:80 -h {folder}"))?;
    let sent = scene.network.run(&format!("sha256sum < {folder}/file"))?;
    let mut machine = scene.machine.start("tunnel-vectors")?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    machine.run("httpd -p 80 -h /")?;
    // Each CPU in turn has the NIC's interrupts, in which Linux receives, answers and goes on sending.
    for mask in [1, 2] {
        machine.run(&format!(
            "for irq in $(grep eth0 /proc/interrupts | cut -d : -f 1); do echo {mask} > /proc/irq/$irq/smp_affinity; done"
        ))?;
        let before = lent(&mut machine)?;
        machine.run("agent vectors 8 > /held &")?;
        let got = machine.run(&format!(
            "wget -q -O /file http://{INSIDE}/file; sha256sum < /file"
        ))?;
        assert_same(&mut machine, "what came", &got.trim(), &sent.trim())?;
        let back = scene
            .network
            .run(&format!("busybox wget -q -O - http://{GUEST}/file | sha256sum"))?;
        assert_same(&mut machine, "what went", &back.trim(), &sent.trim())?;
        let told = machine.run("wait; cat /held")?;
        let lent = lent(&mut machine)? - before;
        let held: Vec<_> = told.lines().filter_map(held).collect();
        let is_right = held.len() == 2 && held.iter().all(|(held, changed)| *held > 10 && *changed == 0);
        if !is_right || lent < LENT_AT_LEAST {
            return Err(machine.refute(format!(
                "interrupts to {mask}, vectors lent {lent} times:\n{told}"
            )));
        }
    }
    machine.power_off()
}

/// How often the guest has lent its wide registers.
fn lent(machine: &mut Running) -> Result<u64, Failure> {
    let counters = report::counters(&machine.run("agent counters")?);
    let found = counters.iter().find(|(name, _)| name == "vectors lent");
    found
        .map(|(_, count)| *count)
        .ok_or_else(|| machine.refute(format!("no counter: {counters:?}")))
}

/// How often a CPU held patterns, and how often they changed, of a line of `agent vectors`.
fn held(line: &str) -> Option<(u64, u64)> {
    let (_, counts) = line.split_once(": held ")?;
    let (held, changed) = counts.split_once(" changed ")?;
    Some((held.parse().ok()?, changed.parse().ok()?))
}

#[test]
fn a_hostile_guest_gets_no_frame_past_a_tunnel_that_is_never_up_up_or_down() -> Result<(), Failure> {
    stays_inside("tunnel-hostile", "e1000", Life::One)
}

#[test]
#[ignore = "long: make test-long"]
fn nor_past_a_tunnel_of_an_e1000_before_and_after_a_reboot() -> Result<(), Failure> {
    stays_inside("tunnel-hostile-e1000", "e1000", Life::Two)
}

#[test]
#[ignore = "long: make test-long"]
fn nor_past_a_tunnel_of_an_e1000e_before_and_after_a_reboot() -> Result<(), Failure> {
    stays_inside("tunnel-hostile-e1000e", "e1000e", Life::Two)
}

#[test]
#[ignore = "long: make test-long"]
fn nor_past_a_tunnel_of_an_i82559er_before_and_after_a_reboot() -> Result<(), Failure> {
    stays_inside("tunnel-hostile-i82559er", "i82559er", Life::Two)
}

/// How often a machine boots in a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    One,
    Two,
}

fn stays_inside(name: &str, model: &'static str, life: Life) -> Result<(), Failure> {
    let plan = Plan {
        name,
        model,
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    let far = far_hardware(&scene.network, &scene.wire)?;
    let mut machine = scene.machine.start(name)?;
    boot(&mut machine)?;
    attack(&mut machine, &far)?;
    let told = lease(&mut machine, "eth0")?;
    if !told.contains("routes .") {
        return Err(machine.refute(format!("the lease has routes:\n{told}")));
    }
    machine.run(&format!("ping -c 2 -W 1 {INSIDE}; true"))?;
    scene.server.start(&mut scene.network)?;
    machine.run(&format!("ping -c 10 -W 5 {INSIDE}"))?;
    attack(&mut machine, &far)?;
    machine.run(&format!("ping -c 3 -W 10 {INSIDE}"))?;
    scene.server.stop(&scene.network)?;
    attack(&mut machine, &far)?;
    if model != "i82559er" {
        drive_by_hand(&mut machine, model)?;
    }
    machine.run(&format!("ping -c 2 -W 1 {INSIDE}; true"))?;
    scene.server.start(&mut scene.network)?;
    lease(&mut machine, "eth0")?;
    machine.run(&format!("ping -c 10 -W 5 {INSIDE}"))?;
    if life == Life::Two {
        machine.give_last("reboot -f")?;
        boot(&mut machine)?;
        attack(&mut machine, &far)?;
        lease(&mut machine, "eth0")?;
        machine.run(&format!("ping -c 10 -W 5 {INSIDE}"))?;
        attack(&mut machine, &far)?;
    }
    machine.power_off()?;
    let count = scene.judge(&[])?;
    assert!(count > 10, "the tunnel was up: {count}");
    Ok(())
}

/// Everything that a driver's user can send, and what Linux's own stack makes.
fn attack(machine: &mut Running, far: &str) -> Result<(), Failure> {
    machine.run("ip link set eth0 up; ip link set eth0 promisc on")?;
    let sent = machine.run(&format!("agent frames eth0 {far}"))?;
    let count = sent.trim().trim_start_matches("sent ").parse();
    if count.is_ok_and(|count: u32| count >= ATTEMPTS) {
        machine.run(&format!(
            "ip address add 198.51.100.9/24 dev eth0; arping -c 1 -w 1 -I eth0 {FAR}; ping -c 1 -W 1 {FAR}; \
             ping -c 1 -W 1 198.51.100.255; ping -c 1 -W 1 -I eth0 224.0.0.1; ping6 -c 1 -W 1 -I eth0 ff02::1; \
             ip address del 198.51.100.9/24 dev eth0; true"
        ))?;
        return Ok(());
    }
    Err(machine.refute(format!("the attack was not carried out: {sent}")))
}

/// The NIC without its driver, by its registers; and the driver again.
pub(super) fn drive_by_hand(machine: &mut Running, driver: &str) -> Result<(), Failure> {
    machine.run("readlink -f /sys/class/net/eth0/device > /slot; basename $(cat /slot) > /name")?;
    machine.run(&format!(
        "cat /name > /sys/bus/pci/drivers/{driver}/unbind; setpci -s $(cat /name) COMMAND=6:6"
    ))?;
    let done = machine.run("agent nic $(head -n 1 $(cat /slot)/resource | cut -d ' ' -f 1)")?;
    // The NIC that the guest sees did take the frames.
    if done.trim() == "done 0" {
        return Err(machine.refute("no descriptor was taken"));
    }
    machine.run(&format!("cat /name > /sys/bus/pci/drivers/{driver}/bind"))?;
    Ok(())
}
