//! The parts of a request, a call and an error that are left out, wherever they stand; and those that stay.

use actix_web::test::{TestRequest, call_service, init_service};
use actix_web::{App, HttpResponse, web};
use apm_agent::testing::Recorded;
use serde_json::{Value, json};

use crate::support::Checked;

/// Never to be seen in what is recorded.
const SECRET: &str = "S3CRET";

/// The records of one request to a service that answers with a redirect.
async fn recorded(recorder: &Checked, request: TestRequest) -> Recorded {
    let answer = async || {
        HttpResponse::Found()
            .insert_header(("Location", format!("/done?page=1&access_token={SECRET}")))
            .insert_header(("Link", format!("</x?sig={SECRET}>; rel=\"next\"")))
            .finish()
    };
    let app = App::new()
        .default_service(web::to(answer))
        .wrap(recorder.agent().middleware());
    let app = init_service(app).await;
    call_service(&app, request.to_request()).await;
    recorder.take()
}

fn assert_no_secret(recorded: &Recorded) {
    let all = format!("{recorded:?}");
    assert!(!all.contains(SECRET), "{all}");
}

#[actix_web::test]
async fn parameters_of_the_address_lose_their_values_by_name() {
    let uri = format!(
        "/a;jsessionid={SECRET}?page=2&token={SECRET}&sid={SECRET}&jwt={SECRET}&csrf={SECRET}&Signature={SECRET}\
         &AWSAccessKeyId={SECRET}&sig={SECRET}&X-Goog-Signature={SECRET}\
         &X-Amz-Credential={SECRET}&client_secret={SECRET}\
         &t%6fken={SECRET}&next=https%3A%2F%2Fann%3A{SECRET}%40x%2F%3Ftoken%3D{SECRET}&sort=name"
    );
    let request = TestRequest::with_uri(&uri).insert_header(("Host", "shop.example"));
    let recorded = recorded(&Checked::default(), request).await;
    assert_no_secret(&recorded);
    let url = &recorded.transactions[0]["context"]["request"]["url"];
    let search = url["search"].as_str().unwrap();
    assert!(
        search.starts_with("?page=2&token=[REDACTED]&sid=[REDACTED]&jwt=[REDACTED]&")
            && search.ends_with("&sort=name"),
        "{search}"
    );
    assert_eq!(url["pathname"], "/a;jsessionid=[REDACTED]");
    assert_eq!(
        url["full"],
        format!("http://shop.example/a;jsessionid=[REDACTED]{search}")
    );
}

#[actix_web::test]
async fn headers_that_hold_addresses_lose_the_secrets_in_them() {
    let request = TestRequest::with_uri("/")
        .insert_header((
            "Referer",
            format!("https://ann:{SECRET}@shop.example/login?token={SECRET}&a=1"),
        ))
        .insert_header(("X-Original-URL", format!("/x?sid={SECRET}")))
        .insert_header(("X-Signature", SECRET))
        .insert_header(("X-XSRF-Token", SECRET))
        .insert_header(("Accept", "text/html;q=0.9"));
    let recorded = recorded(&Checked::default(), request).await;
    assert_no_secret(&recorded);
    let context = &recorded.transactions[0]["context"];
    let headers = &context["request"]["headers"];
    assert_eq!(
        headers["referer"],
        "https://[REDACTED]@shop.example/login?token=[REDACTED]&a=1"
    );
    assert_eq!(headers["x-original-url"], "/x?sid=[REDACTED]");
    assert_eq!(headers["x-signature"], "[REDACTED]");
    assert_eq!(headers["accept"], "text/html;q=0.9");
    let answered = &context["response"]["headers"];
    assert_eq!(answered["location"], "/done?page=1&access_token=[REDACTED]");
    assert_eq!(answered["link"], "</x?sig=[REDACTED]>; rel=\"next\"");
}

#[actix_web::test]
async fn who_gives_an_own_list_gets_what_the_list_says() {
    let recorder = Checked::with_options([("sanitize_field_names", "plan")]);
    let request = TestRequest::with_uri("/x?token=shown&plan=S3CRET").insert_header(("Host", "h"));
    let recorded = recorded(&recorder, request).await;
    assert_eq!(
        recorded.transactions[0]["context"]["request"]["url"]["full"],
        "http://h/x?token=shown&plan=[REDACTED]"
    );
}

