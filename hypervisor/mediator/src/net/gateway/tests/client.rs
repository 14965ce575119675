//! A host on the guest's wire whose stack is smoltcp's: it finds its way without being configured.

use super::{FAR, GUEST, Inside, NIC, ROUTER, SERVER, gateway};
use crate::net::gateway::{Gateway, Outgoing};
use crate::seam::Instant;
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{dhcpv4, udp};
use smoltcp::time;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr, Ipv4Packet};

/// The wire between a host and the gateway.
struct Wire {
    gateway: Gateway,
    to_host: VecDeque<Vec<u8>>,
    to_tunnel: Vec<Vec<u8>>,
    now: u64,
}

struct Received(Vec<u8>);
struct Sent<'w>(&'w mut Wire);

impl Device for Wire {
    type RxToken<'w> = Received;
    type TxToken<'w> = Sent<'w>;

    fn receive(&mut self, _: time::Instant) -> Option<(Received, Sent<'_>)> {
        let frame = self.to_host.pop_front()?;
        Some((Received(frame), Sent(self)))
    }

    fn transmit(&mut self, _: time::Instant) -> Option<Sent<'_>> {
        Some(Sent(self))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, look: F) -> R {
        look(&self.0)
    }
}

impl TxToken for Sent<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut frame = vec![0; length];
        let result = write(&mut frame);
        let wire = self.0;
        match wire.gateway.outgoing(&mut frame, Instant(wire.now)) {
            Ok(Outgoing::Packet(packet)) => wire.to_tunnel.push(packet.to_vec()),
            Ok(Outgoing::Reply(reply)) => wire.to_host.push_back(reply.to_vec()),
            _ => {}
        }
        result
    }
}

struct Host {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
}

impl Host {
    fn new(gateway: Gateway) -> Self {
        let mut wire = Wire {
            gateway,
            to_host: VecDeque::new(),
            to_tunnel: Vec::new(),
            now: 0,
        };
        let config = Config::new(HardwareAddress::Ethernet(EthernetAddress(NIC.0)));
        let interface = Interface::new(config, &mut wire, time::Instant::ZERO);
        Self {
            wire,
            interface,
            sockets: SocketSet::new(Vec::new()),
        }
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 10 {
            self.wire.now += 100_000_000;
            let now = time::Instant::from_millis(i64::try_from(self.wire.now / 1_000_000).unwrap());
            self.interface.poll(now, &mut self.wire, &mut self.sockets);
        }
    }

    /// Asks by DHCP and takes what it gets.
    fn configure(&mut self) -> Option<(Ipv4Addr, Ipv4Addr, Vec<Ipv4Addr>)> {
        let handle = self.sockets.add(dhcpv4::Socket::new());
        self.run(20);
        let Some(dhcpv4::Event::Configured(config)) =
            self.sockets.get_mut::<dhcpv4::Socket<'_>>(handle).poll()
        else {
            return None;
        };
        let (address, router) = (config.address, config.router?);
        let servers = config.dns_servers.to_vec();
        self.interface
            .update_ip_addrs(|list| list.push(IpCidr::Ipv4(address)).unwrap());
        self.interface
            .routes_mut()
            .add_default_ipv4_route(router)
            .unwrap();
        Some((address.address(), router, servers))
    }
}

#[test]
fn a_host_is_configured_by_dhcp_alone() {
    let mut host = Host::new(gateway(Inside::Ipv4));
    assert_eq!(host.configure(), Some((GUEST, ROUTER, vec![SERVER])));
}

#[test]
fn a_host_that_boots_again_has_the_same_lease() {
    let mut host = Host::new(gateway(Inside::Ipv4));
    let first = host.configure();
    let mut host = Host::new(host.wire.gateway);
    assert_eq!(host.configure(), first);
}

#[test]
fn a_packet_of_a_configured_host_enters_the_tunnel_by_the_router_and_the_answer_comes_back() {
    let mut host = Host::new(gateway(Inside::Ipv4));
    host.configure().unwrap();
    let buffer = || udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; 4], vec![0; 1024]);
    let mut socket = udp::Socket::new(buffer(), buffer());
    socket.bind(7777).unwrap();
    socket.send_slice(b"hello", (FAR, 9)).unwrap();
    let handle = host.sockets.add(socket);
    host.run(5);
    let packet = host.wire.to_tunnel.pop().unwrap();
    let view = Ipv4Packet::new_checked(&packet[..]).unwrap();
    assert_eq!((view.src_addr(), view.dst_addr()), (GUEST, FAR));

    // The peer sends it back as it is, ends exchanged: the sums stay.
    let mut answer = packet;
    answer[12..16].copy_from_slice(&FAR.octets());
    answer[16..20].copy_from_slice(&GUEST.octets());
    let (from, to) = answer[20..24].split_at_mut(2);
    from.swap_with_slice(to);
    // As WireGuard pads it.
    answer.resize(answer.len().next_multiple_of(16), 0);
    let (header, packet) = host.wire.gateway.incoming(&mut answer).unwrap();
    host.wire.to_host.push_back([&header[..], packet].concat());
    host.run(1);
    let socket = host.sockets.get_mut::<udp::Socket<'_>>(handle);
    assert_eq!(socket.recv().unwrap().0, b"hello");
}
