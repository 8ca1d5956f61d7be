//! The address that a client asked a proxy for.

use ::http::HeaderMap;

use super::headers::text;
use crate::integrations::http_server::is_host;

/// Scheme and host as the first proxy was asked for them: of `Forwarded`, or else of `X-Forwarded-Proto` and
/// `X-Forwarded-Host`.
pub(super) fn forwarded(headers: &HeaderMap) -> (Option<bool>, Option<&str>) {
    let first = |name| text(headers, name).and_then(|value| value.split(',').next());
    let standard = first("forwarded").unwrap_or_default();
    let of = |wanted: &str| {
        let mut pairs = standard
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        Some(value.trim_matches('"'))
    };
    let scheme = of("proto").or_else(|| first("x-forwarded-proto"));
    let host = of("host").or_else(|| first("x-forwarded-host"));
    let secure = scheme.and_then(|scheme| match scheme.trim() {
        "https" | "wss" => Some(true),
        "http" | "ws" => Some(false),
        _ => None,
    });
    (secure, host.map(str::trim).filter(|host| is_host(host)))
}

#[cfg(test)]
mod tests {
    use ::http::{HeaderMap, HeaderName, HeaderValue};

    use super::forwarded;

    #[test]
    fn the_first_proxy_says_what_the_client_asked_for() {
        type Case = (
            &'static [(&'static str, &'static str)],
            (Option<bool>, Option<&'static str>),
        );
        let table: [Case; 6] = [
            (&[], (None, None)),
            (
                &[(
                    "forwarded",
                    "for=1.2.3.4;Host=\"a.example:8\"; proto=https, for=x;host=b",
                )],
                (Some(true), Some("a.example:8")),
            ),
            (
                &[
                    ("x-forwarded-proto", "https, http"),
                    ("x-forwarded-host", "a.example, b"),
                ],
                (Some(true), Some("a.example")),
            ),
            (
                &[
                    ("forwarded", "host=a"),
                    ("x-forwarded-host", "b"),
                    ("x-forwarded-proto", "http"),
                ],
                (Some(false), Some("a")),
            ),
            (&[("x-forwarded-host", "a.example/path?x")], (None, None)),
            (
                &[("x-forwarded-proto", "gopher"), ("forwarded", ";;=,")],
                (None, None),
            ),
        ];
        for (given, expected) in table {
            let headers: HeaderMap = given
                .iter()
                .map(|(name, value)| {
                    let name = HeaderName::from_static(name);
                    (name, HeaderValue::from_static(value))
                })
                .collect();
            assert_eq!(forwarded(&headers), expected, "{given:?}");
        }
    }
}
