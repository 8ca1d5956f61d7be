//! Documents by the values of a field, of which some are stored here and others on other servers.

use apm_output::{Events, FoundGroup};
use diesel::SqliteConnection;
use serde_json::json;

use super::page::{is_needed, range};
use super::{Elsewhere, Problem, Settings, has_others};
use crate::analytics::discover::{Group, Groups, MOST_GROUPS, Request};
use crate::analytics::engine_query::EngineQuery;

/// Adds what the engine counts to the groups of here; `elsewhere` says where it cannot. The engine is not asked again
/// where it was not read for the same answer.
///
/// # Errors
/// Those of the store.
pub(crate) fn join_groups(
    conn: &mut SqliteConnection,
    settings: &Settings,
    request: &Request,
    groups: &mut Groups,
    elsewhere: &mut Elsewhere,
) -> Result<(), Problem> {
    let Some(output) = &settings.output else {
        return Ok(());
    };
    if elsewhere.trouble.is_some() || !is_needed(conn, output, request)? {
        return Ok(());
    }
    elsewhere.is_asked = has_others(output);
    let translated = EngineQuery::new(&request.query);
    if !translated.exact || !apm_output::is_indexed(&groups.field) {
        elsewhere.leaves_out(
            "Groups count the events that are stored here: the engine cannot tell them.",
        );
        return Ok(());
    }
    let found = output.events(Events::Groups {
        query: json!({"bool": {"filter": [range(request), translated.query]}}),
        field: groups.field.clone(),
        most: MOST_GROUPS,
    });
    match found {
        Ok(found) => {
            let of_engine = found.groups.groups.into_iter().map(group);
            groups.add_at_least(of_engine.collect(), found.groups.other);
        }
        Err(why) => {
            // Such as a field of words, by which an index does not group.
            groups.is_settled = false;
            log::debug!("groups by {}: {why}", groups.field);
            elsewhere.leaves_out(
                "Groups count the events that are stored here: the engine has none by this field.",
            );
        }
    }
    Ok(())
}

fn group(found: FoundGroup) -> Group {
    let is_timed = found.timed > 0;
    Group {
        duration_avg: is_timed.then(|| found.duration / found.timed as f64),
        duration_max: is_timed.then_some(found.longest),
        value: found.value,
        count: found.count,
    }
}
