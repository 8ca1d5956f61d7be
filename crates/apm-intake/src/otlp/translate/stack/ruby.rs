//! Ruby, as `full_message` writes it with the innermost call first, and as a list of calls.

use super::Parsed;
use super::frame::{Frame, array, number_at_end};

pub(super) fn parse(text: &str) -> Option<Parsed> {
    let mut frames = Vec::new();
    for line in text.lines() {
        let text = line.trim();
        let call = text.strip_prefix("from ").unwrap_or(text);
        match frame(call) {
            Some(frame) => frames.push(frame),
            // A message may have several lines: they follow the first call.
            None if frames.len() == 1 => {}
            None => return None,
        }
    }
    Some(Parsed {
        frames: array(&frames)?,
        cause: None,
    })
}

/// `/app/shop.rb:3:in 'Shop#ship'`, with the message behind it in the first line.
fn frame(call: &str) -> Option<Frame<'_>> {
    let (place, rest) = call.split_once(":in ")?;
    let (file, line) = number_at_end(place)?;
    let rest = rest.strip_prefix(['`', '\''])?;
    let (function, _) = rest.split_once('\'')?;
    let is_library = ["/gems/", "/lib/ruby/", "<internal:"]
        .iter()
        .any(|part| file.contains(part));
    Some(Frame {
        function,
        file,
        line: Some(line),
        is_library,
        ..Frame::default()
    })
}
