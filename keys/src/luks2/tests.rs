//! Headers against themselves; `cryptsetup` judges them in `keys/tests`.

use super::*;
use crate::tests::Counting;
use sekisho_crypto::argon2::Costs;
use sekisho_crypto::xts::SectorSize;

const CHEAP: Costs = Costs {
    memory: 32,
    passes: 4,
    lanes: 1,
};

fn new() -> (Header, SecretBytes) {
    let segment = Segment {
        offset: 0,
        size: Extent::Dynamic,
        sector_size: SectorSize::B512,
        key_size: 64,
    };
    let new = New {
        label: "system",
        segment,
    };
    Header::create(&new, b"first", CHEAP, &mut Counting::new(1)).unwrap()
}

fn unlocks(header: &Header, passphrase: &[u8], key: &SecretBytes) -> bool {
    header
        .unlock(passphrase)
        .is_ok_and(|unlocked| unlocked.key == *key)
}

#[test]
fn a_header_is_read_back_and_opens_with_its_passphrase_alone() {
    let (header, key) = new();
    let read = Header::read(header.file()).unwrap();
    assert_eq!(read.condition(), Condition::Whole);
    assert!(unlocks(&read, b"first", &key));
    assert_eq!(read.unlock(b"other").err(), Some(UnlockError::WrongPassphrase));
    assert_eq!(read.uuid(), header.uuid());
}
