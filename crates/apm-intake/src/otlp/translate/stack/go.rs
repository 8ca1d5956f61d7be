//! Go, as `runtime/debug.Stack` writes it.

use super::Parsed;
use super::frame::{Frame, array};

pub(super) fn parse(text: &str) -> Option<Parsed> {
    let mut lines = text.lines();
    let head = lines.next()?;
    let is_head = head.starts_with("goroutine ") && head.ends_with(':');
    is_head.then_some(())?;
    let mut frames = Vec::new();
    while let Some(call) = lines.next() {
        if call.trim().is_empty() {
            // Other goroutines follow.
            break;
        }
        let place = lines.next()?.strip_prefix('\t')?;
        frames.push(frame(call, place)?);
    }
    Some(Parsed {
        frames: array(&frames)?,
        cause: None,
    })
}

/// `main.(*shop).order(0xc000012345, {0x1, 0x2})`, and below it `/app/main.go:10 +0x1d`.
fn frame<'a>(call: &'a str, place: &'a str) -> Option<Frame<'a>> {
    let call = match call.strip_prefix("created by ") {
        Some(created) => created.split(" in goroutine").next().unwrap_or(created),
        None => {
            // Values of parameters end the line; receivers of methods stand in brackets too.
            let call = call.strip_suffix(')')?;
            &call[..opening(call)?]
        }
    };
    // Dots in the path of a module do not end it: the first dot behind the last slash does.
    let after_path = call.rfind('/').map_or(0, |slash| slash + 1);
    let dot = after_path + call[after_path..].find('.')?;
    let (module, function) = (&call[..dot], &call[dot + 1..]);
    let place = place.split(" +0x").next().unwrap_or(place);
    let (file, line) = super::frame::number_at_end(place)?;
    // Packages of the standard library have no dot in their first part.
    let first = module.split('/').next().unwrap_or(module);
    let is_standard = !first.contains('.') && file.contains("/src/");
    Some(Frame {
        module,
        function,
        file,
        line: Some(line),
        is_library: module != "main"
            && (is_standard || file.contains("/pkg/mod/") || file.contains("/vendor/")),
        ..Frame::default()
    })
}

/// The place of the bracket that opens what the end of the text would close.
fn opening(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate().rev() {
        match byte {
            b')' => depth += 1,
            b'(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
