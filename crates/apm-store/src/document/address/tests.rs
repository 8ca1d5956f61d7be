use super::*;

#[test]
fn addresses_are_taken_apart_as_go_does() {
    // The output of Go 1.26 for them: full, scheme, domain, port, path, query, fragment.
    for (address, wanted) in [
        (
            "https://u@example.com:81/a/b?c=d#e",
            Some((
                "https://u@example.com:81/a/b?c=d#e",
                "https",
                "example.com",
                "81",
                "/a/b",
                "c=d",
                "e",
            )),
        ),
        (
            "http://[::1]:8080/x",
            Some(("http://[::1]:8080/x", "http", "::1", "8080", "/x", "", "")),
        ),
        (
            "http://[fe80::1%25en0]/x",
            Some((
                "http://[fe80::1%25en0]/x",
                "http",
                "fe80::1%en0",
                "",
                "/x",
                "",
                "",
            )),
        ),
        (
            "https://example.com",
            Some((
                "https://example.com",
                "https",
                "example.com",
                "",
                "",
                "",
                "",
            )),
        ),
        (
            "https://example.com/a%20b/%C3%A4?q=%20a#f%20g",
            Some((
                "https://example.com/a%20b/%C3%A4?q=%20a#f%20g",
                "https",
                "example.com",
                "",
                "/a b/ä",
                "q=%20a",
                "f g",
            )),
        ),
        (
            "/relative/path?x=1",
            Some((
                "http:///relative/path?x=1",
                "http",
                "",
                "",
                "/relative/path",
                "x=1",
                "",
            )),
        ),
        (
            "relative/path",
            Some((
                "http://relative/path",
                "http",
                "",
                "",
                "relative/path",
                "",
                "",
            )),
        ),
        (
            "//host.example:90/p",
            Some((
                "http://host.example:90/p",
                "http",
                "host.example",
                "90",
                "/p",
                "",
                "",
            )),
        ),
        (
            "about:blank",
            Some(("about:blank", "about", "", "", "", "", "")),
        ),
        (
            "http://exämple.com/ä",
            Some((
                "http://ex%C3%A4mple.com/%C3%A4",
                "http",
                "exämple.com",
                "",
                "/ä",
                "",
                "",
            )),
        ),
        (
            "HTTPS://Example.COM/",
            Some((
                "https://Example.COM/",
                "https",
                "Example.COM",
                "",
                "/",
                "",
                "",
            )),
        ),
        ("http://a b/", None),
        ("http://h/%zz", None),
        ("http://h:port/", None),
        ("1:2", None),
        ("", Some(("http:", "http", "", "", "", "", ""))),
        (
            "http://h/a b",
            Some(("http://h/a%20b", "http", "h", "", "/a b", "", "")),
        ),
        (
            "http://h?x",
            Some(("http://h?x", "http", "h", "", "", "x", "")),
        ),
        (
            "http://h/?",
            Some(("http://h/?", "http", "h", "", "/", "", "")),
        ),
        (
            "mailto:a@b",
            Some(("mailto:a@b", "mailto", "", "", "", "", "")),
        ),
        (
            "file:///etc/x",
            Some(("file:///etc/x", "file", "", "", "/etc/x", "", "")),
        ),
        (
            "http://u:p%40!@h/",
            Some(("http://u:p%40%21@h/", "http", "h", "", "/", "", "")),
        ),
        (
            "http://h:/x",
            Some(("http://h:/x", "http", "h", "", "/x", "", "")),
        ),
        ("x:y/z:q", Some(("x:y/z:q", "x", "", "", "", "", ""))),
        (
            "http://h/a#",
            Some(("http://h/a", "http", "h", "", "/a", "", "")),
        ),
        (
            "http://h:99999/",
            Some(("http://h:99999/", "http", "h", "99999", "/", "", "")),
        ),
        (
            "http://h/#a b",
            Some(("http://h/#a%20b", "http", "h", "", "/", "", "a b")),
        ),
        ("?q=1", Some(("http:?q=1", "http", "", "", "", "q=1", ""))),
        ("#f", Some(("http:#f", "http", "", "", "", "", "f"))),
        (":8080/x", None),
        (
            "http://h/a;b,c",
            Some(("http://h/a;b,c", "http", "h", "", "/a;b,c", "", "")),
        ),
        (
            "http://h/a!b (c)",
            Some((
                "http://h/a%21b%20%28c%29",
                "http",
                "h",
                "",
                "/a!b (c)",
                "",
                "",
            )),
        ),
        (
            "http://h/a\"b!",
            Some(("http://h/a%22b%21", "http", "h", "", "/a\"b!", "", "")),
        ),
        ("ws://h:1/\u{1}", None),
        ("http://[::1/x", None),
        ("http://[::1]x/", None),
        (
            "///a/b",
            Some(("http://///a/b", "http", "", "", "///a/b", "", "")),
        ),
        (
            "http:/a/b",
            Some(("http:/a/b", "http", "", "", "/a/b", "", "")),
        ),
        (
            "http:///a",
            Some(("http:///a", "http", "", "", "/a", "", "")),
        ),
        ("http://::1/x", None),
        (
            "http://h?a?b#c#d",
            Some(("http://h?a?b#c%23d", "http", "h", "", "", "a?b", "c#d")),
        ),
        ("*", Some(("http://*", "http", "", "", "*", "", ""))),
        ("http://h%41/", None),
        (
            "http://%C3%A4/",
            Some(("http://%C3%A4/", "http", "ä", "", "/", "", "")),
        ),
        ("http://h\\a/", None),
        (
            "http://h/%2F%2f",
            Some(("http://h/%2F%2f", "http", "h", "", "///", "", "")),
        ),
        (
            "aä?ä#ä!",
            Some(("http://a%C3%A4?ä#%C3%A4!", "http", "", "", "aä", "ä", "ä!")),
        ),
        (
            "http://h/#a'b!",
            Some(("http://h/#a'b!", "http", "h", "", "/", "", "a'b!")),
        ),
        ("http://uä@h/", None),
        (
            "http://u@h@i/",
            Some(("http://u%40h@i/", "http", "i", "", "/", "", "")),
        ),
        (
            "http://@/",
            Some(("http://@/", "http", "", "", "/", "", "")),
        ),
        ("http://a%/", None),
        (
            "data:text/html,x y",
            Some(("data:text/html,x y", "data", "", "", "", "", "")),
        ),
        ("+a:b", None),
        ("http:", Some(("http:", "http", "", "", "", "", ""))),
        ("http://", Some(("http:", "http", "", "", "", "", ""))),
        ("http:?a", Some(("http:?a", "http", "", "", "", "a", ""))),
        (
            "http://h/%e4",
            Some(("http://h/%e4", "http", "h", "", "/\u{fffd}", "", "")),
        ),
        ("http://[foo]/", None),
        ("http://[1.2.3.4]/", None),
        ("http://h:1:2/", None),
        (
            "postgres://a:1,b:2/db",
            Some((
                "postgres://a:1,b:2/db",
                "postgres",
                "a:1,b",
                "2",
                "/db",
                "",
                "",
            )),
        ),
        ("http://[::1%25]/", None),
        ("http://[fe80::1%en0]/", None),
        (
            "http://[::ffff:1.2.3.4]/",
            Some((
                "http://[::ffff:1.2.3.4]/",
                "http",
                "::ffff:1.2.3.4",
                "",
                "/",
                "",
                "",
            )),
        ),
        ("http://a[::1]/", None),
        (
            "http://a]/",
            Some(("http://a]/", "http", "a]", "", "/", "", "")),
        ),
        ("http://[::1]a/", None),
    ] {
        let met = parse(address);
        let port = met
            .as_ref()
            .and_then(|met| met.port)
            .map_or_else(String::new, |port| port.to_string());
        let met = met.as_ref().map(|met| {
            (
                met.full.as_str(),
                met.scheme.as_str(),
                met.domain.as_str(),
                port.as_str(),
                met.path.as_str(),
                met.query.as_str(),
                met.fragment.as_str(),
            )
        });
        assert_eq!(met, wanted, "{address}");
    }
}

#[test]
fn a_long_address_is_cut_between_characters() {
    let address = format!("http://h/{}", "ä".repeat(2000));
    assert_eq!(cut(&address).chars().count(), 1024);
    let parts = parse(cut(&address)).expect("an address");
    assert_eq!(parts.path.chars().count(), 1024 - "http://h".len());
    assert_eq!(parts.full.chars().count(), 1024);
}

proptest::proptest! {
    #[test]
    fn any_text_is_an_address_or_none(text in r"(?s)([\PC]|[:/?#@%\[\]0-9a-f]){0,40}") {
        _ = parse(&text);
    }
}
