//! Rules: what fires, what does not, and what people do with them.

use apm_alerts::rule::Rule;
use apm_alerts::{Change, Lag, Options, Origin, OutputProbe, Overview};
use apm_store::event::Outcome::{Failure, Success};
use serde_json::json;

use crate::support::{Server, batch, calls, error, now, requests};

/// µs.
const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;

/// Options with rules of the configuration file, which fire at once.
pub(crate) fn with(rules: &[serde_json::Value]) -> Options {
    let mut options = Options::default();
    for rule in rules {
        let rule: Rule = serde_json::from_value(rule.clone()).expect("a rule");
        options.rules.push(Rule {
            id: format!("file-{}", rule.name),
            hold_seconds: Some(0),
            ..rule.checked().expect("valid")
        });
    }
    options
}

/// The firing parts of a rule, in words.
pub(crate) fn firing(overview: &Overview, rule: &str) -> Vec<String> {
    let of_rule = overview.firing.iter().filter(|one| one.name == rule);
    of_rule.map(|one| one.alert.text.clone()).collect()
}

#[test]
fn a_healthy_service_triggers_no_rule_of_the_program() {
    let server = Server::start(Options::default());
    server.watched();
    let mut events = batch("shop");
    for minute in 1..90 {
        requests(&mut events, 30, (now() - minute * MINUTE, 20_000), Success);
        calls(&mut events, 30, (now() - minute * MINUTE, 500));
    }
    requests(&mut events, 1, (now(), 20_000), Failure);
    server.store(events);
    // Long enough for several evaluations, each 50 ms after the other.
    let looked = server.until("looked at", |all| all.pending == 0);
    std::thread::sleep(std::time::Duration::from_millis(300));
    let overview = server.overview();
    assert_eq!(
        (overview.firing.len(), overview.pending),
        (0, 0),
        "{looked:#?}"
    );
    assert!(overview.history.is_empty());
}

#[test]
fn the_failure_rate_counts_requests_whose_outcome_is_known() {
    let server = Server::start(with(&[
        json!({"name": "rate", "kind": "failure_rate", "percent": 20, "requests": 10}),
        json!({"name": "other", "kind": "failure_rate", "percent": 1, "requests": 1, "service": "other"}),
        json!({"name": "many", "kind": "failure_rate", "percent": 1, "requests": 1_000}),
    ]));
    let mut events = batch("shop");
    requests(&mut events, 8, (now(), 10), Success);
    requests(&mut events, 4, (now() - 1, 10), Failure);
    server.store(events);
    let overview = server.until("fired", |all| !firing(all, "rate").is_empty());
    assert_eq!(
        firing(&overview, "rate"),
        ["shop: 33.3 % of 12 requests in 5 minutes failed"]
    );
    assert!(firing(&overview, "other").is_empty());
    assert!(firing(&overview, "many").is_empty());
}

#[test]
fn a_percentile_is_judged_by_its_bound_and_by_what_is_usual() {
    let server = Server::start(with(&[
        json!({"name": "absolute", "kind": "p95", "milliseconds": 200, "times": 0, "requests": 10, "service": "new"}),
        json!({"name": "twice", "kind": "p95", "milliseconds": 200, "times": 2, "requests": 10}),
        json!({"name": "ten", "kind": "p95", "milliseconds": 200, "times": 10, "requests": 10}),
    ]));
    let mut events = batch("shop");
    requests(&mut events, 50, (now() - 3 * HOUR, 100_000), Success);
    requests(&mut events, 50, (now(), 300_000), Success);
    server.store(events);
    let mut events = batch("new");
    requests(&mut events, 50, (now() - 7, 300_000), Success);
    server.store(events);
    let overview = server.until("fired", |all| {
        !firing(all, "twice").is_empty() && !firing(all, "absolute").is_empty()
    });
    // Durations are read from bins, which stand for them within one percent. Nothing is known of the new service.
    assert_eq!(
        firing(&overview, "twice"),
        ["shop: GET /cart takes 298 ms at the 95th percentile, usually 100 ms"]
    );
    assert!(firing(&overview, "ten").is_empty());
}

#[test]
fn a_service_is_not_missed_for_the_time_in_which_the_server_was_off() {
    let rule = json!({"name": "gone", "kind": "no_requests", "minutes": 5});
    let server = Server::start(with(&[rule]));
    server.watched();
    let mut events = batch("steady");
    for minute in 20..60 {
        requests(&mut events, 2, (now() - minute * MINUTE, 10), Success);
    }
    server.store(events);
    let mut events = batch("steady");
    error(&mut events, 1, now(), "a");
    server.store(events);
    // That it fires shows that the rules were evaluated with the requests there.
    let overview = server.until("fired", |all| !firing(all, "A new error").is_empty());
    assert!(firing(&overview, "gone").is_empty());
}

