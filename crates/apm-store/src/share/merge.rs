//! Makes counts of a delta: names get the ids that they have here, within the limits that hold for agents.

mod instances;
mod metrics;

use diesel::SqliteConnection;
use xxhash_rust::xxh64::xxh64;

use super::callers;
use super::delta::{self, Delta};
use super::error_versions::ErrorVersion;
use super::sum::{Bounds, Ids, LONGEST, Sum, get};
use crate::apply::{Counted, Memory, Unresolved};
use crate::dictionary::{Destination, ErrorGroup, Given, ResultValue, Service, Statement, TxGroup};
use crate::error::StoreError;
use crate::event;
use crate::limits::{Beyond, NameKind, OTHER};
use crate::rollup::BreakdownKey;
use sql_lexer::Fingerprint;

/// The longest text of a statement, bytes.
const LONGEST_STATEMENT: usize = 128 << 10;

/// A delta, with ids of here.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) counted: Counted,
    pub(crate) callers: Vec<callers::Caller>,
    pub(crate) error_versions: Vec<ErrorVersion>,
    /// Rows that are not among them.
    pub(crate) dropped: u64,
}

impl Merged {
    /// Adds another one.
    pub(crate) fn add(&mut self, other: Self) {
        self.counted.rollup.absorb(&other.counted.rollup);
        self.counted.beyond.add(&other.counted.beyond);
        self.callers.extend(other.callers);
        self.error_versions.extend(other.error_versions);
        self.dropped += other.dropped;
    }
}

impl Memory {
    /// Gives the names of a delta their ids. To be followed by [`Self::commit`] or [`Self::rollback`].
    pub(crate) fn merge(
        &mut self,
        conn: &mut SqliteConnection,
        delta: &Delta,
        now: i64,
        bounds: Bounds,
    ) -> Result<Merged, StoreError> {
        let mut beyond = Beyond::default();
        let ids = self.ids(conn, delta, now, &mut beyond)?;
        let mut sum = Sum::new(bounds);
        sum.series(
            &ids.transactions,
            &ids.results,
            (&delta.tx, &delta.tx_bins),
            |rollup| &mut rollup.tx,
        );
        sum.series(
            &ids.statements,
            &[],
            (&delta.statement, &delta.statement_bins),
            |rollup| &mut rollup.statement,
        );
        sum.series(
            &ids.destinations,
            &[],
            (&delta.destination, &delta.destination_bins),
            |rollup| &mut rollup.destination,
        );
        sum.others(delta, &ids);
        self.breakdown(delta, &ids, &mut sum, &mut beyond);
        let series = self.series(conn, (delta, &ids), now, &mut beyond)?;
        sum.metrics(delta, &series);
        sum.readings(conn, delta, &series)?;
        let instances = self.instances(conn, (delta, &ids), now, &mut beyond)?;
        sum.instances(delta, &instances);
        let callers = sum.callers(delta, &ids);
        let error_versions = sum.error_versions(delta, &ids);
        Ok(Merged {
            counted: Counted {
                rollup: sum.rollup,
                received: now,
                beyond,
                wrong_times: 0,
                unresolved: Unresolved::default(),
            },
            callers,
            error_versions,
            dropped: sum.dropped,
        })
    }

