//! `sekisho logs listen`: a small collector, for the bench and the field. A datagram that is not the hypervisor's is left
//! out; who sends cannot be known by UDP, only who says to.

use super::Format;
use super::message::Message;
use super::show::Show;
use crate::command::{CommandResult, report};
use std::net::{SocketAddr, UdpSocket};

/// A datagram of UDP has no more bytes.
const LONGEST: usize = 65_535;

/// Receive syslog by UDP, and tell losses and restarts, until interrupted.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The address and port to receive at; `[::]:514` is IPv4 too on most systems.
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:514")]
    udp: SocketAddr,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments) -> CommandResult {
    let socket = UdpSocket::bind(arguments.udp)
        .map_err(|error| format!("cannot receive at {}: {error}", arguments.udp))?;
    report(&format!("listening at {}\n", socket.local_addr()?));
    let mut show = Show::new(arguments.format);
    let mut buffer = vec![0; LONGEST];
    loop {
        let (length, from) = socket.recv_from(&mut buffer)?;
        let bytes = buffer.get(..length).unwrap_or_default();
        if let Some(message) = Message::read(&String::from_utf8_lossy(bytes)) {
            show.message(&message, &from.ip().to_string())?;
        }
    }
}
