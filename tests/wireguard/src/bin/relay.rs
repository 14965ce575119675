//! A bad wire between two hosts that have an address each: it loses one datagram in twenty, and holds one in four back for up
//! to twenty milliseconds, so that it comes behind others.
//!
//!     relay OUTSIDE THERE INSIDE HERE
//!
//! All are addresses with ports. What comes to OUTSIDE goes to HERE from INSIDE, what comes to INSIDE goes from OUTSIDE to who
//! was heard there last, at first to THERE.

use sekisho_wireguard::Dice;
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One in so many is lost.
const LOST: u64 = 20;
/// One in so many is late, by at most so many microseconds.
const LATE: u64 = 4;
const LATEST: u64 = 20_000;
/// Datagrams on their way at most; more wait in the socket.
const WAITING: usize = 256;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [outside, there, inside, here] = arguments.as_slice() else {
        return Err("OUTSIDE THERE INSIDE HERE".into());
    };
    let (outside, inside) = (UdpSocket::bind(outside)?, UdpSocket::bind(inside)?);
    let ends = [there.parse()?, here.parse()?].map(|end| Arc::new(Mutex::new(end)));
    let [there, here] = ends;
    let inwards = (
        outside.try_clone()?,
        inside.try_clone()?,
        [there.clone(), here.clone()],
    );
    let other = std::thread::spawn(move || carry(&inwards.0, inwards.1, inwards.2, Dice(1)));
    carry(&inside, outside, [here, there], Dice(2))?;
    other.join().map_err(|_| "a direction has failed")?
}

/// An end of the wire, which may move.
type End = Arc<Mutex<SocketAddr>>;

/// Carries datagrams one way, badly.
fn carry(from: &UdpSocket, by: UdpSocket, [near, far]: [End; 2], mut dice: Dice) -> Result<(), Failure> {
    let (sender, arrivals) = sync_channel(WAITING);
    std::thread::spawn(move || deliver(&arrivals, &by, &far));
    let mut room = [0; 1 << 16];
    let mut number = 0_u64;
    loop {
        let length = match from.recv_from(&mut room) {
            Ok((length, source)) => {
                *near.lock().map_err(|_| "a direction has failed")? = source;
                length
            }
            // An ICMP error to what was sent before: the other end is not there yet.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => continue,
            Err(error) => return Err(error.into()),
        };
        if dice.roll(LOST) == 0 {
            continue;
        }
        let late = if dice.roll(LATE) == 0 {
            dice.roll(LATEST)
        } else {
            0
        };
        number += 1;
        let due = Instant::now() + Duration::from_micros(late);
        sender.send(((due, number), room.get(..length).unwrap_or_default().to_vec()))?;
    }
}

/// Sends each when it is due.
fn deliver(arrivals: &Receiver<((Instant, u64), Vec<u8>)>, by: &UdpSocket, to: &End) {
    let mut flying = BTreeMap::new();
    loop {
        let due = flying
            .first_key_value()
            .map(|((due, _), _): (&(Instant, u64), &Vec<u8>)| *due);
        let wait = due.map_or(Duration::MAX, |due| due.saturating_duration_since(Instant::now()));
        match arrivals.recv_timeout(wait.min(Duration::from_secs(1))) {
            Ok((due, datagram)) => {
                flying.insert(due, datagram);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        while let Some(entry) = flying.first_entry()
            && entry.key().0 <= Instant::now()
        {
            let Ok(to) = to.lock().map(|end| *end) else { return };
            // What is lost is sent again by whoever misses it.
            let _ = by.send_to(&entry.remove(), to);
        }
    }
}
