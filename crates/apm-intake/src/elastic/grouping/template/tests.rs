use super::*;

#[test]
fn a_message_is_known_by_what_stays_the_same() {
    for (message, want) in [
        ("", ""),
        ("connection refused", "connection refused"),
        ("user 42 not found", "user <number> not found"),
        ("user 42 not found.", "user <number> not found."),
        (
            "took 12ms, 3.5s allowed",
            "took <number>ms, <number>s allowed",
        ),
        (
            "offset -5 is less than +0",
            "offset <number> is less than <number>",
        ),
        ("status 404", "status <number>"),
        ("order-981234 is closed", "order-<number> is closed"),
        ("item981234 is gone", "item<number> is gone"),
        (
            "utf8, http2, and E12 are names",
            "utf8, http2, and E12 are names",
        ),
        ("error E0502", "error E<number>"),
        ("can't open 'a b.txt'", "can't open <text>"),
        ("column \"it's\" of `t`", "column <text> of <text>"),
        ("“größe” is not a number", "<text> is not a number"),
        ("l'été n'est pas 'là'", "l'été n'est pas <text>"),
        ("an open 'quote", "an open 'quote"),
        ("id 123e4567-e89b-12d3-a456-426614174000!", "id <uuid>!"),
        ("at 0x7ffe12ab", "at <address>"),
        (
            "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
            "commit <hash>",
        ),
        ("key AKIAIO7FODNN7EXAMPLE42", "key <id>"),
        ("dial tcp 10.0.0.7:5432: refused", "dial tcp <ip>: refused"),
        ("from 2001:db8::1 again", "from <ip> again"),
        ("no such user: ann@example.com", "no such user: <email>"),
        ("at 2026-11-29T18:00:01.123Z", "at <time>"),
        ("at 2026-11-29 18:00:01", "at <time> <time>"),
        (
            "GET /orders/42/items/7 failed",
            "GET /orders/<number>/items/<number> failed",
        ),
        (
            "GET /orders?id=42&page=2",
            "GET /orders?id=<number>&page=<number>",
        ),
        ("src/main.rs:48:5", "src/main.rs:<number>:<number>"),
        ("1.2.3 is not 1.10.0", "<number> is not <number>"),
        ("lines\nstay 1\n", "lines\nstay <number>\n"),
        ("שגיאה 17 😀", "שגיאה <number> 😀"),
        ("...", "..."),
        ("a: : b", "a: : b"),
    ] {
        assert_eq!(template(message), want, "{message}");
    }
}

#[test]
fn a_long_message_is_read_to_its_bound_only() {
    let message = "é ".repeat(10_000);
    assert!(template(&message).len() <= READ);
    let open = format!("'{}", "x".repeat(10_000));
    assert!(template(&open).starts_with("'xxx"));
}

#[test]
fn the_template_of_a_template_is_the_same() {
    for message in [
        "user 42 of 'x' at 10.0.0.1",
        "took 12ms",
        "at 0x12 <number>",
    ] {
        let once = template(message);
        assert_eq!(template(&once), once);
    }
}
