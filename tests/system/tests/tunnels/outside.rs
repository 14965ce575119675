//! What the appliance does outside beside the tunnel, where the policy says so: names, and the log.

use super::exchange;
use sekisho_system::failure::Failure;
use sekisho_system::record::frames;
use sekisho_system::tunneled::{APPLIANCE, FAR, INSIDE, PORT, Plan, Tunneled, boot, lease, readdress};
use std::net::Ipv4Addr;

const SYSLOG_PORT: u16 = 514;
const NAME_PORT: u16 = 53;
/// A name server that is not the peer.
const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 53);
/// Where the peer goes.
const MOVED: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);

#[test]
fn an_endpoint_has_a_name_that_is_asked_again_until_its_peer_answers() -> Result<(), Failure> {
    let plan = Plan {
        name: "tunnel-name",
        rule: "log = true",
        ip: "dns = [\"198.51.100.1\"]",
        endpoint: "vpn.example.net",
        more: "[syslog]\nto = \"198.51.100.1\"\nvia = \"outside\"\n",
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.start(&mut scene.network)?;
    // Nobody is there.
    let nobody = Ipv4Addr::new(198, 51, 100, 200);
    scene.network.serve(&name_server(FAR, nobody))?;
    let mut machine = scene.machine.start(plan.name)?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    machine.run(&format!("! ping -c 2 -W 2 {INSIDE}"))?;
    scene.network.end_last();
    scene.network.serve(&name_server(FAR, FAR))?;
    machine.run(&format!(
        "for try in $(seq 70); do ping -c 1 -W 1 {INSIDE} && found=1 && break; done; [ \"$found\" = 1 ]"
    ))?;
    exchange(&mut machine, &mut scene.network, 1)?;
    machine.power_off()?;
    // ARP is asked for the address where nobody is; its datagrams never leave.
    scene.judge(&[(FAR, NAME_PORT), (FAR, SYSLOG_PORT)])?;
    let record = std::fs::read(&scene.wire.record).map_err(Failure::file(&scene.wire.record))?;
    let messages: Vec<String> = frames(&record)
        .filter(|frame| frame.get(26..30) == Some(&APPLIANCE.octets()))
        .filter(|frame| frame.get(36..38) == Some(&SYSLOG_PORT.to_be_bytes()))
        .map(|frame| String::from_utf8_lossy(frame).into_owned())
        .collect();
    for (event, what) in [
        ("H0101", "the first line"),
        ("H0605", "a handshake"),
        ("198.51.100.200", "the name's first address"),
    ] {
        let told = messages.iter().any(|message| message.contains(event));
        assert!(told, "{what} is in none of {} messages", messages.len());
    }
    Ok(())
}

#[test]
fn a_name_that_leads_elsewhere_is_asked_again_when_a_tunnel_that_was_up_falls_silent() -> Result<(), Failure>
{
    let plan = Plan {
        name: "tunnel-renamed",
        ip: "dns = [\"198.51.100.53\"]",
        endpoint: "vpn.example.net",
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    // The name server stays where it is when the peer moves.
    scene.network.run(&format!(
        "ip address add {NAME_SERVER}/32 dev wire{}",
        scene.wire.number
    ))?;
    scene.server.start(&mut scene.network)?;
    scene.network.serve(&name_server(NAME_SERVER, FAR))?;
    let mut machine = scene.machine.start(plan.name)?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    exchange(&mut machine, &mut scene.network, 1)?;
    // It comes up elsewhere without its sessions, and cannot say so: it does not know where we are.
    scene.server.stop(&scene.network)?;
    scene.network.end_last();
    readdress(&scene.network, &scene.wire, FAR, MOVED)?;
    scene.network.serve(&name_server(NAME_SERVER, MOVED))?;
    scene.server.start(&mut scene.network)?;
    machine.run(&format!(
        "for try in $(seq 70); do ping -c 1 -W 1 {INSIDE} && found=1 && break; done; [ \"$found\" = 1 ]"
    ))?;
    exchange(&mut machine, &mut scene.network, 1)?;
    machine.power_off()?;
    scene
        .judge(&[(NAME_SERVER, NAME_PORT), (MOVED, PORT)])
        .map(|_| ())
}

/// A name server at `own` for which everything is at `address`.
fn name_server(own: Ipv4Addr, address: Ipv4Addr) -> String {
    format!(
        "exec dnsmasq --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null --pid-file= --user=root \
         --listen-address={own} --bind-interfaces --local-ttl=1 --address=/vpn.example.net/{address}"
    )
}

#[test]
fn the_log_goes_through_the_tunnel_in_order_and_not_beside_it() -> Result<(), Failure> {
    let more = format!("[syslog]\nto = \"{INSIDE}\"\n");
    let plan = Plan {
        name: "tunnel-log",
        rule: "log = true",
        more: &more,
        ..Plan::default()
    };
    let mut scene = Tunneled::make(&plan)?;
    scene.server.start(&mut scene.network)?;
    let kept = scene.network.folder().join("messages");
    // Left by a run before.
    let _ = std::fs::remove_file(&kept);
    scene.network.serve(&format!(
        "exec socat -u UDP4-RECV:{SYSLOG_PORT},bind={INSIDE} CREATE:{}",
        kept.display()
    ))?;
    let mut machine = scene.machine.start(plan.name)?;
    boot(&mut machine)?;
    lease(&mut machine, "eth0")?;
    machine.run(&format!("ping -c 5 -W 5 {INSIDE}"))?;
    machine.power_off()?;
    scene.judge(&[])?;
    let text = std::fs::read(&kept).map_err(Failure::file(&kept))?;
    let text = String::from_utf8_lossy(&text);
    let places: Vec<Option<usize>> = (1..=5)
        .map(|number| text.find(&format!("sequenceId=\"{number}\"")))
        .collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?} in {text}"
    );
    assert!(text.contains("H0605"), "the handshake is told: {text}");
    Ok(())
}
