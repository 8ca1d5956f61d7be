//! The meaning of a refused request, in words for the log: which credential, what was dropped, and what helps.

use std::fmt;

/// The credential by which the agent proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credential {
    None,
    /// The source of its value, such as `environment`.
    SecretToken(String),
    ApiKey(String),
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no credential"),
            Self::SecretToken(source) => write!(f, "the secret token (secret_token from {source})"),
            Self::ApiKey(source) => write!(f, "the API key (api_key from {source})"),
        }
    }
}

/// The meaning of a status, with what helps; `None` where the answer's own text has to do.
pub(crate) fn reason(status: u16, credential: &Credential) -> Option<String> {
    let text = match (status, credential) {
        (401, Credential::None) => {
            "it asks for a credential and none is configured: set secret_token or api_key"
        }
        (401, refused) => return Some(format!("{refused} was refused")),
        (403, Credential::None) => {
            "it does not take events without a credential: set secret_token or api_key"
        }
        (403, refused) => return Some(format!("{refused} does not allow to send events")),
        (301..=308, _) => {
            "it redirects, which is not followed: set server_url to the address itself"
        }
        (404 | 405, _) => {
            "there is no intake at this address: server_url has to be that of an APM server"
        }
        (407, _) => "a proxy asks for a credential: put it into HTTP_PROXY or HTTPS_PROXY",
        (413, _) => {
            "the request was too large: set api_request_size below the server's or the proxy's limit"
        }
        (429, _) => {
            "there were too many requests: send less often (api_request_time) or fewer events (transaction_sample_rate)"
        }
        (503, _) => "it is too busy, or has no room to store events",
        _ => return None,
    };
    Some(text.to_owned())
}

/// The numbers of events in a request body, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds([u64; KINDS.len()]);

/// The beginning of an event's line, and the words for one and for many of them.
const KINDS: [(&[u8], &str, &str); 5] = [
    (b"{\"transaction\"", "transaction", "transactions"),
    (b"{\"span\"", "span", "spans"),
    (b"{\"error\"", "error", "errors"),
    (b"{\"metricset\"", "metric set", "metric sets"),
    (b"{\"log\"", "log line", "log lines"),
];

impl Kinds {
    pub(crate) fn count(body: &[u8]) -> Self {
        let mut kinds = Self::default();
        for line in body.split(|byte| *byte == b'\n') {
            let kind = KINDS
                .iter()
                .position(|(beginning, ..)| line.starts_with(beginning));
            if let Some(kind) = kind {
                kinds.0[kind] += 1;
            }
        }
        kinds
    }
}

/// `2 transactions and 1 span`.
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = self
            .0
            .iter()
            .zip(KINDS)
            .filter(|(count, _)| **count > 0)
            .map(|(count, (_, one, many))| {
                format!("{count} {}", if *count == 1 { one } else { many })
            })
            .collect();
        match &parts[..] {
            [] => f.write_str("no events"),
            [only] => f.write_str(only),
            [first @ .., last] => write!(f, "{} and {last}", first.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_body_holds_is_said_in_words() {
        let body = b"{\"metadata\":{}}\n{\"span\":{}}\n{\"transaction\":{}}\n{\"span\":{}}\n{\"error\":{}}\n";
        assert_eq!(
            Kinds::count(body).to_string(),
            "1 transaction, 2 spans and 1 error"
        );
        assert_eq!(Kinds::count(b"{\"log\":{}}\n").to_string(), "1 log line");
        assert_eq!(Kinds::count(b"").to_string(), "no events");
    }

    #[test]
    fn a_refusal_names_the_credential_and_never_its_value() {
        let token = Credential::SecretToken("environment".to_owned());
        assert_eq!(
            reason(401, &token).unwrap(),
            "the secret token (secret_token from environment) was refused"
        );
        assert!(
            reason(401, &Credential::None)
                .unwrap()
                .contains("none is configured")
        );
        assert!(reason(500, &token).is_none());
    }
}
