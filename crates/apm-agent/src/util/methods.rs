//! The methods of HTTP that names are made of.
//!
//! A client can make up any method, and each would become a transaction, a line in every list, and metrics of its own.

/// Stands in names for methods that nobody has defined, and for hosts beyond the limit.
pub(crate) const OTHER: &str = "_OTHER";

/// The method itself if it is a registered one (IANA's registry of HTTP methods), else [`OTHER`]. Methods mind their
/// case.
pub(crate) fn known(method: &str) -> &str {
    match method {
        "GET" | "POST" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "PATCH" | "CONNECT" | "TRACE"
        | "QUERY" => method,
        "ACL" | "BASELINE-CONTROL" | "BIND" | "CHECKIN" | "CHECKOUT" | "COPY" | "LABEL"
        | "LINK" | "LOCK" | "MERGE" | "MKACTIVITY" | "MKCALENDAR" | "MKCOL" | "MKREDIRECTREF"
        | "MKWORKSPACE" | "MOVE" | "ORDERPATCH" | "PROPFIND" | "PROPPATCH" | "REBIND"
        | "REPORT" | "SEARCH" | "UNBIND" | "UNCHECKOUT" | "UNLINK" | "UNLOCK" | "UPDATE"
        | "UPDATEREDIRECTREF" | "VERSION-CONTROL" => method,
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_methods_have_one_name() {
        for method in ["GET", "PATCH", "QUERY", "PROPFIND", "VERSION-CONTROL"] {
            assert_eq!(known(method), method);
        }
        for method in ["M0001X", "get", "", "GETT", "_OTHER"] {
            assert_eq!(known(method), OTHER);
        }
    }
}
