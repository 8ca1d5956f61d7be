//! JSON, written from its first character to its last, without making values of it.

use std::fmt::Write as _;

/// A text of JSON that grows.
#[derive(Debug)]
pub(crate) struct Json<'o>(&'o mut String);

impl<'o> Json<'o> {
    pub(crate) fn new(out: &'o mut String) -> Self {
        Self(out)
    }

    /// The name of a member; its value is to follow.
    pub(crate) fn key(&mut self, name: &str) -> &mut Self {
        self.comma();
        quote(self.0, name);
        self.0.push(':');
        self
    }

    /// Begins an object or an array.
    pub(crate) fn open(&mut self, bracket: char) {
        if !self.0.ends_with(':') {
            self.comma();
        }
        self.0.push(bracket);
    }

    /// Ends it.
    pub(crate) fn close(&mut self, bracket: char) {
        self.0.push(bracket);
    }

    /// A member that is an object, left out where nothing is written into it.
    pub(crate) fn object(&mut self, name: &str, write: impl FnOnce(&mut Self)) {
        let before = self.0.len();
        self.key(name).open('{');
        let start = self.0.len();
        write(self);
        if self.0.len() == start {
            self.0.truncate(before);
        } else {
            self.close('}');
        }
    }

    /// A text as the value of a member.
    pub(crate) fn string(&mut self, text: &str) {
        quote(self.0, text);
    }

    /// A text as an element of an array.
    pub(crate) fn element(&mut self, text: &str) {
        self.comma();
        quote(self.0, text);
    }

    /// JSON that was written elsewhere.
    pub(crate) fn raw(&mut self, json: &str) {
        if !self.0.ends_with(':') {
            self.comma();
        }
        self.0.push_str(json);
    }

    /// Members that were written elsewhere.
    pub(crate) fn members(&mut self, members: &str) {
        if !members.is_empty() {
            self.comma();
            self.0.push_str(members);
        }
    }

    /// A member that is a text, left out where it is empty.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.text_even_empty(name, text);
        }
    }

    pub(crate) fn text_even_empty(&mut self, name: &str, text: &str) {
        self.key(name);
        quote(self.0, text);
    }

    pub(crate) fn int(&mut self, name: &str, number: impl Into<i128>) {
        self.key(name);
        self.int_value(number);
    }

    pub(crate) fn bool(&mut self, name: &str, flag: bool) {
        self.key(name);
        self.bool_value(flag);
    }

    pub(crate) fn double(&mut self, name: &str, number: f64) {
        self.key(name);
        self.double_value(number);
    }

    pub(crate) fn int_value(&mut self, number: impl Into<i128>) {
        self.value_comma();
        let number = number.into();
        // Numbers of 128 bits are rare, and take longer to write.
        let _ = match i64::try_from(number) {
            Ok(number) => write!(self.0, "{number}"),
            Err(_) => write!(self.0, "{number}"),
        };
    }

    pub(crate) fn bool_value(&mut self, flag: bool) {
        self.value_comma();
        self.0.push_str(if flag { "true" } else { "false" });
    }

    /// A number, without a fraction that it does not have. JSON has no NaN and no infinity: they are `null`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only where nothing is lost"
    )]
    pub(crate) fn double_value(&mut self, number: f64) {
        match number.fract() == 0.0 && number.abs() < 1e15 {
            true => self.int_value(number as i64),
            false => {
                self.value_comma();
                self.0
                    .push_str(&serde_json::Value::from(number).to_string());
            }
        }
    }

    fn value_comma(&mut self) {
        if !self.0.ends_with(':') {
            self.comma();
        }
    }

    fn comma(&mut self) {
        if !matches!(self.0.as_bytes().last(), None | Some(b'{' | b'[')) {
            self.0.push(',');
        }
    }
}

/// A text in quotation marks, escaped where it must be.
fn quote(out: &mut String, text: &str) {
    // Most texts need no escape, and are copied in one piece.
    if must_escape(text.as_bytes()) {
        out.push_str(&serde_json::Value::from(text).to_string());
    } else {
        out.reserve(text.len() + 2);
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

/// Whether a text has a quotation mark, a backslash or a control character. Eight bytes are looked at together.
fn must_escape(text: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    // The high bit of some byte is set if there is a byte below `limit` in `word`.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGH;
    let equal = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let (words, rest) = text.as_chunks::<8>();
    let in_words = words.iter().any(|word| {
        let word = u64::from_ne_bytes(*word);
        below(word, u64::from(b' ')) | equal(word, b'"') | equal(word, b'\\') != 0
    });
    in_words
        || rest
            .iter()
            .any(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_that_must_be_escaped_is_found_at_every_place_and_no_other_one() {
        for byte in 0..=0x7f_u8 {
            for before in 0..10 {
                for after in [0, 1, 7, 9] {
                    let text = ["é~".repeat(before), "x".repeat(after)]
                        .join(std::str::from_utf8(&[byte]).expect("a character of one byte"));
                    let wanted = byte < 0x20 || byte == b'"' || byte == b'\\';
                    assert_eq!(must_escape(text.as_bytes()), wanted, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_json() {
        let mut out = String::new();
        let mut json = Json::new(&mut out);
        json.open('{');
        json.text("a\"b", "c\\\n");
        json.text("left out", "");
        json.object("left out", |_| {});
        json.object("o", |json| {
            json.int("n", 1);
            json.double("d", 2.5);
            json.double("whole", 3.0);
            json.double("none", f64::NAN);
            json.bool("t", true);
        });
        json.key("l").open('[');
        json.element("x");
        json.raw("{}");
        json.double_value(1e300);
        json.close(']');
        json.close('}');
        assert_eq!(
            out,
            r#"{"a\"b":"c\\\n","o":{"n":1,"d":2.5,"whole":3,"none":null,"t":true},"l":["x",{},1e+300]}"#
        );
    }
}
