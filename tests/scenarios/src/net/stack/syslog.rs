//! The log on its way to a collector, judged by a parser that log shippers use.

use super::bench::{BOOT, Bench, MILLISECOND, NIC, OWN, PEER, Policy, SECOND, fixed};
use super::neighbour::{BROADCAST, arp, read_arp, read_udp, v4, who_has};
use sekisho_abi::network::{Module as Kind, Syslog, SyslogFormat, Via};
use sekisho_mediator::clock::WallClock;
use sekisho_mediator::net::frame::MacAddress;
use sekisho_mediator::net::loss::Loss;
use sekisho_mediator::net::port::{Verdict, WireLink};
use sekisho_mediator::seam::Instant;
use smoltcp::wire::{ArpOperation, ArpRepr, EthernetFrame};
use syslog_loose::{Message, Protocol, SyslogFacility, SyslogSeverity, Variant, parse_message};

const OURS: &str = "192.0.2.11";
const COLLECTOR: &str = "192.0.2.1";
const ROUTER: &str = "192.0.2.254";
const HOST: &str = "test-525400000011";

fn to(text: &str) -> Syslog {
    Syslog {
        to: text.parse().unwrap(),
        via: Via::Outside,
        format: SyslogFormat::Rfc5424,
        source: None,
        mac: None,
    }
}

fn logging(kind: Kind) -> Policy {
    Policy {
        syslog: Some(to("192.0.2.1:514")),
        ..Policy::new(kind, "192.0.2.11/24")
    }
}

/// Answers every ARP request, and gives the datagrams that came: hardware address, source, ports, data.
fn collect(bench: &mut Bench) -> Vec<(MacAddress, Vec<u8>)> {
    let mut messages = Vec::new();
    while let Some(frame) = bench.sent() {
        if let Some(ArpRepr::EthernetIpv4 {
            operation: ArpOperation::Request,
            source_protocol_addr,
            target_protocol_addr,
            ..
        }) = read_arp(&frame)
        {
            let (asked, asker) = (target_protocol_addr.to_string(), source_protocol_addr.to_string());
            bench.wire_sends(&arp(ArpOperation::Reply, (PEER, &asked), (NIC, &asker)));
            continue;
        }
        let (ip, udp, data) = read_udp(&frame).unwrap();
        assert_eq!((ip.src_addr, udp.src_port, udp.dst_port), (v4(OURS), 514, 514));
        let destination = EthernetFrame::new_checked(&frame).unwrap().dst_addr();
        messages.push((MacAddress(destination.0), data));
    }
    messages
}

/// Everything that came within this time.
fn within(bench: &mut Bench, nanoseconds: u64) -> Vec<(MacAddress, Vec<u8>)> {
    let end = bench.now.0 + nanoseconds;
    bench.poll();
    let mut messages = collect(bench);
    while bench.now.0 < end {
        bench.run(10 * MILLISECOND);
        messages.extend(collect(bench));
    }
    messages
}

fn texts(messages: &[(MacAddress, Vec<u8>)]) -> Vec<String> {
    messages
        .iter()
        .map(|(_, data)| {
            parse_message(std::str::from_utf8(data).unwrap(), Variant::RFC5424)
                .msg
                .to_owned()
        })
        .collect()
}

fn parsed(data: &[u8], variant: Variant) -> Message<String> {
    parse_message(std::str::from_utf8(data).unwrap(), variant).into()
}

fn parameter<'m>(message: &'m Message<String>, element: &str, name: &str) -> &'m str {
    let element = message
        .structured_data
        .iter()
        .find(|it| it.id == element)
        .unwrap();
    let (_, value) = element.params.iter().find(|(it, _)| it == name).unwrap();
    value
}

