//! The anti-forensic splitter (section "Anti-Forensic Splitter"): a key spread over 4,000 stripes of its own length, all of
//! which are needed, so that losing any of a keyslot's old sectors loses the key.

use super::spec::STRIPES;
use crate::random::{NoRandomness, Random};
use sekisho_crypto::Hash;
use sekisho_crypto::secret::{Secret, SecretBytes};

/// Bytes of the material of a key of `key_size` bytes.
pub(super) const fn material_size(key_size: usize) -> usize {
    key_size.saturating_mul(STRIPES as usize)
}

/// The key of `key_size` bytes that `material` holds, which is as long as [`material_size`] says.
pub(super) fn merge(hash: Hash, material: &[u8], key_size: usize) -> SecretBytes {
    let mut key = SecretBytes::zeroed(key_size);
    let mut stripes = material.chunks_exact(key_size.max(1));
    let last = stripes.next_back().unwrap_or_default();
    for stripe in stripes {
        xor(key.expose_mut(), stripe);
        diffuse(hash, key.expose_mut());
    }
    xor(key.expose_mut(), last);
    key
}

/// Material that [`merge`] makes `key` of, random but for the last stripe.
pub(super) fn split(hash: Hash, key: &[u8], random: &mut dyn Random) -> Result<SecretBytes, NoRandomness> {
    let mut material = SecretBytes::zeroed(material_size(key.len()));
    let free = material.length().saturating_sub(key.len());
    let (stripes, last) = material.expose_mut().split_at_mut(free);
    random.fill(stripes)?;
    let mut running = SecretBytes::zeroed(key.len());
    for stripe in stripes.chunks_exact(key.len().max(1)) {
        xor(running.expose_mut(), stripe);
        diffuse(hash, running.expose_mut());
    }
    xor(last, running.expose());
    xor(last, key);
    Ok(material)
}

fn xor(into: &mut [u8], other: &[u8]) {
    for (byte, with) in into.iter_mut().zip(other) {
        *byte ^= with;
    }
}

/// Replaces each piece of `block`, as long as the hash, by the hash of its number and itself; the last is cut.
fn diffuse(hash: Hash, block: &mut [u8]) {
    let mut copy = Secret::<{ Hash::MAX_SIZE }>::zeroed();
    for (number, piece) in (0_u32..).zip(block.chunks_mut(hash.size())) {
        let Some(before) = copy.expose_mut().get_mut(..piece.len()) else {
            return;
        };
        before.copy_from_slice(piece);
        hash.digest(&[&number.to_be_bytes(), before], piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Counting;

    #[test]
    fn a_key_survives_splitting_with_every_hash_and_size() {
        for hash in [Hash::Sha1, Hash::Sha256, Hash::Sha512] {
            for size in [32, 64] {
                let key: std::vec::Vec<u8> = (7..).take(size).collect();
                let material = split(hash, &key, &mut Counting::new(1)).unwrap();
                assert_eq!(material.length(), size * 4000);
                assert!(merge(hash, material.expose(), size).expose() == key);
            }
        }
    }

    #[test]
    fn any_changed_stripe_loses_the_key() {
        let key = [0x5a; 64];
        for stripe in [0, 1, 2000, 3998, 3999] {
            let mut material = split(Hash::Sha256, &key, &mut Counting::new(1)).unwrap();
            material.expose_mut()[stripe * 64] ^= 1;
            assert!(merge(Hash::Sha256, material.expose(), 64).expose() != key);
        }
    }
}
