//! The path that a proxy has put before that of every route.

use std::fmt;
use std::str::FromStr;

/// A path without a slash at its end, such as `/apm`; empty where nothing stands before the routes.
///
/// It consists of plain characters only, so it can stand in pages and headers as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

impl BasePath {
    /// Longest path.
    const MOST: usize = 256;

    /// Whether nothing stands before the routes.
    pub(crate) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The rest of a path behind this one; `None` if the path does not begin with it.
    pub(crate) fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(&self.0)?;
        match rest {
            "" => Some("/"),
            rest => rest.starts_with('/').then_some(rest),
        }
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = text.trim_end_matches('/');
        let is_plain = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        let is_path = path
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(is_plain));
        match path.is_empty() || is_path && path.len() <= Self::MOST {
            true => Ok(Self(path.to_owned())),
            false => Err("write a path of letters, digits and -._~, such as /apm".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_plain_and_has_no_slash_at_its_end() {
        for (text, path) in [
            ("/apm", "/apm"),
            ("/apm/", "/apm"),
            ("/a/b.c-d_e~f", "/a/b.c-d_e~f"),
            ("/", ""),
            ("", ""),
        ] {
            assert_eq!(
                text.parse::<BasePath>().unwrap().to_string(),
                path,
                "{text}"
            );
        }
        let long = format!("/{}", "a".repeat(300));
        for text in [
            "apm",
            "//evil.example",
            "/a//b",
            "/..",
            "/a/./b",
            "/a b",
            "/a\"b",
            "/a%2f",
            "/é",
            "/a?b",
            long.as_str(),
        ] {
            assert!(text.parse::<BasePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_whole_segments_are_taken_from_a_path() {
        let base: BasePath = "/apm".parse().unwrap();
        for (path, rest) in [
            ("/apm", Some("/")),
            ("/apm/", Some("/")),
            ("/apm/x", Some("/x")),
            ("/apmx", None),
            ("/x", None),
        ] {
            assert_eq!(base.rest(path), rest, "{path}");
        }
    }
}
