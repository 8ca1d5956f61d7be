//! Names and lines of addresses, from the binary's debug information.

use std::ptr;

use super::Place;

/// One function call at an address; inlined calls give an address several.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Symbol {
    /// Demangled, without the hash that differs between builds.
    pub(super) function: Option<String>,
    pub(super) file: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
}

impl Symbol {
    /// All calls at `address`, innermost first. Slow: see the module `stacktrace`.
    pub(super) fn all_at(address: usize) -> Vec<Self> {
        let mut symbols = Vec::new();
        backtrace::resolve(ptr::without_provenance_mut(address), |symbol| {
            symbols.push(Self {
                function: symbol.name().map(|name| tidy(&format!("{name:#}"))),
                file: symbol
                    .filename()
                    .map(|path| path.to_string_lossy().replace('\\', "/")),
                line: symbol.lineno().filter(|&line| line > 0),
                column: symbol.colno().filter(|&column| column > 0),
            });
        });
        symbols
    }

    /// A call of which only the place is known.
    pub(super) fn of_place(place: Place<'_>) -> Self {
        Self {
            function: None,
            file: Some(place.file.replace('\\', "/")),
            line: Some(place.line),
            column: Some(place.column),
        }
    }
}

/// Both mangling schemes occur in one binary; their closures get one spelling and their generic arguments go, so that a
/// frame is the same in each build. Arguments say little and are long: those of an actix service have thousands of
/// characters.
fn tidy(name: &str) -> String {
    let name = without_arguments(name);
    let mut tidy = String::with_capacity(name.len());
    let mut rest = name.replace("{{closure}}", "{closure}");
    while let Some(at) = rest.find("{closure#") {
        let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
        tidy.push_str(&rest[..at]);
        tidy.push_str("{closure}");
        rest.drain(..end);
    }
    tidy + &rest
}

/// `poll` of `poll<Box<dyn Future>>` and of `poll::<u8>`; what a name begins with stays, as in `<Line as Debug>::fmt`.
fn without_arguments(name: &str) -> String {
    let mut kept = String::with_capacity(name.len());
    // One for each `<` that is open: whether it opens arguments.
    let mut open = Vec::new();
    let mut arguments = 0;
    let mut before = ' ';
    for char in name.chars() {
        let inside = arguments > 0;
        match char {
            '<' => {
                let opens = kept.ends_with(|c: char| c.is_alphanumeric() || "_:}".contains(c));
                if opens && !inside && kept.ends_with("::") {
                    kept.truncate(kept.len() - 2);
                }
                open.push(opens);
                arguments += usize::from(opens);
            }
            // `->` closes nothing.
            '>' if before != '-' => arguments -= usize::from(open.pop() == Some(true)),
            _ => {}
        }
        if !inside && arguments == 0 {
            kept.push(char);
        }
        before = char;
    }
    kept
}

/// The module that a demangled function is in: `shop::cart` of `shop::cart::add`, of `<shop::cart::Line as
/// core::fmt::Debug>::fmt` and of `shop::cart::add::{closure}`. `None` of a bare name, which inlined functions have
/// with little debug information.
pub(super) fn module_of(function: &str) -> Option<&str> {
    let named = function.strip_prefix('<').map_or(function, |inside| {
        let (own, traits) = inside.split_once(" as ").unwrap_or((inside, ""));
        // A trait is a better place than `fn() -> …`.
        let inside = if own.starts_with("fn(") { traits } else { own };
        inside
            .trim_start_matches(['&', '*', '(', '['])
            .trim_start_matches("mut ")
            .trim_start_matches("dyn ")
    });
    let path = named
        .split(['<', '>', ' ', '(', '[', '{'])
        .next()
        .unwrap_or_default();
    let path = path.trim_end_matches("::");
    path.rfind("::")
        .map(|end| &path[..end])
        .filter(|module| !module.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closures_are_spelled_the_same_whatever_the_mangling() {
        assert_eq!(
            tidy("app::run::{{closure}}::{{closure}}"),
            "app::run::{closure}::{closure}"
        );
        assert_eq!(
            tidy("app::run::{closure#0}::{closure#12}::x"),
            "app::run::{closure}::{closure}::x"
        );
        assert_eq!(tidy("app::run"), "app::run");
        assert_eq!(tidy("{closure#"), "{closure}");
    }

    #[test]
    fn generic_arguments_are_left_out_and_the_type_of_an_impl_is_not() {
        let table = [
            (
                "poll<alloc::boxed::Box<dyn Future<Output=()>, Global>>",
                "poll",
            ),
            ("app::run::<fn() -> u8>::{closure#0}", "app::run::{closure}"),
            ("{async_block#0}<fn() -> app::Fail, ()>", "{async_block#0}"),
            (
                "<app::Line<T> as core::convert::From<u8>>::from",
                "<app::Line as core::convert::From>::from",
            ),
            (
                "core::option::Option<T>::expect",
                "core::option::Option::expect",
            ),
            ("<[u8; 4]>::first", "<[u8; 4]>::first"),
            ("sqlite3_step", "sqlite3_step"),
            ("odd>name", "odd>name"),
            ("cut<short", "cut"),
        ];
        for (name, tidied) in table {
            assert_eq!(tidy(name), tidied, "{name}");
        }
    }

    #[test]
    fn the_module_is_the_path_before_the_function() {
        let table = [
            ("shop::cart::add", Some("shop::cart")),
            ("shop::cart::add::{closure}", Some("shop::cart")),
            ("shop::cart::add::{closure}::{closure}", Some("shop::cart")),
            (
                "<shop::cart::Line as core::fmt::Debug>::fmt",
                Some("shop::cart"),
            ),
            (
                "<&mut shop::cart::Line<T> as core::fmt::Debug>::fmt",
                Some("shop::cart"),
            ),
            ("<dyn shop::Job>::run", Some("shop")),
            (
                "<fn() -> () as core::ops::function::FnOnce<()>>::call_once",
                Some("core::ops::function"),
            ),
            ("core::option::Option<T>::expect", Some("core::option")),
            ("main", None),
            ("{closure}", None),
            ("expect<u8>", None),
            ("", None),
        ];
        for (function, module) in table {
            assert_eq!(module_of(function), module, "{function}");
        }
    }
}
