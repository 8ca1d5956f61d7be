//! Bytes that nobody can guess: for secrets, keys and sessions.

/// Fresh bytes of the system's generator.
///
/// # Panics
/// If the system has no generator. A secret that could be guessed would be worse.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has a generator of random bytes");
    bytes
}
