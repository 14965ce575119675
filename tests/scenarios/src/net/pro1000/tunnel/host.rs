//! A host whose stack is smoltcp's, between two queues of frames.

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::{dhcpv4, tcp};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr};
use std::collections::VecDeque;

/// Its NIC.
#[derive(Default)]
pub(super) struct Queues {
    pub(super) to_host: VecDeque<Vec<u8>>,
    pub(super) from_host: VecDeque<Vec<u8>>,
}

pub(super) struct Taken(Vec<u8>);
pub(super) struct Given<'q>(&'q mut VecDeque<Vec<u8>>);

impl Device for Queues {
    type RxToken<'q> = Taken;
    type TxToken<'q> = Given<'q>;

    fn receive(&mut self, _: Instant) -> Option<(Taken, Given<'_>)> {
        let frame = self.to_host.pop_front()?;
        Some((Taken(frame), Given(&mut self.from_host)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Given<'_>> {
        // As many as a driver's ring has room for.
        (self.from_host.len() < 32).then_some(Given(&mut self.from_host))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = 1514;
        capabilities
    }
}

impl RxToken for Taken {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, look: F) -> R {
        look(&self.0)
    }
}

impl TxToken for Given<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut frame = vec![0; length];
        let result = write(&mut frame);
        self.0.push_back(frame);
        result
    }
}

/// A host that configures itself by DHCP.
pub(super) struct Host {
    pub(super) queues: Queues,
    interface: Interface,
    sockets: SocketSet<'static>,
    lease: SocketHandle,
}

impl Host {
    pub(super) fn new(hardware: [u8; 6]) -> Self {
        let mut queues = Queues::default();
        let config = Config::new(HardwareAddress::Ethernet(EthernetAddress(hardware)));
        let interface = Interface::new(config, &mut queues, Instant::ZERO);
        let mut sockets = SocketSet::new(Vec::new());
        Self {
            queues,
            interface,
            lease: sockets.add(dhcpv4::Socket::new()),
            sockets,
        }
    }

    /// Goes on, at this time in nanoseconds.
    pub(super) fn poll(&mut self, now: u64) {
        let now = Instant::from_micros(i64::try_from(now / 1000).unwrap());
        self.interface.poll(now, &mut self.queues, &mut self.sockets);
        let event = self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.lease).poll();
        if let Some(dhcpv4::Event::Configured(config)) = event {
            let (address, router) = (config.address, config.router.unwrap());
            self.interface.update_ip_addrs(|list| {
                list.clear();
                list.push(IpCidr::Ipv4(address)).unwrap();
            });
            self.interface
                .routes_mut()
                .add_default_ipv4_route(router)
                .unwrap();
        }
    }

    /// Whether it has an address.
    pub(super) fn is_configured(&self) -> bool {
        self.interface.ipv4_addr().is_some()
    }

    /// A TCP socket.
    pub(super) fn socket(&mut self) -> SocketHandle {
        let buffer = || tcp::SocketBuffer::new(vec![0; 16 * 1024]);
        self.sockets.add(tcp::Socket::new(buffer(), buffer()))
    }

    /// That socket, and what it needs to connect.
    pub(super) fn tcp(&mut self, handle: SocketHandle) -> (&mut tcp::Socket<'static>, &mut Interface) {
        (self.sockets.get_mut(handle), &mut self.interface)
    }
}
