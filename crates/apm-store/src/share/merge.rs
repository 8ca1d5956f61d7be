//! Makes counts of a delta: names get the ids that they have here, within the limits that hold for agents.

use diesel::SqliteConnection;
use xxhash_rust::xxh64::xxh64;

use super::callers;
use super::delta::{self, Delta};
use crate::apply::{Counted, Memory, Unresolved};
use crate::dictionary::{Destination, ErrorGroup, Given, ResultValue, Service, Statement, TxGroup};
use crate::error::StoreError;
use crate::event;
use crate::id::StoredId;
use crate::limits::{Beyond, NameKind, OTHER};
use crate::rollup::{
    BinKey, BreakdownKey, CallKey, Cell, CellKey, CostBinKey, CostCell, CostKey, Rollup, Series,
    VitalKey,
};
use sql_lexer::Fingerprint;

/// Counts and sums that are believed.
const MOST: f64 = 1e18;

/// Bins that there are: see [`crate::rollup::bin`].
const BINS: i32 = 2300;

/// The longest name, bytes: agents' keywords have 1024 characters.
const LONGEST: usize = 4096;

/// The longest text of a statement, bytes.
const LONGEST_STATEMENT: usize = 128 << 10;

/// Minutes that are taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The first one, seconds since the epoch.
    pub(crate) oldest: i64,
    /// The last one.
    pub(crate) newest: i64,
}

/// A delta, with ids of here.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) counted: Counted,
    pub(crate) callers: Vec<callers::Caller>,
    /// Rows that are not among them.
    pub(crate) dropped: u64,
}

/// Ids in the order of the lists of a delta; none of those that cannot be.
struct Ids {
    services: Vec<Option<Given>>,
    transactions: Vec<Option<i64>>,
    results: Vec<Option<i64>>,
    destinations: Vec<Option<i64>>,
    statements: Vec<Option<i64>>,
    errors: Vec<Option<i64>>,
}

