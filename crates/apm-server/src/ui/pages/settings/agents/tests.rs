use super::*;

fn form(settings: &str) -> Vec<(String, String)> {
    vec![
        ("service".to_owned(), " my-app ".to_owned()),
        ("settings".to_owned(), settings.to_owned()),
    ]
}

#[test]
fn a_form_is_read_line_by_line() {
    let settings = read(&form(
        "transaction_sample_rate = 0.5\r\n\r\ncapture_body=all",
    ))
    .unwrap();
    assert_eq!(settings.service, "my-app");
    assert_eq!(settings.values.len(), 2);
    assert_eq!(settings.values["transaction_sample_rate"], "0.5");
    assert!(read(&form("")).unwrap().values.is_empty());
    assert_eq!(
        lines(&settings.values),
        "capture_body=all\ntransaction_sample_rate=0.5"
    );
}

#[test]
fn an_error_names_the_line_and_the_remedy() {
    assert!(
        read(&form("capture_body"))
            .unwrap_err()
            .contains("name=value")
    );
    assert!(read(&form("a b=1")).unwrap_err().contains("letters"));
    assert!(
        read(&form(&format!("{}=1", "a".repeat(65))))
            .unwrap_err()
            .contains("at most 64")
    );
    let long = |bytes| read(&form(&format!("ignore_urls={}", "x".repeat(bytes))));
    assert!(long(1024).is_ok());
    assert_eq!(
        long(1025).unwrap_err(),
        "the value of “ignore_urls” has 1,025 bytes, 1,024 are allowed"
    );
}

#[test]
fn a_change_carries_what_was_before_unless_that_is_too_long() {
    let old = read(&form("recording=false")).unwrap();
    let new = read(&form("")).unwrap();
    let address = after(&new, Some(&old)).to_string();
    assert!(
        address.contains("deleted=1") && address.contains("undo="),
        "{address}"
    );
    let long = read(&form(&format!(
        "a={}\nb={}\nc={}\nd={}",
        "x".repeat(1000),
        "y".repeat(1000),
        "z".repeat(1000),
        "z".repeat(1000)
    )))
    .unwrap();
    assert!(!after(&new, Some(&long)).to_string().contains("undo="));
}
