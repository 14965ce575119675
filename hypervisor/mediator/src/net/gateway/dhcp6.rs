//! The DHCPv6 server towards the guest (RFC 8415): one address, the same for ever, so that nothing has to be remembered.
//!
//! Hostile: the guest's messages. Options are walked once; identifiers and associations beyond the bounds are not answered.

use super::discovery::link_local;
use super::lease::Ipv6Lease;
use super::reply::{Link, Reply, TooLong, UDP_HEADER, udp};
use core::net::Ipv6Addr;
use smoltcp::wire::IpProtocol;

/// UDP ports (RFC 8415, 7.2).
pub(super) const SERVER_PORT: u16 = 547;
pub(super) const CLIENT_PORT: u16 = 546;
/// All servers and relays of a link (RFC 8415, 7.1).
pub(super) const ALL_SERVERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// Messages (RFC 8415, 7.3).
const SOLICIT: u8 = 1;
const ADVERTISE: u8 = 2;
const REQUEST: u8 = 3;
const CONFIRM: u8 = 4;
const RENEW: u8 = 5;
const REBIND: u8 = 6;
const REPLY: u8 = 7;
const RELEASE: u8 = 8;
const DECLINE: u8 = 9;
const INFORMATION_REQUEST: u8 = 11;
/// Options (RFC 8415, 21; RFC 3646).
const CLIENT: u16 = 1;
const SERVER: u16 = 2;
const ASSOCIATION: u16 = 3;
const ADDRESS: u16 = 5;
const STATUS: u16 = 13;
const RAPID_COMMIT: u16 = 14;
const NAME_SERVERS: u16 = 23;
/// Status codes (RFC 8415, 21.13).
const SUCCESS: u16 = 0;
const NO_ADDRESSES: u16 = 2;
const NOT_ON_LINK: u16 = 4;
/// Seconds that the address is preferred and valid, and after which it is renewed.
const PREFERRED: u32 = 86_400;
const VALID: u32 = 2 * PREFERRED;
const RENEWAL: u32 = PREFERRED / 2;
const REBINDING: u32 = PREFERRED / 8 * 7;
/// Bytes of the longest identifier of a client (RFC 8415, 11.1), and associations of one that are looked at.
const LONGEST_IDENTIFIER: usize = 130;
const ASSOCIATIONS: usize = 4;
/// Addresses of an association that are given up by name.
const ADDRESSES: usize = 4;
/// Bytes before the options of a message, and before those of an association and of an address (RFC 8415, 8, 21.4, 21.6).
const MESSAGE_HEADER: usize = 4;
const ASSOCIATION_HEADER: usize = 12;
const ADDRESS_BYTES: usize = 16;
const OPTION_HEADER: usize = 4;
/// Bytes of the longest association that is sent, and of the longest reply.
const LONGEST_ASSOCIATION: usize = ASSOCIATION_HEADER + (1 + ADDRESSES) * (OPTION_HEADER + ADDRESS_BYTES + 8);
const LONGEST: usize = 1024;

/// What of a message decides.
struct Message<'p> {
    kind: u8,
    transaction: [u8; 3],
    client: Option<&'p [u8]>,
    server: Option<&'p [u8]>,
    associations: [Option<&'p [u8]>; ASSOCIATIONS],
    wants_rapid_commit: bool,
}

impl<'p> Message<'p> {
    fn read(bytes: &'p [u8]) -> Option<Self> {
        let ([kind, transaction @ ..], options) = bytes.split_first_chunk::<MESSAGE_HEADER>()?;
        let mut message = Self {
            kind: *kind,
            transaction: *transaction,
            client: None,
            server: None,
            associations: [None; ASSOCIATIONS],
            wants_rapid_commit: false,
        };
        let mut found = 0;
        for option in Options(options) {
            match option? {
                (CLIENT, identifier) if identifier.len() > LONGEST_IDENTIFIER => return None,
                (CLIENT, identifier) => message.client = Some(identifier),
                (SERVER, identifier) => message.server = Some(identifier),
                (RAPID_COMMIT, _) => message.wants_rapid_commit = true,
                (ASSOCIATION, association) if association.len() >= ASSOCIATION_HEADER => {
                    if let Some(place) = message.associations.get_mut(found) {
                        *place = Some(association);
                        found += 1;
                    }
                }
                _ => {}
            }
        }
        Some(message)
    }

