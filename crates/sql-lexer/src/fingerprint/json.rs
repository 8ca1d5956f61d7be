//! Bodies of Mongo's and Elasticsearch's requests: keys stay, values become `?`, items alike are folded.

use super::MAX_NORMALIZED;
use super::subject::Subject;

/// Deeper bodies end there.
const MAX_DEPTH: usize = 64;
/// Items of a list, or of a stream, with which another one is compared.
const COMPARED: usize = 8;

/// Mongo's commands whose first value is the collection.
const COMMANDS: [&str; 14] = [
    "aggregate",
    "count",
    "create",
    "createIndexes",
    "delete",
    "distinct",
    "drop",
    "dropIndexes",
    "find",
    "findAndModify",
    "findandmodify",
    "insert",
    "listIndexes",
    "update",
];
/// Words that begin requests to Elasticsearch whose path is sent, too.
const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

/// Whether a statement is such a body, or a method, a path and a body.
pub(super) fn looks_so(text: &str) -> bool {
    let text = text.trim_start();
    let inner = || text[1..].trim_start();
    match text.as_bytes().first() {
        Some(b'{') => {
            let inner = inner();
            // JDBC's `{call …}` begins so, too: a key without quotes is followed by a colon.
            let word =
                inner.trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$'));
            inner.starts_with(['"', '\'', '}'])
                || (word.len() < inner.len() && word.trim_start().starts_with(':'))
        }
        Some(b'[') => {
            // A name of SQL's in brackets begins with none of these.
            let is_item = |c: char| c.is_ascii_digit() || matches!(c, '{' | '[' | '"' | '-');
            inner().starts_with(is_item)
        }
        _ => request_line(text).is_some(),
    }
}

/// The body with `?` for its values; what it does, and to what, where it is a command of Mongo.
pub(super) fn normalize(text: &str) -> (String, Subject) {
    let mut body = Body {
        text: text.trim_start(),
        at: 0,
        out: String::new(),
        subject: Subject::default(),
    };
    body.request_line();
    body.values();
    (body.out, body.subject)
}

/// `POST /people/_search`: the method, and the path up to a blank.
fn request_line(text: &str) -> Option<(&str, &str)> {
    let (method, rest) = text.split_once([' ', '\t'])?;
    let rest = rest.trim_start();
    let path = &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())];
    (METHODS.contains(&method) && path.starts_with('/')).then_some((method, path))
}

struct Body<'a> {
    text: &'a str,
    at: usize,
    out: String,
    subject: Subject,
}

