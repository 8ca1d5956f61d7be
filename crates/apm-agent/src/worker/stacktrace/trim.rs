//! Cuts off the ends of a stack that every trace has: the agent and the panic machinery, and the thread's start.

use super::classify::{Classifier, is_rusts_own};
use super::symbol::Symbol;

/// Functions between the line that panics and the hook that is told; a service's author did not write them.
const PANIC_MACHINERY: [&str; 3] = [
    "core::panicking::",
    "std::panicking::",
    "std::rt::begin_panic",
];

/// The last words of more of them: `__rustc::rust_begin_unwind`, `core::result::unwrap_failed`,
/// `core::option::expect_failed`.
const PANIC_ENTRIES: [&str; 3] = ["rust_begin_unwind", "::unwrap_failed", "::expect_failed"];

/// A frame that the compiler puts between a guard of the agent and the end of the block that it leaves.
const DROP_GLUE: &str = "core::ptr::drop_in_place";

/// Below this frame is the start of the thread.
const THREAD_START: &str = "__rust_begin_short_backtrace";

/// The part of `symbols` (innermost first) between both ends.
pub(super) fn trim<'s>(symbols: &'s [Symbol], classifier: &Classifier) -> &'s [Symbol] {
    // The crate `backtrace` walks the stack for the agent.
    let is_agent = |symbol: &Symbol| match (&symbol.file, &symbol.function) {
        (Some(file), _) => classifier.is_agent(file) || file.contains("/backtrace-0"),
        (None, Some(name)) => name.starts_with("backtrace::") || name.starts_with("apm_agent::"),
        (None, None) => false,
    };
    let is_rust = |symbol: &Symbol| match (&symbol.file, &symbol.function) {
        (Some(file), _) => file.contains("/rustc/") || file.contains("/rustlib/"),
        (None, Some(function)) => is_rusts_own(function),
        (None, None) => true,
    };
    let is_machinery = |symbol: &Symbol| {
        let Some(function) = symbol.function.as_deref() else {
            return false;
        };
        function.starts_with(DROP_GLUE)
            || PANIC_MACHINERY
                .iter()
                .any(|name| function.starts_with(name))
            || PANIC_ENTRIES.iter().any(|name| function.ends_with(name))
    };
    // Only frames of Rust and of the agent at the inner end can be machinery: the first other one is the service's.
    let head = symbols
        .iter()
        .take_while(|symbol| is_agent(symbol) || is_rust(symbol))
        .count();
    let start = symbols[..head]
        .iter()
        .rposition(|symbol| is_agent(symbol) || is_machinery(symbol))
        .map_or(0, |at| at + 1);
    let kept = &symbols[start..];
    let is_start = |symbol: &Symbol| {
        symbol
            .function
            .as_deref()
            .is_some_and(|name| name.contains(THREAD_START))
    };
    let end = kept.iter().position(is_start).unwrap_or(kept.len());
    &kept[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::wildcard::WildcardList;

    const STD: &str = "/rustc/59807616/library/std/src/panicking.rs";
    const OURS: &str = "/home/me/shop/src/main.rs";
    const AGENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/recording/panic.rs");

    fn kept(stack: &[(&str, &str)]) -> Vec<String> {
        let symbols: Vec<Symbol> = stack
            .iter()
            .map(|&(function, file)| Symbol {
                function: Some(function.to_owned()),
                file: (!file.is_empty()).then(|| file.to_owned()),
                ..Symbol::default()
            })
            .collect();
        let none = WildcardList::default();
        let trimmed = trim(&symbols, &Classifier::new(&none, &none));
        trimmed
            .iter()
            .filter_map(|symbol| symbol.function.clone())
            .collect()
    }

    #[test]
    fn a_panic_begins_where_it_was_caused() {
        let stack = [
            (
                "backtrace::backtrace::trace",
                "/c/registry/src/i/backtrace-0.3.77/src/lib.rs",
            ),
            ("apm_agent::recording::panic::install::{closure}", AGENT),
            (
                "<alloc::boxed::Box<F> as core::ops::function::Fn<A>>::call",
                STD,
            ),
            ("std::panicking::panic_with_hook", STD),
            ("__rustc::rust_begin_unwind", STD),
            ("core::panicking::panic_fmt", STD),
            ("core::option::unwrap_failed", STD),
            ("core::option::Option<T>::unwrap", STD),
            ("shop::cart::add", OURS),
            ("shop::main", OURS),
            ("core::ops::function::FnOnce::call_once", STD),
            ("std::sys::backtrace::__rust_begin_short_backtrace", STD),
            ("std::rt::lang_start", STD),
        ];
        let expected = [
            "core::option::Option<T>::unwrap",
            "shop::cart::add",
            "shop::main",
            "core::ops::function::FnOnce::call_once",
        ];
        assert_eq!(kept(&stack), expected);
    }

    #[test]
    fn a_captured_error_begins_at_the_caller_even_without_paths() {
        let stack = [
            ("apm_agent::recording::stack::capture", ""),
            ("apm_agent::recording::error::capture_error", ""),
            ("shop::cart::add", ""),
            (
                "apm_agent::integrations::actix::tasks::block::{closure}",
                "",
            ),
            ("main", ""),
        ];
        assert_eq!(
            kept(&stack),
            [
                "shop::cart::add",
                "apm_agent::integrations::actix::tasks::block::{closure}",
                "main"
            ]
        );
    }

    #[test]
    fn a_stack_without_either_end_is_kept_whole() {
        let stack = [
            ("shop::cart::add", OURS),
            ("core::ops::function::FnOnce::call_once", STD),
        ];
        assert_eq!(kept(&stack).len(), 2);
        assert_eq!(kept(&[]), [""; 0]);
    }
}
