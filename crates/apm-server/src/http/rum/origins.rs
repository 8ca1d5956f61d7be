//! Sites whose pages may send: origins, in which `*` stands for any characters.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};

/// The origins that may send.
#[derive(Debug)]
pub(super) struct Origins(Vec<String>);

impl Origins {
    pub(super) fn new(patterns: &[String]) -> Self {
        Self(
            patterns
                .iter()
                .map(|one| one.to_ascii_lowercase())
                .collect(),
        )
    }

    /// Whether any page may send, and programs that are no page.
    pub(super) fn are_all(&self) -> bool {
        self.0.iter().any(|pattern| pattern == "*")
    }

    /// The origin of a request, if it may send. A request has one origin, or none that counts.
    pub(super) fn allowed(&self, request: &HttpRequest) -> Option<HeaderValue> {
        let mut sent = request.headers().get_all(header::ORIGIN);
        let (Some(origin), None) = (sent.next(), sent.next()) else {
            return None;
        };
        let text = origin.to_str().ok()?.to_ascii_lowercase();
        let is_listed = self.0.iter().any(|pattern| matches(pattern, &text));
        is_listed.then(|| origin.clone())
    }
}

/// Whether a text is as a pattern says. A part between two `*` is looked for as early as it can be, so that no text
/// takes more time than its length times the pattern's.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*').filter(|part| !part.is_empty()) {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, wanted) in [
            ("*", "https://a", true),
            ("*", "", true),
            ("https://*.shop.example", "https://a.shop.example", true),
            ("https://*.shop.example", "https://a.b.shop.example", true),
            ("https://*.shop.example", "https://shop.example", false),
            (
                "https://*.shop.example",
                "https://a.shop.example.evil",
                false,
            ),
            ("https://*.shop.example", "http://a.shop.example", false),
            ("http*://shop.example:*", "https://shop.example:81", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, text), wanted, "{pattern} {text}");
        }
    }

    #[test]
    fn a_request_of_two_origins_is_of_none() {
        let all = Origins::new(&["*".to_owned()]);
        let one = TestRequest::post().append_header((header::ORIGIN, "https://A.example"));
        let sent = all.allowed(&one.to_http_request());
        assert_eq!(sent.unwrap(), "https://A.example");
        let two = TestRequest::post()
            .append_header((header::ORIGIN, "https://a.example"))
            .append_header((header::ORIGIN, "https://b.example"));
        assert!(all.allowed(&two.to_http_request()).is_none());
        let shop = Origins::new(&["https://Shop.example".to_owned()]);
        let sent = TestRequest::post().append_header((header::ORIGIN, "https://shop.example"));
        assert!(shop.allowed(&sent.to_http_request()).is_some() && !shop.are_all());
    }
}
