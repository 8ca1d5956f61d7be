//! Imports point down: what is below does not know what is above.
//!
//! The source is read as text. A path that begins with `crate`, `self` or `super`, in a `use` or in code, is an import
//! of the module that it leads to. Tests within a module may look anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The rooms of the agent, from the lowest to the highest. Each may use only those in front of it.
const ROOMS: [&str; 11] = [
    "util",
    "sql",
    "encode",
    "trace",
    "config",
    "sanitize",
    "recording",
    "worker",
    "agent",
    "integrations",
    "testing",
];

/// The modules of the crate by their paths, such as `recording::buffers::ready`, and their text without comments and
/// tests.
fn modules() -> BTreeMap<String, String> {
    fn walk(folder: &Path, prefix: &str, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let module = format!("{prefix}{name}");
            if path.is_dir() {
                walk(&path, &format!("{module}::"), found);
            } else if !matches!(name, "lib" | "tests" | "docs" | "fixtures") {
                found.insert(module, code_of(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = BTreeMap::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    walk(&source, "", &mut found);
    assert!(found.len() > 80, "the source is read");
    found
}

/// A file without comments and without the tests at its end.
fn code_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text.lines().map(|line| match line.find("//") {
        // A URL in a text is not the beginning of a comment.
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The paths in a piece of code that lead to other modules of the crate, each as the list of its parts.
fn paths(module: &str, code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let begins = code[..at].ends_with(['\n', ' ', '\t']) || at == 0;
        if let Some(end) = code[at..].find(';').filter(|_| begins) {
            expand("", &code[at + 4..at + end], &mut found);
        }
    }
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root) {
            let rest = &code[at..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            found.push(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    found
        .iter()
        .filter_map(|path| absolute(module, path))
        .collect()
}

/// Writes out `a::{b, c::{d, e}}` as `a::b`, `a::c::d` and `a::c::e`.
fn expand(prefix: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, rest)) = tree.split_once('{') else {
        let name = tree.split(" as ").next().unwrap().trim();
        found.push(format!("{prefix}{name}"));
        return;
    };
    let body = rest.rsplit_once('}').map_or(rest, |(body, _)| body);
    let (mut depth, mut begin) = (0, 0);
    for (at, letter) in body.char_indices().chain([(body.len(), ',')]) {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let item = body[begin..at].trim();
                if !item.is_empty() {
                    expand(&format!("{prefix}{}", head.trim()), item, found);
                }
                begin = at + 1;
            }
            _ => {}
        }
    }
}

/// A path from the root of the crate; `None` if it leads out of the crate.
fn absolute(module: &str, path: &str) -> Option<String> {
    let mut here: Vec<&str> = module.split("::").collect();
    let mut parts = path.split("::").peekable();
    match *parts.peek()? {
        "crate" => {
            parts.next();
            here.clear();
        }
        "self" => {
            parts.next();
        }
        "super" => {
            while parts.next_if_eq(&"super").is_some() {
                here.pop();
            }
        }
        _ => return None,
    }
    Some(here.into_iter().chain(parts).collect::<Vec<_>>().join("::"))
}

/// The modules that each module imports: of each path the longest beginning that is a module.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let modules = modules();
    let target = |path: &str| {
        let ends = path.match_indices("::").map(|(at, _)| at);
        let ends: Vec<_> = ends.chain([path.len()]).collect();
        let mut prefixes = ends.into_iter().rev().map(|end| &path[..end]);
        prefixes
            .find(|prefix| modules.contains_key(*prefix))
            .map(str::to_owned)
    };
    let of = |module: &str, code: &str| {
        let targets = paths(module, code)
            .into_iter()
            .filter_map(|path| target(&path));
        targets.filter(|target| target != module).collect()
    };
    let imports = modules
        .iter()
        .map(|(module, code)| (module.clone(), of(module, code)));
    imports.collect()
}

/// The place of the first part of a path in a list.
fn floor(list: &[&str], module: &str) -> Option<usize> {
    let first = module.split("::").next();
    list.iter().position(|name| Some(*name) == first)
}

#[test]
fn no_import_of_the_agent_runs_up() {
    let imports = imports();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (module, targets) in &imports {
        let from = floor(&ROOMS, module)
            .unwrap_or_else(|| panic!("{module} is in no room: add it to ROOMS"));
        for target in targets {
            let to = floor(&ROOMS, target).unwrap();
            seen += usize::from(from != to);
            if to > from {
                wrong.push(format!("{module} uses {target}, which is above it"));
            }
        }
    }
    assert!(seen > 200, "only {seen} imports between rooms are seen");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_modules_of_recording_use_only_those_listed_before_them() {
    let listed =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/recording.rs")).unwrap();
    let listed: Vec<_> = listed
        .lines()
        .filter_map(|line| line.strip_prefix("pub(crate) mod ")?.strip_suffix(';'))
        .collect();
    let mut wrong = Vec::new();
    for (module, targets) in imports() {
        let Some(inner) = module.strip_prefix("recording::") else {
            continue;
        };
        let from = floor(&listed, inner).unwrap_or_else(|| panic!("{module} is not listed"));
        for target in targets
            .iter()
            .filter_map(|target| target.strip_prefix("recording::"))
        {
            if floor(&listed, target).is_some_and(|to| to > from) {
                wrong.push(format!(
                    "{module} uses recording::{target}, which is above it"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_two_files_import_each_other() {
    let imports = imports();
    let related =
        |a: &str, b: &str| a.starts_with(&format!("{b}::")) || b.starts_with(&format!("{a}::"));
    // The modules that a file reaches; a module and those inside of it are one.
    for start in imports.keys() {
        let mut reached = BTreeSet::new();
        let mut next: Vec<_> = imports[start]
            .iter()
            .filter(|to| !related(start, to))
            .collect();
        while let Some(module) = next.pop() {
            assert_ne!(
                module, start,
                "{start} imports itself by way of {reached:?}"
            );
            if reached.insert(module) {
                let further = imports.get(module).into_iter().flatten();
                next.extend(further.filter(|to| !related(module, to)));
            }
        }
    }
}
