//! Addresses of minified files: the one of a frame, and the one of a map.

/// An address whose path has no `.` and `..`.
pub(super) fn clean(address: &str) -> String {
    let (start, rest) = split(address);
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    let (path, query) = rest.split_at(end);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    let slash = if path.starts_with('/') || !start.is_empty() {
        "/"
    } else {
        ""
    };
    format!("{start}{slash}{}{query}", parts.join("/"))
}

/// Tells how well the map of one address fits a frame of another: 0 is best; `None`: it does not. Both are clean.
pub(super) fn fit(of_map: &str, of_frame: &str) -> Option<u8> {
    if of_map == of_frame {
        return Some(0);
    }
    let (map, frame) = (absolute(of_map), absolute(of_frame));
    if map == frame {
        return Some(1);
    }
    (bare(map) == bare(frame)).then_some(2)
}

/// Without query and fragment.
pub(super) fn bare(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// The path of an address, without the slash at its start.
fn absolute(address: &str) -> &str {
    split(address).1.trim_start_matches('/')
}

/// Scheme and host, and the rest.
fn split(address: &str) -> (&str, &str) {
    let Some(at) = address.find("://") else {
        return ("", address);
    };
    let host = at + "://".len();
    let end = address[host..].find(['/', '?', '#']);
    address.split_at(end.map_or(address.len(), |end| host + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (sent, wanted) in [
            (
                "http://h:81/a/../b/./c.js?x=/../y",
                "http://h:81/b/c.js?x=/../y",
            ),
            ("/static//../../js/app.js", "/js/app.js"),
            ("static/app.js", "static/app.js"),
            ("http://h", "http://h/"),
            ("", ""),
            ("..", ""),
        ] {
            assert_eq!(clean(sent), wanted, "{sent}");
        }
    }

    #[test]
    fn a_map_fits_by_address_then_by_path_then_without_query() {
        let frame = "https://shop.example/js/app.js?v=3";
        for (map, wanted) in [
            (frame, Some(0)),
            ("https://cdn.example/js/app.js?v=3", Some(1)),
            ("/js/app.js?v=3", Some(1)),
            ("/js/app.js", Some(2)),
            ("https://cdn.example/js/app.js#x", Some(2)),
            ("/app.js", None),
            ("", None),
        ] {
            assert_eq!(fit(map, frame), wanted, "{map}");
        }
    }
}
