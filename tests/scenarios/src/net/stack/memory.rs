//! What a module takes, and that it takes nothing once it runs.

use super::bench::NIC;
use super::bench::{Policy, SECOND, dhcp, prefix};
use super::neighbour::{ping, solicitation, udp, who_has};
use allocation_counter::measure;
use sekisho_abi::network::{Echo, Module as Kind, Syslog, SyslogFormat, Via};
use sekisho_mediator::log::{Event, Line, Log, Sink};
use sekisho_mediator::net::frame::{Frame, Offload};
use sekisho_mediator::net::module::Module;
use sekisho_mediator::net::port::{Full, Outlets, WireLink};
use sekisho_mediator::seam::Instant;

const OURS: &str = "192.0.2.11";
const THEIRS: &str = "192.0.2.1";

/// Takes frames and keeps none.
struct Away {
    frames: u64,
}

impl Outlets for Away {
    fn to_wire(&mut self, _: Frame<'_>) -> Result<(), Full> {
        self.frames += 1;
        Ok(())
    }

    fn wire(&self) -> WireLink {
        WireLink::Up
    }

    fn to_guest(&mut self, _: Frame<'_>) -> Result<(), Full> {
        Ok(())
    }
}

impl Sink for Away {
    fn line(&mut self, _: &Line) {}
}

/// Everything that a policy can ask of a NIC.
fn everything() -> Policy {
    Policy {
        syslog: Some(Syslog {
            to: "192.0.2.1:514".parse().unwrap(),
            via: Via::Outside,
            format: SyslogFormat::Rfc5424,
            source: None,
            mac: None,
        }),
        echo: Some(Echo {
            allow: vec![prefix("192.0.2.0/24")],
            client: Some("192.0.2.1:7".parse().unwrap()),
        }),
        ..Policy::new(Kind::IpPass, "192.0.2.11/24")
    }
}

#[test]
fn all_that_a_module_takes_stays_under_512_kib_and_without_services_under_192() {
    let taken = |policy: Policy| {
        let mut module = Module::Null;
        let taken = measure(|| module = policy.module());
        taken.bytes_current
    };
    let whole = taken(everything());
    let bare = taken(Policy::new(Kind::IpPass, "192.0.2.11/24"));
    println!("{whole} bytes with everything, {bare} without services");
    assert!(whole < 512 << 10, "{whole} bytes");
    assert!(bare < 192 << 10, "{bare} bytes");
}

#[test]
fn no_frame_and_no_line_takes_memory() {
    let mut pieces = ping(NIC, (THEIRS, OURS), 1400);
    // The first piece of a larger packet.
    let mut packet = smoltcp::wire::Ipv4Packet::new_unchecked(&mut pieces[14..]);
    packet.set_more_frags(true);
    packet.fill_checksum();
    let frames = [
        who_has(THEIRS, OURS),
        ping(NIC, (THEIRS, OURS), 1400),
        pieces,
        udp(NIC, (THEIRS, OURS), (5000, 7), b"echo"),
        udp(NIC, (THEIRS, OURS), (5000, 9), b"nobody"),
        solicitation("2001:db8::1", "2001:db8::11"),
    ];
    for policy in [
        everything(),
        Policy {
            interface: Some(dhcp()),
            ..everything()
        },
    ] {
        let mut module = policy.module();
        let (mut log, mut away) = (Log::new(16), Away { frames: 0 });
        for _ in 0..16 {
            log.write(&mut away, Event::STARTED, format_args!("a line of some length"));
        }
        let mut now = Instant(SECOND);
        let taken = measure(|| {
            for _ in 0..200 {
                for bytes in &frames {
                    let offload = Offload::default();
                    module.incoming(Frame { bytes, offload }, now);
                    module.outgoing(Frame { bytes, offload }, now);
                }
                now = Instant(now.0 + SECOND / 10);
                log.write(&mut Away { frames: 0 }, Event::STARTED, format_args!("another"));
                module.collect(&log, now);
                module.poll(now, &mut away);
            }
        });
        assert_eq!(taken.count_total, 0);
        assert!(away.frames > 0);
    }
}
