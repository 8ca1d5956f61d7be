//! Stack traces: half of all bytes that agents send, and nearly always the same few.
//!
//! So a trace is hashed as raw text, and its frames are checked only when its hash is not among those that
//! were found sound lately.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use xxhash_rust::xxh3::xxh3_128;

use super::decode::Refused;
use super::found::{Found, Kind};
use super::schema::FRAME;
use super::walk::Members;
use crate::event::{Batch, Stack};

/// Halves of hashes of sound traces, each in the place that its other half names; 0 is none.
static SOUND: [AtomicU64; 1024] = [const { AtomicU64::new(0) }; 1024];

/// Checks every frame of a JSON array, and answers the hash of its text.
///
/// # Errors
/// A frame is not as it should be; `around` is the field that the message begins with.
pub(super) fn check(json: &str, around: &'static str) -> Result<u128, Refused> {
    let hash = xxh3_128(json.as_bytes());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the two halves are taken apart"
    )]
    let (place, rest) = ((hash as u64 % 1024) as usize, (hash >> 64) as u64);
    if SOUND[place].load(Ordering::Relaxed) == rest && rest != 0 {
        return Ok(hash);
    }
    frames(json, around)?;
    SOUND[place].store(rest, Ordering::Relaxed);
    Ok(hash)
}

/// Keeps a trace in the batch.
pub(super) fn keep(json: &str, hash: u128, batch: &mut Batch) -> Stack {
    Stack {
        json: batch.keep(json),
        hash,
    }
}

fn frames(json: &str, around: &'static str) -> Result<(), Refused> {
    let mut found = Found::default();
    let mut reader = serde_json::Deserializer::from_str(json);
    let result = Frames { found: &mut found }.deserialize(&mut reader);
    found.path.push("stacktrace");
    if let Err(error) = result {
        return Err(Refused::malformed(
            &found.wrong_at(around),
            &error.to_string(),
        ));
    }
    match found.violation {
        Some(mut violation) => {
            violation.path.extend(["stacktrace", around]);
            Err(Refused::invalid(violation))
        }
        None => Ok(()),
    }
}

struct Frames<'w, 'de> {
    found: &'w mut Found<'de>,
}

impl<'de> DeserializeSeed<'de> for Frames<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Frames<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of frames")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(set) = seq.next_element_seed(Members::nested(&FRAME, self.found))? {
            if !set {
                self.found.violate(Kind::Element);
            }
        }
        Ok(())
    }
}
