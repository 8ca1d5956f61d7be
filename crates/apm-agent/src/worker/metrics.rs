//! Metrics: what the host, the process, the agent and the service's own gauges and counters say, once per interval.
//!
//! Everything is read and encoded on the agent's thread. Counters and breakdown sums are sent as what was added since
//! the last report, and zeros are left out; a report that is lost is lost, it is not repeated.

mod cgroup;
mod health;
mod host;
mod process;
mod registry;
mod runtime;
mod wire;

use crate::config::Settings;

pub(crate) use health::Health;
pub use registry::{Counter, Gauge, Metrics};
pub(crate) use wire::{Metricset, SpanGroup, TransactionGroup};

use cgroup::Cgroup;
use host::CpuTimes;

/// Reads the system's figures; remembers the CPU times of the last report.
#[derive(Debug)]
pub(crate) struct SystemMetrics {
    cgroup: Option<Cgroup>,
    last: Option<Cpu>,
}

#[derive(Clone, Copy, Debug)]
struct Cpu {
    system: CpuTimes,
    process_ticks: u64,
}

impl SystemMetrics {
    /// Takes the baseline for the first report.
    pub(crate) fn new() -> Self {
        Self {
            cgroup: Cgroup::discover(),
            last: Cpu::now(),
        }
    }

    /// One metric set with everything that this platform knows; `None` where it knows nothing.
    pub(crate) fn report(&mut self, timestamp: u64, disabled: &Settings) -> Option<Metricset> {
        let mut set = Metricset::new(timestamp);
        let now = Cpu::now();
        if let (Some(before), Some(now)) = (self.last, now) {
            let total = now.system.total.saturating_sub(before.system.total);
            // A share is never outside of 0 to 1, even if the kernel's counters step back, as they do for iowait.
            let share = |part: u64| (part as f64 / total as f64).clamp(0.0, 1.0);
            if total > 0 {
                let busy = now.system.busy.saturating_sub(before.system.busy);
                let ours = now.process_ticks.saturating_sub(before.process_ticks);
                set.gauge("system.cpu.total.norm.pct", share(busy));
                set.gauge("system.process.cpu.total.norm.pct", share(ours));
            }
        }
        self.last = now;
        if let Some(memory) = host::Memory::now() {
            set.gauge("system.memory.total", memory.total as f64);
            set.gauge("system.memory.actual.free", memory.available as f64);
        }
        if let Some(memory) = process::Memory::now() {
            set.gauge("system.process.memory.size", memory.virtual_size as f64);
            set.gauge("system.process.memory.rss.bytes", memory.resident as f64);
        }
        if let Some(memory) = self.cgroup.as_ref().and_then(Cgroup::memory) {
            set.gauge(
                "system.process.cgroup.memory.mem.usage.bytes",
                memory.usage as f64,
            );
            if let Some(limit) = memory.limit {
                set.gauge("system.process.cgroup.memory.mem.limit.bytes", limit as f64);
            }
        }
        set.without(&disabled.disable_metrics)
    }
}

impl Cpu {
    fn now() -> Option<Self> {
        Some(Self {
            system: CpuTimes::now()?,
            process_ticks: process::cpu_ticks()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::Value;

    use super::*;
    use crate::config::{Config, LocalSources};

    fn samples(set: &Metricset) -> serde_json::Map<String, Value> {
        let line: Value = serde_json::from_slice(&set.line()).unwrap();
        line["metricset"]["samples"].as_object().unwrap().clone()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_host_and_this_process_are_measured() {
        let (config, _) = Config::resolve(LocalSources::default());
        let mut metrics = SystemMetrics::new();
        let deadline = Instant::now() + Duration::from_secs(20);
        // The kernel counts in hundredths of a second: work until it has counted some of ours.
        let samples = loop {
            let mut work = 0_u64;
            (0..2_000_000_u64).for_each(|step| work = work.wrapping_mul(31).wrapping_add(step));
            std::hint::black_box(work);
            let samples = samples(&metrics.report(7, &config.load()).unwrap());
            let ours = samples
                .get("system.process.cpu.total.norm.pct")
                .and_then(|sample| sample["value"].as_f64());
            if ours.is_some_and(|share| share > 0.0) {
                break samples;
            }
            assert!(
                Instant::now() < deadline,
                "no CPU time was counted: {samples:?}"
            );
        };
        let value = |name: &str| samples[name]["value"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&value("system.cpu.total.norm.pct")));
        assert!((0.0..=1.0).contains(&value("system.process.cpu.total.norm.pct")));
        assert!(value("system.memory.total") >= value("system.memory.actual.free"));
        assert!(value("system.process.memory.size") >= value("system.process.memory.rss.bytes"));
        assert!(value("system.process.memory.rss.bytes") > 100_000.0);
    }

    #[test]
    fn disabled_metrics_are_left_out() {
        let code = vec![("disable_metrics".to_owned(), "system.*".to_owned())];
        let (config, _) = Config::resolve(LocalSources {
            code,
            ..LocalSources::default()
        });
        assert!(SystemMetrics::new().report(7, &config.load()).is_none());
    }
}
