//! The sentence over the list of services: what changed most, else what fails, else that all is steady.

use std::collections::HashMap;

use crate::analytics::change::Change;
use crate::analytics::services::Service;
use crate::ui::number::{Delta, FEW, NARROW, duration, percent};
use crate::ui::pages::whole;
use crate::ui::view::View;
use crate::ui::words;

/// The answer and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) answer: String,
    pub(super) why: String,
}

/// Growth of a mean, in per cent, from which it is the news of the page.
const NEWS: i64 = 25;
/// Share of failed requests from which it is.
const FAILING: f64 = 0.01;

/// By how many per cent the same requests are slower, where that is known.
fn slower(change: Option<&Change>) -> Option<i64> {
    match Delta::from_change(change) {
        Delta::Changed {
            percent,
            firm: true,
        } => Some(percent),
        Delta::Same | Delta::Changed { .. } => Some(0),
        _ => None,
    }
}

/// The sentence over the list. The first rule that holds decides: one grew slower by a quarter or more; one fails at 1
/// % or more; all steady.
pub(super) fn headline(
    view: &View,
    now: &[Service],
    changes: &HashMap<String, Change>,
) -> Headline {
    if let Some(said) = slowest(view, now, changes) {
        return said;
    }
    if let Some(said) = failing(view, now) {
        return said;
    }
    let requests: f64 = now.iter().map(|service| service.throughput).sum();
    let many = words::count(now.len() as u64, "service", "services");
    if requests == 0.0 {
        return Headline {
            answer: format!("No requests {}.", words::range(view)),
            why: format!("{many} sent other events."),
        };
    }
    let verb = if now.len() == 1 { "answers" } else { "answer" };
    Headline {
        answer: format!(
            "{many} {verb} {}.",
            words::per_minute(requests, "request", "requests")
        ),
        why: calm(view, now, changes),
    }
}

/// The service whose requests became slower most.
fn slowest(view: &View, now: &[Service], changes: &HashMap<String, Change>) -> Option<Headline> {
    let news = now.iter().filter_map(|service| {
        let change = changes.get(&service.name)?;
        let percent = slower(Some(change)).filter(|percent| *percent >= NEWS)?;
        Some((service, change, percent))
    });
    let (service, change, percent) = news.max_by_key(|(_, _, percent)| *percent)?;
    let window = words::before(view)?;
    let others = now.iter().filter(|other| other.name != service.name);
    let others: Vec<Option<i64>> = others
        .map(|other| slower(changes.get(&other.name)))
        .collect();
    let are_steady = !others.is_empty() && others.iter().all(|change| *change == Some(0));
    let rest = if are_steady {
        " The other services are steady."
    } else {
        ""
    };
    let times = match percent {
        100.. => format!("{} times as long as", words::times(change.ratio()?)),
        _ => format!("{percent}{NARROW}% longer than"),
    };
    Some(Headline {
        answer: format!(
            "{} is slower: its requests take {times} {window}.",
            words::cut(&service.name, 60)
        ),
        why: format!(
            "From {} to {} on average, for the same requests.{rest}",
            duration(change.before_avg?),
            duration(change.after_avg?)
        ),
    })
}

/// The service with the greatest share of failed requests.
fn failing(view: &View, now: &[Service]) -> Option<Headline> {
    let failing = now.iter().filter_map(|service| {
        let share = service.failed_rate.filter(|share| *share >= FAILING)?;
        (whole(service.transactions) >= FEW).then_some((service, share))
    });
    let (service, share) = failing.max_by(|a, b| a.1.total_cmp(&b.1))?;
    let requests = words::per_minute(service.throughput, "request", "requests");
    let errors = match service.errors_per_minute {
        Some(errors) => format!(
            " and records {}",
            words::per_minute(errors, "error", "errors")
        ),
        None => String::new(),
    };
    Some(Headline {
        answer: format!(
            "{} of requests to {} failed {}.",
            percent(share),
            words::cut(&service.name, 60),
            words::range(view)
        ),
        why: format!("It answers {requests}{errors}."),
    })
}

/// The reason why nothing is news.
fn calm(view: &View, now: &[Service], changes: &HashMap<String, Change>) -> String {
    let busy = now.iter().filter(|service| service.transactions > 0.0);
    let known: Vec<Option<&Change>> = busy.map(|service| changes.get(&service.name)).collect();
    let is_covered = |change: &Option<&Change>| change.is_none_or(Change::is_covered);
    let few = format!("Fewer than 1{NARROW}% of requests fail");
    match words::before(view) {
        Some(window) if known.iter().all(|change| slower(*change) == Some(0)) => {
            format!(
                "Average latency is about as {window}, and fewer than 1{NARROW}% of requests fail."
            )
        }
        Some(_) if !known.iter().any(is_covered) => {
            format!("{few}. There is no earlier data to compare with.")
        }
        _ => format!("{few} in any service with ten or more of them."),
    }
}

#[cfg(test)]
mod tests {
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
        let said = headline(&View::test("/services", ""), now, &changes);
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
                "Fewer than 1 % of requests fail in any service with ten or more of them.",
            ),
            (
                Comparable::NoEarlierData,
                "Fewer than 1 % of requests fail. There is no earlier data to compare with.",
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
            "It answers 10 requests per minute and records 0 errors per minute."
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
    fn else_all_is_steady_if_that_is_known() {
        let now = [service("a", 150.0, 1.0, 0.0)];
        assert_eq!(
            say(&now, &[("a", change(1.0, 1.0))]).1,
            "Average latency is about as in the 15 minutes before, and fewer than 1 % of requests fail."
        );
        assert_eq!(
            say(&now, &[("a", not(Comparable::OtherRequests))]).1,
            "Fewer than 1 % of requests fail in any service with ten or more of them."
        );
    }
}
