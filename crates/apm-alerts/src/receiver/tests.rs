use super::*;

fn read(json: &str) -> Result<Receiver, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

#[test]
fn a_receiver_is_read_as_it_is_written() {
    for json in [
        r#"{"name":"a","kind":"webhook","url":"https://hooks.example/T0/secret"}"#,
        r#"{"name":"a","kind":"webhook","url":"http://localhost:9/x","authorization":"Bearer hush"}"#,
        r#"{"name":"a","kind":"slack","url":"https://hooks.example/T0/secret"}"#,
        r#"{"name":"a","kind":"email","to":["Ops <ops@example.com>"]}"#,
        r#"{"name":"a","kind":"command","command":["/usr/bin/logger","-t","apm"]}"#,
    ] {
        let receiver = read(json).unwrap();
        assert_eq!(serde_json::to_string(&receiver).unwrap(), json);
    }
}

#[test]
fn a_receiver_that_cannot_be_is_refused_without_its_secret() {
    for json in [
        r#"{"name":"a","kind":"webhook"}"#,
        r#"{"name":"a","kind":"webhook","url":"file:///hush"}"#,
        r#"{"name":"a","kind":"slack","url":"hush"}"#,
        r#"{"name":"a","kind":"slack","url":"https://a.example/hush","to":["a@b.example"]}"#,
        r#"{"name":"a","kind":"email","to":["nobody"]}"#,
        r#"{"name":"a","kind":"email","to":[]}"#,
        r#"{"name":"a","kind":"command","command":[]}"#,
        r#"{"name":"a","kind":"pager"}"#,
        r#"{"name":" ","kind":"slack","url":"https://a.example/hush"}"#,
        r#"{"name":"a","kind":"webhook","url":"https://a.example/hush","authorization":"a\nb"}"#,
        r#"{"name":"a","kind":"webhook","url":"https://a.example/hush","headers":"x"}"#,
    ] {
        let error = read(json).expect_err(json);
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn neither_the_masked_target_nor_a_log_line_has_the_secret() {
    let receiver =
        read(r#"{"name":"a","kind":"slack","url":"https://u:hush@hooks.example:8443/hush?hush"}"#)
            .unwrap();
    assert_eq!(receiver.target.masked(), "https://hooks.example:8443/…");
    assert!(!format!("{receiver:?}").contains("hush"));
}
