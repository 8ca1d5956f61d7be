//! Events that wait to be sent to an engine.

use super::{Reading, words};
use crate::message::Alert;
use crate::options::Lag;
use crate::rule::Rule;

pub(super) fn read(rule: &Rule, lag: Option<Lag>) -> Vec<Reading> {
    let Some(lag) = lag else {
        return Vec::new();
    };
    let waited = lag.time.as_secs_f64();
    let text = format!(
        "{} events wait to be sent to the engine, the first for {}",
        lag.events,
        words::duration(waited * 1e6)
    );
    let alert = Alert {
        subject: "output".to_owned(),
        service: String::new(),
        environment: String::new(),
        text,
        link: "/settings".to_owned(),
    };
    let level = waited / (rule.number("minutes") * 60.0);
    vec![Reading { level, alert }]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rule::{Kind, builtin};

    #[test]
    fn the_level_follows_the_time_that_the_first_event_has_waited() {
        let rules = builtin();
        let rule = rules
            .iter()
            .find(|rule| rule.kind == Kind::OutputLag)
            .unwrap();
        let level = |lag: Option<Lag>| read(rule, lag).first().map(|reading| reading.level);
        let lag = |minutes: u64| {
            Some(Lag {
                events: 5,
                time: Duration::from_secs(minutes * 60),
            })
        };
        assert_eq!(level(None), None);
        assert_eq!(level(lag(0)), Some(0.0));
        assert_eq!(level(lag(10)), Some(1.0));
        assert!(level(lag(5)) < Some(0.9));
    }
}