impl Merged {
    /// Adds another one.
    pub(crate) fn add(&mut self, other: Self) {
        self.counted.rollup.absorb(&other.counted.rollup);
        self.counted.beyond.add(&other.counted.beyond);
        self.callers.extend(other.callers);
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
        let mut sum = Sum {
            rollup: Rollup::default(),
            bounds,
            dropped: 0,
        };
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
        let callers = sum.callers(delta, &ids);
        Ok(Merged {
            counted: Counted {
                rollup: sum.rollup,
                received: now,
                beyond,
                wrong_times: 0,
                unresolved: Unresolved::default(),
            },
            callers,
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
                        seen: one.seen.min(now),
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
                        seen: one.seen.min(now),
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

/// Counts that are added up.
struct Sum {
    rollup: Rollup,
    bounds: Bounds,
    dropped: u64,
}

impl Sum {
    /// Whether a row is of a minute that is taken, and its count can be. One that is not is counted.
    fn takes(&mut self, bucket: i64, count: f64) -> bool {
        let Bounds { oldest, newest } = self.bounds;
        let takes =
            bucket.rem_euclid(60) == 0 && (oldest..=newest).contains(&bucket) && is_sum(count);
        self.dropped += u64::from(!takes);
        takes
    }

    /// The id of a name, for a row that is taken.
    fn id(&mut self, ids: &[Option<i64>], at: usize, bucket: i64, count: f64) -> Option<i64> {
        let id = get(ids, at);
        if id.is_none() {
            self.dropped += 1;
            return None;
        }
        self.takes(bucket, count).then_some(id).flatten()
    }

    fn series(
        &mut self,
        ids: &[Option<i64>],
        results: &[Option<i64>],
        (cells, bins): (&[delta::Cell], &[delta::Bin]),
        series: impl Fn(&mut Rollup) -> &mut Series,
    ) {
        for (at, bucket, result, outcome, count, n, sum, max) in cells {
            let Some(id) = self.id(ids, *at, *bucket, *count) else {
                continue;
            };
            let result = match result {
                0 => 0,
                place => get(results, place - 1).unwrap_or_default(),
            };
            if !(0..=2).contains(outcome) || *n < 0 || *max < 0 || !is_sum(*sum) {
                self.dropped += 1;
                continue;
            }
            let key = CellKey {
                id,
                bucket: *bucket,
                result,
                outcome: *outcome,
            };
            let cell = Cell {
                count: *count,
                n: *n,
                sum: *sum,
                max: *max,
            };
            series(&mut self.rollup).put_cell(key, &cell);
        }
        for (at, bucket, outcome, bin, count) in bins {
            let Some(id) = self.id(ids, *at, *bucket, *count) else {
                continue;
            };
            if !(0..=2).contains(outcome) || !(0..BINS).contains(bin) {
                self.dropped += 1;
                continue;
            }
            let key = BinKey {
                id,
                bucket: *bucket,
                outcome: *outcome,
                bin: *bin,
            };
            series(&mut self.rollup).put_bin(key, *count);
        }
    }

    fn others(&mut self, delta: &Delta, ids: &Ids) {
        for (at, bucket, steps_max, sums) in &delta.cost {
            let sums: Option<[f64; CostCell::SUMS]> = sums.as_slice().try_into().ok();
            let sums = sums.filter(|sums| sums.iter().all(|sum| is_sum(*sum)));
            let measured = sums.map_or(f64::NAN, |sums| sums[0]);
            if let Some(statement) = self.id(&ids.statements, *at, *bucket, measured)
                && let Some(sums) = sums
            {
                let key = CostKey {
                    statement,
                    bucket: *bucket,
                };
                let cell = CostCell::from_sums((*steps_max).max(0), sums);
                self.rollup.cost.put_cell(key, &cell);
            }
        }
        for (at, bucket, bin, count) in &delta.cost_bins {
            if let Some(statement) = self.id(&ids.statements, *at, *bucket, *count) {
                let key = CostBinKey {
                    statement,
                    bucket: *bucket,
                    bin: (*bin).clamp(0, BINS),
                };
                self.rollup.cost.put_bin(key, *count);
            }
        }
        for (at, callee, bucket, outcome, count, n, sum, max) in &delta.calls {
            let Some(destination) = self.id(&ids.destinations, *at, *bucket, *count) else {
                continue;
            };
            let callee = ids.services.get(*callee).copied().flatten();
            let Some(callee) = callee.filter(|_| (0..=2).contains(outcome) && is_sum(*sum)) else {
                self.dropped += 1;
                continue;
            };
            let key = CallKey {
                destination,
                bucket: *bucket,
                callee: callee.id,
                outcome: *outcome,
            };
            let cell = Cell {
                count: *count,
                n: (*n).max(0),
                sum: *sum,
                max: (*max).max(0),
            };
            self.rollup.calls.put(key, &cell);
        }
        for (at, bucket, vital, rating, bin, count) in &delta.vitals {
            let is_vital =
                (1..=7).contains(vital) && (0..=2).contains(rating) && (0..BINS).contains(bin);
            if let Some(group) = self.id(&ids.transactions, *at, *bucket, *count)
                && is_vital
            {
                let key = VitalKey {
                    group,
                    bucket: *bucket,
                    vital: *vital,
                    rating: *rating,
                    bin: *bin,
                };
                self.rollup.vitals.put(key, *count);
            }
        }
        for (at, bucket, n) in &delta.error {
            if let Some(group) = self.id(&ids.errors, *at, *bucket, *n as f64) {
                self.rollup.put_errors(group, *bucket, *n);
            }
        }
    }

    fn callers(&mut self, delta: &Delta, ids: &Ids) -> Vec<callers::Caller> {
        let mut callers = Vec::with_capacity(delta.callers.len());
        for one in &delta.callers {
            let [calls, most, sum, tx_sum, looped] = one.sums;
            let Some(group) = self.id(&ids.transactions, one.transaction, one.minute, calls) else {
                continue;
            };
            let statement = match one.statement {
                0 => Some(0),
                place => get(&ids.statements, place - 1),
            };
            let are_sums = [most, sum, tx_sum, looped].into_iter().all(is_sum);
            let is_whole =
                are_sums && one.requests > 0 && one.follows >= 0 && one.trace.len() <= LONGEST;
            let Some(statement) = statement.filter(|_| is_whole) else {
                self.dropped += 1;
                continue;
            };
            callers.push(callers::Caller {
                bucket: one.minute,
                group,
                statement,
                requests: one.requests,
                calls,
                most,
                sum,
                tx_sum,
                follows: one.follows,
                looped,
                trace: StoredId::from(one.trace.as_str()),
            });
        }
        callers
    }
}

fn get(ids: &[Option<i64>], at: usize) -> Option<i64> {
    ids.get(at).copied().flatten()
}

/// Whether a weighted count or a sum can be one.
fn is_sum(sum: f64) -> bool {
    (0.0..=MOST).contains(&sum)
}

fn are_names<'t>(texts: impl IntoIterator<Item = &'t String>) -> bool {
    texts.into_iter().all(|text| text.len() <= LONGEST)
}
