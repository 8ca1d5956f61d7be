//! Settings that agents fetch from the server while they run, by service and environment.
//!
//! A setting that names neither service nor environment is everyone's default. The best match wins as a whole:
//! name and environment, then the name, then the environment, then neither. Values are texts, as agents expect.

pub(crate) mod options;
pub(crate) mod polls;

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use apm_store::share::{self, Document, SETTING};
use apm_store::{Store, SubmitError, Ticket};

diesel::table! {
    /// One row per service and environment; the empty text stands for all of them.
    agent_config (service, environment) {
        service -> Text,
        environment -> Text,
        etag -> Text,
        /// A JSON object of texts.
        settings -> Text,
        /// When an agent last said that it has applied them, µs since the epoch.
        applied -> Nullable<BigInt>,
    }
}

/// Services and environments with settings, at most, where other servers send some.
const MOST: i64 = 5_000;

/// The settings that apply to one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The service; empty for all.
    pub service: String,
    /// The environment; empty for all.
    pub environment: String,
    /// Names and values, as agents know them: `transaction_sample_rate` → `0.5`.
    pub values: BTreeMap<String, String>,
    /// When an agent last said that it has applied them, µs since the epoch.
    pub applied: Option<i64>,
}

impl Settings {
    /// The tag of no settings at all.
    pub const NONE: &str = "-";

    /// The tag of the values, which changes with them.
    pub fn etag(&self) -> String {
        tag(&self.values)
    }
}

/// The tag of some values.
pub(crate) fn tag(values: &BTreeMap<String, String>) -> String {
    match values.is_empty() {
        true => Settings::NONE.to_owned(),
        false => format!("{:016x}", xxh3_64(json(values).as_bytes())),
    }
}

fn json(values: &BTreeMap<String, String>) -> String {
    serde_json::Value::from_iter(values.clone()).to_string()
}

type Row = (String, String, String, Option<i64>);

fn settings((service, environment, text, applied): Row) -> Settings {
    Settings {
        service,
        environment,
        values: serde_json::from_str(&text).unwrap_or_default(),
        applied,
    }
}

/// The settings that apply to an agent of this service and environment.
///
/// # Errors
/// The database cannot be read.
pub fn find(
    conn: &mut SqliteConnection,
    service: &str,
    environment: Option<&str>,
) -> QueryResult<Option<Settings>> {
    use agent_config::dsl;
    let environment = environment.unwrap_or_default();
    // There are four at most.
    let rows = dsl::agent_config
        .filter(
            dsl::service
                .eq_any(["", service])
                .and(dsl::environment.eq_any(["", environment])),
        )
        // The empty text sorts last, so that names come before defaults.
        .order((dsl::service.desc(), dsl::environment.desc()))
        .select((dsl::service, dsl::environment, dsl::settings, dsl::applied))
        .load::<Row>(conn)?;
    Ok(rows.into_iter().next().map(settings))
}

/// All settings.
///
/// # Errors
/// The database cannot be read.
pub fn list(conn: &mut SqliteConnection) -> QueryResult<Vec<Settings>> {
    use agent_config::dsl;
    let rows = dsl::agent_config
        .order((dsl::service, dsl::environment))
        .select((dsl::service, dsl::environment, dsl::settings, dsl::applied))
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(settings).collect())
}

/// The names of the agents of a service; none where it names all services, or one that is not known.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn agents_of(conn: &mut SqliteConnection, service: &str) -> QueryResult<Vec<String>> {
    use apm_store::schema::service as known;
    known::table
        .filter(known::name.eq(service).and(known::agent_name.ne("")))
        .select(known::agent_name)
        .distinct()
        .load(conn)
}

/// Replaces the settings of a service and environment; no values: removes them. Other servers before the same engine
/// are told. `expected`: the tag of the settings that whoever changes them has seen. Where others are there by now,
/// they stay, and the ticket says false.
///
/// # Errors
/// The store does not take it, or (from the ticket) fails to write.
pub fn set(
    store: &Store,
    new: Settings,
    expected: Option<String>,
) -> Result<Ticket<bool>, SubmitError> {
    store.write(move |conn| {
        let is_other = |found: &str| expected.as_ref().is_some_and(|tag| tag != found);
        if is_other(&current_tag(conn, &new)?) {
            return Ok(false);
        }
        put(conn, &new)?;
        // In the same transaction: other servers are told of what is stored here, and of nothing else.
        let key = json!([new.service, new.environment]).to_string();
        let body = (!new.values.is_empty()).then(|| json(&new.values));
        share::publish(conn, SETTING, &key, body.as_deref(), apm_time::now())?;
        Ok(true)
    })
}

/// The tag of the settings in whose place others would be.
fn current_tag(conn: &mut SqliteConnection, new: &Settings) -> QueryResult<String> {
    use agent_config::dsl;
    let found: Option<String> = dsl::agent_config
        .find((&new.service, &new.environment))
        .select(dsl::etag)
        .get_result(conn)
        .optional()?;
    Ok(found.unwrap_or_else(|| Settings::NONE.to_owned()))
}

