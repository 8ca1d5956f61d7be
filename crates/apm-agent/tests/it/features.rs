//! The feature files that all of Elastic's agents are tested with, scenario by scenario.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::test::{TestRequest, init_service, try_call_service};
use actix_web::{App, HttpResponse, web};
use apm_agent::{Agent, Outcome, SpanGuard, Transaction, capture_message};

use crate::support::Checked;
use crate::support::gherkin::{Scenario, Step, feature};
use crate::support::server::{Behaviour, FakeServer};

#[test]
fn requests_to_the_server_name_the_agent_and_authenticate_as_the_features_demand() {
    let mut checked = 0;
    for name in ["user_agent.feature", "api_key.feature"] {
        let Some(scenarios) = feature(name) else {
            return;
        };
        for scenario in scenarios {
            let server = FakeServer::start(Behaviour::Accept);
            let mut builder = Agent::builder()
                .server_url(server.url())
                .option("cloud_provider", "none");
            let configured = scenario
                .steps
                .iter()
                .filter(|step| step.text.starts_with("an agent configured with"));
            for row in configured.flat_map(|step| &step.rows) {
                builder = builder.option(&row[0], &row[1]);
            }
            let agent = builder.start();
            drop(agent.transaction("any", "task"));
            assert!(agent.shutdown(Duration::from_secs(10)));
            for request in server.requests() {
                check_header(&scenario, &request, |name| {
                    request.header(name).unwrap_or_default()
                });
            }
            assert_eq!(server.intake_requests().len(), 1);
            checked += 1;
        }
    }
    assert_eq!(checked, 5 + 3);
}

fn check_header<'r>(
    scenario: &Scenario,
    request: &impl std::fmt::Debug,
    header: impl Fn(&str) -> &'r str,
) {
    let expectations = scenario
        .steps
        .iter()
        .filter(|step| step.text.starts_with("the ") && step.text.contains(" header "));
    let mut expected = 0;
    for step in expectations {
        let found = header(step.text.split(' ').nth(1).unwrap());
        let wanted = step.quoted()[0];
        if step.text.contains("matches regex") {
            let schema = serde_json::json!({"pattern": wanted});
            assert!(
                jsonschema::is_valid(&schema, &found.into()),
                "{found:?} is not {wanted} in {request:?}"
            );
        } else {
            assert_eq!(found, wanted, "{scenario:?}");
        }
        expected += 1;
    }
    assert_eq!(expected, 1, "{scenario:?}");
}

#[actix_web::test]
async fn outcomes_are_as_the_feature_demands() {
    let Some(scenarios) = feature("outcome.feature") else {
        return;
    };
    let mut checked = 0;
    // There is no integration of gRPC.
    for scenario in scenarios
        .iter()
        .filter(|scenario| !scenario.name.starts_with("gRPC"))
    {
        if scenario.name.starts_with("HTTP") {
            check_http(scenario).await;
        } else {
            check_by_hand(scenario);
        }
        checked += 1;
    }
    assert_eq!(checked, 6 + 7);
}

fn expected<'s>(scenario: &'s Scenario, of: &str) -> &'s str {
    let is_expectation = |step: &&Step| step.text.starts_with(&format!("the {of} outcome is"));
    scenario.steps.iter().find(is_expectation).unwrap().quoted()[0]
}

/// A transaction, and a span in it if the scenario is about one.
fn check_by_hand(scenario: &Scenario) {
    let of = if scenario.steps[0].text == "an active span" {
        "span"
    } else {
        "transaction"
    };
    let recorder = Checked::default();
    recorder.run(|agent| {
        let transaction = agent.transaction("any", "task");
        transaction.run(|| {
            let mut span = (of == "span").then(|| apm_agent::span("any", "app"));
            for step in &scenario.steps[1..] {
                act(step, &transaction, span.as_mut());
            }
        });
    });
    let recorded = recorder.take();
    let event = if of == "span" {
        &recorded.spans[0]
    } else {
        &recorded.transactions[0]
    };
    assert_eq!(
        event["outcome"],
        expected(scenario, of),
        "{}",
        scenario.name
    );
}

fn act(step: &Step, transaction: &Transaction, span: Option<&mut SpanGuard>) {
    let by_agent = step.text.starts_with("the agent sets") && step.quoted() == ["failure"];
    if by_agent || step.text.starts_with("an error is reported") {
        // The agent itself calls something a failure where an error was captured; success is what it begins with.
        capture_message("any");
    } else if step.text.starts_with("a user sets") {
        let outcome = match step.quoted()[0] {
            "success" => Outcome::Success,
            "failure" => Outcome::Failure,
            _ => Outcome::Unknown,
        };
        match span {
            Some(span) => span.set_outcome(outcome),
            None => transaction.handle().unwrap().set_outcome(outcome),
        }
    }
}

/// A request that is served, and one that is made. The status -1 is a handler that panics, and a call without an
/// answer.
async fn check_http(scenario: &Scenario) {
    let status = scenario.steps[1]
        .text
        .rsplit(' ')
        .next()
        .unwrap()
        .parse::<i32>()
        .unwrap();
    let status = u16::try_from(status).ok();
    let recorder = Checked::default();
    let handler = move || async move {
        let status = status.expect("the scenario wants a panic");
        HttpResponse::build(StatusCode::from_u16(status).unwrap()).finish()
    };
    let app = App::new()
        .route("/", web::get().to(handler))
        .wrap(recorder.agent().middleware().catch_panics(true));
    let app = init_service(app).await;
    let _ = try_call_service(&app, TestRequest::get().to_request()).await;
    let recorded = recorder.take();
    assert_eq!(
        recorded.transactions[0]["outcome"],
        expected(scenario, "transaction"),
        "{}",
        scenario.name
    );

    let client = match status {
        // No client shows an informational answer: what is decided about a status is asked for directly.
        Some(status) => Outcome::of_client_status(status).as_str().to_owned(),
        None => {
            let call = async {
                let url = format!("http://{}/", crate::support::server::nobody());
                let client = awc::Client::builder()
                    .wrap(apm_agent::awc::ApmClientMiddleware::new())
                    .finish();
                client.get(url).send().await.unwrap_err()
            };
            recorder.agent().transaction("any", "task").wrap(call).await;
            recorder.take().spans[0]["outcome"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    };
    assert_eq!(client, expected(scenario, "span"), "{}", scenario.name);
}
