//! Metrics of Elastic's agents that count since the process began, of which the agents do not say that.

/// Sorted.
const COUNTERS: &[&str] = &[
    "clr.gc.count",
    "clr.gc.time",
    "golang.heap.allocations.frees",
    "golang.heap.allocations.mallocs",
    "golang.heap.allocations.total",
    "golang.heap.gc.total_count",
    "golang.heap.gc.total_pause.ns",
    "jvm.gc.alloc",
    "jvm.gc.count",
    "jvm.gc.time",
    "ruby.gc.count",
    "ruby.gc.time",
    "ruby.heap.allocations.total",
    "system.process.cgroup.cpu.stats.periods",
    "system.process.cgroup.cpu.stats.throttled.ns",
    "system.process.cgroup.cpu.stats.throttled.periods",
    "system.process.cgroup.cpuacct.total.ns",
];

/// Whether a metric of this name counts.
pub(super) fn is_counter(name: &str) -> bool {
    COUNTERS.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_and_a_size_is_no_counter() {
        assert!(COUNTERS.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(is_counter("jvm.gc.time") && !is_counter("jvm.memory.heap.used"));
    }
}