#[test]
fn an_error_of_before_is_not_new_and_one_that_was_quiet_came_back() {
    let server = Server::start(Options::default());
    let mut events = batch("shop");
    for group in [1, 2] {
        error(&mut events, group, now() - 30 * HOUR, "old");
    }
    error(&mut events, 2, now() - HOUR, "frequent");
    server.store(events);
    server.watched();
    let mut events = batch("shop");
    for group in 1..=3 {
        error(&mut events, group, now(), "again");
    }
    server.store(events);
    let overview = server.until("fired", |all| !all.firing.is_empty());
    let mut told = firing(&overview, "A new error");
    told.sort();
    assert_eq!(
        told,
        [
            "shop: error came back: Overflow: old",
            "shop: new error: Overflow: again"
        ]
    );
    assert_eq!(overview.history.len(), 1, "one message tells both");
}

#[test]
fn an_output_that_is_behind_is_told() {
    let rule = json!({"name": "behind", "kind": "output_lag", "minutes": 5});
    let mut options = with(&[rule]);
    options.output = Some(OutputProbe::new(|| Lag {
        events: 3,
        time: std::time::Duration::from_secs(600),
    }));
    let server = Server::start(options);
    let overview = server.until("fired", |all| !firing(all, "behind").is_empty());
    assert_eq!(
        firing(&overview, "behind"),
        ["3 events wait to be sent to the engine, the first for 10 min"]
    );
}

#[tokio::test]
async fn a_rule_that_is_silent_or_off_sends_nothing() {
    let server = Server::start(Options::default());
    server.watched();
    server
        .alerts
        .silence("builtin-error", 3_600)
        .await
        .expect("silent");
    let unchanged = server.alerts.delete_rule("builtin-error").await;
    assert!(unchanged.is_err(), "there is nothing to delete");
    let mut events = batch("shop");
    error(&mut events, 1, now(), "a");
    server.store(events);
    let overview = server.until("noted", |all| !all.history.is_empty());
    assert!(overview.history[0].silenced);
    assert!(overview.history[0].deliveries.is_empty());
    let shown = overview
        .rules
        .iter()
        .find(|one| one.rule.id == "builtin-error");
    let shown = shown.expect("listed");
    assert!(shown.silent_until.is_some() && shown.firing == 1);
    let off = Rule {
        enabled: false,
        ..shown.rule.clone()
    };
    server.alerts.save_rule(off).await.expect("saved");
    let overview = server.until("forgotten", |all| all.firing.is_empty());
    let shown = overview
        .rules
        .iter()
        .find(|one| one.rule.id == "builtin-error");
    assert_eq!(shown.expect("listed").origin, Origin::Changed);
    server
        .alerts
        .delete_rule("builtin-error")
        .await
        .expect("as before");
    let overview = server.overview();
    let shown = overview
        .rules
        .iter()
        .find(|one| one.rule.id == "builtin-error");
    let shown = shown.expect("listed");
    assert_eq!((shown.origin, shown.rule.enabled), (Origin::Program, true));
    assert_eq!(shown.silent_until, None);
}

#[tokio::test]
async fn rules_of_the_file_are_changed_there() {
    let server = Server::start(with(&[json!({"name": "mine", "kind": "disk"})]));
    let of_file = server
        .overview()
        .rules
        .into_iter()
        .find(|one| one.origin == Origin::File);
    let of_file = of_file.expect("listed").rule;
    for error in [
        server.alerts.save_rule(of_file.clone()).await.err(),
        server.alerts.delete_rule(&of_file.id).await.err(),
    ] {
        let error = error.expect("refused").to_string();
        assert!(error.contains("configuration file"), "{error}");
    }
    let unknown = Rule {
        id: "0123".to_owned(),
        ..of_file
    };
    let error = server.alerts.save_rule(unknown).await.expect_err("refused");
    assert_eq!(error.to_string(), "there is no rule `0123`");
}

#[tokio::test]
async fn a_test_says_what_the_rule_would_find() {
    let rule = json!({"name": "rate", "kind": "failure_rate", "percent": 1, "requests": 1});
    let server = Server::start(with(&[rule]));
    let mut events = batch("shop");
    requests(&mut events, 1, (now(), 10), Failure);
    server.store(events);
    server.alerts.test_rule("file-rate").await.expect("tested");
    let overview = server.until("noted", |all| {
        all.history
            .iter()
            .any(|sent| sent.message.change == Change::Test)
    });
    let test = overview
        .history
        .iter()
        .find(|sent| sent.message.change == Change::Test);
    let text = &test.expect("noted").message.alerts[0].text;
    assert!(
        text.contains("1 beyond its bound now: shop: 100.0 %"),
        "{text}"
    );
}

