//! Calls by gRPC: their statuses, and the methods that a service has.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use ::http::{HeaderMap, header};

use super::headers::text;
use crate::recording::outcome::Outcome;
use crate::util::{Mutex, lock};

/// Whether headers say that the body is one of gRPC. In gRPC-Web the status is within the body, where nobody looks for
/// it.
pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let kind = text(headers, header::CONTENT_TYPE);
    let rest = kind.and_then(|kind| kind.strip_prefix("application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

/// The status of a call, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status(u8);

const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

impl Status {
    /// A number that nobody has defined counts as `UNKNOWN`, and so does a call that ended without a status.
    pub(super) const UNKNOWN: Self = Self(2);

    /// The status in headers or trailers.
    pub(super) fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get("grpc-status")?;
        let number = value.to_str().ok().and_then(|text| text.parse::<u8>().ok());
        let known = number.filter(|&number| usize::from(number) < NAMES.len());
        Some(known.map_or(Self::UNKNOWN, Self))
    }

    pub(super) fn name(self) -> &'static str {
        NAMES.get(usize::from(self.0)).copied().unwrap_or("UNKNOWN")
    }

    /// The outcome that a server gives itself: a mistake of the client is not the server's failure.
    pub(super) fn of_server(self) -> Outcome {
        let failed = matches!(
            self.name(),
            "UNKNOWN"
                | "DEADLINE_EXCEEDED"
                | "RESOURCE_EXHAUSTED"
                | "FAILED_PRECONDITION"
                | "ABORTED"
                | "INTERNAL"
                | "UNAVAILABLE"
                | "DATA_LOSS"
        );
        Outcome::failed(failed)
    }

    /// The outcome of a call for the one who called.
    pub(super) fn of_client(self) -> Outcome {
        Outcome::failed(self != Self(0))
    }

    /// Whether it shows that the method exists: these others are also given before the method is looked for.
    fn shows_a_method(self) -> bool {
        !matches!(
            self.name(),
            "UNIMPLEMENTED"
                | "UNAUTHENTICATED"
                | "PERMISSION_DENIED"
                | "RESOURCE_EXHAUSTED"
                | "UNAVAILABLE"
        )
    }
}

/// Methods that have names of their own. A client can ask for any path, and each would become a transaction of its own:
/// only those that have answered are named.
#[derive(Debug, Default)]
pub(super) struct Methods {
    seen: Mutex<HashSet<u64>>,
    hasher: RandomState,
}

/// A service with more methods names the others `POST unknown route`.
const MOST: usize = 1_000;

impl Methods {
    /// The name of a call: `people.Directory/Find`. `status` is `None` where nobody answered.
    pub(super) fn name(&self, path: &str, status: Option<Status>) -> Option<Cow<'static, str>> {
        let hash = self.hasher.hash_one(path);
        let mut seen = lock(&self.seen);
        let shown = status.is_some_and(Status::shows_a_method) && seen.len() < MOST;
        if !seen.contains(&hash) {
            if !shown {
                return None;
            }
            seen.insert(hash);
        }
        drop(seen);
        Some(Cow::Owned(path.trim_start_matches('/').to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(number: &'static str) -> Option<Status> {
        let headers = [("grpc-status", number)];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Status::from_headers(&HeaderMap::from_iter(headers))
    }

    #[test]
    fn outcomes_are_those_that_elastic_has_published() {
        let Some(text) = crate::fixtures::text("gherkin-specs/outcome.feature") else {
            return;
        };
        let grpc = text.split("@grpc").nth(1).unwrap();
        let mut seen = 0;
        for line in grpc
            .lines()
            .filter(|line| line.trim_start().starts_with('|'))
        {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let status = match NAMES.iter().position(|name| *name == cells[1]) {
                Some(number) => Status(number as u8),
                None if cells[1] == "n/a" => Status::UNKNOWN,
                None => continue,
            };
            assert_eq!(status.of_client().as_str(), cells[2], "{line}");
            assert_eq!(status.of_server().as_str(), cells[3], "{line}");
            seen += 1;
        }
        assert_eq!(seen, 18);
    }

    #[test]
    fn numbers_that_nobody_has_defined_are_unknown() {
        assert_eq!(Status::from_headers(&HeaderMap::new()), None);
        assert_eq!(status("5").unwrap().name(), "NOT_FOUND");
        for number in ["17", "999", "-1", "", "x"] {
            assert_eq!(status(number), Some(Status::UNKNOWN), "{number}");
        }
    }

    #[test]
    fn only_methods_that_answered_have_names_and_not_too_many() {
        let methods = Methods::default();
        let [ok, unimplemented, denied] = ["0", "12", "16"].map(status);
        for status in [None, unimplemented, denied] {
            assert_eq!(methods.name("/a.B/C", status), None);
        }
        assert_eq!(methods.name("/a.B/C", ok).unwrap(), "a.B/C");
        for status in [None, unimplemented, denied] {
            assert_eq!(methods.name("/a.B/C", status).unwrap(), "a.B/C");
        }
        for number in 1..MOST {
            assert!(methods.name(&number.to_string(), ok).is_some());
        }
        assert_eq!(methods.name("/a.B/D", ok), None);
        assert!(methods.name("/a.B/C", ok).is_some());
    }
}
