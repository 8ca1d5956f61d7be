//! Text of the service, up to a length: what a value writes about itself may have no end.

use std::cell::Cell;
use std::fmt::{self, Arguments, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The depth to which a value that is formatted for the agent may ask the agent to format others.
const MAX_DEPTH: u32 = 8;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Takes text up to a length in bytes; what writes more is stopped by an error.
#[derive(Debug)]
pub(crate) struct Bounded {
    text: String,
    max: usize,
}

impl Bounded {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            text: String::new(),
            max,
        }
    }

    /// The text that the service's code writes about a value. Its panic is not ours to pass on, and the text of a value
    /// that has itself captured while it is formatted ends after a few rounds.
    pub(crate) fn format(text: Arguments<'_>, max: usize) -> String {
        let mut bounded = Self::new(max);
        let Some(_deeper) = Deeper::go() else {
            return "(formatting it formats it again)".to_owned();
        };
        // An error is how the sink stops a value that is too long.
        let written = catch_unwind(AssertUnwindSafe(|| {
            let _ = bounded.write_fmt(text);
        }));
        if written.is_err() {
            // This is not cut, however long the text is already.
            bounded.text.push_str("(formatting it panicked)");
        }
        bounded.text
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = self.max.saturating_sub(self.text.len());
        self.text
            .push_str(&piece[..piece.floor_char_boundary(room)]);
        if piece.len() > room {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

/// One value within another.
struct Deeper;

impl Deeper {
    fn go() -> Option<Self> {
        let depth = DEPTH.try_with(Cell::get).ok()?;
        (depth < MAX_DEPTH).then(|| {
            DEPTH.set(depth + 1);
            Self
        })
    }
}

impl Drop for Deeper {
    fn drop(&mut self) {
        let _ = DEPTH.try_with(|depth| depth.set(depth.get() - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_an_end_is_cut_at_a_character() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("aé")?;
                }
            }
        }
        let text = Bounded::format(format_args!("{Endless}"), 5);
        assert_eq!(text, "aéa");
    }

    #[test]
    fn a_value_that_formats_itself_comes_to_an_end() {
        struct Again;
        impl fmt::Display for Again {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&again(self))
            }
        }
        fn again(value: &Again) -> String {
            Bounded::format(format_args!("<{value}>"), 1000)
        }
        let text = Bounded::format(format_args!("{Again}"), 1000);
        assert_eq!(text.matches('<').count(), MAX_DEPTH as usize - 1, "{text}");
    }

    #[test]
    fn a_panic_is_part_of_the_text() {
        struct Bad;
        impl fmt::Display for Bad {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half ")?;
                panic!("on purpose")
            }
        }
        let text = Bounded::format(format_args!("{Bad}"), 1000);
        assert_eq!(text, "half (formatting it panicked)");
    }
}
