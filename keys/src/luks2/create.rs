//! New headers, with one keyslot and a new volume key.

use super::binary::{Binary, TooLong};
use super::change::{ChangeError, new_salt};
use super::check::{Fault, Segment};
use super::keyslot;
use super::metadata::{
    Config, Digest, DigestKind, Encryption, Metadata, Requirements, Segment as SegmentObject, SegmentKind,
};
use super::spec::{
    ALIGNMENT, BINARY_SIZE, OUR_AREA_SIZE, OUR_DIGEST_ITERATIONS, OUR_KEYSLOTS_SIZE, OUR_SLOT_SIZE,
};
use super::word::Word;
use super::{Condition, Header, length};
use crate::random::{NoRandomness, Random};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::num::NonZeroU32;
use sekisho_crypto::Hash;
use sekisho_crypto::argon2::Costs;
use sekisho_crypto::secret::SecretBytes;

/// What a new header is of.
pub struct New<'a> {
    /// The volume's name, at most 47 bytes.
    pub label: &'a str,
    /// The volume.
    pub segment: Segment,
}

impl Header {
    /// A new header with one keyslot, number 0, and the new volume key.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub fn create(
        new: &New<'_>,
        passphrase: &[u8],
        costs: Costs,
        random: &mut dyn Random,
    ) -> Result<(Self, SecretBytes), ChangeError> {
        let mut key = SecretBytes::zeroed(new.segment.key_size);
        random.fill(key.expose_mut())?;
        let binary = Binary {
            area_size: OUR_AREA_SIZE,
            sequence: 0,
            label: padded(new.label.as_bytes())?,
            uuid: padded(&new_uuid(random)?)?,
            subsystem: padded(b"sekisho")?,
        };
        let mut header = Self {
            file: Vec::new(),
            metadata: without_keyslots(&new.segment, &key, random)?,
            binary,
            segment: new.segment,
            condition: Condition::Whole,
        };
        let whole = length(&header.binary, &header.metadata);
        header.file.resize(whole, 0);
        // Nobody shall see how many keyslots were ever used.
        random.fill(&mut header.file)?;
        header.add(&key, passphrase, costs, random)?;
        Ok((header, key))
    }
}

fn without_keyslots(
    segment: &Segment,
    key: &SecretBytes,
    random: &mut dyn Random,
) -> Result<Metadata, ChangeError> {
    let salt = new_salt(random)?;
    let iterations = NonZeroU32::new(OUR_DIGEST_ITERATIONS).unwrap_or(NonZeroU32::MIN);
    let digest = keyslot::digest(Hash::Sha256, key, &salt, iterations);
    let digest = Digest {
        kind: DigestKind::Pbkdf2,
        keyslots: Vec::new(),
        segments: alloc::vec![Word(0)],
        hash: Word(Hash::Sha256),
        iterations: iterations.get(),
        salt: Word(salt),
        digest: Word(digest),
    };
    let keyslots_size = keyslots_size(segment.offset)?;
    let segment = SegmentObject {
        kind: SegmentKind::Crypt,
        offset: Word(segment.offset),
        size: Word(segment.size),
        iv_tweak: Word(0),
        encryption: Encryption::AesXtsPlain64,
        sector_size: u16::try_from(segment.sector_size.bytes())
            .map_err(|_| ChangeError::Fault(Fault::Segment))?,
    };
    Ok(Metadata {
        keyslots: BTreeMap::new(),
        tokens: BTreeMap::new(),
        segments: BTreeMap::from([(0, segment)]),
        digests: BTreeMap::from([(0, digest)]),
        config: Config {
            json_size: Word((OUR_AREA_SIZE - BINARY_SIZE) as u64),
            keyslots_size: Word(keyslots_size),
            flags: Vec::new(),
            requirements: Requirements::default(),
        },
    })
}

/// As much as fits before a volume at `offset`, with room for a passphrase and a recovery key at least.
fn keyslots_size(offset: u64) -> Result<u64, ChangeError> {
    let room = offset.saturating_sub(2 * OUR_AREA_SIZE as u64) / ALIGNMENT * ALIGNMENT;
    match room.min(OUR_KEYSLOTS_SIZE) {
        _ if offset == 0 => Ok(OUR_KEYSLOTS_SIZE),
        size if size >= 2 * OUR_SLOT_SIZE => Ok(size),
        _ => Err(ChangeError::Fault(Fault::Offset)),
    }
}

/// A random UUID, as text (RFC 9562, section 5.4).
fn new_uuid(random: &mut dyn Random) -> Result<Vec<u8>, NoRandomness> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = bytes;
    let (g, i) = (g & 0x0f | 0x40, i & 0x3f | 0x80);
    Ok(alloc::format!(
        "{a:02x}{b:02x}{c:02x}{d:02x}-{e:02x}{f:02x}-{g:02x}{h:02x}-{i:02x}{j:02x}-\
         {k:02x}{l:02x}{m:02x}{n:02x}{o:02x}{p:02x}"
    )
    .into_bytes())
}

/// `text` with NULs behind it, of which at least one must fit.
fn padded<const N: usize>(text: &[u8]) -> Result<[u8; N], TooLong> {
    let mut field = [0; N];
    let place = field.get_mut(..text.len()).ok_or(TooLong)?;
    place.copy_from_slice(text);
    if text.len() < N { Ok(field) } else { Err(TooLong) }
}
