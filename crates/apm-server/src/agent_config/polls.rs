//! Agents that ask for their settings, and the settings that they have applied.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;

use apm_store::{Store, Ticket};

use super::Settings;

diesel::table! {
    /// One row per service, environment and agent.
    agent_asked (service, environment, agent) {
        service -> Text,
        environment -> Text,
        agent -> Text,
        etag -> Text,
        at -> BigInt,
    }
}

/// The time between two notes of the same, µs.
const PAUSE: i64 = 600_000_000;

/// The time after which an agent that no longer asks is forgotten, µs: a day.
const GONE: i64 = 86_400_000_000;

/// Agents that are remembered; the ones that asked last.
const MOST: i64 = 1_000;

/// The name of all agents in browsers. By their own names, those of the browsers, the visitors of a page would be more
/// than are remembered, and would take the places of all others.
pub(crate) const BROWSERS: &str = "agents in browsers";

/// Characters of an agent's name that are kept.
const MOST_NAME: usize = 120;

/// A poll of an agent: it asks for its settings every half a minute.
#[derive(Clone, Debug, PartialEq, Eq, Queryable)]
pub(crate) struct Poll {
    /// `service.name`
    pub(crate) service: String,
    /// `service.environment`; empty where it names none.
    pub(crate) environment: String,
    /// The agent as it names itself: `apm-agent-java/1.50.0 (shop 1.2)`.
    pub(crate) agent: String,
    /// The tag of the settings that it has applied; empty where it has none.
    pub(crate) etag: String,
    /// When, µs since the epoch.
    pub(crate) at: i64,
}

impl Poll {
    /// An agent that asks now.
    pub(crate) fn new(service: &str, environment: &str, agent: &str, etag: &str) -> Self {
        let cut = |text: &str| text.chars().take(MOST_NAME).collect();
        Self {
            service: service.to_owned(),
            environment: environment.to_owned(),
            agent: cut(agent),
            etag: cut(etag),
            at: jiff::Timestamp::now().as_microsecond(),
        }
    }

    /// The settings that apply to it, of all.
    pub(crate) fn finds<'s>(&self, all: &'s [Settings]) -> Option<&'s Settings> {
        let fits = |own: &str, asked: &str| own.is_empty() || own == asked;
        all.iter()
            .filter(|one| {
                fits(&one.service, &self.service) && fits(&one.environment, &self.environment)
            })
            .max_by_key(|one| (!one.service.is_empty(), !one.environment.is_empty()))
    }

    /// Whether it has applied these settings.
    pub(crate) fn has(&self, settings: &Settings) -> bool {
        self.etag == settings.etag()
    }
}

/// The agents that asked within a day, by service.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn list(conn: &mut SqliteConnection) -> QueryResult<Vec<Poll>> {
    let since = jiff::Timestamp::now().as_microsecond() - GONE;
    agent_asked::table
        .filter(agent_asked::at.ge(since))
        .order((
            agent_asked::service,
            agent_asked::environment,
            agent_asked::agent,
        ))
        // No more are kept.
        .load(conn)
}

/// Whether it is time to note that an agent polled.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn is_news(conn: &mut SqliteConnection, poll: &Poll) -> QueryResult<bool> {
    let known: Option<(String, i64)> = agent_asked::table
        .find((&poll.service, &poll.environment, &poll.agent))
        .select((agent_asked::etag, agent_asked::at))
        .get_result(conn)
        .optional()?;
    // Of many that have one name, some have applied what others have not.
    let is_other = |etag: String| etag != poll.etag && poll.agent != BROWSERS;
    Ok(known.is_none_or(|(etag, at)| is_other(etag) || poll.at - at >= PAUSE))
}

/// Notes that an agent polled. Nobody waits for it.
pub(crate) fn note(store: &Store, poll: Poll) {
    let noted: Result<Ticket<()>, _> = store.write(move |conn| {
        diesel::replace_into(agent_asked::table)
            .values((
                agent_asked::service.eq(&poll.service),
                agent_asked::environment.eq(&poll.environment),
                agent_asked::agent.eq(&poll.agent),
                agent_asked::etag.eq(&poll.etag),
                agent_asked::at.eq(poll.at),
            ))
            .execute(conn)?;
        diesel::delete(agent_asked::table.filter(agent_asked::at.lt(poll.at - GONE)))
            .execute(conn)?;
        // Senders may make up as many names as they like.
        diesel::sql_query(
            "DELETE FROM agent_asked \
             WHERE at <= (SELECT at FROM agent_asked ORDER BY at DESC LIMIT 1 OFFSET +?)",
        )
        .bind::<BigInt, _>(MOST)
        .execute(conn)?;
        Ok(())
    });
    drop(noted);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_has_the_settings_that_name_it_best() {
        let one = |service: &str, environment: &str| Settings {
            service: service.to_owned(),
            environment: environment.to_owned(),
            ..Settings::default()
        };
        let all = [
            one("", ""),
            one("", "prod"),
            one("shop", ""),
            one("shop", "prod"),
        ];
        for (service, environment, place) in [
            ("shop", "prod", 3),
            ("shop", "test", 2),
            ("bank", "prod", 1),
            ("bank", "", 0),
        ] {
            let poll = Poll::new(service, environment, "a", "");
            assert_eq!(
                poll.finds(&all),
                Some(&all[place]),
                "{service} {environment}"
            );
        }
    }
}
