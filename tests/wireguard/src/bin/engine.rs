//! Our engine over two UDP sockets: outside it speaks WireGuard, inside each datagram is an IP packet, for a program that
//! has a TUN device.
//!
//!     engine OUTSIDE INSIDE GUEST PRIVATE PEER PRESHARED [ENDPOINT]
//!
//! OUTSIDE, INSIDE and GUEST are addresses with ports: where to listen, and where packets go; PRIVATE and PEER are numbers of
//! keys; PRESHARED is the byte of a preshared key, 0 for none. Events are printed, one a line.

use sekisho_vpn::{Event, Instant, Outlet, Random};
use sekisho_wireguard::tunnel;
use std::fs::File;
use std::io::Read;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{self, Duration};

type Failure = Box<dyn std::error::Error>;

/// What a thread has received.
enum Arrival {
    Outside(SocketAddr, Vec<u8>),
    Inside(Vec<u8>),
}

/// Datagrams that wait for the engine at most; more wait in the sockets.
const WAITING: usize = 256;

struct Sockets {
    outside: UdpSocket,
    inside: UdpSocket,
    guest: SocketAddr,
}

impl Outlet for Sockets {
    fn datagram(&mut self, to: SocketAddr, bytes: &[u8]) {
        // What is lost is sent again by whoever misses it.
        let _ = self.outside.send_to(bytes, to);
    }

    fn packet(&mut self, bytes: &[u8]) {
        let _ = self.inside.send_to(bytes, self.guest);
    }

    fn event(&mut self, event: Event) {
        println!("{event:?}");
    }
}

/// The system's randomness.
struct System(File);

impl Random for System {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.read_exact(bytes).expect("randomness");
    }
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [outside, inside, guest, private, peer, preshared, endpoint @ ..] = arguments.as_slice() else {
        return Err("OUTSIDE INSIDE GUEST PRIVATE PEER PRESHARED [ENDPOINT]".into());
    };
    let preshared = Some(preshared.parse()?)
        .filter(|byte| *byte != 0)
        .map(|byte: u8| [byte; 32]);
    let endpoint = endpoint.first().map(|text| text.parse()).transpose()?;
    let mut engine = tunnel(private.parse()?, peer.parse()?, preshared, endpoint);
    let mut random = System(File::open("/dev/urandom")?);
    let mut sockets = Sockets {
        outside: UdpSocket::bind(outside)?,
        inside: UdpSocket::bind(inside)?,
        guest: guest.parse()?,
    };
    let arrivals = listen(&sockets)?;
    let start = time::Instant::now();
    let now = || Instant(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
    loop {
        let due = engine.due().map_or(u64::MAX, |due| due.0);
        match arrivals.recv_timeout(Duration::from_nanos(due.saturating_sub(now().0))) {
            Ok(Arrival::Outside(from, mut bytes)) => {
                engine.receive(from, &mut bytes, now(), &mut random, &mut sockets);
            }
            Ok(Arrival::Inside(bytes)) => engine.send(&bytes, now(), &mut random, &mut sockets),
            Err(RecvTimeoutError::Timeout) => engine.poll(now(), &mut random, &mut sockets),
            Err(RecvTimeoutError::Disconnected) => return Err("the sockets have failed".into()),
        }
    }
}

fn listen(sockets: &Sockets) -> Result<Receiver<Arrival>, Failure> {
    let (sender, arrivals) = sync_channel(WAITING);
    let both = [
        (sockets.outside.try_clone()?, Arrival::Outside as fn(_, _) -> _),
        (sockets.inside.try_clone()?, |_, bytes| Arrival::Inside(bytes)),
    ];
    for (socket, arrival) in both {
        let sender = sender.clone();
        std::thread::spawn(move || take(&socket, &sender, arrival));
    }
    Ok(arrivals)
}

fn take(socket: &UdpSocket, sender: &SyncSender<Arrival>, arrival: fn(SocketAddr, Vec<u8>) -> Arrival) {
    let mut room = [0; 1 << 16];
    loop {
        match socket.recv_from(&mut room) {
            Ok((length, from)) => {
                let bytes = room.get(..length).unwrap_or_default().to_vec();
                if sender.send(arrival(from, bytes)).is_err() {
                    return;
                }
            }
            // An ICMP error to what was sent before: the other end is not there yet.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
            Err(error) => {
                eprintln!("{error}");
                return;
            }
        }
    }
}