/// Takes the settings that were changed on another server.
///
/// # Errors
/// Those of SQLite.
pub(crate) fn take(conn: &mut SqliteConnection, document: &Document) -> QueryResult<bool> {
    let key = serde_json::from_str::<(String, String)>(&document.key);
    let values = document.body.as_deref().map(serde_json::from_str);
    let (Ok((service, environment)), Ok(values)) = (key, values.transpose()) else {
        return Ok(false);
    };
    let values = values.unwrap_or_default();
    let fits = share::fits_name(&service) && share::fits_name(&environment);
    if !fits || !options::are_sound(&values) {
        return Ok(false);
    }
    let new = Settings {
        service,
        environment,
        values,
        applied: None,
    };
    // Those that are there can be changed, and taken back.
    let is_new = current_tag(conn, &new)? == Settings::NONE && !new.values.is_empty();
    if is_new && agent_config::table.count().get_result::<i64>(conn)? >= MOST {
        return Ok(false);
    }
    put(conn, &new)?;
    Ok(true)
}

fn put(conn: &mut SqliteConnection, new: &Settings) -> QueryResult<()> {
    use agent_config::dsl;
    let key = dsl::service
        .eq(&new.service)
        .and(dsl::environment.eq(&new.environment));
    // With the row goes the time at which an agent applied the values of before.
    diesel::delete(dsl::agent_config.filter(key)).execute(conn)?;
    if !new.values.is_empty() {
        let row = (
            dsl::service.eq(&new.service),
            dsl::environment.eq(&new.environment),
            dsl::etag.eq(new.etag()),
            dsl::settings.eq(json(&new.values)),
        );
        diesel::insert_into(dsl::agent_config)
            .values(row)
            .execute(conn)?;
    }
    Ok(())
}

/// Notes that an agent has applied the settings, at most once in ten minutes. Nobody waits for it.
pub(crate) fn applied(store: &Store, settings: &Settings) {
    let now = jiff::Timestamp::now().as_microsecond();
    if settings
        .applied
        .is_some_and(|last| now - last < 600_000_000)
    {
        return;
    }
    let (service, environment, etag) = (
        settings.service.clone(),
        settings.environment.clone(),
        settings.etag(),
    );
    let noted: Result<Ticket<usize>, _> = store.write(move |conn| {
        use agent_config::dsl;
        // Settings that changed meanwhile are not applied yet.
        let key = dsl::service
            .eq(service)
            .and(dsl::environment.eq(environment))
            .and(dsl::etag.eq(etag));
        diesel::update(dsl::agent_config.filter(key))
            .set(dsl::applied.eq(now))
            .execute(conn)
    });
    drop(noted);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn settings_of_another_server_are_taken_for_names_that_the_intake_takes() {
        let conn = &mut apm_store::scratch(&[]).unwrap();
        let (fits, long) = ("é".repeat(1024), "é".repeat(1025));
        for (service, environment, is_taken) in [
            ("shop", &*fits, true),
            (&*fits, "", true),
            ("shop", &*long, false),
            (&*long, "", false),
        ] {
            let document = Document {
                kind: SETTING.to_owned(),
                key: json!([service, environment]).to_string(),
                version: 1,
                node: "b".to_owned(),
                body: Some(r#"{"transaction_sample_rate":"0.5"}"#.to_owned()),
            };
            assert_eq!(take(conn, &document).unwrap(), is_taken);
        }
        assert_eq!(list(conn).unwrap().len(), 2);
    }

    #[test]
    fn settings_of_another_server_are_taken_where_they_could_be_made_here() {
        let conn = &mut apm_store::scratch(&[]).unwrap();
        let long = "a".repeat(1025);
        let many = |number: usize| {
            let names = (0..number).map(|n| (format!("own_{n}"), json!("x")));
            Value::Object(names.collect())
        };
        for (values, is_taken) in [
            (json!({"transaction_sample_rate": "0.5", "own": "x"}), true),
            (json!({"own": &long[1..]}), true),
            (many(50), true),
            (json!({"transaction_sample_rate": "7"}), false),
            (json!({"recording": "perhaps"}), false),
            (json!({"transaction_sample_rat": "0.5"}), false),
            (json!({"own": long}), false),
            (json!({"own": "x\nrecording=false"}), false),
            (json!({"": "x"}), false),
            (json!({"a=b": "x"}), false),
            (json!({(&long[..65]): "x"}), false),
            (many(51), false),
            (json!({"own": 7}), false),
            (json!([]), false),
        ] {
            let document = Document {
                kind: SETTING.to_owned(),
                key: json!(["shop", ""]).to_string(),
                version: 1,
                node: "b".to_owned(),
                body: Some(values.to_string()),
            };
            assert_eq!(take(conn, &document).unwrap(), is_taken, "{values}");
        }
        assert_eq!(list(conn).unwrap()[0].values.len(), 50);
    }

    #[test]
    fn of_too_many_settings_of_other_servers_those_that_are_there_can_be_changed() {
        let conn = &mut apm_store::scratch(&[]).unwrap();
        diesel::sql_query(
            "INSERT INTO agent_config WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s LIMIT 5000) \
             SELECT 's' || n, '', 'a', '{\"own\":\"x\"}', NULL FROM s",
        )
        .execute(conn)
        .unwrap();
        for (service, body, is_taken) in [
            ("new", Some(r#"{"own":"y"}"#), false),
            ("s7", Some(r#"{"own":"y"}"#), true),
            ("s7", None, true),
            ("new", Some(r#"{"own":"y"}"#), true),
        ] {
            let document = Document {
                kind: SETTING.to_owned(),
                key: json!([service, ""]).to_string(),
                version: 1,
                node: "b".to_owned(),
                body: body.map(str::to_owned),
            };
            assert_eq!(
                take(conn, &document).unwrap(),
                is_taken,
                "{service} {body:?}"
            );
        }
    }
}
