//! The entity tags of `If-None-Match`: what a client has already.

use actix_web::http::header::{HeaderMap, IF_NONE_MATCH};

/// Tags that are looked at.
const MOST: usize = 100;

/// The tags that a client knows, without quotes. Weak ones are as good as strong ones: a proxy that compresses an
/// answer makes its tag a weak one, `W/"…"`. Agents send tags without quotes as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KnownTags(Vec<String>);

impl KnownTags {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(IF_NONE_MATCH);
        let lines = lines.filter_map(|line| line.to_str().ok());
        let tags = lines.flat_map(|line| line.split(',')).map(|tag| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            tag.trim_matches('"').to_owned()
        });
        Self(tags.filter(|tag| !tag.is_empty()).take(MOST).collect())
    }

    /// True if a tag is one of them; the tag without quotes.
    pub(crate) fn has(&self, tag: &str) -> bool {
        self.0.iter().any(|known| known == tag)
    }

    /// True if any answer is known: `*`.
    pub(crate) fn is_any(&self) -> bool {
        self.has("*")
    }

    /// The first of them.
    pub(crate) fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn known(lines: &[&str]) -> KnownTags {
        let mut request = TestRequest::default();
        for line in lines {
            request = request.append_header((IF_NONE_MATCH, *line));
        }
        KnownTags::of(request.to_http_request().headers())
    }

    #[test]
    fn tags_are_known_by_what_is_between_their_quotes_weak_or_strong() {
        for lines in [
            &["\"a-1\""][..],
            &["W/\"a-1\""],
            &["a-1"],
            &["\"b\", W/\"a-1\" ,\"c\""],
            &["\"b\"", "\"a-1\""],
        ] {
            let found = known(lines);
            assert!(
                found.has("a-1") && !found.has("a") && !found.is_any(),
                "{lines:?}"
            );
        }
        for (lines, any) in [(&[][..], false), (&["\"\""], false), (&["*"], true)] {
            let found = known(lines);
            assert_eq!(
                (found.has("a-1"), found.is_any()),
                (false, any),
                "{lines:?}"
            );
        }
        assert_eq!(known(&["W/\"x\", \"y\""]).first(), Some("x"));
    }
}
