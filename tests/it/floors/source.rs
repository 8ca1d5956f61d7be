//! The imports of a crate, read from its source: every path that begins with `crate`, `self` or `super`, in a `use` and
//! elsewhere.
//!
//! Comments, texts and what only tests compile are left out.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

/// The tokens of each module that are compiled without tests, by its path; nothing stands for the root.
type Modules = BTreeMap<Vec<String>, Vec<String>>;

/// A path in a module that leads to another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    /// The module that has it, without the crate; nothing stands for the root.
    pub(super) from: Vec<String>,
    /// The module that it leads to.
    pub(super) to: Vec<String>,
    /// As it is written, braces resolved.
    path: String,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} uses {}", self.from.join("::"), self.path)
    }
}

/// All imports between modules of the crate in a folder, but for those of its root and those of a module by its own
/// parent.
pub(super) fn imports(folder: &Path) -> Vec<Import> {
    let mut modules = Modules::new();
    read(&folder.join("src"), &[], &mut modules);
    let mut imports = Vec::new();
    for (from, tokens) in &modules {
        for path in paths(tokens) {
            if let Some(to) = target(from, &path, &modules)
                && to != *from
                && !from.is_empty()
            {
                imports.push(Import {
                    from: from.clone(),
                    to,
                    path: path.join("::"),
                });
            }
        }
    }
    imports
}

/// Reads the modules of a folder and of those in it.
fn read(folder: &Path, path: &[String], modules: &mut Modules) {
    let mut only_tests = Vec::new();
    let entries = fs::read_dir(folder);
    for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let entry = entry.expect("an entry").path();
        let name = entry.file_stem().expect("a name").to_string_lossy();
        let inner: Vec<String> = path.iter().cloned().chain([name.to_string()]).collect();
        if entry.is_dir() {
            read(&entry, &inner, modules);
        } else if entry.extension().is_some_and(|end| end == "rs") {
            let is_root = path.is_empty() && matches!(&*name, "lib" | "main");
            let module = if is_root { Vec::new() } else { inner };
            let text = fs::read_to_string(&entry).expect("text");
            let (code, tests) = split_tests(&tokens(&text));
            let declared = tests
                .windows(3)
                .filter(|part| part[0] == "mod" && part[2] == ";");
            for name in declared.map(|part| part[1].clone()) {
                only_tests.push(module.iter().cloned().chain([name]).collect::<Vec<_>>());
            }
            modules.insert(module, code);
        }
    }
    modules.retain(|module, _| !only_tests.iter().any(|tests| module.starts_with(tests)));
}

/// Parts the items that only tests compile from the others.
fn split_tests(tokens: &[String]) -> (Vec<String>, Vec<String>) {
    let (mut code, mut tests) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let Some(length) = test_mark(&tokens[at..]) else {
            code.push(tokens[at].clone());
            at += 1;
            continue;
        };
        at += length;
        let mut depth = 0_usize;
        while let Some(token) = tokens.get(at) {
            tests.push(token.clone());
            at += 1;
            match token.as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && token == "}" {
                        break;
                    }
                }
                ";" | "," if depth == 0 => break,
                _ => {}
            }
        }
    }
    (code, tests)
}

/// The length of `#[cfg(test)]` or `#[cfg(all(test, …))]` at the beginning of some tokens.
fn test_mark(tokens: &[String]) -> Option<usize> {
    let begins = |marks: &[&str]| {
        let tokens = tokens.iter().take(marks.len());
        tokens.eq(marks.iter())
    };
    if !begins(&["#", "[", "cfg", "(", "test", ")"])
        && !begins(&["#", "[", "cfg", "(", "all", "(", "test", ","])
    {
        return None;
    }
    let end = tokens.iter().position(|token| token == "]");
    end.map(|end| end + 1)
}

