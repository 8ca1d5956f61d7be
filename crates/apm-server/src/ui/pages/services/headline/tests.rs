use super::*;
use crate::analytics::change::Comparable;
use crate::analytics::series::Series;

fn service(name: &str, transactions: f64, avg_ms: f64, failed: f64) -> Service {
    Service {
        name: name.to_owned(),
        environments: Vec::new(),
        agent: String::new(),
        agent_version: String::new(),
        language: String::new(),
        version: String::new(),
        transactions,
        latency_avg: Some(avg_ms * 1e3),
        latency: None,
        throughput: transactions / 15.0,
        errors: Some(0),
        errors_per_minute: Some(0.0),
        failed_rate: Some(failed),
        db_share: None,
        series: Series::default(),
    }
}

/// A change of the mean, ms.
fn change(before: f64, after: f64) -> Change {
    Change {
        comparable: Comparable::Yes,
        before_avg: Some(before * 1e3),
        after_avg: Some(after * 1e3),
        groups: 1,
    }
}

fn not(comparable: Comparable) -> Change {
    Change {
        comparable,
        ..Change::default()
    }
}

fn say(now: &[Service], changes: &[(&str, Change)]) -> (String, String) {
    let changes = changes
        .iter()
        .map(|(name, change)| ((*name).to_owned(), *change))
        .collect();
    let said = headline(&View::test("/services", ""), now, &changes, None);
    (
        said.answer.replace(NARROW, " "),
        said.why.replace(NARROW, " "),
    )
}

#[test]
fn the_service_that_grew_slower_most_is_the_news() {
    let now = [
        service("a", 900.0, 5.63, 0.2),
        service("b", 90.0, 10.0, 0.0),
    ];
    let said = say(
        &now,
        &[("a", change(2.34, 5.63)), ("b", change(10.1, 10.0))],
    );
    assert_eq!(
        said.0,
        "a is slower: its requests take 2.4 times as long as in the 15 minutes before."
    );
    assert_eq!(
        said.1,
        "From 2.34 ms to 5.63 ms on average, for the same requests. The other services are steady."
    );
}

#[test]
fn others_are_called_steady_only_where_that_is_known() {
    let now = [service("a", 900.0, 5.0, 0.0), service("b", 5.0, 10.0, 0.0)];
    let few = not(Comparable::TooFewRequests);
    let said = say(&now, &[("a", change(4.0, 5.0)), ("b", few)]);
    assert_eq!(
        said.0,
        "a is slower: its requests take 25 % longer than in the 15 minutes before."
    );
    assert_eq!(
        said.1,
        "From 4.00 ms to 5.00 ms on average, for the same requests."
    );
}

#[test]
fn what_cannot_be_compared_is_no_news() {
    let now = [service("a", 9.0, 50.0, 0.9)];
    for (comparable, why) in [
        (
            Comparable::TooFewRequests,
            "90 % of the few requests to a failed.",
        ),
        (
            Comparable::NoEarlierData,
            "90 % of the few requests to a failed. There is no earlier data to compare with.",
        ),
    ] {
        let said = say(&now, &[("a", not(comparable))]);
        assert_eq!(said.0, "1 service answers 0.6 requests per minute.");
        assert_eq!(said.1, why);
    }
}

#[test]
fn else_what_fails_is_said() {
    let now = [
        service("a", 150.0, 1.0, 0.0714),
        service("b", 150.0, 1.0, 0.02),
    ];
    let said = say(&now, &[]);
    assert_eq!(
        said.0,
        "7.1 % of requests to a failed in the last 15 minutes."
    );
    assert_eq!(
        said.1,
        "It answers 10 requests per minute and records no errors."
    );
    let filtered = Service {
        errors_per_minute: None,
        ..now[0].clone()
    };
    assert_eq!(
        say(&[filtered], &[]).1,
        "It answers 10 requests per minute."
    );
}

#[test]
fn failures_among_few_requests_are_not_passed_over() {
    let now = [service("a", 150.0, 1.0, 0.0), service("b", 2.0, 1.0, 0.5)];
    let same = [("a", change(1.0, 1.0)), ("b", change(1.0, 1.0))];
    assert_eq!(
        say(&now, &same).1,
        "Average latency is about as in the 15 minutes before. 50 % of the few requests to b failed."
    );
}

#[test]
fn else_all_is_steady_if_that_is_known() {
    let now = [service("a", 150.0, 1.0, 0.0)];
    assert_eq!(
        say(&now, &[("a", change(1.0, 1.0))]).1,
        "Average latency is about as in the 15 minutes before, and fewer than 1 % of requests fail."
    );
    assert_eq!(
        say(&now, &[("a", not(Comparable::OtherRequests))]).1,
        "Fewer than 1 % of requests fail."
    );
    let several = [now[0].clone(), service("b", 2.0, 1.0, 0.0)];
    assert_eq!(
        say(&several, &[("a", not(Comparable::OtherRequests))]).1,
        "Fewer than 1 % of requests fail in each service listed."
    );
}
