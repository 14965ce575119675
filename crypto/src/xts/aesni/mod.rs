//! XTS by AES instructions: which tweak, which blocks. The instructions themselves are in `kernel` and `keys`.

mod kernel;
mod keys;

use super::SectorSize;
use alloc::boxed::Box;
use kernel::{BLOCK, Direction, Group, REDUCTION, STREAMS, Whitening, group};
use keys::{AesInstructions, KeySize, RoundKeys};

/// The keys, in memory of their own, so that moving the cipher leaves none behind.
pub(super) struct AesNi(Box<Keys>);

struct Keys {
    encrypt: RoundKeys,
    decrypt: RoundKeys,
    tweak: RoundKeys,
}

impl AesNi {
    /// `None` unless both keys are 16 or 32 bytes long and the CPU has AES instructions.
    pub(super) fn new(data: &[u8], tweak: &[u8]) -> Option<Self> {
        let size = match (data.len(), tweak.len()) {
            (16, 16) => KeySize::Aes128,
            (32, 32) => KeySize::Aes256,
            _ => return None,
        };
        let instructions = AesInstructions::detect()?;
        let empty = || RoundKeys::empty(instructions, size);
        let mut keys = Box::new(Keys {
            encrypt: empty(),
            decrypt: empty(),
            tweak: empty(),
        });
        keys.tweak.expand(tweak);
        let Keys { encrypt, decrypt, .. } = &mut *keys;
        encrypt.expand(data);
        decrypt.invert(encrypt);
        Some(Self(keys))
    }

    pub(super) fn encrypt(&self, size: SectorSize, first_tweak: u64, data: &mut [u8]) {
        let tweaks = SectorTweaks::new(&self.0.tweak, first_tweak, size);
        run(Direction::Encrypt, &self.0.encrypt, tweaks, size, data);
    }

    pub(super) fn decrypt(&self, size: SectorSize, first_tweak: u64, data: &mut [u8]) {
        let tweaks = SectorTweaks::new(&self.0.tweak, first_tweak, size);
        run(Direction::Decrypt, &self.0.decrypt, tweaks, size, data);
    }
}

/// While a group is worked on, the whitening of the next is computed: after a sector's last, from the next sector's
/// tweak.
fn run(
    direction: Direction,
    keys: &RoundKeys,
    mut tweaks: SectorTweaks<'_>,
    size: SectorSize,
    data: &mut [u8],
) {
    let (mut one, mut other) = ([0; STREAMS], [0; STREAMS]);
    let (mut now, mut next) = (&mut one, &mut other);
    let mut tweak = whiten(keys, tweaks.take(), now);
    let mut sectors = data.chunks_exact_mut(size.bytes()).peekable();
    while let Some(sector) = sectors.next() {
        let (groups, _) = sector.as_chunks_mut::<BLOCK>().0.as_chunks_mut::<STREAMS>();
        let Some((last, others)) = groups.split_last_mut() else {
            return;
        };
        for blocks in others {
            group(direction, keys, now, next, &mut tweak, blocks);
            (now, next) = (next, now);
        }
        if sectors.peek().is_some() {
            tweak = tweaks.take();
        }
        group(direction, keys, now, next, &mut tweak, last);
        (now, next) = (next, now);
    }
}

/// Fills the whitening of a group from its first tweak, and returns the one behind it.
fn whiten(keys: &RoundKeys, tweak: [u8; BLOCK], whitening: &mut Whitening) -> [u8; BLOCK] {
    let mut tweak = u128::from_le_bytes(tweak);
    for value in whitening {
        *value = tweak ^ keys.last();
        // All ones where the highest bit leaves.
        let carry = (tweak.cast_signed() >> 127).cast_unsigned();
        tweak = tweak << 1 ^ carry & REDUCTION;
    }
    tweak.to_le_bytes()
}

/// The encrypted tweak of one sector after the other, computed eight at a time.
struct SectorTweaks<'k> {
    keys: &'k RoundKeys,
    /// The last round key alone, which is a tweak of zero: so whitened, XTS is plain AES.
    plain: Whitening,
    number: u64,
    step: u64,
    /// The next eight numbers. They are written long before they are read, or the CPU would wait for the writes.
    numbers: Group,
    ready: Group,
    used: usize,
}

impl<'k> SectorTweaks<'k> {
    fn new(keys: &'k RoundKeys, number: u64, size: SectorSize) -> Self {
        let mut tweaks = Self {
            keys,
            plain: [keys.last(); STREAMS],
            number,
            step: size.tweaks(),
            numbers: [[0; BLOCK]; STREAMS],
            ready: [[0; BLOCK]; STREAMS],
            used: 0,
        };
        tweaks.count();
        tweaks.compute();
        tweaks
    }

    fn take(&mut self) -> [u8; BLOCK] {
        if self.used == STREAMS {
            self.compute();
        }
        let tweak = self.ready.get(self.used).copied().unwrap_or_default();
        self.used += 1;
        tweak
    }

    fn compute(&mut self) {
        self.ready = self.numbers;
        let (mut unused, mut none) = ([0; STREAMS], [0; BLOCK]);
        group(
            Direction::Encrypt,
            self.keys,
            &self.plain,
            &mut unused,
            &mut none,
            &mut self.ready,
        );
        self.used = 0;
        self.count();
    }

    fn count(&mut self) {
        for block in &mut self.numbers {
            *block = u128::from(self.number).to_le_bytes();
            // Numbers behind the last that is used may wrap.
            self.number = self.number.wrapping_add(self.step);
        }
    }
}
