//! Maps the frames of a document of a browser, as Elastic's server does when they arrive.

use std::sync::Arc;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value, json};
use sourcemap::{SourceMap, SourceView};

use super::{cache, of_version, path};

/// Agents whose frames are minified.
const AGENTS: [&str; 2] = ["rum-js", "js-base"];
/// Lines of source before and after a frame's own.
const AROUND: u32 = 5;
/// Bytes of maps that are read for a document, or one map more. A stranger may send frames that name all maps of a
/// version in turns, over and over.
const READ: usize = 64 << 20;
/// Longest line of source that is shown, bytes.
const LONGEST: usize = 2048;
/// Parts of paths that tell a library.
const LIBRARIES: [&str; 3] = ["node_modules", "bower_components", "~"];

/// The maps of a version of a service: number, path and hash.
type Maps = Vec<(i64, String, Vec<u8>)>;

/// Maps the frames of an error or a span of a browser. A document of anything else stays as it is.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn map_frames(conn: &mut SqliteConnection, document: &mut Value) -> QueryResult<()> {
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    let is_browser = text("/agent/name").is_some_and(|name| AGENTS.contains(&name));
    let (Some(service), Some(version)) = (text("/service/name"), text("/service/version")) else {
        return Ok(());
    };
    if !is_browser || !has_frames(document) {
        return Ok(());
    }
    let maps = of_version(conn, service, version)?;
    let named = format!("service.name={service} service.version={version}");
    let mut left = READ;
    let mut culprit = None;
    for pointer in ["/error/log/stacktrace", "/span/stacktrace"] {
        if let Some(frames) = document.pointer_mut(pointer).and_then(Value::as_array_mut) {
            let told = map_stack(conn, &maps, &named, &mut left, frames)?;
            culprit = culprit.or(told);
        }
    }
    let exceptions = document
        .pointer_mut("/error/exception")
        .and_then(Value::as_array_mut);
    for exception in exceptions.into_iter().flatten() {
        // Indexing would add the member where an exception came without a stack.
        let frames = exception.get_mut("stacktrace");
        if let Some(frames) = frames.and_then(Value::as_array_mut) {
            let told = map_stack(conn, &maps, &named, &mut left, frames)?;
            culprit = culprit.or(told);
        }
    }
    if let (Some(culprit), Some(error)) = (culprit, document.get_mut("error")) {
        error["culprit"] = culprit.into();
    }
    Ok(())
}

fn has_frames(document: &Value) -> bool {
    let exceptions = document
        .pointer("/error/exception")
        .and_then(Value::as_array);
    let of_exception = exceptions
        .into_iter()
        .flatten()
        .any(|one| one["stacktrace"].is_array());
    of_exception
        || document.pointer("/error/log/stacktrace").is_some()
        || document.pointer("/span/stacktrace").is_some()
}

/// Maps the frames of a stack, innermost first. `left`: bytes of maps that may be read. Gives the culprit: the first
/// frame that was mapped and is no library's.
fn map_stack(
    conn: &mut SqliteConnection,
    maps: &Maps,
    named: &str,
    left: &mut usize,
    frames: &mut [Value],
) -> QueryResult<Option<String>> {
    // A map tells the function that is called at a place. The one that the place is in is told by the frame outside.
    let mut function = "<anonymous>".to_owned();
    let mut culprit = None;
    for frame in frames.iter_mut().rev() {
        let address = frame["abs_path"].as_str().map(path::clean);
        let place = (
            frame["line"]["number"].as_u64(),
            frame["line"]["column"].as_u64(),
        );
        let (Some(address), (Some(line), Some(column))) = (address, place) else {
            continue;
        };
        let fitting = best(maps, &address);
        let found = match fitting {
            Some((id, hash)) => cache::get(conn, *id, hash, left)?,
            None => None,
        };
        let is_beyond = fitting.is_some() && found.is_none() && *left == 0;
        let found = found.and_then(|map| Place::original(&map, line, column));
        let Some(place) = found else {
            let bundle = path::bare(&address);
            let error = match is_beyond {
                true => {
                    "this stack trace needs more source maps than are read at a time".to_owned()
                }
                false => format!("unable to find sourcemap.url for {named} bundle.path={bundle}"),
            };
            frame["sourcemap"] = json!({ "error": error });
            continue;
        };
        let called = place.name.clone().unwrap_or_else(|| "<unknown>".to_owned());
        let within = std::mem::replace(&mut function, called);
        // The loop goes inwards, so that the innermost of them remains.
        if !place.write(frame, &address, &within) {
            culprit = Some(format!("{} in {within}", place.file));
        }
    }
    Ok(culprit)
}

/// The map that fits an address best.
fn best<'a>(maps: &'a Maps, address: &str) -> Option<(&'a i64, &'a [u8])> {
    let fitting = maps.iter().filter_map(|(id, path, hash)| {
        let fit = path::fit(path, address)?;
        Some((fit, id, hash.as_slice()))
    });
    fitting
        .min_by_key(|(fit, ..)| *fit)
        .map(|(_, id, hash)| (id, hash))
}

/// A place in the source as it was written.
struct Place {
    file: String,
    line: u32,
    column: u32,
    /// The function that the map names there.
    name: Option<String>,
    before: Vec<String>,
    text: Option<String>,
    after: Vec<String>,
}

