//! The row of a group's state.

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde::{Deserialize, Serialize};

use crate::analytics::errors::Status;

diesel::table! {
    error_triage (service, grouping_key) {
        service -> Text,
        grouping_key -> BigInt,
        status -> BigInt,
        changed -> BigInt,
        until -> Nullable<BigInt>,
        until_count -> Nullable<BigInt>,
        new_version -> Bool,
        seen -> BigInt,
        versions -> Text,
        assignee -> Text,
        merged_into -> Nullable<BigInt>,
        reopened -> Nullable<BigInt>,
        reopened_by -> Text,
        reopened_in -> Text,
    }
}

/// The kept state of a group; the migration says what each column means.
#[derive(
    Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, Serialize, Deserialize,
)]
#[diesel(table_name = error_triage)]
pub(super) struct Row {
    pub(super) service: String,
    pub(super) grouping_key: i64,
    pub(super) status: i64,
    pub(super) changed: i64,
    pub(super) until: Option<i64>,
    pub(super) until_count: Option<i64>,
    pub(super) new_version: bool,
    pub(super) seen: i64,
    pub(super) versions: String,
    pub(super) assignee: String,
    pub(super) merged_into: Option<i64>,
    pub(super) reopened: Option<i64>,
    pub(super) reopened_by: String,
    pub(super) reopened_in: String,
}

impl Row {
    /// A group about which nobody decided anything.
    pub(super) fn new(service: &str, grouping_key: i64, now: i64) -> Self {
        Self {
            service: service.to_owned(),
            grouping_key,
            status: Status::Open.number(),
            changed: now,
            until: None,
            until_count: None,
            new_version: false,
            seen: 0,
            versions: "[]".to_owned(),
            assignee: String::new(),
            merged_into: None,
            reopened: None,
            reopened_by: String::new(),
            reopened_in: String::new(),
        }
    }

    pub(super) fn find(
        conn: &mut SqliteConnection,
        service: &str,
        key: i64,
    ) -> QueryResult<Option<Self>> {
        error_triage::table
            .find((service, key))
            .select(Self::as_select())
            .get_result(conn)
            .optional()
    }

    /// The rows of the groups that a group stands for.
    pub(super) fn merged_into(
        conn: &mut SqliteConnection,
        service: &str,
        key: i64,
    ) -> QueryResult<Vec<Self>> {
        error_triage::table
            .filter(error_triage::service.eq(service))
            .filter(error_triage::merged_into.eq(key))
            .select(Self::as_select())
            .load(conn)
    }

    /// Gives it a status, and forgets what ended or would have ended the one before.
    pub(super) fn decide(
        &mut self,
        conn: &mut SqliteConnection,
        status: Status,
        now: i64,
    ) -> QueryResult<()> {
        self.status = status.number();
        self.changed = now;
        self.versions = running(conn, &self.service)?;
        (self.until, self.until_count, self.new_version, self.seen) = (None, None, false, 0);
        self.reopened = None;
        self.reopened_by.clear();
        self.reopened_in.clear();
        Ok(())
    }

    /// Opens it; `at` in µs.
    pub(super) fn reopen(&mut self, at: i64, by: &str, version: &str) {
        self.status = Status::Open.number();
        (self.until, self.until_count, self.new_version) = (None, None, false);
        self.reopened = Some(at);
        by.clone_into(&mut self.reopened_by);
        version.clone_into(&mut self.reopened_in);
    }

    /// True if the service ran a version when the status was decided.
    pub(super) fn ran(&self, version: &str) -> bool {
        let versions: Vec<String> = serde_json::from_str(&self.versions).unwrap_or_default();
        versions.iter().any(|known| known == version)
    }

    /// Writes it; one that says nothing is deleted.
    pub(super) fn put(&self, conn: &mut SqliteConnection) -> QueryResult<()> {
        let says_nothing = self.status == 0
            && self.assignee.is_empty()
            && self.merged_into.is_none()
            && self.reopened.is_none();
        match says_nothing {
            true => Self::delete(conn, &self.service, self.grouping_key),
            false => diesel::replace_into(error_triage::table)
                .values(self)
                .execute(conn)
                .map(|_| ()),
        }
    }

    pub(super) fn delete(conn: &mut SqliteConnection, service: &str, key: i64) -> QueryResult<()> {
        diesel::delete(error_triage::table.find((service, key))).execute(conn)?;
        Ok(())
    }
}

/// The versions that a service runs, in all of its environments, as a JSON array.
fn running(conn: &mut SqliteConnection, service: &str) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Versions {
        #[diesel(sql_type = Text)]
        versions: String,
    }
    let found: Versions = diesel::sql_query(
        "SELECT json_group_array(version) AS versions FROM service_version WHERE service = ?1",
    )
    .bind::<Text, _>(service)
    .get_result(conn)?;
    Ok(found.versions)
}
