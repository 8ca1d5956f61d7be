//! The sentence over the list of services: what changed most, else what fails, else that all is steady.

use std::collections::HashMap;

use crate::analytics::change::Change;
use crate::analytics::services::Service;
use crate::ui::number::{Delta, FEW, FIRM, NARROW, duration, percent};
use crate::ui::pages::{narrowed, whole};
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
        Delta::Changed { percent } if percent.abs() >= FIRM => Some(percent),
        Delta::Same | Delta::Changed { .. } => Some(0),
        _ => None,
    }
}

/// The sentence over the list. The first rule that holds decides: one grew slower by a quarter or more; one fails at 1
/// % or more; all steady. `now`: the services that are shown; `all`: how many there are on all pages, and the requests
/// of these per minute, unless a search leaves some of them.
pub(super) fn headline(
    view: &View,
    now: &[Service],
    changes: &HashMap<String, Change>,
    all: Option<(usize, f64)>,
) -> Headline {
    if let Some(said) = slowest(view, now, changes) {
        return said;
    }
    if let Some(said) = failing(view, now) {
        return said;
    }
    let shown = || (now.len(), now.iter().map(|one| one.throughput).sum());
    let (services, requests) = all.unwrap_or_else(shown);
    let many = words::count(services as u64, "service", "services");
    if requests == 0.0 {
        return Headline {
            answer: narrowed::none(view, "request", "No requests", "").0,
            why: format!("{many} sent other events."),
        };
    }
    let verb = if services == 1 { "answers" } else { "answer" };
    Headline {
        answer: format!(
            "{many} {verb} {}{}.",
            words::per_minute(requests, "request", "requests"),
            narrowed::that_match(view)
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

/// The service with the greatest share of failed requests, and that share, if it is news.
fn worst<'a>(services: impl Iterator<Item = &'a Service>) -> Option<(&'a Service, f64)> {
    let failing = services.filter_map(|service| {
        let share = service.failed_rate.filter(|share| *share >= FAILING)?;
        Some((service, share))
    });
    failing.max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The service with the greatest share of failed requests, of those with enough requests to tell.
fn failing(view: &View, now: &[Service]) -> Option<Headline> {
    let is_enough = |service: &&Service| whole(service.transactions) >= FEW;
    let (service, share) = worst(now.iter().filter(is_enough))?;
    let requests = words::per_minute(service.throughput, "request", "requests");
    let errors = match service.errors_per_minute {
        Some(0.0) => " and records no errors".to_owned(),
        Some(errors) => format!(
            " and records {}",
            words::per_minute(errors, "error", "errors")
        ),
        None => String::new(),
    };
    Some(Headline {
        answer: format!(
            "{} of requests to {}{} failed {}.",
            percent(share),
            words::cut(&service.name, 60),
            narrowed::that_match(view),
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
    // Of fewer than ten requests a share is no news, but no sentence says that none of them failed.
    let failing = worst(now.iter()).map(|(service, share)| {
        let name = words::cut(&service.name, 60);
        format!("{} of the few requests to {name} failed.", percent(share))
    });
    let few = format!("Fewer than 1{NARROW}% of requests fail");
    match (words::before(view), failing) {
        (Some(window), failing) if known.iter().all(|change| slower(*change) == Some(0)) => {
            let same = format!("Average latency is about as {window}");
            match failing {
                Some(failing) => format!("{same}. {failing}"),
                None => format!("{same}, and fewer than 1{NARROW}% of requests fail."),
            }
        }
        (Some(_), failing) if !known.iter().any(is_covered) => {
            let failing = failing.unwrap_or_else(|| format!("{few}."));
            format!("{failing} There is no earlier data to compare with.")
        }
        (_, Some(failing)) => failing,
        // Of several services, none fails more: one that is large would hide another that is small.
        (_, None) if now.len() > 1 => format!("{few} in each service listed."),
        (_, None) => format!("{few}."),
    }
}

#[cfg(test)]
mod tests;
