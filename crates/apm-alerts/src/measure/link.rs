//! Addresses of pages that show a subject.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::place::Place;

/// Everything but what may stand anywhere in an address.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// A page below that of a service, and its parameters.
pub(super) fn service(place: &Place, below: &[&str], parameters: &[(&str, &str)]) -> String {
    let below: String = below
        .iter()
        .map(|part| format!("/{}", escaped(part)))
        .collect();
    let path = format!("/services/{}{below}", escaped(&place.service));
    with(path, &place.environment, parameters)
}

/// A path with parameters.
pub(super) fn with(path: String, environment: &str, parameters: &[(&str, &str)]) -> String {
    let all = parameters.iter().copied().chain([("env", environment)]);
    let all: Vec<String> = all
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", escaped(value)))
        .collect();
    match all.is_empty() {
        true => path,
        false => format!("{path}?{}", all.join("&")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_telemetry_are_escaped() {
        let place = |service: &str, environment: &str| Place {
            service: service.to_owned(),
            environment: environment.to_owned(),
        };
        assert_eq!(
            service(
                &place("a/b?c", "d&e"),
                &["errors", "0f"],
                &[("name", "GET /x")]
            ),
            "/services/a%2Fb%3Fc/errors/0f?name=GET%20%2Fx&env=d%26e"
        );
        assert_eq!(service(&place("shop", ""), &[], &[]), "/services/shop");
    }
}