/// Words, `::`, and single signs, without comments and texts.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment(rest)
        } else if let Some(length) = raw_text(rest) {
            length
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' {
            // A lifetime, unless a character and a second sign follow.
            let mut signs = rest.chars().skip(1);
            match (signs.next(), signs.next()) {
                (Some('\\'), _) | (_, Some('\'')) => quoted(rest, '\''),
                _ => 1,
            }
        } else if first.is_alphanumeric() || first == '_' {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                tokens.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of a comment that may hold others.
fn comment(text: &str) -> usize {
    let mut depth = 0_usize;
    for at in text.char_indices().map(|(at, _)| at) {
        if text[at..].starts_with("/*") {
            depth += 1;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            if depth == 0 {
                return at + 2;
            }
        }
    }
    text.len()
}

/// The length of `r"…"`, `r#"…"#` and their like.
fn raw_text(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let signs = inner.bytes().take_while(|byte| *byte == b'#').count();
    inner[signs..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(signs));
    let begin = text.len() - inner.len() + signs + 1;
    Some(
        text[begin..]
            .find(&end)
            .map_or(text.len(), |at| begin + at + end.len()),
    )
}

/// The length of a text between two quotation marks, in which a backslash takes the next sign along.
fn quoted(text: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, sign) in text.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if sign == mark => return at + sign.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// All paths that begin with `crate`, `self` or `super`, braces resolved.
fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let begins = matches!(tokens[at].as_str(), "crate" | "self" | "super");
        let is_path = begins && tokens.get(at + 1).is_some_and(|next| next == "::");
        let is_inner = at > 0 && tokens[at - 1] == "::";
        if is_path && !is_inner {
            at = tree(tokens, at, &[], &mut found);
        } else {
            at += 1;
        }
    }
    found
}

/// Reads a path, or a tree of them, and returns where it ends.
fn tree(
    tokens: &[String],
    mut at: usize,
    before: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(at) {
        if token == "{" {
            at += 1;
            while tokens.get(at).is_some_and(|token| token != "}") {
                at = match tokens[at].as_str() {
                    "," => at + 1,
                    "as" => at + 2,
                    _ => tree(tokens, at, &path, found),
                };
            }
            return at + 1;
        }
        let is_word = token.chars().all(|c| c.is_alphanumeric() || c == '_');
        if !is_word && token != "*" {
            break;
        }
        path.push(token.clone());
        at += 1;
        if tokens.get(at).is_none_or(|token| token != "::") {
            break;
        }
        at += 1;
    }
    found.push(path);
    at
}

/// The module that a path leads to: that of the item, and not one that only passes it on.
fn target(from: &[String], path: &[String], modules: &Modules) -> Option<Vec<String>> {
    let mut here = from.to_vec();
    let mut parts = path.iter().peekable();
    match parts.next()?.as_str() {
        "crate" => here.clear(),
        "super" => {
            here.pop();
            while parts.next_if(|part| *part == "super").is_some() {
                here.pop();
            }
        }
        _ => {}
    }
    let full: Vec<String> = here.into_iter().chain(parts.cloned()).collect();
    let length = (0..=full.len())
        .rev()
        .find(|length| modules.contains_key(&full[..*length]))?;
    let (module, rest) = full.split_at(length);
    let passed_on = rest
        .first()
        .and_then(|name| passed_on(module, name, modules));
    Some(passed_on.unwrap_or_else(|| module.to_vec()))
}

/// The module from which another one takes a name by a `use`.
fn passed_on(module: &[String], name: &str, modules: &Modules) -> Option<Vec<String>> {
    let tokens = &modules[module];
    let uses = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| *token == "use");
    let mut found = Vec::new();
    for (at, _) in uses {
        tree(tokens, at + 1, &[], &mut found);
    }
    let mut path = found
        .into_iter()
        .find(|path| path.last().is_some_and(|last| last == name))?;
    let first = path.first()?;
    let is_child = modules.keys().any(|other| {
        other.len() == module.len() + 1 && other.starts_with(module) && other.last() == Some(first)
    });
    if is_child {
        path.insert(0, "self".to_owned());
    }
    let is_inner = matches!(path[0].as_str(), "crate" | "self" | "super");
    is_inner.then(|| target(module, &path, modules))?
}

#[test]
fn paths_are_found_in_code_and_not_in_comments_texts_and_tests() {
    let text = r##"
        use crate::a::{b, self, c::{D, e as f}};
        // crate::no
        /* super::no /* self::no */ super::no */
        fn x<'a>(y: &'a super::up::Type) -> char { let _ = ("crate::no", r#"crate::"no"#, '"'); self.x; '\'' }
        #[cfg(test)]
        use crate::no;
        #[cfg(test)]
        mod tests { use super::*; fn x() {} }
        pub(in crate::g) fn z() { self::h() }
    "##;
    let (code, tests) = split_tests(&tokens(text));
    assert!(tests.contains(&"tests".to_owned()));
    let found: Vec<String> = paths(&code).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        [
            "crate::a::b",
            "crate::a::self",
            "crate::a::c::D",
            "crate::a::c::e",
            "super::up::Type",
            "crate::g",
            "self::h",
        ]
    );
}
