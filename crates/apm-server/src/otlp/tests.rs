use super::*;

#[test]
fn an_answer_without_a_remark_is_empty() {
    let done = Exported {
        accepted: 7,
        ..Exported::default()
    };
    assert_eq!(success(Signal::Traces, Encoding::Protobuf, &done), b"");
    assert_eq!(success(Signal::Traces, Encoding::Json, &done), b"{}");
}

#[test]
fn a_partial_success_says_how_many_and_why() {
    let done = Exported {
        accepted: 7,
        rejected: 300,
        message: Some("no id".to_owned()),
    };
    assert_eq!(
        success(Signal::Logs, Encoding::Protobuf, &done),
        b"\x0a\x0a\x08\xac\x02\x12\x05no id"
    );
    for (signal, name) in [
        (Signal::Traces, "rejectedSpans"),
        (Signal::Metrics, "rejectedDataPoints"),
        (Signal::Logs, "rejectedLogRecords"),
    ] {
        let body: Value = serde_json::from_slice(&success(signal, Encoding::Json, &done)).unwrap();
        let wanted = json!({"partialSuccess": {name: "300", "errorMessage": "no id"}});
        assert_eq!(body, wanted);
    }
    let warning = Exported {
        rejected: 0,
        ..done
    };
    assert_eq!(
        success(Signal::Logs, Encoding::Protobuf, &warning),
        b"\x0a\x07\x12\x05no id"
    );
}

#[test]
fn a_status_has_its_code_and_says_when_to_come_back() {
    let refused = Status::new(Code::InvalidArgument, "no");
    assert_eq!(refused.encode(Encoding::Protobuf), b"\x08\x03\x12\x02no");
    assert_eq!(
        refused.encode(Encoding::Json),
        br#"{"code":3,"message":"no"}"#
    );
    let later = Status::after(Duration::from_secs(2), "no").protobuf();
    let info = b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x04\x0a\x02\x08\x02";
    assert_eq!(later, [&b"\x08\x0e\x12\x02no\x1a\x30"[..], info].concat());
}

#[test]
fn senders_keep_what_may_be_stored_later_and_drop_what_never_will_be() {
    for (error, code, http, again) in [
        (ExportError::Malformed("m".to_owned()), 3, 400, false),
        (ExportError::Cut, 3, 400, false),
        (ExportError::TooLarge(7), 8, 413, false),
        (ExportError::Late(Duration::from_secs(1)), 14, 503, true),
        (ExportError::Busy("b"), 14, 503, true),
        (ExportError::Stopping, 14, 503, true),
        (ExportError::Failed("f".to_owned()), 14, 503, true),
    ] {
        let status = Status::from(&error);
        let seen = (status.code as i32, status.http(), status.retry.is_some());
        assert_eq!(seen, (code, http, again), "{error:?}");
    }
}

#[test]
fn a_media_type_is_known_with_parameters_and_in_any_case() {
    for (text, encoding) in [
        ("application/x-protobuf", Some(Encoding::Protobuf)),
        ("Application/JSON; charset=utf-8", Some(Encoding::Json)),
        ("application/protobuf", None),
        ("text/plain", None),
        ("", None),
    ] {
        assert_eq!(of_media_type(text), encoding, "{text}");
    }
}
