//! A statement that one request runs again and again.

use super::{Caller, Look, RECENT, RuleError, Statement, figures};
use crate::insight::finding::{Draft, Kind, Says, duration_words};
use crate::insight::repeats::{FINDING, Pattern, Values, classify};
use crate::insight::severity::Severity;
use crate::insight::values;

/// Requests that must show it.
const FEWEST: i64 = 3;

pub(super) fn apply(look: &mut Look<'_>) -> Result<Vec<Draft>, RuleError> {
    let mut drafts = Vec::new();
    for caller in look.callers.clone() {
        if caller.statement_id == 0 || caller.requests < FEWEST || per_request(&caller) < FINDING {
            continue;
        }
        let Some(statement) = look.statement(caller.statement_id).cloned() else {
            continue;
        };
        let values = if statement.verb == "SELECT" {
            values::of_trace(look.conn, &caller.trace_id, statement.id)?
        } else {
            Values::Unknown
        };
        let follows = caller.follows * 2 > caller.requests;
        if let Some(pattern) = classify(statement.shape(), follows, values) {
            drafts.push(draft(&caller, &statement, pattern));
        }
    }
    Ok(drafts)
}

/// Calls of a loop in a request.
fn per_request(caller: &Caller) -> f64 {
    caller.looped / caller.requests.max(1) as f64
}

fn draft(caller: &Caller, statement: &Statement, pattern: Pattern) -> Draft {
    let per_request = per_request(caller);
    let requests = caller.requests.max(1) as f64;
    // Time of the loop, without the calls that do not belong to it.
    let time = caller.sum / requests * (caller.looped / caller.calls.max(1.0)).min(1.0);
    let whole = caller.tx_sum / requests;
    let share = if whole > 0.0 {
        100.0 * time / whole
    } else {
        0.0
    };
    let what = match pattern {
        Pattern::Batch => "one row at a time",
        Pattern::NPlusOne => "once per row of an earlier query (N+1)",
        Pattern::Cache => "with the same values each time",
        Pattern::Repeated => "again and again",
    };
    let saved = time * (1.0 - 1.0 / per_request);
    let saving = saved * requests * 60.0 / RECENT as f64;
    Draft {
        kind: Kind::Repeat,
        service: caller.service.clone(),
        environment: caller.environment.clone(),
        subject: format!("{}\0{}", caller.name, statement.fingerprint()),
        severity: Severity::of_saving(saving),
        saving,
        says: Says {
            title: format!(
                "{} runs {} {per_request:.0}× per request, {what}.",
                caller.name,
                statement.short()
            ),
            cause: format!(
                "{per_request:.1} calls per request on average, {:.0} at most, over {} requests: {} of {} per request \
                    ({share:.0} %).",
                caller.most,
                caller.requests,
                duration_words(time),
                duration_words(whole),
            ),
            remedy: format!(
                "{} One call instead of {per_request:.0} would save about {} per request.",
                pattern.remedy(),
                duration_words(saved)
            ),
            evidence: statement.evidence(Some(caller)),
            figures: figures(&[
                ("calls_per_request", per_request),
                ("most", caller.most),
                ("micros_per_request", time),
            ]),
        },
    }
}
