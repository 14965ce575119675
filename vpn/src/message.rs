//! The four messages on the wire (the paper, sections 5.4.2, 5.4.3, 5.4.6 and 5.4.7). Numbers are little endian.

/// Bytes of an initiation.
pub(crate) const INITIATION_SIZE: usize = 148;
/// Bytes of a response.
pub(crate) const RESPONSE_SIZE: usize = 92;
/// Bytes of a cookie reply.
pub(crate) const COOKIE_SIZE: usize = 64;
/// Bytes of a data message before what is encrypted: type, receiver, counter.
pub(crate) const DATA_HEADER: usize = 16;
/// Bytes of an authentication tag.
pub(crate) const TAG_SIZE: usize = 16;
/// Bytes of each of the two MACs that end an initiation and a response.
pub(crate) const MAC_SIZE: usize = 16;
/// Bytes of a nonce of a cookie reply.
pub(crate) const COOKIE_NONCE_SIZE: usize = 24;
/// Encrypted packets are a multiple of this long, unless the MTU forbids.
pub(crate) const PADDING: usize = 16;

/// The first byte of a message and three zeros.
const INITIATION: [u8; 4] = [1, 0, 0, 0];
const RESPONSE: [u8; 4] = [2, 0, 0, 0];
const COOKIE: [u8; 4] = [3, 0, 0, 0];
const DATA: [u8; 4] = [4, 0, 0, 0];

/// What a datagram claims to be. Its length is right for that; nothing else was looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Initiation,
    Response,
    Cookie,
    Data,
}

impl Kind {
    pub(crate) fn of(datagram: &[u8]) -> Option<Self> {
        match (*datagram.first_chunk()?, datagram.len()) {
            (INITIATION, INITIATION_SIZE) => Some(Self::Initiation),
            (RESPONSE, RESPONSE_SIZE) => Some(Self::Response),
            (COOKIE, COOKIE_SIZE) => Some(Self::Cookie),
            (DATA, length) if length >= DATA_HEADER + TAG_SIZE => Some(Self::Data),
            _ => None,
        }
    }
}

/// `N` encrypted bytes and what vouches for them.
pub(crate) struct Sealed<const N: usize> {
    pub(crate) text: [u8; N],
    pub(crate) tag: [u8; TAG_SIZE],
}

/// The first message of a handshake, without MACs.
pub(crate) struct Initiation {
    /// The initiator's index of the session to be.
    pub(crate) sender: u32,
    pub(crate) ephemeral: [u8; 32],
    pub(crate) identity: Sealed<32>,
    pub(crate) timestamp: Sealed<12>,
}

impl Initiation {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        fields.expect(INITIATION)?;
        Some(Self {
            sender: fields.number()?,
            ephemeral: fields.take()?,
            identity: fields.sealed()?,
            timestamp: fields.sealed()?,
        })
    }

    /// The message with room for its MACs.
    pub(crate) fn bytes(&self) -> [u8; INITIATION_SIZE] {
        join(&[
            &INITIATION,
            &self.sender.to_le_bytes(),
            &self.ephemeral,
            &self.identity.text,
            &self.identity.tag,
            &self.timestamp.text,
            &self.timestamp.tag,
        ])
    }
}

/// The second message of a handshake, without MACs.
pub(crate) struct Response {
    /// The responder's index of the session to be.
    pub(crate) sender: u32,
    /// The initiator's.
    pub(crate) receiver: u32,
    pub(crate) ephemeral: [u8; 32],
    pub(crate) nothing: Sealed<0>,
}

impl Response {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        fields.expect(RESPONSE)?;
        Some(Self {
            sender: fields.number()?,
            receiver: fields.number()?,
            ephemeral: fields.take()?,
            nothing: fields.sealed()?,
        })
    }

    /// The message with room for its MACs.
    pub(crate) fn bytes(&self) -> [u8; RESPONSE_SIZE] {
        join(&[
            &RESPONSE,
            &self.sender.to_le_bytes(),
            &self.receiver.to_le_bytes(),
            &self.ephemeral,
            &self.nothing.tag,
        ])
    }
}

/// What a responder under load says instead.
pub(crate) struct CookieReply {
    /// The index that the sender of the handshake message chose.
    pub(crate) receiver: u32,
    pub(crate) nonce: [u8; COOKIE_NONCE_SIZE],
    pub(crate) cookie: Sealed<MAC_SIZE>,
}

impl CookieReply {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        fields.expect(COOKIE)?;
        Some(Self {
            receiver: fields.number()?,
            nonce: fields.take()?,
            cookie: fields.sealed()?,
        })
    }

    pub(crate) fn bytes(&self) -> [u8; COOKIE_SIZE] {
        join(&[
            &COOKIE,
            &self.receiver.to_le_bytes(),
            &self.nonce,
            &self.cookie.text,
            &self.cookie.tag,
        ])
    }
}

/// What stands before an encrypted packet.
pub(crate) struct DataHeader {
    /// The receiver's index of the session.
    pub(crate) receiver: u32,
    pub(crate) counter: u64,
}

impl DataHeader {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        fields.expect(DATA)?;
        Some(Self {
            receiver: fields.number()?,
            counter: fields.take().map(u64::from_le_bytes)?,
        })
    }

    pub(crate) fn bytes(&self) -> [u8; DATA_HEADER] {
        join(&[&DATA, &self.receiver.to_le_bytes(), &self.counter.to_le_bytes()])
    }
}

/// The sender's index in a handshake message: the second field of both.
pub(crate) fn sender(message: &[u8]) -> Option<u32> {
    let mut fields = Fields(message);
    fields.take::<4>()?;
    fields.number()
}

/// The two MACs of a handshake message, and what each of them vouches for.
pub(crate) struct Macs<'a> {
    /// What the first is over.
    pub(crate) body: &'a [u8],
    /// What the second is over.
    pub(crate) body_and_first: &'a [u8],
    pub(crate) first: &'a [u8; MAC_SIZE],
    pub(crate) second: &'a [u8; MAC_SIZE],
}

impl<'a> Macs<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Option<Self> {
        let (body_and_first, second) = message.split_last_chunk()?;
        let (body, first) = body_and_first.split_last_chunk()?;
        Some(Self {
            body,
            body_and_first,
            first,
            second,
        })
    }
}

/// What is left to read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }

    fn expect(&mut self, kind: [u8; 4]) -> Option<()> {
        (self.take()? == kind).then_some(())
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn sealed<const N: usize>(&mut self) -> Option<Sealed<N>> {
        Some(Sealed {
            text: self.take()?,
            tag: self.take()?,
        })
    }
}

/// The parts one behind the other, then zeros.
fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut bytes = [0; N];
    let mut rest = bytes.as_mut_slice();
    for part in parts {
        let Some((field, behind)) = rest.split_at_mut_checked(part.len()) else {
            break;
        };
        field.copy_from_slice(part);
        rest = behind;
    }
    bytes
}
