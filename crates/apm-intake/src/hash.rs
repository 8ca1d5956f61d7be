//! Hashes of texts that senders wrote, for looking them up in this process.
//!
//! Two texts of one hash are taken for the same here, so nobody may be able to make such a pair. XXH3 alone does not
//! prevent that. With a secret that each process draws at its start, nobody knows which texts to try.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use xxhash_rust::xxh3::{Xxh3, xxh3_128_with_secret};

/// Bytes of a secret that is not shorter than XXH3's own.
const LONG: usize = 192;

static SECRET: LazyLock<[u8; LONG]> = LazyLock::new(|| {
    let random = RandomState::new();
    let mut secret = [0; LONG];
    for (number, word) in secret.chunks_exact_mut(8).enumerate() {
        word.copy_from_slice(&random.hash_one(number).to_le_bytes());
    }
    secret
});

/// The hash of a text.
pub(crate) fn hash(text: &str) -> u128 {
    xxh3_128_with_secret(text.as_bytes(), &*SECRET)
}

/// The hash of several texts. Their lengths count: `ab`, `c` is not `a`, `bc`.
pub(crate) fn hash_all<'t>(texts: impl IntoIterator<Item = &'t str>) -> u128 {
    let mut hash = Xxh3::with_secret(*SECRET);
    for text in texts {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.digest128()
}

/// Stack traces that differ, are sound, and have one XXH3-128 without a secret. A word of the text is multiplied with
/// zero where it equals that of XXH3's own secret, and is added besides: what one such word has more, another has less.
#[cfg(test)]
pub(crate) fn alike(number: u8) -> String {
    assert!(number < 26, "one for each letter");
    let mut text = format!(r#"[{{"filename":"{}","lineno":1}}]"#, "x".repeat(1200));
    let letter = |number: u8| char::from(b'a' + number);
    for (at, word) in [
        (448, format!("{}--\u{c1}:&L", letter(number))),
        (896, format!("{}---\u{374}Y1", letter(25 - number))),
    ] {
        text.replace_range(at..at + 8, &word);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use xxhash_rust::xxh3::xxh3_128;

    use super::*;

    #[test]
    fn texts_that_were_made_to_have_one_hash_have_different_ones() {
        let texts: Vec<_> = (0..26).map(alike).collect();
        let public: HashSet<_> = texts.iter().map(|text| xxh3_128(text.as_bytes())).collect();
        assert_eq!(public.len(), 1);
        let own: HashSet<_> = texts.iter().map(|text| hash(text)).collect();
        assert_eq!(own.len(), texts.len());
        let own: HashSet<_> = texts.iter().map(|text| hash_all([text.as_str()])).collect();
        assert_eq!(own.len(), texts.len());
        assert_ne!(hash_all(["ab", "c"]), hash_all(["a", "bc"]));
    }
}
