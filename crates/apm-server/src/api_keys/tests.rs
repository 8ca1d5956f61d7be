use super::*;

#[test]
fn a_key_that_was_made_is_found_by_what_its_holder_presents() {
    let shop = NewKey::make(
        "shop",
        &[Privilege::Intake, Privilege::Config, Privilege::Intake],
    )
    .unwrap();
    let other = NewKey::make("other", &[Privilege::Read]).unwrap();
    let file = format!("\u{feff}# keys\n\n  {}  \r\n{}", shop.line, other.line);
    let keys = ApiKeys::parse(&file).unwrap();
    let found = keys.presented(shop.encoded.as_bytes()).unwrap();
    assert_eq!(found.name, "shop");
    assert_eq!(found.privileges, [Privilege::Intake, Privilege::Config]);
    assert_eq!(keys.with_hash(found.hash()), Some(found));
    let loose = format!(" {} ", shop.encoded.trim_end_matches('='));
    assert!(
        keys.presented(loose.as_bytes()).is_some(),
        "padding may be lost"
    );
    let names: Vec<_> = keys.list().iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["other", "shop"]);

    let secret = BASE64.decode(&shop.encoded).unwrap();
    let secret = String::from_utf8(secret).unwrap().split_off("shop:".len());
    assert!(!file.contains(&secret) && !format!("{shop:?}").contains(&secret));
    let presented = |plain: String| keys.presented(STANDARD.encode(plain).as_bytes()).is_some();
    assert!(presented(format!("shop:{secret}")));
    for wrong in [
        "shop:",
        "shop",
        "",
        ":",
        &format!("other:{secret}"),
        &format!("shop:{secret}0"),
        &format!("Shop:{secret}"),
    ] {
        assert!(!presented(wrong.to_owned()), "{wrong}");
    }
    assert!(keys.presented(b"no base64!").is_none() && keys.presented(secret.as_bytes()).is_none());
}

#[test]
fn a_line_that_is_wrong_is_named_with_the_remedy() {
    let hash = "a".repeat(64);
    for (line, problem) in [
        ("shop".to_owned(), "privileges and `sha256:…`"),
        (
            format!("shop intake sha256:{hash} more"),
            "privileges and `sha256:…`",
        ),
        (
            format!("shop write sha256:{hash}"),
            "intake, config, read and admin",
        ),
        (format!("sh:op intake sha256:{hash}"), "letters, digits"),
        (format!("shop intake {hash}"), "64 hexadecimal digits"),
        ("shop intake sha256:abc".to_owned(), "64 hexadecimal digits"),
        (format!("one intake sha256:{hash}"), "another key"),
    ] {
        let text = format!("one read sha256:{hash}\n{line}\n");
        let error = ApiKeys::parse(&text).unwrap_err();
        assert!(
            error.starts_with("line 2:") && error.contains(problem),
            "{error}"
        );
    }
    assert!(NewKey::make("", &[Privilege::Read]).is_err() && NewKey::make("a", &[]).is_err());
    assert!(NewKey::make(&"a".repeat(65), &[Privilege::Read]).is_err());
}
