//! The target of a span, as its destination's resource names it.

/// The type and name that a resource of the form `type` or `type/name` stands for.
pub fn inferred_target(resource: &str) -> Option<(&str, Option<&str>)> {
    let is_type = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    match resource.split_once('/') {
        None => is_type(resource).then_some((resource, None)),
        Some((kind, name)) => (is_type(kind) && is_name(name)).then_some((kind, Some(name))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_from_a_resource() {
        assert_eq!(inferred_target("mysql"), Some(("mysql", None)));
        assert_eq!(
            inferred_target("postgres/testdb"),
            Some(("postgres", Some("testdb")))
        );
        for other in ["localhost:8080", "", "/x", "x/", "a/b/c", "Mysql"] {
            assert_eq!(inferred_target(other), None, "{other}");
        }
    }
}