#[test]
fn errors_and_logs_lose_the_secrets_of_addresses_in_their_messages() {
    #[derive(Debug)]
    struct Failed(Option<Box<Failed>>);
    impl std::fmt::Display for Failed {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(
                f,
                "cannot reach https://ann:{SECRET}@api.example/v1?api_key={SECRET}&a=1"
            )
        }
    }
    impl std::error::Error for Failed {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(self.0.as_deref()?)
        }
    }
    let recorder = Checked::with_options([("log_sending", "true")]);
    recorder.run(|agent| {
        agent.transaction("job", "task").run(|| {
            apm_agent::capture_error(&Failed(Some(Box::new(Failed(None)))));
            apm_agent::capture_message(format!("GET /x?token={SECRET} failed"));
            let logger = apm_agent::log::Logger::new(Silent);
            let mut record = log::Record::builder();
            record.level(log::Level::Warn);
            let args = format!("GET /x?token={SECRET} failed");
            log::Log::log(&logger, &record.args(format_args!("{args}")).build());
        });
    });
    let recorded = recorder.take();
    assert_no_secret(&recorded);
    let expected = "cannot reach https://[REDACTED]@api.example/v1?api_key=[REDACTED]&a=1";
    let exception = &recorded.errors[0]["exception"];
    assert_eq!(exception["message"], expected);
    assert_eq!(exception["cause"][0]["message"], expected);
    assert_eq!(
        recorded.errors[1]["log"]["message"],
        "GET /x?token=[REDACTED] failed"
    );
    assert_eq!(
        recorded.logs[0]["message"],
        "GET /x?token=[REDACTED] failed"
    );
}

struct Silent;

impl log::Log for Silent {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, _: &log::Record<'_>) {}
    fn flush(&self) {}
}

#[actix_web::test]
async fn made_up_methods_share_one_name() {
    let recorder = Checked::default();
    let mut names = std::collections::BTreeSet::new();
    for method in ["M0001X", "M0002X", "get", "PROPFIND"] {
        let request = TestRequest::with_uri("/no/such/route")
            .method(actix_web::http::Method::from_bytes(method.as_bytes()).unwrap());
        let recorded = recorded(&recorder, request).await;
        let transaction = &recorded.transactions[0];
        assert_eq!(transaction["context"]["request"]["method"], method);
        names.insert(transaction["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(
        Vec::from_iter(names),
        ["PROPFIND unknown route", "_OTHER unknown route"]
    );
    let metrics = recorder.take_with_metrics().metricsets;
    assert!(!format!("{metrics:?}").contains("M0001X"));
}

#[test]
fn large_numbers_keep_their_digits_in_labels() {
    let recorded = crate::support::record(|agent| {
        let transaction = agent.transaction("job", "task");
        transaction.run(|| {
            let current = apm_agent::current_transaction().unwrap();
            current.set_label("id", 9_007_199_254_740_993_u64);
            current.set_label("least", i64::MIN);
            current.set_label("exact", 9_007_199_254_740_992_u64);
            let mut span = apm_agent::span("step", "app");
            span.set_label("id", u64::MAX);
        });
    });
    let tags = &recorded.transactions[0]["context"]["tags"];
    assert_eq!(tags["id"], "9007199254740993");
    assert_eq!(tags["least"], "-9223372036854775808");
    assert_eq!(tags["exact"].as_f64(), Some(9_007_199_254_740_992.0));
    assert_eq!(
        recorded.spans[0]["context"]["tags"]["id"],
        "18446744073709551615"
    );
}

/// The limit of the server for a line.
const MAX_LINE: usize = 300 * 1024;

#[test]
fn the_longest_labels_and_custom_data_fit_the_line_that_the_server_takes() {
    for letter in ["x", "\u{1}", "漢", "\""] {
        let recorded = crate::support::record(|agent| {
            agent.transaction("job", "task").run(|| {
                let current = apm_agent::current_transaction().unwrap();
                let mut span = apm_agent::span("step", "app");
                for number in 0..128 {
                    let key = format!("{number:03}{}", letter.repeat(1000));
                    current.set_label(&key, letter.repeat(2000));
                    span.set_label(&key, letter.repeat(2000));
                }
                for number in 0..64 {
                    current.set_custom(&format!("c{number}"), &json!(letter.repeat(1000)));
                }
                apm_agent::capture_message(letter.repeat(20_000));
            });
        });
        let lines = [
            &recorded.transactions[0],
            &recorded.spans[0],
            &recorded.errors[0],
        ];
        for event in lines {
            let length = serde_json::to_vec(event).unwrap().len();
            assert!(length + 20 <= MAX_LINE, "{length} for {letter:?}");
        }
        let labels = |event: &Value| {
            event["context"]["tags"]
                .as_object()
                .map(serde_json::Map::len)
        };
        assert_eq!(labels(&recorded.transactions[0]), Some(128), "{letter:?}");
        assert_eq!(labels(&recorded.spans[0]), Some(128), "{letter:?}");
    }
}
