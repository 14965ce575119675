//! LUKS2 metadata of any text under a checksum that agrees is refused or read in bounded time and memory; what is read keeps
//! its bounds, can be written, and reads the same again. The same text is no sealed secret and no recovery key either.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sekisho_crypto::sha256;
use sekisho_keys::luks2::{Condition, Derivation, Extent, Header};
use sekisho_keys::recovery::RecoveryKey;
use sekisho_keys::secrets::{Secrets, unlock};
use sekisho_keys::{NoRandomness, Random};
use std::sync::{LazyLock, Mutex};

/// Bytes of a copy of the metadata, and where its parts are.
const COPY: usize = 16 << 10;
const JSON: usize = 4096;
const CHECKSUM: usize = 448;
/// Bytes of the file: two copies, and the keyslots area of the seeds.
const SIZE: usize = (1 << 20) + 2 * COPY;

/// Written again in place for each run.
static FILE: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(|| Mutex::new(vec![0; SIZE]));

/// The same bytes in every run.
struct Fixed;

impl Random for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        bytes.fill(0x5a);
        Ok(())
    }
}

fuzz_target!(|text: &[u8]| {
    let mut file = FILE.lock().expect("one thread");
    for (magic, offset) in [(b"LUKS\xba\xbe", 0), (b"SKUL\xba\xbe", COPY)] {
        lay_out(&mut file[offset..offset + COPY], magic, offset as u64, text);
    }
    if let Ok(header) = Header::read(&file) {
        bounded(&header);
        again(&file);
        if cheap(&header) {
            // No text makes keyslots of zeros open.
            assert!(header.unlock(b"fuzz").is_err());
        }
    }
    assert!(
        unlock(&file, b"fuzz").is_err(),
        "there is nothing behind the header"
    );
    if let Ok(secrets) = Secrets::from_bytes(text) {
        assert!(Secrets::from_bytes(secrets.to_bytes().expose()).is_ok());
    }
    if let Ok(key) = RecoveryKey::read(text) {
        assert!(RecoveryKey::read(key.text()).is_ok_and(|again| again.text() == key.text()));
    }
});

fn lay_out(copy: &mut [u8], magic: &[u8; 6], offset: u64, text: &[u8]) {
    copy.fill(0);
    copy[..6].copy_from_slice(magic);
    copy[6..8].copy_from_slice(&2_u16.to_be_bytes());
    copy[8..16].copy_from_slice(&(COPY as u64).to_be_bytes());
    copy[72..78].copy_from_slice(b"sha256");
    copy[168..204].copy_from_slice(b"1765bc25-736a-4f2d-bf78-77d4d3d2d889");
    copy[256..264].copy_from_slice(&offset.to_be_bytes());
    let length = text.len().min(COPY - JSON - 1);
    copy[JSON..JSON + length].copy_from_slice(&text[..length]);
    let checksum = sha256(copy);
    copy[CHECKSUM..CHECKSUM + 32].copy_from_slice(&checksum);
}

/// What every header that is read promises.
fn bounded(header: &Header) {
    assert_eq!(header.condition(), Condition::Whole);
    assert!(header.file().len() <= SIZE);
    let segment = header.segment();
    let sector = segment.sector_size.bytes() as u64;
    assert!([32, 64].contains(&segment.key_size));
    assert!(segment.offset % sector == 0);
    if let Extent::Fixed(size) = segment.size {
        assert!(size > 0 && size % sector == 0 && segment.offset.checked_add(size).is_some());
    }
    let slots: Vec<_> = header.slots().collect();
    assert!((1..=32).contains(&slots.len()));
    for (_, derivation) in slots {
        match derivation {
            Derivation::Argon2id(costs) | Derivation::Argon2i(costs) => {
                assert!(costs.memory <= 1 << 20 && costs.lanes <= 4);
                assert!(u64::from(costs.memory) * u64::from(costs.passes) <= 1 << 26);
            }
            Derivation::Pbkdf2 { iterations, .. } => assert!(iterations <= 1 << 26),
        }
    }
}

/// Both copies written again say the same.
fn again(file: &[u8]) {
    let mut header = Header::read(file).expect("read before");
    let before = (
        header.segment(),
        header.key_id(),
        header.slots().collect::<Vec<_>>(),
    );
    if header.repair(&mut Fixed).is_err() {
        // Numbers are written in full; what was just within its area may not fit any more.
        return;
    }
    let header = Header::read(header.file()).expect("what is written can be read");
    let after = (
        header.segment(),
        header.key_id(),
        header.slots().collect::<Vec<_>>(),
    );
    assert_eq!(before, after);
}

/// Whether trying a passphrase takes no time worth the name.
fn cheap(header: &Header) -> bool {
    header.slots().count() < 3
        && header.slots().all(|(_, derivation)| match derivation {
            Derivation::Argon2id(costs) | Derivation::Argon2i(costs) => {
                costs.memory <= 64 && costs.passes <= 4
            }
            Derivation::Pbkdf2 { iterations, .. } => iterations <= 1000,
        })
}
