//! The text of a message without what differs from one occurrence to the next: `user 42 not found` and `user 7 not
//! found` have one template, `user <number> not found`.
//!
//! Values are found by their form alone: quoted text, uuids, addresses of machines, mails and memory, times, hashes,
//! and numbers. Other words stay, so that different errors are not taken for one.

/// Bytes of a message that are read: what follows is mostly data.
const READ: usize = 2_048;

/// Longest quoted text, bytes.
const QUOTED: usize = 512;

/// Fewest characters of a hash, and of an identifier of letters and digits.
const HASH: usize = 8;
const IDENTIFIER: usize = 16;

/// Fewest digits at the end of a word that make them a number: `utf8` and `http2` are names.
const DIGITS: usize = 3;

/// Longest unit after a number: `12ms`.
const UNIT: usize = 3;

/// The template of a message.
pub(super) fn template(message: &str) -> String {
    let message = &message[..message.floor_char_boundary(READ)];
    let mut out = String::with_capacity(message.len());
    let mut at = 0;
    while let Some(first) = message[at..].chars().next() {
        let rest = &message[at..];
        let taken = match quoted(&out, rest) {
            Some(length) => {
                out.push_str("<text>");
                length
            }
            None if is_part(first) => {
                let chunk = chunk(rest);
                push_chunk(chunk, &mut out);
                chunk.len()
            }
            None => {
                out.push(first);
                first.len_utf8()
            }
        };
        at += taken;
    }
    out
}

/// Bytes of the quoted text that begins here, with its quotes.
fn quoted(before: &str, rest: &str) -> Option<usize> {
    let open = rest.chars().next()?;
    let close = match open {
        '"' | '\'' | '`' => open,
        '“' | '„' => '”',
        '‘' => '’',
        '«' => '»',
        _ => return None,
    };
    // An apostrophe within a word opens nothing.
    if before.ends_with(char::is_alphanumeric) {
        return None;
    }
    let inner = &rest[open.len_utf8()..];
    let inner = &inner[..inner.floor_char_boundary(QUOTED)];
    let is_end = |at: usize| !inner[at + close.len_utf8()..].starts_with(char::is_alphanumeric);
    let ends = inner.match_indices(close).map(|(at, _)| at);
    let end = ends.into_iter().find(|at| is_end(*at))?;
    Some(open.len_utf8() + end + close.len_utf8())
}

/// True if a character can be part of a value.
fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '@' | '/' | '+' | '%' | '#')
}

/// The characters up to the next that no value has, without those that end a sentence.
fn chunk(text: &str) -> &str {
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    match text[..end].trim_end_matches(['.', ':']) {
        "" => &text[..end],
        chunk => chunk,
    }
}

fn push_chunk(chunk: &str, out: &mut String) {
    match whole(chunk) {
        Some(name) => out.push_str(name),
        None => push_words(chunk, out),
    }
}

/// The name of a value that has separators within it.
fn whole(chunk: &str) -> Option<&'static str> {
    if uuid(chunk) {
        return Some("<uuid>");
    }
    if is_machine(chunk) {
        return Some("<ip>");
    }
    if is_time(chunk) {
        return Some("<time>");
    }
    let (name, host) = chunk.split_once('@')?;
    let is_mail = !name.is_empty() && host.contains('.') && !chunk.contains(['/', ':']);
    is_mail.then_some("<email>")
}

fn uuid(chunk: &str) -> bool {
    let lengths = chunk.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && chunk
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

/// True of an address of IPv4 or IPv6, with or without a port.
fn is_machine(chunk: &str) -> bool {
    let is_v6 = || chunk.matches(':').count() >= 2 && chunk.parse::<std::net::Ipv6Addr>().is_ok();
    let host = chunk.split_once(':').map_or(chunk, |(host, _)| host);
    let port = chunk.split_once(':').map_or("0", |(_, port)| port);
    (host.parse::<std::net::Ipv4Addr>().is_ok() && port.parse::<u16>().is_ok()) || is_v6()
}

/// True of a date, a time of day, or both.
fn is_time(chunk: &str) -> bool {
    let shape: String = chunk
        .chars()
        .take(10)
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let is_date = ["0000-00-00", "0000/00/00", "00.00.0000", "00/00/0000"].contains(&&*shape);
    let is_of_day = shape.starts_with("00:00:00") || shape == "00:00";
    is_date || is_of_day
}

/// Writes the words between separators, each by its form.
fn push_words(chunk: &str, out: &mut String) {
    let mut rest = chunk;
    while let Some(first) = rest.chars().next() {
        let end = match first.is_alphanumeric() {
            true => rest.find(|c: char| !c.is_alphanumeric()),
            false => rest.find(char::is_alphanumeric),
        };
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        if first.is_alphanumeric() {
            push_word(part, out);
        } else if !(is_within_number(part, after) && out.ends_with("<number>")) {
            // A sign belongs to its number.
            let is_sign =
                matches!(part, "-" | "+") && after.starts_with(|c: char| c.is_ascii_digit());
            let is_first = out
                .chars()
                .next_back()
                .is_none_or(|c| !c.is_alphanumeric() && c != '>');
            if !(is_sign && is_first) {
                out.push_str(part);
            }
        }
        rest = after;
    }
}

/// True if a separator goes on with a number.
fn is_within_number(separator: &str, after: &str) -> bool {
    separator == "." && after.starts_with(|c: char| c.is_ascii_digit())
}

fn push_word(word: &str, out: &mut String) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let leading = word.bytes().take_while(u8::is_ascii_digit).count();
    let trailing = word.bytes().rev().take_while(u8::is_ascii_digit).count();
    let number = |out: &mut String| {
        // The part after the point of a number that stands there.
        if !out.ends_with("<number>") {
            out.push_str("<number>");
        }
    };
    if digits == 0 {
        out.push_str(word);
    } else if digits == word.len() {
        number(out);
    } else if word.starts_with("0x") && word[2..].bytes().all(|byte| byte.is_ascii_hexdigit()) {
        out.push_str("<address>");
    } else if word.len() >= HASH && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        out.push_str("<hash>");
    } else if word.is_ascii() && word.len() >= IDENTIFIER && digits >= DIGITS {
        out.push_str("<id>");
    } else if leading > 0 && leading + UNIT >= word.len() && leading == digits {
        number(out);
        out.push_str(&word[leading..]);
    } else if trailing >= DIGITS && trailing == digits {
        out.push_str(&word[..word.len() - trailing]);
        out.push_str("<number>");
    } else {
        out.push_str(word);
    }
}

#[cfg(test)]
mod tests;
