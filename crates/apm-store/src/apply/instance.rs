//! Instances: what each of those that run a service did, for servers that share their counts.
//!
//! A server of its own reads that from the events.

use super::{Pass, Sender};
use crate::dictionary::Instance;
use crate::document;
use crate::error::StoreError;
use crate::event::{Metricset, ServiceOverride};
use crate::limits::NameKind;
use crate::rollup::{Gauge, Observation};

/// The value by which Linux says that a cgroup has no limit.
const NO_LIMIT: f64 = 9_223_372_036_854_771_712.0;

/// Samples of a metricset that tell of its process and machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Gauges {
    cpu: Option<f64>,
    machine: Option<f64>,
    memory: Option<f64>,
    total: Option<f64>,
    free: Option<f64>,
    usage: Option<f64>,
    limit: Option<f64>,
}

impl Gauges {
    fn place(&mut self, metric: &str) -> Option<&mut Option<f64>> {
        Some(match metric {
            "system.process.cpu.total.norm.pct" => &mut self.cpu,
            "system.cpu.total.norm.pct" => &mut self.machine,
            "system.process.memory.rss.bytes" => &mut self.memory,
            "system.memory.total" => &mut self.total,
            "system.memory.actual.free" => &mut self.free,
            "system.process.cgroup.memory.mem.usage.bytes" => &mut self.usage,
            "system.process.cgroup.memory.mem.limit.bytes" => &mut self.limit,
            _ => return None,
        })
    }

    /// The share of memory in use, 0 to 1: of the cgroup's limit where there is a cgroup, of the machine's otherwise.
    fn used(&self) -> Option<f64> {
        let total = self.total.filter(|total| *total > 0.0)?;
        let limit = self.limit.filter(|limit| *limit > 0.0 && *limit < NO_LIMIT);
        match (self.usage, self.free) {
            (Some(usage), _) => Some(usage / limit.unwrap_or(total)),
            (None, Some(free)) => Some(1.0 - free / total),
            (None, None) => None,
        }
    }
}

impl<'a> Pass<'_, 'a> {
    /// Counts a transaction for the instance that sent it.
    pub(super) fn instance_did(
        &mut self,
        sender: Sender<'a>,
        (service, named): (i64, ServiceOverride),
        seen: Observation,
    ) -> Result<(), StoreError> {
        if self.memory.shares_counts {
            let instance = self.instance(sender, service, named)?;
            self.rollup.instances.add(instance, seen);
        }
        Ok(())
    }

    /// Counts the samples of a metricset that tell of the instance that sent it.
    pub(super) fn instance_has(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        event: &Metricset,
    ) -> Result<(), StoreError> {
        if !self.memory.shares_counts {
            return Ok(());
        }
        let batch = sender.batch;
        // Parts of one metricset belong together: memory in use is made of two of them.
        let mut found = Gauges::default();
        for sample in &batch.samples[event.samples.start as usize..event.samples.end as usize] {
            if let Some(place) = found.place(batch.text(sample.name)) {
                *place = sample.number();
            }
        }
        let gauges = [
            (Gauge::Cpu, found.cpu),
            (Gauge::Machine, found.machine),
            (Gauge::Memory, found.memory),
            (Gauge::Used, found.used()),
        ];
        if gauges.iter().all(|(_, value)| value.is_none()) {
            return Ok(());
        }
        let instance = self.instance(sender, service, event.service)?;
        for (gauge, value) in gauges {
            if let Some(value) = value {
                self.rollup
                    .instances
                    .gauge(instance, event.timestamp, gauge, value);
            }
        }
        Ok(())
    }

    /// The id of the instance that sent an event of a service.
    fn instance(
        &mut self,
        sender: Sender<'a>,
        service: i64,
        named: ServiceOverride,
    ) -> Result<i64, StoreError> {
        let received = sender.received;
        let names = &mut self.memory.names;
        // Describing an instance takes parsing its metadata, so it is done once for each sender and service, and for
        // events that name that service themselves.
        let known = names.instances_sent.remembered(received, |key| {
            key.number(service)
                .number(sender.resource)
                .number(named.name.is_some().into());
        });
        let given = match known {
            Some(given) => given,
            None => {
                let found = document::instance(&sender.batch.resource.document);
                // A name of the event's own makes the metadata's version that of another service.
                let version = match named.name {
                    Some(_) => "",
                    None => &found.version,
                };
                let instance = Instance {
                    service,
                    node: &found.node,
                    version,
                    host: &found.host,
                    pod: &found.pod,
                    runtime: &found.runtime,
                };
                let given = names.instances.given(self.conn, received, &instance)?;
                // The key is the one that `remembered` was asked for above.
                names.instances_sent.keep(received, given);
                given
            }
        };
        if given.beyond {
            self.beyond.count(NameKind::Instance);
        }
        Ok(given.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_in_use_is_that_of_the_cgroup_where_there_is_one() {
        let machine = Gauges {
            total: Some(1000.0),
            free: Some(250.0),
            ..Gauges::default()
        };
        assert_eq!(machine.used(), Some(0.75));
        for (limit, wanted) in [
            (Some(200.0), 0.5),
            (None, 0.1),
            (Some(NO_LIMIT), 0.1),
            (Some(0.0), 0.1),
        ] {
            let cgroup = Gauges {
                usage: Some(100.0),
                limit,
                ..machine
            };
            assert_eq!(cgroup.used(), Some(wanted), "{limit:?}");
        }
        let none = Gauges {
            total: Some(0.0),
            ..machine
        };
        assert_eq!(none.used(), None);
    }
}