impl<'a> Body<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_whitespace() || c == ',')
                .len();
    }

    fn is_full(&self) -> bool {
        self.out.len() > MAX_NORMALIZED
    }

    fn request_line(&mut self) {
        let Some((method, path)) = request_line(self.text) else {
            return;
        };
        self.at = path.as_ptr() as usize - self.text.as_ptr() as usize + path.len();
        method.clone_into(&mut self.subject.verb);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments: Vec<_> = path.split('/').map(segment).collect();
        self.out = format!("{method} {}", segments.join("/"));
        if !query.is_empty() {
            // The first sign begins the query, the second one stands for it.
            self.out.push_str("??");
        }
        if !self.rest().trim().is_empty() {
            self.out.push(' ');
        }
    }

    /// All values, as in the lines of a bulk request. One like another is told once.
    fn values(&mut self) {
        let mut known = Vec::new();
        loop {
            self.space();
            if self.rest().is_empty() || self.is_full() {
                break;
            }
            if !known.is_empty() {
                self.out.push(' ');
            }
            let start = self.out.len();
            self.value(0);
            self.keep(start, &mut known);
        }
        let end = self.out.trim_end().len();
        self.out.truncate(end);
    }

    /// Takes what was written from `start` back if it is known.
    fn keep(&mut self, start: usize, known: &mut Vec<String>) {
        let item = &self.out[start..];
        if known.iter().any(|other| other == item) {
            let end = self.out[..start].trim_end_matches([',', ' ']).len();
            self.out.truncate(end);
            if !self.out.ends_with('…') {
                self.out.push('…');
            }
        } else if known.len() < COMPARED {
            known.push(item.to_owned());
        }
    }

    fn value(&mut self, depth: usize) {
        if depth > MAX_DEPTH {
            self.at = self.text.len();
            return;
        }
        match self.rest().as_bytes().first() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            _ => {
                self.scalar(depth == 0);
                self.out.push('?');
            }
        }
    }

    fn object(&mut self, depth: usize) {
        self.at += 1;
        self.out.push('{');
        let mut is_first = true;
        loop {
            self.space();
            match self.rest().as_bytes().first() {
                None => break,
                Some(b'}') => {
                    self.at += 1;
                    break;
                }
                // A bracket that closes nothing is passed over.
                Some(b']') => {
                    self.at += 1;
                    continue;
                }
                _ if self.is_full() => break,
                _ => {}
            }
            if !is_first {
                self.out.push_str(", ");
            }
            self.member(depth, is_first);
            is_first = false;
        }
        self.out.push('}');
    }

    /// A key and its value.
    fn member(&mut self, depth: usize, is_first: bool) {
        let name = self.name();
        self.space();
        // A value stands where a key should, or the text is cut.
        if !self.rest().starts_with(':') {
            self.out.push('?');
            return;
        }
        self.at += 1;
        self.space();
        let key: Vec<_> = name.split('.').map(segment).collect();
        self.out.push_str(&format!("\"{}\": ", key.join(".")));
        let is_command = depth == 0 && is_first && COMMANDS.contains(&name);
        // The value of `getMore` is the cursor's id: the collection has a key of its own.
        let is_collection = depth == 0 && name == "collection" && self.subject.verb == "GETMORE";
        if depth == 0 && is_first && (is_command || name == "getMore") {
            self.subject.verb = name.to_uppercase();
        }
        let start = self.at;
        if (is_command || is_collection) && self.rest().starts_with(['"', '\'']) {
            self.scalar(false);
            let collection = self.text[start..self.at].trim_matches(['"', '\'']);
            self.out.push_str(&format!("\"{collection}\""));
            collection.clone_into(&mut self.subject.table);
        } else {
            self.value(depth + 1);
        }
    }

    fn array(&mut self, depth: usize) {
        self.at += 1;
        self.out.push('[');
        let mut known = Vec::new();
        loop {
            self.space();
            match self.rest().as_bytes().first() {
                None => break,
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                Some(b'}' | b':') => {
                    self.at += 1;
                    continue;
                }
                _ if self.is_full() => break,
                _ => {}
            }
            if !known.is_empty() {
                self.out.push_str(", ");
            }
            let start = self.out.len();
            self.value(depth + 1);
            self.keep(start, &mut known);
        }
        // A list of one value is like one of many.
        if let [only] = &known[..]
            && only == "?"
            && !self.out.ends_with('…')
        {
            self.out.push('…');
        }
        self.out.push(']');
    }

    /// A key: a text in quotes, or up to a colon.
    fn name(&mut self) -> &'a str {
        let start = self.at;
        if self.rest().starts_with(['"', '\'']) {
            self.quoted();
            return self.text[start..self.at].trim_matches(['"', '\'']);
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | '{' | '}' | '[' | ']');
        let rest = self.rest();
        let len = rest.find(ends).unwrap_or(rest.len());
        // Something must be read, or there would be no end.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        self.at += len.max(first);
        &self.text[start..self.at]
    }

    /// A text in quotes, to its end or that of the body.
    fn quoted(&mut self) {
        let mut chars = self.rest().char_indices();
        let Some((_, quote)) = chars.next() else {
            return;
        };
        while let Some((at, char)) = chars.next() {
            if char == '\\' {
                chars.next();
            } else if char == quote {
                self.at += at + 1;
                return;
            }
        }
        self.at = self.text.len();
    }

    /// Reads a value that is no object and no list: `"text"`, `5`, `ObjectId("…")`, `/expression/i`.
    fn scalar(&mut self, ends_at_blank: bool) {
        let start = self.at;
        let mut depth = 0usize;
        while let Some(char) = self.rest().chars().next() {
            match char {
                '"' | '\'' => {
                    self.quoted();
                    continue;
                }
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ',' | '}' | ']' if depth == 0 => break,
                '{' | '[' if depth == 0 && self.at > start => break,
                c if c.is_whitespace() && ends_at_blank && depth == 0 => break,
                _ => {}
            }
            self.at += char.len_utf8();
        }
        // A sign that begins nothing, such as a bracket too many.
        if self.at == start {
            self.at += self.rest().chars().next().map_or(0, char::len_utf8);
        }
    }
}

/// A part of a key or a path, or `?` where a program made it: a number, a date, an id, an address.
fn segment(name: &str) -> &str {
    let is_word =
        name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$' | '@'));
    let is_plain = name
        .chars()
        .skip(1)
        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '*'));
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    // Names have few digits, and hexadecimal ids of this length have at least one.
    let is_id = digits >= 4
        || (digits > 0 && name.len() >= 12 && name.bytes().all(|b| b.is_ascii_hexdigit()));
    match name.is_empty() || (is_word && is_plain && !is_id) {
        true => name,
        false => "?",
    }
}