    /// What is answered, if anything (RFC 8415, 16 and 18.3).
    fn answer(&self, own: &[u8]) -> Option<Answer> {
        let to_us = self.server == Some(own);
        let to_all = self.server.is_none();
        let is_clients = self.client.is_some();
        match self.kind {
            SOLICIT if is_clients && to_all && self.wants_rapid_commit => Some(Answer::Commit),
            SOLICIT if is_clients && to_all => Some(Answer::Offer),
            REQUEST | RENEW if is_clients && to_us => Some(Answer::Give),
            REBIND if is_clients && to_all => Some(Answer::Give),
            CONFIRM if is_clients && to_all => Some(Answer::Confirm),
            RELEASE | DECLINE if is_clients && to_us => Some(Answer::Agree),
            INFORMATION_REQUEST if (to_us || to_all) && self.associations().next().is_none() => {
                Some(Answer::Inform)
            }
            _ => None,
        }
    }

    fn associations(&self) -> impl Iterator<Item = &'p [u8]> {
        self.associations.iter().flatten().copied()
    }

    /// The addresses that the guest says it has, of one association.
    fn addresses(association: &'p [u8]) -> impl Iterator<Item = Ipv6Addr> + use<'p> {
        let options = association.get(ASSOCIATION_HEADER..).unwrap_or_default();
        Options(options).flatten().filter_map(|(code, data)| {
            let address = data.first_chunk::<ADDRESS_BYTES>()?;
            (code == ADDRESS).then(|| Ipv6Addr::from_octets(*address))
        })
    }
}

/// What a reply says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// The address may be asked for.
    Offer,
    /// Here it is, without further words.
    Commit,
    /// Here it is.
    Give,
    /// Whether the guest's addresses are still right.
    Confirm,
    /// So be it.
    Agree,
    /// Name servers alone.
    Inform,
}

/// The options of a message: code and data; `None` where one is cut off.
struct Options<'p>(&'p [u8]);

impl<'p> Iterator for Options<'p> {
    type Item = Option<(u16, &'p [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let all = core::mem::take(&mut self.0);
        let ([a, b, c, d], behind) = match all.split_first_chunk::<4>() {
            Some(parts) => parts,
            None => return Some(None),
        };
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let Some((data, rest)) = behind.split_at_checked(length) else {
            return Some(None);
        };
        self.0 = rest;
        Some(Some((u16::from_be_bytes([*a, *b]), data)))
    }
}

/// Makes the reply to a message of the guest's from `source`, if there is one.
pub(super) fn answer(
    lease: &Ipv6Lease,
    source: Ipv6Addr,
    message: &[u8],
    link: Link,
    reply: &mut Reply,
) -> Option<Result<(), TooLong>> {
    let own = identifier(link);
    let message = Message::read(message)?;
    let answer = message.answer(&own)?;
    if answer == Answer::Confirm {
        // Without an address there is nothing to be said about any (RFC 8415, 18.3.3).
        message.associations().flat_map(Message::addresses).next()?;
    }
    let mut bytes = [0; LONGEST];
    let mut writer = Writer::new(&mut bytes);
    if write(lease, &message, answer, &own, &mut writer).is_none() {
        return Some(Err(TooLong));
    }
    let length = writer.written;
    let ends = (link_local(link.own), source);
    Some(send(bytes.get(..length).unwrap_or_default(), ends, link, reply))
}

fn send(message: &[u8], ends: (Ipv6Addr, Ipv6Addr), link: Link, reply: &mut Reply) -> Result<(), TooLong> {
    let length = UDP_HEADER + message.len();
    let place = reply.ipv6(link, link.guest, ends, IpProtocol::Udp, length)?;
    let ports = (SERVER_PORT, CLIENT_PORT);
    udp(place, (ends.0.into(), ends.1.into()), ports, message);
    Ok(())
}

/// Our identifier, of the kind that is a hardware address (RFC 8415, 11.4).
fn identifier(link: Link) -> [u8; 10] {
    let [a, b, c, d, e, f] = link.own.0;
    [0, 3, 0, 1, a, b, c, d, e, f]
}

