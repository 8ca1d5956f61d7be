//! Instances of other servers, and the versions in which errors occurred there.

use diesel::SqliteConnection;

use super::super::delta::Delta;
use super::super::error_versions::{ErrorVersion, LONGEST_VERSION};
use super::super::sum::{BINS, Ids, Sum, get, is_number, is_sum};
use super::are_names;
use crate::apply::Memory;
use crate::dictionary::Instance;
use crate::error::StoreError;
use crate::limits::{Beyond, NameKind};
use crate::rollup::{InstanceBinKey, InstanceCell, InstanceKey, LEVELS, bucket};

impl Memory {
    /// The instances of a delta, in its order; none of those that cannot be.
    pub(super) fn instances(
        &mut self,
        conn: &mut SqliteConnection,
        (delta, ids): (&Delta, &Ids),
        now: i64,
        beyond: &mut Beyond,
    ) -> Result<Vec<Option<i64>>, StoreError> {
        let names = self.names();
        let mut found = Vec::with_capacity(delta.instances.len());
        for one in &delta.instances {
            let service = get(&ids.services, one.service);
            let texts = [&one.node, &one.version, &one.host, &one.pod, &one.runtime];
            let Some(service) = service.filter(|_| are_names(texts)) else {
                found.push(None);
                continue;
            };
            let instance = Instance {
                service: service.id,
                node: &one.node,
                version: &one.version,
                host: &one.host,
                pod: &one.pod,
                runtime: &one.runtime,
            };
            let given = names.instances.given(conn, now, &instance)?;
            if given.beyond {
                beyond.count(NameKind::Instance);
            }
            // `_other` is taken as well: its counts are a part of the service.
            found.push(Some(given.id));
        }
        Ok(found)
    }
}

impl Sum {
    pub(super) fn instances(&mut self, delta: &Delta, instances: &[Option<i64>]) {
        for (at, bucket, sums, used) in &delta.instance {
            // A later version may send more behind what is known here.
            let known = sums.first_chunk::<{ InstanceCell::SUMS }>();
            let are_ends = used.is_none_or(|(min, max)| is_sum(min) && is_sum(max) && min <= max);
            let known = known.filter(|sums| are_ends && sums.iter().all(|sum| is_sum(*sum)));
            let longest = sums.get(InstanceCell::SUMS).copied();
            let longest = longest.filter(|us| is_sum(*us)).map(|us| us as i64);
            // Sums that cannot be are NaN here, which `takes` refuses and counts as dropped.
            let count = known.map_or(f64::NAN, |sums| sums[0]);
            if let Some(instance) = self.id(instances, *at, *bucket, count)
                && let Some(sums) = known
            {
                let key = InstanceKey {
                    instance,
                    bucket: *bucket,
                };
                let cell = InstanceCell {
                    sums: *sums,
                    used: *used,
                    longest,
                };
                self.rollup.instances.put_cell(key, &cell);
            }
        }
        for (at, bucket, bin, count) in &delta.instance_bins {
            let count = if (0..BINS).contains(bin) {
                *count
            } else {
                f64::NAN
            };
            if let Some(instance) = self.id(instances, *at, *bucket, count) {
                let key = InstanceBinKey {
                    instance,
                    bucket: *bucket,
                    bin: *bin,
                };
                self.rollup.instances.put_bin(key, count);
            }
        }
    }

    /// The versions in which errors occurred.
    pub(super) fn error_versions(&mut self, delta: &Delta, ids: &Ids) -> Vec<ErrorVersion> {
        let mut found = Vec::with_capacity(delta.error_versions.len());
        for (at, version, first, last, occurrences) in &delta.error_versions {
            let is_whole =
                first <= last && is_number(*occurrences) && version.len() <= LONGEST_VERSION;
            // An impossible count is NaN here, which `takes` refuses and counts as dropped.
            let count = if is_whole {
                *occurrences as f64
            } else {
                f64::NAN
            };
            // The first occurrence may be older than what is kept here: it tells in which version an error is new.
            if let Some(group) = self.id(&ids.errors, *at, bucket(*last, LEVELS[0]), count) {
                found.push(ErrorVersion {
                    group,
                    version: version.clone(),
                    first: *first,
                    last: *last,
                    occurrences: *occurrences,
                });
            }
        }
        found
    }
}
