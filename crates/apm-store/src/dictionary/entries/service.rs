//! A service in an environment.

use diesel::prelude::*;
use diesel::{insert_into, update};

use crate::dictionary::{Entry, Key, Known, Limited};
use crate::event;
use crate::limits::{NameKind, OTHER};
use crate::schema::service;

/// A service in an environment.
#[derive(Debug)]
pub(crate) struct Service<'a> {
    pub(crate) name: &'a str,
    pub(crate) environment: &'a str,
    /// The sender of its metadata; the latest one is kept.
    pub(crate) reporter: &'a event::Resource,
}

impl Service<'_> {
    /// Brings what may change from one start of the service to the next up to date.
    pub(crate) fn refresh(&self, id: i64, conn: &mut SqliteConnection) -> QueryResult<usize> {
        let reporter = self.reporter;
        update(service::table.filter(service::id.eq(id)))
            .set((
                service::agent_name.eq(&reporter.agent_name),
                service::agent_version.eq(&reporter.agent_version),
                service::language.eq(reporter.language.as_deref().unwrap_or_default()),
                service::version.eq(reporter.service_version.as_deref().unwrap_or_default()),
            ))
            .execute(conn)
    }
}

impl Limited for Service<'_> {
    const KIND: NameKind = NameKind::Service;
    // Of no service: the limit is one for all.
    const COUNT: &'static str = "SELECT 0 AS service, count(*) AS n FROM service";

    fn service(&self) -> i64 {
        0
    }

    fn others(&self) -> [Self; 2] {
        let other = || Self {
            name: OTHER,
            environment: "",
            reporter: self.reporter,
        };
        [other(), other()]
    }
}

impl Entry for Service<'_> {
    touch!(service);

    fn key(&self, key: &mut Key<'_>) {
        key.text(self.name).text(self.environment);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = service::name
            .eq(self.name)
            .and(service::environment.eq(self.environment));
        find!(service, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        let reporter = self.reporter;
        insert_into(service::table)
            .values((
                service::name.eq(self.name),
                service::environment.eq(self.environment),
                service::agent_name.eq(&reporter.agent_name),
                service::agent_version.eq(&reporter.agent_version),
                service::language.eq(reporter.language.as_deref().unwrap_or_default()),
                service::version.eq(reporter.service_version.as_deref().unwrap_or_default()),
                service::first_seen.eq(now),
                service::last_seen.eq(now),
            ))
            .returning(service::id)
            .get_result(conn)
    }
}
