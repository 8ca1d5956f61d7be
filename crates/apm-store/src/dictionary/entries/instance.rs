//! Instances of services by how they describe themselves.

use diesel::insert_into;
use diesel::prelude::*;

use crate::dictionary::{Entry, Key, Known, Limited};
use crate::limits::{NameKind, OTHER};
use crate::schema::instance;

/// A process, container or machine that runs a service, in one version.
#[derive(Debug)]
pub(crate) struct Instance<'a> {
    pub(crate) service: i64,
    pub(crate) node: &'a str,
    pub(crate) version: &'a str,
    pub(crate) host: &'a str,
    pub(crate) pod: &'a str,
    pub(crate) runtime: &'a str,
}

impl Limited for Instance<'_> {
    const KIND: NameKind = NameKind::Instance;
    count!("instance");

    fn service(&self) -> i64 {
        self.service
    }

    /// Those beyond the limit are told apart by their version, so that the table of versions stays right.
    fn others(&self) -> [Self; 2] {
        let of_version = |version| Self {
            service: self.service,
            node: OTHER,
            version,
            host: "",
            pod: "",
            runtime: "",
        };
        [of_version(self.version), of_version(OTHER)]
    }
}

impl Entry for Instance<'_> {
    touch!(instance);

    fn key(&self, key: &mut Key<'_>) {
        key.number(self.service)
            .text(self.node)
            .text(self.version)
            .text(self.host)
            .text(self.pod)
            .text(self.runtime);
    }

    fn find(&self, conn: &mut SqliteConnection) -> QueryResult<Option<Known>> {
        let same = instance::service_id
            .eq(self.service)
            .and(instance::node.eq(self.node))
            .and(instance::version.eq(self.version))
            .and(instance::host.eq(self.host))
            .and(instance::pod.eq(self.pod))
            .and(instance::runtime.eq(self.runtime));
        find!(instance, conn, same)
    }

    fn insert(&self, now: i64, conn: &mut SqliteConnection) -> QueryResult<i64> {
        insert_into(instance::table)
            .values((
                instance::service_id.eq(self.service),
                instance::node.eq(self.node),
                instance::host.eq(self.host),
                instance::pod.eq(self.pod),
                instance::version.eq(self.version),
                instance::runtime.eq(self.runtime),
                instance::last_seen.eq(now),
            ))
            .returning(instance::id)
            .get_result(conn)
    }
}