#[test]
fn every_field_of_a_message_is_where_a_collector_looks_for_it() {
    let mut policy = logging(Kind::IpPass);
    policy.clock = Some(WallClock {
        at: Instant(10 * SECOND),
        since_1970: 1_795_377_645 * SECOND,
    });
    let mut bench = policy.bench();
    bench.write_line("version 0.1.0, policy test");
    let messages = within(&mut bench, 2 * SECOND);
    let [(hardware, data)] = &messages[..] else {
        panic!("{} messages", messages.len())
    };
    assert_eq!(*hardware, PEER);
    let message = parsed(data, Variant::RFC5424);
    assert_eq!(message.protocol, Protocol::RFC5424(1));
    assert_eq!(message.facility, Some(SyslogFacility::LOG_LOCAL0));
    assert_eq!(message.severity, Some(SyslogSeverity::SEV_INFO));
    assert_eq!(
        message.timestamp.unwrap().to_rfc3339(),
        "2026-11-22T20:00:45+00:00"
    );
    assert_eq!(message.hostname.as_deref(), Some(HOST));
    assert_eq!(message.appname.as_deref(), Some("sekisho"));
    assert_eq!(message.procid, None);
    assert_eq!(message.msgid.as_deref(), Some("H0101"));
    assert_eq!(message.msg, "version 0.1.0, policy test");
    assert_eq!(parameter(&message, "meta", "sequenceId"), "1");
    assert_eq!(
        parameter(&message, "sekisho@32473", "boot"),
        format!("{BOOT:032x}")
    );
    assert_eq!(parameter(&message, "sekisho@32473", "policy"), "ab".repeat(32));
    assert_eq!(parameter(&message, "sekisho@32473", "line"), "0");
}

#[test]
fn the_old_form_has_host_tag_and_text() {
    let mut policy = logging(Kind::IpPass);
    policy.syslog.as_mut().unwrap().format = SyslogFormat::Rfc3164;
    policy.clock = Some(WallClock {
        at: Instant(0),
        since_1970: 1_795_377_645 * SECOND,
    });
    let mut bench = policy.bench();
    bench.write_line("4 CPUs");
    let (_, data) = within(&mut bench, 2 * SECOND).remove(0);
    let message = parsed(&data, Variant::RFC3164);
    assert_eq!(message.protocol, Protocol::RFC3164);
    assert_eq!(message.severity, Some(SyslogSeverity::SEV_INFO));
    assert_eq!(message.hostname.as_deref(), Some(HOST));
    assert_eq!(message.appname.as_deref(), Some("sekisho"));
    assert_eq!(message.msg, "0 H0101 4 CPUs");
}

#[test]
fn what_was_written_before_the_link_was_up_is_sent_from_the_first_line_on() {
    let mut bench = logging(Kind::IpPass).bench();
    bench.lines.link = WireLink::Down;
    for number in 0..20 {
        bench.write_line(&format!("line {number}"));
    }
    bench.run(SECOND);
    assert_eq!(bench.sent(), None);
    bench.lines.link = WireLink::Up;
    let messages = within(&mut bench, 3 * SECOND);
    let expected: Vec<String> = (0..20).map(|number| format!("line {number}")).collect();
    assert_eq!(texts(&messages), expected);
}

/// Numbers of the messages, each one more than the one before.
fn assert_no_gap(messages: &[(MacAddress, Vec<u8>)]) {
    for (index, (_, data)) in messages.iter().enumerate() {
        let message = parsed(data, Variant::RFC5424);
        assert_eq!(parameter(&message, "meta", "sequenceId"), (index + 1).to_string());
    }
}

#[test]
fn a_flood_of_lines_is_paced_and_what_was_overwritten_is_told() {
    let mut bench = logging(Kind::IpPass).bench();
    bench.write_line("first");
    let mut messages = within(&mut bench, 2 * SECOND);
    // The ring keeps 64 lines, 100 messages may leave at once and 50 a second after that.
    let start = bench.now;
    for number in 0..1000 {
        bench.write_line(&format!("line {number}"));
        if number % 10 == 0 {
            bench.run(10 * MILLISECOND);
            messages.extend(collect(&mut bench));
        }
    }
    let took = bench.now.0 - start.0;
    let bound = 101 + usize::try_from(took / (20 * MILLISECOND)).unwrap();
    assert!(
        messages.len() <= bound,
        "{} messages in {took} ns",
        messages.len()
    );
    messages.extend(within(&mut bench, 3 * SECOND));
    assert_no_gap(&messages);
    let texts = texts(&messages);
    assert_eq!(texts.last().unwrap(), "line 999");
    let lost: u64 = texts
        .iter()
        .filter_map(|text| text.strip_suffix(" lines of the log were overwritten before they could be sent"))
        .map(|count| count.parse::<u64>().unwrap())
        .sum();
    let told = texts.iter().filter(|text| text.starts_with("line ")).count() as u64;
    assert!(lost > 0);
    assert_eq!(lost + told, 1000);
}

