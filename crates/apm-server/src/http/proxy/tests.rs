use actix_web::test::TestRequest;

use super::*;

fn front_of(peer: &str, headers: &[(&'static str, &'static str)]) -> Front {
    let mut request = TestRequest::default();
    for header in headers {
        request = request.append_header(*header);
    }
    let request = request.to_http_request();
    let arrived = Arrived {
        peer: Some(peer.parse().unwrap()),
        is_https: false,
        host: "127.0.0.1:8200",
        headers: request.headers(),
    };
    let trusted = ["127.0.0.1", "10.0.0.0/8"].map(|net| net.parse().unwrap());
    front(&arrived, &trusted, &"/base".parse().unwrap())
}

fn client_of(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
    front_of(peer, headers).client.unwrap().to_string()
}

#[test]
fn only_a_trusted_proxy_is_believed() {
    let said = [
        ("x-forwarded-host", "apm.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "1.2.3.4"),
        ("x-forwarded-prefix", "/apm"),
    ];
    let front = front_of("127.0.0.1", &said);
    assert_eq!(front.url(), "https://apm.example/apm");
    assert_eq!(client_of("127.0.0.1", &said), "1.2.3.4");
    let front = front_of("192.168.0.9", &said);
    assert_eq!(front.url(), "http://127.0.0.1:8200/base");
    assert_eq!(client_of("192.168.0.9", &said), "192.168.0.9");
    assert_eq!(
        front_of("127.0.0.1", &[]).url(),
        "http://127.0.0.1:8200/base"
    );
    assert_eq!(
        front_of("::ffff:127.0.0.1", &said).url(),
        "https://apm.example/apm"
    );
}

#[test]
fn a_header_that_a_client_adds_does_not_change_its_address() {
    let real = ("x-forwarded-for", "1.1.1.1, 10.0.0.3");
    for (headers, client) in [
        (vec![real], "1.1.1.1"),
        (vec![real, ("forwarded", "for=9.9.9.9")], "127.0.0.1"),
        (vec![real, ("x-real-ip", "9.9.9.9")], "127.0.0.1"),
        (vec![real, ("x-real-ip", "junk")], "127.0.0.1"),
        (
            vec![("x-real-ip", "1.1.1.1"), ("x-forwarded-for", "9.9.9.9")],
            "127.0.0.1",
        ),
        (
            vec![("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "9.9.9.9")],
            "127.0.0.1",
        ),
        // A header that says nothing, or the same, changes nothing.
        (
            vec![real, ("forwarded", "for=1.1.1.1;proto=https")],
            "1.1.1.1",
        ),
        (
            vec![real, ("forwarded", "host=apm.example, for=unknown")],
            "1.1.1.1",
        ),
        (vec![real, ("x-real-ip", "10.0.0.3")], "1.1.1.1"),
        (
            vec![("x-real-ip", "1.1.1.1"), ("x-forwarded-for", "10.0.0.3")],
            "1.1.1.1",
        ),
    ] {
        assert_eq!(client_of("127.0.0.1", &headers), client, "{headers:?}");
    }
}

#[test]
fn the_client_is_the_last_address_that_is_no_proxy() {
    for (hops, client) in [
        ("1.1.1.1", "1.1.1.1"),
        ("9.9.9.9, 1.1.1.1", "1.1.1.1"),
        ("9.9.9.9, 1.1.1.1, 10.0.0.3", "1.1.1.1"),
        ("10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("1.1.1.1:4711, 10.0.0.3", "1.1.1.1"),
        ("[2001:db8::1]:47", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("1.1.1.1, junk, 10.0.0.3", "127.0.0.1"),
        ("", "127.0.0.1"),
    ] {
        assert_eq!(
            client_of("127.0.0.1", &[("x-forwarded-for", hops)]),
            client,
            "{hops}"
        );
    }
    let two_lines = [
        ("x-forwarded-for", "9.9.9.9"),
        ("x-forwarded-for", "1.1.1.1"),
    ];
    assert_eq!(client_of("127.0.0.1", &two_lines), "1.1.1.1");
    assert_eq!(
        client_of("127.0.0.1", &[("x-real-ip", "3.3.3.3")]),
        "3.3.3.3"
    );
}

#[test]
fn the_standard_header_is_read_before_the_older_ones() {
    let said = [
        (
            "forwarded",
            "for=\"[2001:db8::7]:1\";host=apm.example:444;proto=HTTPS, for=10.0.0.3",
        ),
        ("x-forwarded-host", "other.example"),
    ];
    assert_eq!(
        front_of("127.0.0.1", &said).url(),
        "https://apm.example:444/base"
    );
    assert_eq!(client_of("127.0.0.1", &said), "2001:db8::7");
    assert_eq!(
        client_of("127.0.0.1", &[("forwarded", "for=_hidden;proto=https")]),
        "127.0.0.1"
    );
}

#[test]
fn what_is_no_host_or_path_is_left_out() {
    let url = |name, value| front_of("127.0.0.1", &[(name, value)]).url();
    let plain = "http://127.0.0.1:8200/base";
    for host in ["a b", "evil\"><script>", "a/b", "", "user@host", "a:b"] {
        assert_eq!(url("x-forwarded-host", host), plain, "{host}");
    }
    for prefix in ["//evil.example", "evil", "/a\"b", "/../x"] {
        assert_eq!(url("x-forwarded-prefix", prefix), plain, "{prefix}");
    }
    assert_eq!(url("x-forwarded-prefix", "/"), "http://127.0.0.1:8200");
    let with_port = [
        ("x-forwarded-host", "apm.example"),
        ("x-forwarded-port", "8443"),
    ];
    assert_eq!(front_of("127.0.0.1", &with_port).host, "apm.example:8443");
    let default = [
        ("x-forwarded-host", "apm.example"),
        ("x-forwarded-port", "443"),
    ];
    assert_eq!(front_of("127.0.0.1", &default).host, "apm.example");
}
