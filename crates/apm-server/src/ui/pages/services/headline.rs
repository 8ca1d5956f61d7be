//! The sentence over the list of services: what changed most, else what fails, else that all is steady.

use std::collections::HashMap;

use crate::analytics::services::Service;
use crate::ui::number::{Delta, FEW, NARROW, delta, duration, percent, rate};
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

fn slower(now: &Service, before: &HashMap<&str, &Service>) -> Option<i64> {
    let then = before.get(&*now.name)?;
    match delta(
        now.latency_avg,
        then.latency_avg,
        (whole(now.transactions), whole(then.transactions)),
    ) {
        Delta::Changed {
            percent,
            firm: true,
        } => Some(percent),
        Delta::Same | Delta::Changed { .. }
            if whole(then.transactions) >= FEW && whole(now.transactions) >= FEW =>
        {
            Some(0)
        }
        _ => None,
    }
}

/// The sentence over the list. The first rule that holds decides: one grew slower by a quarter or more; one fails at 1
/// % or more; all steady.
pub(super) fn headline(view: &View, now: &[Service], before: &HashMap<&str, &Service>) -> Headline {
    let news = now
        .iter()
        .filter_map(|service| slower(service, before).map(|percent| (service, percent)))
        .filter(|(_, percent)| *percent >= NEWS);
    if let (Some((service, change)), Some(window)) = (
        news.max_by_key(|(_, percent)| *percent),
        words::before(view),
    ) {
        let then = before
            .get(&*service.name)
            .and_then(|then| then.latency_avg)
            .unwrap_or_default();
        let others = now.iter().filter(|other| other.name != service.name);
        let changes: Vec<Option<i64>> = others.map(|other| slower(other, before)).collect();
        let rest = match changes.len() {
            0 => "",
            _ if changes.iter().all(|change| *change == Some(0)) => {
                " The other services are steady."
            }
            _ => "",
        };
        return Headline {
            answer: format!(
                "{} is slower: average latency is up {change}{NARROW}% on what it was {window}.",
                service.name
            ),
            why: format!(
                "From {} to {}.{rest}",
                duration(then),
                duration(service.latency_avg.unwrap_or_default())
            ),
        };
    }
    let failing = now.iter().filter(|service| {
        whole(service.transactions) >= FEW
            && service.failed_rate.is_some_and(|share| share >= FAILING)
    });
    if let Some(service) = failing.max_by(|a, b| {
        a.failed_rate
            .unwrap_or(0.0)
            .total_cmp(&b.failed_rate.unwrap_or(0.0))
    }) {
        return Headline {
            answer: format!(
                "{} of requests to {} failed {}.",
                percent(service.failed_rate.unwrap_or(0.0)),
                service.name,
                words::range(view)
            ),
            why: format!(
                "It answers {} requests per minute and records {} errors per minute.",
                rate(service.throughput),
                rate(service.errors_per_minute.unwrap_or(0.0))
            ),
        };
    }
    let requests: f64 = now.iter().map(|service| service.throughput).sum();
    let many = words::count(now.len() as u64, "service", "services");
    if requests == 0.0 {
        return Headline {
            answer: format!("No requests {}.", words::range(view)),
            why: format!("{many} sent other events."),
        };
    }
    let known = now.iter().filter(|service| service.transactions > 0.0);
    let steady = known.clone().count() > 0
        && known
            .clone()
            .all(|service| slower(service, before) == Some(0));
    let verb = if now.len() == 1 { "answers" } else { "answer" };
    Headline {
        answer: format!(
            "{many} {verb} {} {} per minute.",
            rate(requests),
            if rate(requests) == "1" {
                "request"
            } else {
                "requests"
            }
        ),
        why: match (steady, words::before(view)) {
            (true, Some(window)) => format!(
                "Average latency is about as {window}, and fewer than 1{NARROW}% of requests fail."
            ),
            _ => format!(
                "Fewer than 1{NARROW}% of requests fail in any service with ten or more of them."
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    fn say(now: &[Service], before: &[Service]) -> (String, String) {
        let before = before
            .iter()
            .map(|service| (&*service.name, service))
            .collect();
        let said = headline(&View::test("/services", ""), now, &before);
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
        let before = [
            service("a", 900.0, 2.34, 0.0),
            service("b", 90.0, 10.1, 0.0),
        ];
        let (answer, why) = say(&now, &before);
        assert_eq!(
            answer,
            "a is slower: average latency is up 141 % on what it was in the 15 minutes before."
        );
        assert_eq!(
            why,
            "From 2.34 ms to 5.63 ms. The other services are steady."
        );
    }

    #[test]
    fn others_are_called_steady_only_where_that_is_known() {
        let now = [service("a", 900.0, 5.0, 0.0), service("b", 5.0, 10.0, 0.0)];
        let before = [service("a", 900.0, 2.0, 0.0), service("b", 5.0, 10.0, 0.0)];
        assert_eq!(say(&now, &before).1, "From 2.00 ms to 5.00 ms.");
    }

    #[test]
    fn too_few_requests_make_no_news() {
        let (answer, _) = say(
            &[service("a", 9.0, 50.0, 0.9)],
            &[service("a", 9.0, 1.0, 0.0)],
        );
        assert_eq!(answer, "1 service answers 0.6 requests per minute.");
    }

    #[test]
    fn else_what_fails_is_said() {
        let (answer, _) = say(
            &[
                service("a", 150.0, 1.0, 0.0714),
                service("b", 150.0, 1.0, 0.02),
            ],
            &[],
        );
        assert_eq!(
            answer,
            "7.1 % of requests to a failed in the last 15 minutes."
        );
    }

    #[test]
    fn else_all_is_steady_if_that_is_known() {
        let now = [service("a", 150.0, 1.0, 0.0)];
        assert_eq!(
            say(&now, &now).1,
            "Average latency is about as in the 15 minutes before, and fewer than 1 % of requests fail."
        );
        assert_eq!(
            say(&now, &[]).1,
            "Fewer than 1 % of requests fail in any service with ten or more of them."
        );
    }
}