    fn ids(
        &mut self,
        conn: &mut SqliteConnection,
        delta: &Delta,
        now: i64,
        beyond: &mut Beyond,
    ) -> Result<Ids, StoreError> {
        // Services come first, because every other name belongs to one.
        let mut services = Vec::with_capacity(delta.services.len());
        for service in &delta.services {
            services.push(self.service_of(conn, service, now, beyond)?);
        }
        let service = |at: usize| {
            services
                .get(at)
                .copied()
                .flatten()
                .map(|given: Given| given.id)
        };
        let mut given = |kind: NameKind, given: Given| {
            if given.beyond {
                beyond.count(kind);
            }
            Some(given.id)
        };
        let names = self.names();
        let mut ids = Ids {
            transactions: Vec::with_capacity(delta.transactions.len()),
            results: Vec::with_capacity(delta.results.len()),
            destinations: Vec::with_capacity(delta.destinations.len()),
            statements: Vec::with_capacity(delta.statements.len()),
            errors: Vec::with_capacity(delta.errors.len()),
            services: Vec::new(),
        };
        for (at, kind, name) in &delta.transactions {
            ids.transactions.push(match service(*at) {
                Some(service) if are_names([kind, name]) => {
                    let group = TxGroup {
                        service,
                        kind,
                        name,
                    };
                    given(
                        NameKind::Transaction,
                        names.tx_groups.given(conn, now, &group)?,
                    )
                }
                _ => None,
            });
        }
        for (at, value) in &delta.results {
            ids.results.push(match service(*at) {
                Some(service) if are_names([value]) => {
                    let result = ResultValue { service, value };
                    given(NameKind::Result, names.results.given(conn, now, &result)?)
                }
                _ => None,
            });
        }
        for one in &delta.destinations {
            let delta::Destination {
                resource,
                target_type,
                target_name,
                span_type,
                span_subtype,
                ..
            } = one;
            let texts = [resource, target_type, target_name, span_type, span_subtype];
            ids.destinations.push(match service(one.service) {
                Some(service) if are_names(texts) => {
                    let destination = Destination {
                        service,
                        resource,
                        target_type,
                        target_name,
                        span_type,
                        span_subtype,
                    };
                    given(
                        NameKind::Destination,
                        names.destinations.given(conn, now, &destination)?,
                    )
                }
                _ => None,
            });
        }
        for one in &delta.statements {
            let texts = [&one.instance, &one.subtype, &one.verb, &one.table];
            ids.statements.push(match service(one.service) {
                Some(service) if are_names(texts) && one.normalized.len() <= LONGEST_STATEMENT => {
                    let fingerprint = Fingerprint {
                        // A delta carries no hash: one that does not fit its text would join two statements.
                        hash: xxh64(one.normalized.as_bytes(), 0),
                        normalized: one.normalized.clone(),
                        verb: one.verb.clone(),
                        table: one.table.clone(),
                    };
                    let statement = Statement {
                        service,
                        instance: &one.instance,
                        subtype: &one.subtype,
                        fingerprint: &fingerprint,
                        sample: &one.sample,
                        seen: one.seen.clamp(0, now.max(0)),
                    };
                    given(
                        NameKind::Statement,
                        names.statements.given(conn, now, &statement)?,
                    )
                }
                _ => None,
            });
        }
        for one in &delta.errors {
            ids.errors.push(match service(one.service) {
                Some(service) if are_names([&one.kind, &one.culprit]) => {
                    let group = ErrorGroup {
                        service,
                        grouping_key: one.key.cast_unsigned(),
                        kind: &one.kind,
                        message: &one.message,
                        culprit: &one.culprit,
                        handled: one.handled,
                        seen: one.seen.clamp(0, now.max(0)),
                    };
                    given(
                        NameKind::Error,
                        names.error_groups.given(conn, now, &group)?,
                    )
                }
                _ => None,
            });
        }
        ids.services = services;
        Ok(ids)
    }

    fn service_of(
        &mut self,
        conn: &mut SqliteConnection,
        one: &delta::Service,
        now: i64,
        beyond: &mut Beyond,
    ) -> Result<Option<Given>, StoreError> {
        let texts = [
            &one.name,
            &one.environment,
            &one.agent,
            &one.agent_version,
            &one.language,
            &one.version,
        ];
        if one.name.is_empty() || !are_names(texts) {
            return Ok(None);
        }
        let some = |text: &String| (!text.is_empty()).then(|| text.clone());
        let reporter = event::Resource {
            service_name: one.name.clone(),
            environment: some(&one.environment),
            service_version: some(&one.version),
            agent_name: one.agent.clone(),
            agent_version: one.agent_version.clone(),
            language: some(&one.language),
            client: None,
            document: String::new(),
        };
        let service = Service {
            name: &one.name,
            environment: &one.environment,
            reporter: &reporter,
        };
        let given = self.names().services.given(conn, now, &service)?;
        // Beyond the limit it is `_other`, which stands for many services and is described by none of them.
        match given.beyond {
            true => beyond.count(NameKind::Service),
            false => {
                service.refresh(given.id, conn)?;
            }
        }
        Ok(Some(given))
    }

    fn breakdown(&mut self, delta: &Delta, ids: &Ids, sum: &mut Sum, beyond: &mut Beyond) {
        for (at, bucket, span_type, subtype, count, time) in &delta.breakdown {
            // A row names a transaction group, and the limit of kinds of self time is one for each service.
            let service = delta
                .transactions
                .get(*at)
                .and_then(|group| ids.services.get(group.0)?.as_ref());
            let (Some(group), Some(service)) = (get(&ids.transactions, *at), service) else {
                sum.dropped += 1;
                continue;
            };
            if !sum.takes(*bucket, *count) || !are_names([span_type, subtype]) {
                continue;
            }
            let (mut span_type, mut subtype) = (span_type.as_str(), subtype.as_str());
            if !self.self_times().takes(service.id, (span_type, subtype)) {
                beyond.count(NameKind::SelfTime);
                (span_type, subtype) = (OTHER, "");
            }
            let key = BreakdownKey {
                tx_group: group,
                bucket: *bucket,
                span_type: span_type.to_owned(),
                subtype: subtype.to_owned(),
            };
            sum.rollup.add_breakdown(key, *count, *time);
        }
    }
}

fn are_names<'t>(texts: impl IntoIterator<Item = &'t String>) -> bool {
    texts.into_iter().all(|text| text.len() <= LONGEST)
}
