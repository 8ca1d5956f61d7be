//! Stack traces: half of all bytes that agents send, and nearly always the same few.
//!
//! So a trace is hashed as raw text, and its frames are checked only when its hash is not among those that
//! were found sound lately. A trace that is known so is not even read: see [`Cut`].

mod cut;

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use apm_store::event::{Batch, Text};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::canonical::{self, OTHER_FORMS};
use super::fields::{Fields, Kind};
use super::schema::FRAME;
use super::walk::Members;
use crate::hash::hash;
use crate::refused::Refused;

pub(super) use cut::Cut;

/// Halves of hashes of sound traces, each in the place that its other half names; 0 is an empty place.
static SOUND: [AtomicU64; 1024] = [const { AtomicU64::new(0) }; 1024];

/// Checks every frame of a JSON array, and keeps it in the batch: in the regular form, if it is not in it.
///
/// # Errors
/// A frame is not as it should be; `around` is the field that the message begins with.
pub(super) fn checked(
    json: &str,
    around: &'static str,
    batch: &mut Batch,
) -> Result<Text, Refused> {
    let key = hash(json);
    if is_sound(key) {
        return Ok(batch.keep_stack(json, key));
    }
    let mut form = Cow::Borrowed(json);
    for forms in (0..=OTHER_FORMS).rev() {
        match frames(&form, around, forms)? {
            Some(other) => form = Cow::Owned(other),
            None => break,
        }
    }
    Ok(match form {
        // A trace that had to be rewritten is not remembered: its sent text is not sound.
        Cow::Borrowed(json) => {
            let (place, rest) = halves(key);
            SOUND[place].store(rest, Ordering::Relaxed);
            batch.keep_stack(json, key)
        }
        Cow::Owned(json) => batch.keep_stack(&json, hash(&json)),
    })
}

/// The place of a hash in [`SOUND`], and what stands there if it is known.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves are taken apart"
)]
fn halves(hash: u128) -> (usize, u64) {
    ((hash as u64 % 1024) as usize, (hash >> 64) as u64)
}

/// Whether the trace of this hash was found sound lately.
fn is_sound(hash: u128) -> bool {
    let (place, rest) = halves(hash);
    SOUND[place].load(Ordering::Relaxed) == rest && rest != 0
}

/// Checks every frame. Frames that cannot be read as they are come back in another form while `forms` are left.
fn frames(json: &str, around: &'static str, forms: u8) -> Result<Option<String>, Refused> {
    let mut fields = Fields::default();
    let mut reader = serde_json::Deserializer::from_str(json);
    let mut result = Frames {
        fields: &mut fields,
    }
    .deserialize(&mut reader);
    fields.path.push("stacktrace");
    if result.is_err() && forms > 0 {
        match canonical::other_form(json, fields.irregular, None) {
            Ok(Some(other)) => return Ok(Some(other)),
            Ok(None) => {}
            Err(error) => result = Err(error),
        }
    }
    if let Err(error) = result {
        return Err(Refused::malformed(
            &fields.wrong_at(around),
            &error.to_string(),
        ));
    }
    match fields.violation {
        Some(mut violation) => {
            violation.path.extend(["stacktrace", around]);
            Err(Refused::invalid(violation))
        }
        None => Ok(None),
    }
}

struct Frames<'w, 'de> {
    fields: &'w mut Fields<'de>,
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
        while let Some(set) = seq.next_element_seed(Members::nested(&FRAME, self.fields))? {
            if !set {
                self.fields.violate(Kind::Element);
            }
        }
        Ok(())
    }
}
