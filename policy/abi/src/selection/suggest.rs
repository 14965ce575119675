//! Near misses: which known name an unknown one was probably meant to be.

use alloc::vec::Vec;

/// Names longer than this are nobody's misspelling of a known one.
const MAX_NAME: usize = 32;

/// The candidate closest to `name`, if it is close: at most a third of its characters, or only case, differ.
pub(super) fn nearest(
    name: &str,
    candidates: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    if name.len() > MAX_NAME {
        return None;
    }
    let wanted = name.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance in bytes, a row at a time.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, left_byte) in left.bytes().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        let (first, rest) = match row.split_first_mut() {
            Some(parts) => parts,
            None => return line,
        };
        *first = before;
        for (cell, right_byte) in rest.iter_mut().zip(right.bytes()) {
            let substituted = diagonal + usize::from(left_byte != right_byte);
            diagonal = *cell;
            before = substituted.min(before + 1).min(diagonal + 1);
            *cell = before;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_insertions_deletions_and_substitutions() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("flaw", "lawn"), 2);
    }

    #[test]
    fn only_close_names_are_suggested() {
        let known = ["ahci", "ata", "pro1000"];
        assert_eq!(nearest("AHCI", known), Some("ahci"));
        assert_eq!(nearest("pro100O", known), Some("pro1000"));
        assert_eq!(nearest("wifi", known), None);
    }
}
