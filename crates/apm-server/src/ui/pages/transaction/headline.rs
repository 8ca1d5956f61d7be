//! The sentence over a transaction: how long 95 % of it take, against before; then what that time is, then what fails.

use crate::analytics::change::Change;
use crate::analytics::distribution::Distribution;
use crate::analytics::latency::Latency;
use crate::analytics::percentile::Percentiles;
use crate::analytics::trace::Trace;
use crate::answers::trace::named;
use crate::ui::number::{Delta, FEW, NARROW, duration, percent};
use crate::ui::pages::narrowed;
use crate::ui::pages::trace::headline::{Longest, longest};
use crate::ui::pages::whole;
use crate::ui::view::View;
use crate::ui::words;

/// The answer and the reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) answer: String,
    pub(super) why: String,
}

/// Share of failed requests from which it is worth a sentence.
const FAILING: f64 = 0.01;

pub(super) fn headline(
    view: &View,
    name: &str,
    now: &Latency,
    percentiles: Option<Percentiles>,
    (change, before): (Option<&Change>, Option<&Distribution>),
    sample: Option<&Trace>,
) -> Headline {
    let name = words::cut(name, 90);
    let count = whole(now.total.count);
    let that = narrowed::that_match(view);
    let requests = format!(
        "{}{}",
        words::count(count, "request", "requests"),
        narrowed::that_matches(view, count)
    );
    let mut delta = Delta::Unknown;
    let answer = match percentiles {
        Some(percentiles) if count >= FEW => {
            let then = before.and_then(|before| before.percentiles);
            delta = super::compared(change, Some(&percentiles), then.as_ref(), |p| p.p95);
            let ratio = then.map(|then| percentiles.p95 / then.p95.max(1.0));
            let longer = words::longer(delta, ratio, view).unwrap_or_default();
            format!(
                "95{NARROW}% of {name}{that} finish within {}{longer}.",
                duration(percentiles.p95)
            )
        }
        _ => format!(
            "{name} took {} on average in {}.",
            duration(now.total.avg.unwrap_or(0.0)),
            requests
        ),
    };
    let mut parts = Vec::new();
    parts.extend(sample.and_then(spent));
    if let Some(failed) = now.total.failed_rate.filter(|failed| *failed >= FAILING) {
        parts.push(format!("{} of its requests failed.", percent(failed)));
    }
    if parts.is_empty() {
        parts.push(format!("{requests} {}.", words::range(view)));
    }
    parts.extend(words::uncompared(delta, view).map(str::to_owned));
    Headline {
        answer,
        why: parts.join(" "),
    }
}

/// The part of the sample that took longest. It is known of the sample only.
fn spent(trace: &Trace) -> Option<String> {
    Some(match longest(trace)? {
        Longest::Own(share) => format!(
            "In the sample below, {} is time that no span covers.",
            percent(share)
        ),
        Longest::Late(share) => format!(
            "In the sample below, {} is covered only by spans that ended after their parents.",
            percent(share)
        ),
        Longest::Spent(item, share) => format!(
            "In the sample below, {} was spent in {}.",
            percent(share),
            words::cut(named(&item.what.name), 80)
        ),
        Longest::Outlived(item) => format!(
            "In the sample below, {} ended after the request that it belongs to.",
            words::cut(named(&item.what.name), 80)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::change::Comparable;
    use crate::analytics::latency::Total;
    use crate::analytics::series::Axis;

    fn latency(count: f64, avg: f64, failed: Option<f64>) -> Latency {
        Latency {
            axis: Axis {
                interval: 60,
                buckets: Vec::new(),
                widened: false,
            },
            count: Vec::new(),
            avg: Vec::new(),
            percentiles: Vec::new(),
            throughput: Vec::new(),
            failed_rate: Vec::new(),
            total: Total {
                count,
                avg: Some(avg),
                max: 0,
                throughput: 0.0,
                failed_rate: failed,
            },
        }
    }

    fn spread(p95: f64) -> Distribution {
        let percentiles = Some(Percentiles {
            p50: 1.0,
            p95,
            p99: p95,
            ..Percentiles::default()
        });
        Distribution {
            scale: Default::default(),
            bars: Vec::new(),
            count: 99.0,
            percentiles,
            exact: true,
        }
    }

    fn say(now: &Latency, p95: f64, before: Option<(&Change, &Distribution)>) -> (String, String) {
        let said = headline(
            &View::test("/", ""),
            "GET /sql-group",
            now,
            spread(p95).percentiles,
            (before.map(|b| b.0), before.map(|b| b.1)),
            None,
        );
        (
            said.answer.replace(NARROW, " "),
            said.why.replace(NARROW, " "),
        )
    }

    #[test]
    fn it_says_the_p95_and_what_it_was() {
        let now = latency(3_580.0, 31_900.0, Some(0.008));
        let change = Change {
            comparable: Comparable::Yes,
            groups: 1,
            ..Change::default()
        };
        let (answer, why) = say(&now, 47_700.0, Some((&change, &spread(15_700.0))));
        assert_eq!(
            answer,
            "95 % of GET /sql-group finish within 47.7 ms, 3 times as long as in the 15 minutes before."
        );
        assert_eq!(why, "3,580 requests in the last 15 minutes.");
        let (answer, why) = say(&now, 47_700.0, Some((&Change::default(), &spread(1.0))));
        assert_eq!(answer, "95 % of GET /sql-group finish within 47.7 ms.");
        assert_eq!(
            why,
            "3,580 requests in the last 15 minutes. There is no earlier data to compare with."
        );
        let several = Change {
            groups: 2,
            ..change
        };
        let (answer, _) = say(&now, 47_700.0, Some((&several, &spread(15_700.0))));
        assert_eq!(answer, "95 % of GET /sql-group finish within 47.7 ms.");
    }

    #[test]
    fn few_requests_have_an_average_only() {
        let (answer, why) = say(&latency(3.0, 12_000.0, Some(0.333)), 47_700.0, None);
        assert_eq!(
            answer,
            "GET /sql-group took 12.0 ms on average in 3 requests."
        );
        assert_eq!(why, "33 % of its requests failed.");
    }
}
