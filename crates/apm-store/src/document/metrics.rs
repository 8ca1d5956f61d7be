//! The metrics that agents send of themselves and of their runtime, rather than for a user.

/// Exact names, sorted: a name beside them is a user's, whatever it begins with.
const KNOWN: &[&str] = &[
    "agent.background.cpu.overhead.pct",
    "agent.background.cpu.total.pct",
    "agent.background.memory.allocation.bytes",
    "agent.events.dropped",
    "agent.events.queue.max_size.pct",
    "agent.events.queue.min_size.pct",
    "agent.events.requests.bytes",
    "agent.events.requests.count",
    "agent.events.total",
    "clr.gc.count",
    "clr.gc.gen0size",
    "clr.gc.gen1size",
    "clr.gc.gen2size",
    "clr.gc.gen3size",
    "clr.gc.time",
    "faas.billed_duration",
    "faas.coldstart_duration",
    "faas.duration",
    "faas.timeout",
    "golang.goroutines",
    "golang.heap.allocations.active",
    "golang.heap.allocations.allocated",
    "golang.heap.allocations.frees",
    "golang.heap.allocations.idle",
    "golang.heap.allocations.mallocs",
    "golang.heap.allocations.objects",
    "golang.heap.allocations.total",
    "golang.heap.gc.cpu_fraction",
    "golang.heap.gc.next_gc_limit",
    "golang.heap.gc.total_count",
    "golang.heap.gc.total_pause.ns",
    "golang.heap.system.obtained",
    "golang.heap.system.released",
    "golang.heap.system.stack",
    "golang.heap.system.total",
    "jvm.fd.max",
    "jvm.fd.used",
    "jvm.gc.alloc",
    "jvm.gc.count",
    "jvm.gc.time",
    "jvm.memory.heap.committed",
    "jvm.memory.heap.max",
    "jvm.memory.heap.pool.committed",
    "jvm.memory.heap.pool.max",
    "jvm.memory.heap.pool.used",
    "jvm.memory.heap.used",
    "jvm.memory.non_heap.committed",
    "jvm.memory.non_heap.max",
    "jvm.memory.non_heap.pool.committed",
    "jvm.memory.non_heap.pool.max",
    "jvm.memory.non_heap.pool.used",
    "jvm.memory.non_heap.used",
    "jvm.thread.count",
    "nodejs.eventloop.delay.avg.ms",
    "nodejs.handles.active",
    "nodejs.memory.arrayBuffers.bytes",
    "nodejs.memory.external.bytes",
    "nodejs.memory.heap.allocated.bytes",
    "nodejs.memory.heap.used.bytes",
    "nodejs.requests.active",
    "ruby.gc.count",
    "ruby.gc.time",
    "ruby.heap.allocations.total",
    "ruby.heap.slots.free",
    "ruby.heap.slots.live",
    "ruby.threads",
    "system.cpu.total.norm.pct",
    "system.memory.actual.free",
    "system.memory.total",
    "system.process.cgroup.cpu.cfs.period.us",
    "system.process.cgroup.cpu.cfs.quota.us",
    "system.process.cgroup.cpu.stats.periods",
    "system.process.cgroup.cpu.stats.throttled.ns",
    "system.process.cgroup.cpu.stats.throttled.periods",
    "system.process.cgroup.cpuacct.total.ns",
    "system.process.cgroup.memory.mem.limit.bytes",
    "system.process.cgroup.memory.mem.usage.bytes",
    "system.process.cgroup.memory.stats.inactive_file.bytes",
    "system.process.cpu.system.norm.pct",
    "system.process.cpu.total.norm.pct",
    "system.process.cpu.user.norm.pct",
    "system.process.memory.rss.bytes",
    "system.process.memory.size",
];

/// Whether a metric is one that agents send of themselves.
pub(super) fn is_known(name: &str) -> bool {
    KNOWN.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_holds_no_name_twice() {
        assert!(KNOWN.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn only_exact_names_are_known() {
        for name in KNOWN {
            assert!(
                is_known(name) && !is_known(&format!("{name}.mine")),
                "{name}"
            );
        }
        for name in [
            "golang.custom.mine",
            "jvm.mine",
            "jvm",
            "system.process.cgroup.cpu.id",
        ] {
            assert!(!is_known(name), "{name}");
        }
    }
}