#[test]
fn a_collector_in_another_network_is_reached_by_the_router() {
    let mut policy = logging(Kind::IpPass);
    policy.syslog = Some(to("203.0.113.9:514"));
    policy.interface.as_mut().unwrap().gateway = Some(ROUTER.parse().unwrap());
    let mut bench = policy.bench();
    bench.write_line("routed");
    bench.poll();
    let request = bench.sent().unwrap();
    let Some(ArpRepr::EthernetIpv4 {
        target_protocol_addr, ..
    }) = read_arp(&request)
    else {
        panic!("no ARP request")
    };
    assert_eq!(target_protocol_addr, v4(ROUTER));
    bench.wire_sends(&arp(ArpOperation::Reply, (PEER, ROUTER), (NIC, OURS)));
    bench.run(2 * SECOND);
    let (hardware, data) = collect(&mut bench).remove(0);
    assert_eq!(hardware, PEER);
    assert_eq!(texts(&[(hardware, data)]), ["routed"]);
}

#[test]
fn with_fixed_addresses_the_first_frame_is_the_message_and_the_guests_address_stays_the_guests() {
    for kind in [Kind::Pass, Kind::Null, Kind::Own] {
        let syslog = Syslog {
            source: Some(OURS.parse().unwrap()),
            mac: Some(OWN.0),
            ..to("192.0.2.1:514")
        };
        let mut bench = Policy {
            interface: None,
            syslog: Some(syslog),
            ..Policy::new(kind, "192.0.2.11/24")
        }
        .bench();
        bench.write_line("no ARP");
        bench.poll();
        let messages = collect(&mut bench);
        assert_eq!(messages[0].0, OWN);
        assert_eq!(texts(&messages), ["no ARP"]);
        let expected = if kind == Kind::Pass {
            Verdict::Forward
        } else {
            Verdict::Stop
        };
        assert_eq!(bench.wire_sends(&who_has(COLLECTOR, OURS)), expected);
        assert_eq!(bench.sent(), None);
    }
}

#[test]
fn a_nic_that_is_for_the_log_alone_asks_the_way_and_answers_nobody() {
    let syslog = Syslog {
        source: Some(OURS.parse().unwrap()),
        ..to("192.0.2.1:514")
    };
    let mut bench = Policy {
        interface: None,
        syslog: Some(syslog),
        ..Policy::new(Kind::Own, "192.0.2.11/24")
    }
    .bench();
    bench.write_line("asked");
    assert_eq!(texts(&within(&mut bench, 2 * SECOND)), ["asked"]);
    bench.wire_sends(&super::neighbour::ping(NIC, (COLLECTOR, OURS), 8));
    assert_eq!(bench.sent(), None);
    assert_eq!(bench.lost(Loss::Unwanted), 1);
}

#[test]
fn the_last_words_go_out_at_once_by_the_way_that_was_used_before() {
    let mut bench = logging(Kind::IpPass).bench();
    bench.write_line("before");
    assert_eq!(within(&mut bench, 2 * SECOND).len(), 1);
    for number in 0..30 {
        bench.write_line(&format!("last {number}"));
    }
    bench.module.flush(&bench.log, bench.now, &mut bench.lines);
    let messages = collect(&mut bench);
    assert_eq!(messages.len(), 30);
    assert!(messages.iter().all(|(hardware, _)| *hardware == PEER));
    assert_eq!(texts(&messages)[29], "last 29");
}

#[test]
fn a_nic_without_room_loses_no_line() {
    let mut bench = logging(Kind::IpPass).bench();
    bench.write_line("first");
    let mut messages = within(&mut bench, 2 * SECOND);
    bench.lines.room = 1;
    for number in 0..60 {
        bench.write_line(&format!("line {number}"));
    }
    messages.extend(within(&mut bench, 4 * SECOND));
    assert_no_gap(&messages);
    assert_eq!(messages.len(), 61);
}

#[test]
fn by_ipv6_too_the_message_arrives() {
    let mut policy = logging(Kind::IpPass);
    policy.interface = Some(fixed("2001:db8::11/64"));
    policy.syslog = Some(Syslog {
        mac: Some(BROADCAST.0),
        ..to("[2001:db8::1]:514")
    });
    let mut bench = policy.bench();
    bench.write_line("six");
    bench.poll();
    let frame = bench.sent().unwrap();
    let frame = EthernetFrame::new_checked(&frame).unwrap();
    let packet = smoltcp::wire::Ipv6Packet::new_checked(frame.payload()).unwrap();
    let udp = smoltcp::wire::UdpPacket::new_checked(packet.payload()).unwrap();
    assert!(udp.verify_checksum(&packet.src_addr().into(), &packet.dst_addr().into()));
    assert_eq!(parsed(udp.payload(), Variant::RFC5424).msg, "six");
}
