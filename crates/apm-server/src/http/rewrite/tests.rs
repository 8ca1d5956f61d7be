use super::*;

#[test]
fn several_slashes_are_one() {
    for (path, slim) in [
        ("//intake/v2/events", Some("/intake/v2/events")),
        ("/a//b///c//", Some("/a/b/c/")),
        ("///", Some("/")),
        ("/a/b", None),
        ("/%2F/a", None),
    ] {
        assert_eq!(one_slash(path).as_deref(), slim, "{path}");
    }
}

#[test]
fn redirections_and_cookies_stay_below_the_base_path() {
    let out = |base: &str, is_https: bool, location: &'static str| {
        let front = Front {
            is_https,
            base: base.parse().unwrap(),
            ..Front::default()
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::LOCATION, HeaderValue::from_static(location));
        for cookie in ["a=1; Path=/; HttpOnly", "b=/; Path=/; SameSite=Lax"] {
            headers.append(header::SET_COOKIE, HeaderValue::from_static(cookie));
        }
        lead_back(&mut headers, &front);
        let cookies = headers.get_all(header::SET_COOKIE);
        let cookies: Vec<_> = cookies
            .map(|cookie| cookie.to_str().unwrap().to_owned())
            .collect();
        let location = headers
            .get(header::LOCATION)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        (location, cookies)
    };
    let (location, cookies) = out("", false, "/services");
    assert_eq!(
        (location.as_str(), cookies[0].as_str()),
        ("/services", "a=1; Path=/; HttpOnly")
    );
    let (location, cookies) = out("/apm", true, "/services?a=/b");
    assert_eq!(location, "/apm/services?a=/b");
    assert_eq!(cookies[0], "a=1; Path=/apm; HttpOnly; Secure");
    assert_eq!(cookies[1], "b=/; Path=/apm; SameSite=Lax; Secure");
    assert_eq!(
        out("/apm", false, "https://elsewhere.example/").0,
        "https://elsewhere.example/"
    );
    assert_eq!(
        out("/apm", false, "//elsewhere.example/").0,
        "//elsewhere.example/"
    );
}
