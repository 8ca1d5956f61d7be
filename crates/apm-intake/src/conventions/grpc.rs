//! Status codes of gRPC, in the spelling that results of transactions have.

const NAMES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

/// The name of a code.
pub(super) fn name(code: i64) -> Option<&'static str> {
    NAMES.get(usize::try_from(code).ok()?).copied()
}

/// The name of a code that was sent as text: `INVALID_ARGUMENT`, or its number.
pub(super) fn named(text: &str) -> Option<&'static str> {
    if let Ok(code) = text.parse() {
        return name(code);
    }
    // gRPC itself spells it with two l.
    let bare: String = text.chars().filter(|c| *c != '_').collect();
    let bare = if bare.eq_ignore_ascii_case("cancelled") {
        "canceled"
    } else {
        &bare
    };
    NAMES
        .into_iter()
        .find(|name| name.eq_ignore_ascii_case(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_one_spelling() {
        assert_eq!(name(14), Some("Unavailable"));
        assert_eq!((name(17), name(-1)), (None, None));
        for (text, wanted) in [
            ("OK", Some("OK")),
            ("INVALID_ARGUMENT", Some("InvalidArgument")),
            ("CANCELLED", Some("Canceled")),
            ("DeadlineExceeded", Some("DeadlineExceeded")),
            ("5", Some("NotFound")),
            ("java.net.SocketTimeoutException", None),
            ("", None),
        ] {
            assert_eq!(named(text), wanted, "{text}");
        }
    }
}
