//! When plans that were sent are sent again. A plan is an event as others: it goes where the server is away for longer
//! than there is room, or where somebody deletes what the server has.

use std::time::{Duration, Instant};

use crate::recording::stats::Stats;

/// Plans are sent again after this time, whatever happened.
const LATEST: Duration = Duration::from_secs(3_600);

/// Plans are sent again with the first events that the server takes after some were dropped, but not sooner than this.
const SOONEST: Duration = Duration::from_secs(600);

/// The events that were dropped since plans were last sent.
#[derive(Debug, Default)]
pub(super) struct Resend {
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    /// Events that had been dropped until then.
    dropped: u64,
    /// Events that the server had taken when the first drop since then was seen.
    accepted: Option<u64>,
}

impl Resend {
    /// Whether all plans are to be sent again. The first call only begins to count.
    pub(super) fn is_due(&mut self, now: Instant, stats: &Stats) -> bool {
        let dropped = stats.dropped_total();
        if let Some(last) = &mut self.last {
            if last.accepted.is_none() && dropped > last.dropped {
                last.accepted = Some(stats.accepted);
            }
            let is_back = last.accepted.is_some_and(|then| stats.accepted > then);
            let time = now.duration_since(last.at);
            if time < LATEST && !(is_back && time >= SOONEST) {
                return false;
            }
        }
        let is_first = self.last.is_none();
        self.last = Some(Last {
            at: now,
            dropped,
            accepted: None,
        });
        !is_first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::stats::{Counters, DropReason};

    #[test]
    fn plans_are_sent_again_each_hour_and_where_events_were_lost_with_the_first_that_are_taken() {
        let counters = Counters::default();
        let start = Instant::now();
        let mut resend = Resend::default();
        let mut is_due = |minutes: u64| {
            let now = start + Duration::from_secs(60 * minutes);
            resend.is_due(now, &counters.snapshot())
        };
        assert!(!is_due(0), "they are sent for the first time");
        assert!(!is_due(59));
        assert!(is_due(60));
        assert!(!is_due(61));

        // The server is away for so long that events go.
        counters.dropped(DropReason::QueueFull, 5);
        assert!(!is_due(62));
        assert!(!is_due(80), "it took nothing since then");
        counters.accepted(1);
        assert!(is_due(81));
        assert!(!is_due(82));

        // Plans that are lost soon after are sent after ten minutes.
        counters.dropped(DropReason::Connection, 1);
        assert!(!is_due(83));
        counters.accepted(1);
        assert!(!is_due(90));
        assert!(is_due(91));
        assert!(!is_due(102), "nothing was lost since then");
        assert!(is_due(151));
    }
}
