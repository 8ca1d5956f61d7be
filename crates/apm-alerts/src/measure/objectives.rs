//! Objectives whose budget burns too fast: over a short window and a long one, so that neither a single minute nor what
//! is over already tells.

use diesel::prelude::*;

use super::place::Place;
use super::{Facts, Reading, alert, link, words};
use crate::rule::Rule;
use crate::slo::{self, Burn, Objective};

pub(super) fn read(
    conn: &mut SqliteConnection,
    rule: &Rule,
    facts: &Facts<'_>,
) -> QueryResult<Vec<Reading>> {
    let mut readings = Vec::new();
    for objective in slo::list(conn)? {
        let is_of = |asked: &str, own: &str| asked.is_empty() || asked == own;
        if !is_of(&rule.service, &objective.service)
            || !is_of(&rule.environment, &objective.environment)
        {
            continue;
        }
        let burns = slo::burns(conn, &objective, facts.now)?;
        let fast = level(&burns[..2], rule, "fast_burn");
        let slow = level(&burns[2..], rule, "slow_burn");
        let reached = fast.max(slow);
        // The short windows say best what happens now.
        let over = match fast >= 1.0 || fast >= slow {
            true => &burns[1],
            false => &burns[3],
        };
        if reached > 0.0 {
            readings.push(reading(&objective, over, reached));
        }
    }
    Ok(readings)
}

/// The bound that the slower of two windows has reached, 1 at the bound; 0 with too few requests.
fn level(burns: &[Burn], rule: &Rule, bound: &str) -> f64 {
    let enough = burns
        .iter()
        .all(|burn| burn.total >= rule.number("requests"));
    let rates = burns.iter().map(|burn| burn.rate.unwrap_or_default());
    // Both windows have to burn, so the slower one decides.
    let least = rates.fold(f64::INFINITY, f64::min);
    if enough && least.is_finite() {
        least / rule.number(bound)
    } else {
        0.0
    }
}

fn reading(objective: &Objective, over: &Burn, level: f64) -> Reading {
    let place = Place {
        service: objective.service.clone(),
        environment: objective.environment.clone(),
    };
    let text = format!(
        "{}: the budget of “{}” burns {:.1} times as fast as it may: {:.0} of {:.0} requests in {} were bad",
        place.name(),
        objective.name,
        over.rate.unwrap_or_default(),
        over.bad,
        over.total,
        words::duration(over.seconds as f64 * 1e6)
    );
    let link = link::with("/slos".to_owned(), &objective.environment, &[]);
    Reading {
        level,
        alert: alert(place, &objective.id, &text, link),
    }
}