#[tokio::test]
async fn rules_and_receivers_outlive_the_deletion_of_everything_else() {
    let server = Server::start(Options::default());
    server.watched();
    let mut events = batch("shop");
    error(&mut events, 1, now(), "a");
    server.store(events);
    server.until("fired", |all| !all.firing.is_empty());
    let rule: Rule =
        serde_json::from_value(json!({"name": "mine", "kind": "disk"})).expect("a rule");
    let saved = server.alerts.save_rule(rule).await.expect("saved");
    server.store.clear().expect("asked").await.expect("cleared");
    let overview = server.overview();
    assert!(overview.firing.is_empty() && overview.history.is_empty());
    assert!(overview.rules.iter().any(|one| one.rule == saved));
}

#[test]
fn an_error_that_somebody_ignores_is_silent_and_one_that_opened_again_is_told_with_its_version() {
    let server = Server::start(Options::default());
    let mut events = batch("shop");
    for group in [1, 2, 3] {
        error(&mut events, group, now() - HOUR, "old");
    }
    server.store(events);
    server.watched();
    // As the server writes what people decide, and what ended it.
    let at = now();
    let decided = server.store.write(move |conn| {
        use diesel::RunQueryDsl as _;
        diesel::sql_query(format!(
            "INSERT INTO error_triage VALUES \
             ('shop', 1, 0, 0, NULL, NULL, 0, 1, '[]', '', NULL, {at}, 'version', '1.5'), \
             ('shop', 4, 2, 0, NULL, NULL, 0, 0, '[]', '', NULL, NULL, '', ''), \
             ('shop', 3, 0, 0, NULL, NULL, 0, 0, '[]', '', 1, NULL, '', '')"
        ))
        .execute(conn)
    });
    decided.expect("room").wait().expect("written");
    let mut events = batch("shop");
    for group in [4, 1, 2] {
        error(&mut events, group, now(), "again");
    }
    server.store(events);
    let overview = server.until("fired", |all| !all.firing.is_empty());
    assert_eq!(
        firing(&overview, "A new error"),
        ["shop: error came back in 1.5: Overflow: old"]
    );
}

#[test]
fn a_budget_that_burns_over_both_windows_is_told_and_one_that_did_so_before_is_not() {
    use apm_alerts::slo::{self, Objective};
    let server = Server::start(with(&[json!({"name": "burn", "kind": "objective"})]));
    server.watched();
    let objective = |id: &str, service: &str, indicator: serde_json::Value| -> Objective {
        let mut json = json!({"id": id, "name": id, "service": service, "percent": 99.0});
        let members = indicator.as_object().expect("members").clone();
        json.as_object_mut().expect("an object").extend(members);
        let read: Objective = serde_json::from_value(json).expect("an objective");
        read.checked().expect("valid")
    };
    let all = [
        objective("fails", "shop", json!({"indicator": "availability"})),
        objective(
            "slow",
            "shop",
            json!({"indicator": "latency", "milliseconds": 50.0}),
        ),
        objective("over", "past", json!({"indicator": "availability"})),
        objective("quiet", "nobody", json!({"indicator": "availability"})),
    ];
    let kept = all.clone();
    let written = server.store.write(move |conn| {
        for one in &kept {
            assert!(slo::keep(conn, one, 0)?);
        }
        Ok(())
    });
    written.expect("room").wait().expect("written");
    let mut events = batch("shop");
    requests(&mut events, 60, (now(), 20_000), Success);
    requests(&mut events, 40, (now() - 1, 20_000), Failure);
    server.store(events);
    let mut events = batch("past");
    requests(&mut events, 100, (now() - 40 * MINUTE, 20_000), Failure);
    requests(&mut events, 1_000, (now(), 20_000), Success);
    server.store(events);
    let overview = server.until("fired", |all| !firing(all, "burn").is_empty());
    assert_eq!(
        firing(&overview, "burn"),
        [
            "shop: the budget of “fails” burns 40.0 times as fast as it may: 40 of 100 requests in 60 min were bad"
        ]
    );
    let at = now() / 1_000_000;
    let measured = server
        .store
        .read::<_, apm_alerts::AlertError>(|conn| {
            let mut found = Vec::new();
            for one in &all {
                found.push(slo::measure(conn, one, at)?);
            }
            Ok(found)
        })
        .expect("measured");
    assert_eq!((measured[0].total, measured[0].bad), (100.0, 40.0));
    let budget = measured[0].budget.expect("requests");
    assert!(
        (budget + 39.0).abs() < 1e-9,
        "40 of 1 that is allowed: {budget}"
    );
    assert_eq!((measured[1].bad, measured[1].budget), (0.0, Some(1.0)));
    assert_eq!((measured[3].total, measured[3].budget), (0.0, None));
}
