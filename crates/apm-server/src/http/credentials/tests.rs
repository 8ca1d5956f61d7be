use super::*;
use crate::api_keys::NewKey;

#[test]
fn each_secret_opens_what_it_is_for() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys");
    let made = |name: &str, privileges: &[Privilege]| NewKey::make(name, privileges).unwrap();
    let (sends, reads, rules) = (
        made("sends", &[Privilege::Intake]),
        made("reads", &[Privilege::Read]),
        made("rules", &[Privilege::Admin]),
    );
    std::fs::write(
        &file,
        [&sends, &reads, &rules]
            .map(|key| key.line.clone())
            .join("\n"),
    )
    .unwrap();
    let config = Config {
        secret_token: SecretToken::new("hush"),
        api_key_file: Some(file),
        ..Config::default()
    };
    let credentials = Credentials::open(&config).unwrap();
    assert!(credentials.are_needed() && credentials.anyone().is_none());
    use Access::{Admin, Config as Settings, Intake, Read};
    for (header, may) in [
        (
            "Bearer hush".to_owned(),
            vec![Intake, Settings, Read, Admin],
        ),
        (
            "bearer  hush".to_owned(),
            vec![Intake, Settings, Read, Admin],
        ),
        (
            format!("Bearer {}", credentials.own().unwrap().expose()),
            vec![Intake, Settings],
        ),
        (format!("ApiKey {}", sends.encoded), vec![Intake]),
        (format!("APIKEY {}", reads.encoded), vec![Read]),
        (format!("ApiKey {}", rules.encoded), vec![Read, Admin]),
    ] {
        let holder = credentials.in_header(header.as_bytes()).expect(&header);
        for access in [Intake, Settings, Read, Admin] {
            assert_eq!(
                holder.may(access),
                may.contains(&access),
                "{header} {access:?}"
            );
        }
    }
    for wrong in [
        "",
        "hush",
        "Bearer",
        "Bearer ",
        "Bearer hus",
        "Basic hush",
        "ApiKey hush",
        &format!("Bearer {}", reads.encoded),
    ] {
        assert_eq!(credentials.in_header(wrong.as_bytes()), None, "{wrong}");
    }
    assert!(
        credentials.typed(" hush\n").is_some()
            && credentials
                .typed(credentials.own().unwrap().expose())
                .is_none()
    );
    assert_eq!(
        credentials.typed(&reads.encoded).unwrap().key.as_deref(),
        Some("reads")
    );
    let open = Credentials::open(&Config::default()).unwrap();
    assert!(open.own().is_none());
    assert!(open.anyone().is_some_and(|anyone| anyone.may(Admin)));
}

#[test]
fn a_file_that_cannot_be_used_is_named_with_its_option() {
    let directory = tempfile::tempdir().unwrap();
    let (empty, wrong) = (
        directory.path().join("empty"),
        directory.path().join("wrong"),
    );
    std::fs::write(&empty, " \n").unwrap();
    std::fs::write(&wrong, "shop everything sha256:00").unwrap();
    let error = |change: &dyn Fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        Credentials::open(&config).unwrap_err()
    };
    let missing = error(&|config| config.secret_token_file = Some("/nowhere/token".into()));
    assert!(
        missing.contains("--apm-secret-token-file") && missing.contains("/nowhere/token"),
        "{missing}"
    );
    let nothing = error(&|config| config.secret_token_file = Some(empty.clone()));
    assert!(nothing.contains("is empty"), "{nothing}");
    let line = error(&|config| config.api_key_file = Some(wrong.clone()));
    assert!(
        line.contains("--apm-api-key-file") && line.contains("line 1"),
        "{line}"
    );
}
