//! The panels of each runtime.

use super::{Wanted, WantedLine};

const fn line(name: &'static str, metrics: &'static [&'static str]) -> WantedLine {
    WantedLine {
        name,
        metrics,
        only: None,
        by: &[],
    }
}

const fn only(
    name: &'static str,
    metrics: &'static [&'static str],
    label: &'static str,
    value: &'static str,
) -> WantedLine {
    WantedLine {
        only: Some((label, value)),
        ..line(name, metrics)
    }
}

const fn by(
    name: &'static str,
    metrics: &'static [&'static str],
    by: &'static [&'static str],
) -> WantedLine {
    WantedLine {
        by,
        ..line(name, metrics)
    }
}

const fn panel(runtime: &'static str, title: &'static str, lines: &'static [WantedLine]) -> Wanted {
    Wanted {
        runtime,
        title,
        lines,
    }
}

/// All panels, in the order of the page.
pub(super) static PANELS: &[Wanted] = &[
    panel(
        "JVM",
        "Heap",
        &[
            only("used", &["jvm.memory.used"], "jvm.memory.type", "heap"),
            only(
                "committed",
                &["jvm.memory.committed"],
                "jvm.memory.type",
                "heap",
            ),
            only("limit", &["jvm.memory.limit"], "jvm.memory.type", "heap"),
            line("used", &["jvm.memory.heap.used"]),
            line("committed", &["jvm.memory.heap.committed"]),
            line("limit", &["jvm.memory.heap.max"]),
        ],
    ),
    panel(
        "JVM",
        "Memory pools in use",
        &[by(
            "used",
            &["jvm.memory.heap.pool.used", "jvm.memory.used"],
            &["name", "jvm.memory.pool.name", "pool"],
        )],
    ),
    panel(
        "JVM",
        "Time of garbage collection",
        &[by(
            "collections",
            &["jvm.gc.time"],
            &["name", "jvm.gc.name"],
        )],
    ),
    panel(
        "JVM",
        "Pause of a garbage collection",
        &[by("pause", &["jvm.gc.duration"], &["jvm.gc.name"])],
    ),
    panel(
        "JVM",
        "Threads",
        &[by("threads", &["jvm.thread.count"], &["jvm.thread.state"])],
    ),
    panel(
        "JVM",
        "Processors in use",
        &[line("used", &["jvm.cpu.time"])],
    ),
    panel(
        "Go",
        "Heap",
        &[
            by("memory", &["go.memory.used"], &["go.memory.type"]),
            line(
                "allocated",
                &[
                    "golang.heap.allocations.allocated",
                    "process.runtime.go.mem.heap_alloc",
                ],
            ),
            line(
                "from the system",
                &[
                    "golang.heap.system.obtained",
                    "process.runtime.go.mem.heap_sys",
                ],
            ),
            line(
                "idle",
                &[
                    "golang.heap.allocations.idle",
                    "process.runtime.go.mem.heap_idle",
                ],
            ),
        ],
    ),
    panel(
        "Go",
        "Goroutines",
        &[line(
            "goroutines",
            &[
                "go.goroutine.count",
                "golang.goroutines",
                "process.runtime.go.goroutines",
            ],
        )],
    ),
    panel(
        "Go",
        "Time of garbage collection",
        &[line(
            "pause",
            &[
                "golang.heap.gc.total_pause.ns",
                "process.runtime.go.gc.pause_total_ns",
            ],
        )],
    ),
    panel(
        "Go",
        "Allocated per second",
        &[line(
            "allocated",
            &["go.memory.allocated", "golang.heap.allocations.total"],
        )],
    ),
    panel(
        "Node.js",
        "Delay of the event loop",
        &[
            line("p99", &["nodejs.eventloop.delay.p99"]),
            line("p50", &["nodejs.eventloop.delay.p50"]),
            line(
                "mean",
                &[
                    "nodejs.eventloop.delay.mean",
                    "nodejs.eventloop.delay.avg.ms",
                ],
            ),
        ],
    ),
    panel(
        "Node.js",
        "Use of the event loop",
        &[line("busy", &["nodejs.eventloop.utilization"])],
    ),
    panel(
        "Node.js",
        "Heap",
        &[
            line(
                "used",
                &["v8js.memory.heap.used", "nodejs.memory.heap.used.bytes"],
            ),
            line(
                "limit",
                &[
                    "v8js.memory.heap.limit",
                    "nodejs.memory.heap.allocated.bytes",
                ],
            ),
            line("external", &["nodejs.memory.external.bytes"]),
        ],
    ),
    panel(
        "Node.js",
        "Pause of a garbage collection",
        &[by("pause", &["v8js.gc.duration"], &["v8js.gc.type"])],
    ),
    panel(
        "Node.js",
        "Handles and requests",
        &[
            line("handles", &["nodejs.handles.active"]),
            line("requests", &["nodejs.requests.active"]),
        ],
    ),
    panel(
        "Python",
        "Garbage collections per second",
        &[by(
            "collections",
            &["cpython.gc.collections", "process.runtime.cpython.gc_count"],
            &["generation", "cpython.gc.generation", "count"],
        )],
    ),
    panel(
        "Python",
        "Memory",
        &[by("memory", &["process.runtime.cpython.memory"], &["type"])],
    ),
    panel(
        "Python",
        "Threads",
        &[line(
            "threads",
            &[
                "process.runtime.cpython.thread_count",
                "process.thread.count",
            ],
        )],
    ),
    panel(
        ".NET",
        "Heap by generation",
        &[
            by(
                "heap",
                &["dotnet.gc.last_collection.heap.size"],
                &["gc.heap.generation", "dotnet.gc.heap.generation"],
            ),
            line("gen 0", &["clr.gc.gen0size"]),
            line("gen 1", &["clr.gc.gen1size"]),
            line("gen 2", &["clr.gc.gen2size"]),
            line("large objects", &["clr.gc.gen3size"]),
        ],
    ),
    panel(
        ".NET",
        "Time of garbage collection",
        &[line("pause", &["dotnet.gc.pause.time", "clr.gc.time"])],
    ),
    panel(
        ".NET",
        "Threads of the pool",
        &[line(
            "threads",
            &[
                "dotnet.thread_pool.thread.count",
                "process.runtime.dotnet.thread_pool.threads.count",
            ],
        )],
    ),
    panel(
        ".NET",
        "Exceptions per second",
        &[line(
            "exceptions",
            &[
                "dotnet.exceptions",
                "process.runtime.dotnet.exceptions.count",
            ],
        )],
    ),
    panel(
        "Tokio",
        "Tasks",
        &[
            line("alive", &["tokio.tasks.alive"]),
            line("waiting", &["tokio.tasks.queued"]),
            line("workers", &["tokio.workers"]),
        ],
    ),
    panel(
        "Tokio",
        "Workers that are busy",
        &[line("busy", &["tokio.workers.busy.ns"])],
    ),
    panel(
        "Container",
        "Memory",
        &[
            line(
                "used",
                &[
                    "container.memory.usage",
                    "system.process.cgroup.memory.mem.usage.bytes",
                ],
            ),
            line(
                "limit",
                &[
                    "container.memory.limit",
                    "system.process.cgroup.memory.mem.limit.bytes",
                ],
            ),
        ],
    ),
    panel(
        "Container",
        "Processors in use",
        &[line(
            "used",
            &[
                "container.cpu.time",
                "system.process.cgroup.cpuacct.total.ns",
                "container.cpu.usage",
            ],
        )],
    ),
    panel(
        "Container",
        "Throttled periods per second",
        &[line(
            "throttled",
            &["system.process.cgroup.cpu.stats.throttled.periods"],
        )],
    ),
    panel(
        "Process",
        "Memory of the process",
        &[
            line(
                "resident",
                &[
                    "process.memory.usage",
                    "system.process.memory.rss.bytes",
                    "dotnet.process.memory.working_set",
                ],
            ),
            line(
                "virtual",
                &["process.memory.virtual", "system.process.memory.size"],
            ),
        ],
    ),
    panel(
        "Process",
        "Use of the processors",
        &[by(
            "used",
            &["process.cpu.utilization"],
            &["cpu.mode", "type", "state"],
        )],
    ),
    panel(
        "Process",
        "Processors in use",
        &[by(
            "used",
            &["process.cpu.time"],
            &["cpu.mode", "type", "state"],
        )],
    ),
];
