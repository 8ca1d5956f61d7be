//! Tells the application's frames from those of libraries, by their paths.
//!
//! Rust's own sources, crates from a registry or a git checkout, and the agent are libraries. Everything else with a
//! path is the application's, whatever its crate is called. The options `include_paths` and `exclude_paths` overrule
//! that.

use std::path::Path;

use crate::util::wildcard::WildcardList;

/// The folder of the agent's own sources, in debug information.
const AGENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");

/// Parts of paths that only libraries have, and whether what follows them is the path's short form.
const LIBRARIES: [(&str, Shorten); 5] = [
    ("/registry/src/", Shorten::SkipOne),
    ("/git/checkouts/", Shorten::Keep),
    ("/rustc/", Shorten::SkipOne),
    ("/rustlib/src/rust/", Shorten::Keep),
    ("/rustlib/", Shorten::Keep),
];

#[derive(Clone, Copy, Debug)]
enum Shorten {
    Keep,
    /// The next folder is a hash or the registry's address.
    SkipOne,
}

#[derive(Clone, Debug)]
pub(super) struct Classifier {
    include: WildcardList,
    exclude: WildcardList,
    current_dir: Option<String>,
    /// The beginning of the agent's paths; tests are the agent's own code, and choose another.
    pub(super) agent: &'static str,
}

impl Classifier {
    pub(super) fn new(include: &WildcardList, exclude: &WildcardList) -> Self {
        let current_dir = std::env::current_dir()
            .ok()
            .and_then(|path| path.into_os_string().into_string().ok());
        Self {
            include: include.clone(),
            exclude: exclude.clone(),
            current_dir,
            agent: AGENT,
        }
    }

    pub(super) fn is_agent(&self, path: &str) -> bool {
        path.starts_with(self.agent)
    }

    /// Whether a frame is a library's. Without a path it is where other frames have theirs: libraries are often built
    /// without debug information, and the rest is Rust's runtime or C. In a binary that has no paths at all, the name
    /// decides.
    pub(super) fn is_library(
        &self,
        path: Option<&str>,
        function: Option<&str>,
        others_have_paths: bool,
    ) -> bool {
        let Some(path) = path else {
            return others_have_paths || function.is_none_or(is_rusts_own);
        };
        if self.include.matches(path) {
            return false;
        }
        self.exclude.matches(path)
            || self.is_agent(path)
            || LIBRARIES.iter().any(|(part, _)| path.contains(part))
    }

    /// The part of a path that is the same on every machine.
    pub(super) fn short<'p>(&self, path: &'p str) -> &'p str {
        for (part, shorten) in LIBRARIES {
            let Some((_, after)) = path.split_once(part) else {
                continue;
            };
            return match shorten {
                Shorten::Keep => after,
                Shorten::SkipOne => after.split_once('/').map_or(after, |(_, after)| after),
            };
        }
        let below_current = self
            .current_dir
            .as_deref()
            .and_then(|dir| path.strip_prefix(dir)?.strip_prefix('/'));
        if let Some(relative) = below_current {
            return relative;
        }
        if !Path::new(path).is_absolute() {
            return path;
        }
        // `…/my-app/src/main.rs`: the crate's folder, and what is in it.
        let crate_end = path
            .rfind("/src/")
            .or_else(|| path.rfind('/'))
            .unwrap_or_default();
        path[..crate_end]
            .rfind('/')
            .map_or(path, |start| &path[start + 1..])
    }
}

/// The name of the crate in a registry's path: `actix-web` of `…/registry/src/<index>/actix-web-4.18.1/src/app.rs`.
pub(super) fn crate_name(path: &str) -> Option<&str> {
    let (_, after) = path.split_once("/registry/src/")?;
    let folder = after.split('/').nth(1)?;
    // A number between hyphens may belong to the name, as in `md-5`; a version has a dot.
    let mut hyphens = folder.match_indices('-');
    let version = hyphens.find(|(at, _)| {
        let after = folder[at + 1..].split('-').next().unwrap_or_default();
        after.starts_with(|digit: char| digit.is_ascii_digit()) && after.contains('.')
    });
    version.map(|(at, _)| &folder[..at])
}

/// Whether a function is Rust's, by its name.
pub(super) fn is_rusts_own(function: &str) -> bool {
    let name = function.trim_start_matches(['<', '&', '*']);
    [
        "std::", "core::", "alloc::", "__rust", "rust_", "_start", "__libc", "__GI",
    ]
    .iter()
    .any(|own| name.starts_with(own))
        || !name.contains("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classifier(include: &str, exclude: &str) -> Classifier {
        let mut classifier =
            Classifier::new(&WildcardList::parse(include), &WildcardList::parse(exclude));
        classifier.current_dir = Some("/home/me/shop".to_owned());
        classifier
    }

    const ACTIX: &str =
        "/home/me/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/actix-web-4.18.1/src/app.rs";
    const STD: &str = "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/option.rs";
    const INSTALLED: &str =
        "/home/dev/.rustup/toolchains/stable/lib/rustlib/src/rust/library/std/src/rt.rs";
    const GIT: &str = "/home/me/.cargo/git/checkouts/tool-0b1/1a2b3c/src/lib.rs";

    #[test]
    fn paths_tell_libraries_from_the_application() {
        let plain = classifier("", "");
        for library in [
            ACTIX,
            STD,
            INSTALLED,
            GIT,
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/error.rs"),
        ] {
            assert!(plain.is_library(Some(library), None, true), "{library}");
        }
        for ours in [
            "/home/me/shop/src/main.rs",
            "src/main.rs",
            "/build/other/lib.rs",
        ] {
            assert!(!plain.is_library(Some(ours), None, true), "{ours}");
        }
        for rusts in [Some("core::panicking::panic_fmt"), Some("clone3"), None] {
            assert!(plain.is_library(None, rusts, false), "{rusts:?}");
        }
        assert!(!plain.is_library(None, Some("shop::cart::add"), false));
        assert!(plain.is_library(None, Some("tokio::task::LocalSet::tick"), true));
    }

    #[test]
    fn options_overrule_and_include_is_the_stronger() {
        let overruled = classifier("*/actix-web-*", "*/generated/*, */actix-web-*");
        assert!(!overruled.is_library(Some(ACTIX), None, true));
        assert!(overruled.is_library(Some("/home/me/shop/src/generated/api.rs"), None, true));
    }

    #[test]
    fn short_names_are_the_same_on_every_machine() {
        let plain = classifier("", "");
        let table = [
            (ACTIX, "actix-web-4.18.1/src/app.rs"),
            (STD, "library/core/src/option.rs"),
            (INSTALLED, "library/std/src/rt.rs"),
            (GIT, "tool-0b1/1a2b3c/src/lib.rs"),
            ("/home/me/shop/src/cart/line.rs", "src/cart/line.rs"),
            ("/build/shop/src/cart/line.rs", "shop/src/cart/line.rs"),
            ("/build/shop/build.rs", "shop/build.rs"),
            ("src/main.rs", "src/main.rs"),
            ("/x.rs", "/x.rs"),
        ];
        for (path, short) in table {
            assert_eq!(plain.short(path), short, "{path}");
        }
    }

    #[test]
    fn a_registrys_path_names_the_crate() {
        assert_eq!(crate_name(ACTIX), Some("actix-web"));
        assert_eq!(
            crate_name("/c/registry/src/i/serde-1.0.0/src/lib.rs"),
            Some("serde")
        );
        assert_eq!(
            crate_name("/c/registry/src/i/md-5-0.10.6/src/lib.rs"),
            Some("md-5")
        );
        assert_eq!(crate_name(STD), None);
    }
}
