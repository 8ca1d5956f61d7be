//! A line without its stack trace.
//!
//! To read JSON is to look at each of its bytes, and a trace is half of the bytes of a span. One that was found sound
//! lately is left out before the line is read. Its beginning and its end are guessed: the first `"stacktrace":`, and
//! the last bracket of the line. The guess is right if the text between them has the hash of a sound trace, and if the
//! reader meets it as a member of the event itself. Otherwise the line is read as it is.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use memchr::memrchr;

use super::is_sound;
use crate::hash::hash;

const KEY: &str = "\"stacktrace\":";

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(KEY));

/// An array that stands for the trace. The reader of a line only looks whether there are frames.
const SHORT: &str = "[0]";

/// A line without its stack trace.
#[derive(Debug)]
pub(in crate::elastic) struct Cut<'l> {
    /// The line with another array in the place of the trace.
    pub(in crate::elastic) line: String,
    /// The offset of the member that has it.
    pub(in crate::elastic) start: usize,
    /// The trace, which is sound.
    pub(in crate::elastic) json: &'l str,
    pub(in crate::elastic) hash: u128,
}

impl<'l> Cut<'l> {
    /// Nothing where the line has no trace, or one that is not known.
    pub(in crate::elastic) fn new(line: &'l str) -> Option<Self> {
        let start = FINDER.find(line.as_bytes())?;
        let value = line[start + KEY.len()..].trim_ascii_start();
        let first = line.len() - value.len();
        let end = memrchr(b']', value.as_bytes())? + 1;
        let json = &value[..end];
        let hash = hash(json);
        if !is_sound(hash) {
            return None;
        }
        let (before, after) = (&line[..first], &value[end..]);
        let mut cut = String::with_capacity(before.len() + SHORT.len() + after.len());
        for part in [before, SHORT, after] {
            cut.push_str(part);
        }
        Some(Self {
            line: cut,
            start,
            json,
            hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use apm_store::event::{Batch, Event};

    use super::*;
    use crate::elastic::{self, Decoded};
    use crate::hash::alike;

    /// Decodes a line: gives the text of its trace and the rest of its document, or the message.
    fn decoded(line: &str) -> Result<(Option<String>, String), String> {
        let metadata =
            br#"{"metadata":{"service":{"name":"a","agent":{"name":"b","version":"1"}}}}"#;
        let resource = elastic::resource(metadata, None).expect("sound");
        let mut batch = Batch::new(Arc::new(resource), 1_700_000_000_000_000);
        let result = elastic::event(line.as_bytes(), &mut batch);
        assert_eq!(result.is_ok(), batch.events.len() == 1, "{line}");
        match result {
            Ok(Decoded::Event) => {}
            Ok(Decoded::Ignored) => panic!("{line}"),
            Err(refused) => return Err(refused.message),
        }
        let Event::Span(span) = &batch.events[0] else {
            panic!("{line}");
        };
        let stack = batch.opt(span.stack).map(str::to_owned);
        Ok((stack, batch.text(span.rest).to_owned()))
    }

    fn line(members: &str) -> String {
        let ids = r#""id":"0","parent_id":"1","trace_id":"2""#;
        let time = r#""timestamp":1700000000000000,"duration":1"#;
        format!(r#"{{"span":{{"name":"a","type":"b",{ids},{time},{members}}}}}"#)
    }

    #[test]
    fn a_line_means_the_same_before_and_after_its_stack_trace_is_known() {
        for (number, members) in [
            r#""sync":true,"stacktrace":STACK,"outcome":"success","context":{"db":{"type":"x"}}"#,
            r#""stacktrace": STACK"#,
            r#""stacktrace" :STACK"#,
            r#""stacktrace":STACK,"links":[{"span_id":"1","trace_id":"2"}]"#,
            r#""context":{"custom":{"stacktrace":STACK}}"#,
            r#""context":{"tags":{"a":"\"stacktrace\":STACK"}}"#,
            r#""context":{"tags":{"a\"stacktrace":1}},"stacktrace":STACK"#,
            r#""a\"stacktrace":STACK,"sync":false"#,
            r#""stacktrace":STACK,"stacktrace":[]"#,
            r#""stacktrace":[],"stacktrace":STACK"#,
            r#""stacktrace":STACK,"STACKTRACE":STACK"#,
            r#""stacktrace":STACK,"outcome":"other""#,
            r#""stacktrace":STACK,"sync":1"#,
            r#""stacktrace":STACK,"sync":"#,
            r#""stacktrace":STACK]"#,
            r#""outer":{"stacktrace":STACK},"stacktrace":[{"filename":"other"}]"#,
        ]
        .into_iter()
        .enumerate()
        {
            // Traces are known in the whole process.
            let stack = format!(r#"[{{"filename":"cut-{number}.js","lineno":{number}}}]"#);
            let one = line(&members.replace("STACK", &stack));
            let before = decoded(&one);
            let plain = line(&format!(r#""stacktrace":{stack}"#));
            let is_known = || Cut::new(&plain).is_some();
            decoded(&plain).expect("sound");
            assert!(is_known(), "{members}");
            assert_eq!(decoded(&one), before, "{members}");
        }
    }

    #[test]
    fn a_trace_that_was_made_to_have_the_hash_of_a_known_one_is_read() {
        let known = alike(0);
        decoded(&line(&format!(r#""stacktrace":{known}"#))).expect("sound");
        let is_known = |trace: &str| Cut::new(&line(&format!(r#""stacktrace":{trace}"#))).is_some();
        assert!(is_known(&known));
        assert!(!is_known(&alike(1)));
    }

    #[test]
    fn a_line_that_is_nested_too_deep_is_refused_without_its_trace_as_well() {
        let stack = r#"[{"filename":"deep-of-cut.js"}]"#;
        decoded(&line(&format!(r#""stacktrace":{stack}"#))).expect("sound");
        let deep = "[".repeat(200) + &"]".repeat(200);
        let one = line(&format!(r#""outer":{deep},"stacktrace":{stack}"#));
        assert!(Cut::new(&one).is_some());
        let message = decoded(&one).expect_err("too deep");
        assert!(message.contains("nested deeper"), "{message}");
    }
}