impl Place {
    /// That of a place in the minified file, both from 1.
    fn original(map: &Arc<SourceMap>, line: u64, column: u64) -> Option<Self> {
        let index = |number: u64| u32::try_from(number.saturating_sub(1)).ok();
        let token = map.lookup_token(index(line)?, index(column)?)?;
        // The crate gives the last one of an earlier line where this line has none.
        if u64::from(token.get_dst_line()) + 1 != line {
            return None;
        }
        let file = token.get_source()?.to_owned();
        let at = token.get_src_line();
        let source = token.get_source_view();
        let lines = |from: u32, to: u32| {
            let line = |number| line_of(source?, number);
            (from..to).map_while(line).collect()
        };
        Some(Self {
            file,
            line: at.saturating_add(1),
            column: token.get_src_col().saturating_add(1),
            name: token.get_name().map(str::to_owned),
            before: lines(at.saturating_sub(AROUND), at),
            text: source.and_then(|source| line_of(source, at)),
            after: lines(at.saturating_add(1), at.saturating_add(1 + AROUND)),
        })
    }

    /// Writes the place into a frame, which keeps what it was. Gives whether it is a library's.
    fn write(&self, frame: &mut Value, address: &str, function: &str) -> bool {
        let is_library = LIBRARIES
            .iter()
            .any(|part| self.file.contains(part) || address.contains(part));
        let mut original = Map::new();
        for (name, value) in [
            ("abs_path", &frame["abs_path"]),
            ("filename", &frame["filename"]),
            ("classname", &frame["classname"]),
            ("function", &frame["function"]),
            ("library_frame", &frame["library_frame"]),
            ("lineno", &frame["line"]["number"]),
            ("colno", &frame["line"]["column"]),
        ] {
            if !value.is_null() {
                original.insert(name.to_owned(), value.clone());
            }
        }
        frame["original"] = original.into();
        frame["sourcemap"] = json!({ "updated": true });
        frame["abs_path"] = address.into();
        frame["filename"] = self.file.clone().into();
        frame["function"] = function.into();
        frame["line"] = json!({ "number": self.line, "column": self.column });
        if let Some(text) = &self.text {
            frame["line"]["context"] = text.clone().into();
            frame["context"] = json!({ "pre": self.before, "post": self.after });
        }
        // Code of the bundler says nothing about an error.
        frame["exclude_from_grouping"] = self.file.starts_with("/webpack").into();
        if let Value::Object(members) = frame {
            match is_library {
                true => _ = members.insert("library_frame".to_owned(), true.into()),
                false => _ = members.remove("library_frame"),
            }
        }
        is_library
    }
}

fn line_of(source: &SourceView, number: u32) -> Option<String> {
    let line = source.get_line(number)?;
    Some(line[..line.floor_char_boundary(LONGEST)].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source_maps::{LARGEST, source_map};

    /// `function boom(){throw 1}function go(){boom()}go()` on one line of `app.min.js`, of two files.
    const MAP: &str = r#"{"version":3,"file":"app.min.js","sources":["src/boom.js","node_modules/go/index.js"],
        "sourcesContent":["// one\nfunction boom() {\n  throw 1;\n}\n","export function go() {\n  boom();\n}\n"],
        "names":["boom","go"],"mappings":"AACA,aACE,KCFF,SACEA,OADFC"}"#;

    #[test]
    fn a_place_is_found_with_the_lines_around_it() {
        let map = Arc::new(cache::parse(MAP.as_bytes()).unwrap());
        let place = Place::original(&map, 1, 1).unwrap();
        assert_eq!((place.file.as_str(), place.line), ("src/boom.js", 2));
        assert_eq!(place.before, ["// one"]);
        assert_eq!(place.text.as_deref(), Some("function boom() {"));
        assert_eq!(place.after[..2], ["  throw 1;", "}"]);
        assert!(
            Place::original(&map, 2, 1).is_none()
                && Place::original(&map, 0, 0).is_none_or(|at| at.line > 0)
        );
        assert!(Place::original(&map, u64::MAX, 1).is_none());
    }

    #[test]
    fn a_document_makes_the_server_read_so_many_bytes_of_maps() {
        let conn = &mut apm_store::scratch(&[]).unwrap();
        let map = zstd::bulk::compress(MAP.as_bytes(), 1).unwrap();
        for name in ["a.js", "b.js", "c.js"] {
            let row = (
                source_map::service.eq("shop"),
                source_map::version.eq("1"),
                source_map::path.eq(name),
                source_map::received.eq(1),
                source_map::raw_bytes.eq(LARGEST as i64),
                source_map::bytes.eq(1),
                source_map::hash.eq(format!("read of {name}").into_bytes()),
                source_map::map.eq(&map),
            );
            diesel::insert_into(source_map::table)
                .values(row)
                .execute(conn)
                .unwrap();
        }
        let frame = |name: &str| json!({"abs_path": name, "line": {"number": 1, "column": 1}});
        let frames: Vec<Value> = ["c.js", "b.js", "a.js", "b.js", "a.js"].map(frame).into();
        let document = json!({"agent": {"name": "rum-js"}, "service": {"name": "shop", "version": "1"},
            "error": {"exception": [{"stacktrace": frames}]}});
        let mut mapped = |expected: [bool; 5]| {
            let mut document = document.clone();
            map_frames(conn, &mut document).unwrap();
            let frames = document["error"]["exception"][0]["stacktrace"].as_array();
            let done = frames
                .unwrap()
                .iter()
                .map(|frame| frame["sourcemap"]["updated"] == true);
            assert_eq!(done.collect::<Vec<_>>(), expected, "{document}");
            document
                .to_string()
                .contains("more source maps than are read")
        };
        assert!(mapped([false, true, true, true, true]));
        // Those that are held are not read again.
        assert!(!mapped([true; 5]));
    }
}
