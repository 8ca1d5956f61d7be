//! An address taken apart as Elastic's server does it: by the rules of Go's `net/url`, of which this follows the
//! source. An address that those rules refuse has no parts.

/// Characters that are kept: what follows is not indexed.
const MAX_CHARS: usize = 1024;

/// The parts of an address, unescaped where they are when indexed; empty where there is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The whole of it, with its scheme.
    pub full: String,
    /// In lower case; `http` where none is told.
    pub scheme: String,
    /// The host: a name, or an address without brackets.
    pub domain: String,
    /// The port, where it is told.
    pub port: Option<u32>,
    /// From the first slash on.
    pub path: String,
    /// The text behind the question mark, as it was sent.
    pub query: String,
    /// The text behind the number sign.
    pub fragment: String,
}

/// The beginning of a text, as far as it is indexed.
pub fn cut(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_CHARS).map(|(at, _)| at);
    &text[..end.unwrap_or(text.len())]
}

/// Characters that stand for themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    User,
    Host,
    Path,
    Fragment,
}

/// Takes an address apart. One without a scheme is taken for `http`.
pub fn parse(address: &str) -> Option<Address> {
    if address.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return None;
    }
    let (rest, fragment) = address.split_once('#').unwrap_or((address, ""));
    let (scheme, rest) = scheme(rest)?;
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let mut out = Address {
        scheme: scheme.unwrap_or("http").to_ascii_lowercase(),
        query: query.unwrap_or_default().to_owned(),
        fragment: unescaped(fragment, Part::Fragment)?,
        ..Address::default()
    };
    out.full = format!("{}:", out.scheme);
    if scheme.is_some() && !rest.starts_with('/') {
        // `mailto:…`, `about:blank`
        out.full += rest;
    } else {
        hierarchy(&mut out, rest, scheme.is_some())?;
    }
    if let Some(query) = query {
        out.full += "?";
        out.full += query;
    }
    if !fragment.is_empty() {
        out.full += "#";
        out.full += &escaped(fragment, &out.fragment, Part::Fragment);
    }
    for text in [
        &mut out.full,
        &mut out.domain,
        &mut out.path,
        &mut out.query,
    ] {
        let end = cut(text).len();
        text.truncate(end);
    }
    Some(out)
}

/// The scheme, where there is one, and what follows it.
fn scheme(text: &str) -> Option<(Option<&str>, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
    match end {
        // Go refuses `:80`: the scheme is missing, and it cannot be a path.
        Some(0) if text.starts_with(':') => None,
        Some(end)
            if text[end..].starts_with(':')
                && text.starts_with(|c: char| c.is_ascii_alphabetic()) =>
        {
            Some((Some(&text[..end]), &text[end + 1..]))
        }
        _ => Some((None, text)),
    }
}

/// `//user@host:port/path`, or a path.
fn hierarchy(out: &mut Address, rest: &str, has_scheme: bool) -> Option<()> {
    // Go refuses a path whose first part has a colon: that part could be a scheme.
    let first = rest.split('/').next().unwrap_or_default();
    if first.contains(':') {
        return None;
    }
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) if has_scheme || !rest.starts_with('/') => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), path)
        }
        _ => (None, rest),
    };
    out.path = unescaped(path, Part::Path)?;
    let (user, host) = match authority.unwrap_or_default().rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority.unwrap_or_default()),
    };
    let domain = domain_and_port(out, host)?;
    let is_bare = user.is_none() && host.is_empty();
    // A scheme that is only supposed gets its slashes all the same; `http:/a` keeps its one.
    let omits_host = is_bare && has_scheme && authority.is_none();
    if !omits_host && (!is_bare || !path.is_empty()) {
        out.full += "//";
    }
    if let Some(user) = user {
        out.full += &user_info(user)?;
        out.full += "@";
    }
    out.full += &escape(&domain, Part::Host);
    out.full += &escaped(path, &out.path, Part::Path);
    Some(())
}

/// Sets domain and port; gives back both as they stand in the address, unescaped.
fn domain_and_port(out: &mut Address, host: &str) -> Option<String> {
    let colon = match out.scheme.as_str() {
        "http" | "https" => host.find(':'),
        // Databases have lists of hosts, each with its port.
        _ => host.rfind(':'),
    };
    let (name, port) = match host.rfind('[') {
        None => host.split_at(colon.unwrap_or(host.len())),
        // The colons within the brackets are those of the address.
        Some(0) => host.split_at(host.rfind(']')? + 1),
        Some(_) => return None,
    };
    if !port.is_empty() && !port.starts_with(':') {
        return None;
    }
    let digits = port.trim_start_matches(':');
    if port.len() > digits.len() + 1 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    out.port = digits.parse().ok().filter(|port| *port > 0);
    let name = unescaped(name, Part::Host)?;
    out.domain = match name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
    {
        Some(bare) => {
            // A zone is optional, but none may be empty.
            let (ip, zone) = bare.split_once('%').unwrap_or((bare, "none"));
            ip.parse::<std::net::Ipv6Addr>()
                .ok()
                .filter(|_| !zone.is_empty())?;
            bare.to_owned()
        }
        None => name.clone(),
    };
    Some(name + port)
}

fn user_info(user: &str) -> Option<String> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if !user.chars().all(is_legal) {
        return None;
    }
    let (name, password) = match user.split_once(':') {
        Some((name, password)) => (name, Some(password)),
        None => (user, None),
    };
    let mut out = escape(&unescaped(name, Part::User)?, Part::User);
    if let Some(password) = password {
        out.push(':');
        out += &escape(&unescaped(password, Part::User)?, Part::User);
    }
    Some(out)
}

/// A text without its escapes; none where one of them is broken, or a host has what no host has.
fn unescaped(text: &str, part: Part) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let value = u8::try_from(digit()? * 16 + digit()?).ok()?;
            // Hosts escape nothing but other alphabets, and the sign before a zone.
            if part == Part::Host && value < 0x80 && value != b'%' {
                return None;
            }
            out.push(value);
        } else if part == Part::Host && byte < 0x80 && !stands(byte, Part::Host) {
            return None;
        } else {
            out.push(byte);
        }
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

/// The text as it was sent if it is legal, else its unescaped form escaped anew.
fn escaped(sent: &str, unescaped: &str, part: Part) -> String {
    let is_legal = |byte: u8| stands(byte, part) || b"!$&'()*+,;=:@[]%".contains(&byte);
    match sent.bytes().all(is_legal) {
        true => sent.to_owned(),
        false => escape(unescaped, part),
    }
}

fn escape(text: &str, part: Part) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match stands(byte, part) {
            true => out.push(char::from(byte)),
            false => out += &format!("%{byte:02X}"),
        }
    }
    out
}

/// Whether a byte stands for itself in a part of an address.
fn stands(byte: u8, part: Part) -> bool {
    let others: &[u8] = match part {
        Part::User => b"$&+,;=",
        Part::Host => b"!$&'()*+,;=:[]<>\"",
        Part::Path => b"$&+,/:;=@",
        Part::Fragment => b"$&+,/:;=?@!()*",
    };
    byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || others.contains(&byte)
}

#[cfg(test)]
mod tests;