fn write(
    lease: &Ipv6Lease,
    message: &Message<'_>,
    answer: Answer,
    own: &[u8],
    out: &mut Writer<'_>,
) -> Option<()> {
    let kind = if answer == Answer::Offer { ADVERTISE } else { REPLY };
    let [a, b, c] = message.transaction;
    out.push(&[kind, a, b, c])?;
    if let Some(client) = message.client {
        out.option(CLIENT, client)?;
    }
    out.option(SERVER, own)?;
    match answer {
        Answer::Commit => out.option(RAPID_COMMIT, &[])?,
        Answer::Agree => out.status(SUCCESS)?,
        Answer::Confirm => {
            let mut addresses = message.associations().flat_map(Message::addresses);
            let fits = addresses.all(|address| address == lease.address);
            out.status(if fits { SUCCESS } else { NOT_ON_LINK })?;
        }
        Answer::Offer | Answer::Give | Answer::Inform => {}
    }
    if matches!(answer, Answer::Offer | Answer::Commit | Answer::Give) {
        let mut associations = message.associations();
        if let Some(first) = associations.next() {
            give(lease, first, out)?;
        }
        for further in associations {
            refuse(further, out)?;
        }
    }
    if !matches!(answer, Answer::Agree | Answer::Confirm) {
        let mut servers = [[0; ADDRESS_BYTES]; super::lease::SERVERS];
        for (place, server) in servers.iter_mut().zip(&lease.servers) {
            *place = server.octets();
        }
        if let Some(servers @ [_, ..]) = servers.get(..lease.servers.len()) {
            out.option(NAME_SERVERS, servers.as_flattened())?;
        }
    }
    Some(())
}

/// The guest's address for an association, and an end to others that it has there (RFC 8415, 18.3.4).
fn give(lease: &Ipv6Lease, association: &[u8], out: &mut Writer<'_>) -> Option<()> {
    let mut bytes = [0; LONGEST_ASSOCIATION];
    let mut inner = Writer::new(&mut bytes);
    inner.push(association.get(..4)?)?;
    inner.push(&RENEWAL.to_be_bytes())?;
    inner.push(&REBINDING.to_be_bytes())?;
    inner.address(lease.address, PREFERRED, VALID)?;
    for other in Message::addresses(association)
        .filter(|address| *address != lease.address)
        .take(ADDRESSES)
    {
        inner.address(other, 0, 0)?;
    }
    let length = inner.written;
    out.option(ASSOCIATION, bytes.get(..length)?)
}

/// There is one address only.
fn refuse(association: &[u8], out: &mut Writer<'_>) -> Option<()> {
    let mut bytes = [0; LONGEST_ASSOCIATION];
    let mut inner = Writer::new(&mut bytes);
    inner.push(association.get(..4)?)?;
    inner.push(&[0; ASSOCIATION_HEADER - 4])?;
    inner.status(NO_ADDRESSES)?;
    let length = inner.written;
    out.option(ASSOCIATION, bytes.get(..length)?)
}

/// Bytes that are written one behind the other; `None` where they do not fit.
struct Writer<'b> {
    rest: &'b mut [u8],
    written: usize,
}

impl<'b> Writer<'b> {
    const fn new(bytes: &'b mut [u8]) -> Self {
        Self {
            rest: bytes,
            written: 0,
        }
    }

    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let rest = core::mem::take(&mut self.rest);
        let (place, rest) = rest.split_at_mut_checked(bytes.len())?;
        place.copy_from_slice(bytes);
        self.rest = rest;
        self.written += bytes.len();
        Some(())
    }

    fn option(&mut self, code: u16, data: &[u8]) -> Option<()> {
        self.push(&code.to_be_bytes())?;
        self.push(&u16::try_from(data.len()).ok()?.to_be_bytes())?;
        self.push(data)
    }

    fn status(&mut self, code: u16) -> Option<()> {
        self.option(STATUS, &code.to_be_bytes())
    }

    fn address(&mut self, address: Ipv6Addr, preferred: u32, valid: u32) -> Option<()> {
        let mut data = [0; ADDRESS_BYTES + 8];
        let mut writer = Writer::new(&mut data);
        writer.push(&address.octets())?;
        writer.push(&preferred.to_be_bytes())?;
        writer.push(&valid.to_be_bytes())?;
        self.option(ADDRESS, &data)
    }
}
