//! XTS by AES instructions: which tweak, which blocks. The instructions themselves are in `kernel` and `keys`.

mod kernel;
mod keys;

use super::SectorSize;
use alloc::boxed::Box;
use core::slice;
use kernel::{BLOCK, Direction, Group, Pass, STREAMS};
use keys::{AesInstructions, KeySize, RoundKeys};

/// The tweak of nothing.
const NONE: [u8; BLOCK] = [0; BLOCK];

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
        let mut tweaks = SectorTweaks::new(&self.0.tweak, first_tweak, size);
        run(Direction::Encrypt, &self.0.encrypt, &mut tweaks, size, data);
    }

    pub(super) fn decrypt(&self, size: SectorSize, first_tweak: u64, data: &mut [u8]) {
        let mut tweaks = SectorTweaks::new(&self.0.tweak, first_tweak, size);
        run(Direction::Decrypt, &self.0.decrypt, &mut tweaks, size, data);
    }
}

/// While a group is worked on, the next one's tweaks are computed: after a sector's last group, from the next sector's.
fn run(
    direction: Direction,
    keys: &RoundKeys,
    tweaks: &mut SectorTweaks<'_>,
    size: SectorSize,
    data: &mut [u8],
) {
    let mut pass = Pass::plain(keys);
    pass.work(direction, keys, tweaks.take(), &mut []);
    let mut sectors = data.chunks_exact_mut(size.bytes()).peekable();
    while let Some(sector) = sectors.next() {
        let following = match sectors.peek() {
            Some(_) => tweaks.take(),
            None => &NONE,
        };
        let (groups, _) = sector.as_chunks_mut::<BLOCK>().0.as_chunks_mut();
        pass.work(direction, keys, following, groups);
    }
}

/// The encrypted tweak of one sector after the other, computed eight at a time.
struct SectorTweaks<'k> {
    keys: &'k RoundKeys,
    plain: Pass,
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
            plain: Pass::plain(keys),
            number,
            step: size.tweaks(),
            numbers: [NONE; STREAMS],
            ready: [NONE; STREAMS],
            used: 0,
        };
        tweaks.count();
        tweaks.compute();
        tweaks
    }

    /// A reference, so that the kernel reads what the kernel wrote: a copy in halves would make the CPU wait.
    fn take(&mut self) -> &[u8; BLOCK] {
        if self.used == STREAMS {
            self.compute();
        }
        let tweak = self.ready.get(self.used).unwrap_or(&NONE);
        self.used += 1;
        tweak
    }

    fn compute(&mut self) {
        self.ready = self.numbers;
        let ready = slice::from_mut(&mut self.ready);
        self.plain.work(Direction::Encrypt, self.keys, &NONE, ready);
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
