//! Turns addresses into frames: on the agent's thread only, with a cache per address.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::classify::{self, Classifier};
use super::source::SourceCache;
use super::symbol::{Symbol, module_of};
use super::trim::trim;
use super::{Frame, Place};
use crate::config::Settings;

/// Addresses that are remembered. Code has few places where it fails; beyond that, the cache starts anew.
const MAX_ADDRESSES: usize = 8 * 1024;

/// The time for which the binary's debug information stays in memory after its last use.
const KEEP_DEBUG_INFORMATION: Duration = Duration::from_secs(10);

/// The use of a stack trace: errors and spans take different amounts of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Error,
    Span,
}

/// Holds what was found out about addresses and files.
#[derive(Debug)]
pub(crate) struct Resolver {
    symbols: HashMap<usize, Vec<Symbol>>,
    sources: SourceCache,
    pub(super) classifier: Classifier,
    /// When the debug information is no longer needed, while it is in memory.
    unload_at: Option<Instant>,
}

impl Resolver {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            symbols: HashMap::new(),
            sources: SourceCache::default(),
            classifier: Classifier::new(&settings.include_paths, &settings.exclude_paths),
            unload_at: None,
        }
    }

    /// When [`Resolver::unload`] has something to do.
    pub(crate) fn unload_at(&self) -> Option<Instant> {
        self.unload_at
    }

    /// Takes the debug information out of memory, tens of megabytes, once it has not been needed for a while. What was
    /// found out stays.
    pub(crate) fn unload(&mut self, now: Instant) {
        if self.unload_at.is_some_and(|at| now >= at) {
            backtrace::clear_symbol_cache();
            self.unload_at = None;
        }
    }

    /// The frames of a stack, innermost first, at most `stack_trace_limit`. The place, if known, is the first frame
    /// even where the binary has no line numbers.
    pub(crate) fn frames(
        &mut self,
        place: Option<Place<'_>>,
        addresses: &[usize],
        purpose: Purpose,
        settings: &Settings,
    ) -> Vec<Frame> {
        if self.symbols.len() + addresses.len() > MAX_ADDRESSES {
            self.symbols.clear();
        }
        let mut stack = Vec::with_capacity(addresses.len() + 1);
        for &address in addresses {
            let symbols = self.symbols.entry(address).or_insert_with(|| {
                self.unload_at = Some(Instant::now() + KEEP_DEBUG_INFORMATION);
                Symbol::all_at(address)
            });
            stack.extend_from_slice(symbols);
        }
        let limit = settings.stack_trace_limit.unwrap_or(usize::MAX);
        let stack = trim(&stack, &self.classifier);
        let named =
            place.map(|place| (place, stack.iter().position(|symbol| is_at(symbol, place))));
        let (first, rest) = match named {
            // Frames inside of the place show only how the standard library came to panic.
            Some((_, Some(at))) => (None, &stack[at..]),
            Some((place, None)) => (Some(Symbol::of_place(place)), stack),
            None => (None, stack),
        };
        // Rust's own code always has paths, also where the rest of the binary has none.
        let have_paths = rest.iter().any(|symbol| {
            let path = symbol.file.as_deref();
            path.is_some_and(|path| !self.classifier.is_library(Some(path), None, true))
        });
        let symbols = first.iter().chain(rest).take(limit);
        symbols
            .map(|symbol| {
                frame(
                    symbol,
                    have_paths,
                    &self.classifier,
                    &mut self.sources,
                    purpose,
                    settings,
                )
            })
            .collect()
    }
}

/// Whether the symbol is the place: its path is absolute, the place's may be relative to the workspace.
fn is_at(symbol: &Symbol, place: Place<'_>) -> bool {
    symbol.line == Some(place.line)
        && symbol
            .file
            .as_deref()
            .is_some_and(|file| ends_with_path(file, place.file))
}

fn ends_with_path(path: &str, end: &str) -> bool {
    let end = end.replace('\\', "/");
    path.strip_suffix(end.as_str())
        .is_some_and(|before| before.is_empty() || before.ends_with('/') || end.starts_with('/'))
}

fn frame(
    symbol: &Symbol,
    others_have_paths: bool,
    classifier: &Classifier,
    sources: &mut SourceCache,
    purpose: Purpose,
    settings: &Settings,
) -> Frame {
    let path = symbol.file.as_deref().map(absolute);
    let path = path.as_deref();
    let function = symbol.function.as_deref();
    let library_frame = classifier.is_library(path, function, others_have_paths);
    let count = match (purpose, library_frame) {
        (Purpose::Error, false) => settings.source_lines_error_app_frames,
        (Purpose::Error, true) => settings.source_lines_error_library_frames,
        (Purpose::Span, false) => settings.source_lines_span_app_frames,
        (Purpose::Span, true) => settings.source_lines_span_library_frames,
    };
    let lines = path
        .zip(symbol.line)
        .and_then(|(path, line)| sources.lines(path, line, count));
    let (context_line, pre_context, post_context) = match lines {
        Some(lines) => (Some(lines.line), lines.before, lines.after),
        None => (None, Vec::new(), Vec::new()),
    };
    let module = function
        .and_then(module_of)
        .or_else(|| path.and_then(classify::crate_name))
        .map(str::to_owned);
    Frame {
        filename: path
            .map_or("<unknown>", |path| classifier.short(path))
            .to_owned(),
        abs_path: path
            .filter(|path| path.starts_with('/') || path.contains(":/"))
            .map(str::to_owned),
        function: symbol.function.clone(),
        module,
        lineno: symbol.line,
        colno: symbol.column,
        library_frame,
        context_line,
        pre_context,
        post_context,
    }
}

/// Completes a path that is relative to the folder in which the service was built, if it also runs there.
fn absolute(path: &str) -> String {
    if path.starts_with('/') || path.contains(":/") {
        return path.to_owned();
    }
    let absolute = std::env::current_dir()
        .ok()
        .map(|dir| dir.join(path))
        .filter(|path| path.is_file());
    absolute
        .and_then(|path| path.into_os_string().into_string().ok())
        .unwrap_or_else(|| path.to_owned())
}
