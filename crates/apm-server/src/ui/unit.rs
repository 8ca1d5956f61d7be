//! Units of metrics, from what was sent with them and from their names.

use super::chart::axis::Measure;

/// The unit of a metric: what its values are, and how many of the measure's own unit one of it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Unit {
    pub(crate) measure: Measure,
    factor: f64,
    /// Words behind the title of a chart: `per second`, or nothing.
    pub(crate) note: &'static str,
}

const DURATIONS: [(&[&str], f64); 7] = [
    (&["ns", "nanos", "nanoseconds"], 1e-3),
    (&["us", "µs", "micros", "microseconds"], 1.0),
    (&["ms", "millis", "milliseconds"], 1e3),
    (&["s", "seconds"], 1e6),
    (&["min", "m", "minutes"], 60e6),
    (&["h", "hours"], 3_600e6),
    (&["d", "days"], 86_400e6),
];

const BYTES: [(&[&str], f64); 8] = [
    (&["By", "byte", "bytes", "B"], 1.0),
    (&["KiBy", "kibibytes"], 1_024.0),
    (&["MiBy", "mebibytes"], 1_048_576.0),
    (&["GiBy", "gibibytes"], 1_073_741_824.0),
    (&["kBy", "kilobytes"], 1e3),
    (&["MBy", "megabytes"], 1e6),
    (&["GBy", "gigabytes"], 1e9),
    (&["bit"], 0.125),
];

/// Metrics of Elastic's agents whose names do not tell their unit.
const KNOWN: [(&str, &str); 14] = [
    ("clr.gc.gen", "By"),
    ("clr.gc.time", "ms"),
    ("golang.heap.allocations.active", "By"),
    ("golang.heap.allocations.allocated", "By"),
    ("golang.heap.allocations.idle", "By"),
    ("golang.heap.allocations.total", "By"),
    ("golang.heap.gc.next_gc_limit", "By"),
    ("golang.heap.gc.cpu_fraction", "percent"),
    ("golang.heap.system.", "By"),
    ("jvm.gc.alloc", "By"),
    ("jvm.gc.time", "ms"),
    ("jvm.memory.", "By"),
    ("ruby.gc.time", "s"),
    ("system.process.memory.size", "By"),
];

impl Unit {
    /// The unit of a metric. `sent`: its unit as it was sent. `is_rate`: its values are what was added in a second.
    pub(crate) fn of(name: &str, sent: &str, is_rate: bool) -> Self {
        let (measure, factor) = of_sent(sent)
            .or_else(|| of_name(name))
            .unwrap_or((Measure::Plain, 1.0));
        match (measure, is_rate) {
            // A second of time in each second: a share, or processors in use.
            (Measure::Duration, true) => Self {
                measure: Measure::Share,
                factor: factor / 1e6,
                note: "share of time",
            },
            _ => Self {
                measure,
                factor,
                note: if is_rate { "per second" } else { "" },
            },
        }
    }

    /// A value in the measure's own unit.
    pub(crate) fn scaled(self, value: f64) -> f64 {
        value * self.factor
    }

    /// The same of the values of a line.
    pub(crate) fn scaled_all(self, values: &[Option<f64>]) -> Vec<Option<f64>> {
        values
            .iter()
            .map(|value| value.map(|value| self.scaled(value)))
            .collect()
    }

    /// A value with its unit.
    pub(crate) fn write(self, value: f64) -> String {
        self.measure.write(self.scaled(value))
    }
}

fn of_sent(sent: &str) -> Option<(Measure, f64)> {
    let find = |table: &[(&[&str], f64)]| {
        let found = table.iter().find(|(names, _)| names.contains(&sent));
        found.map(|(_, factor)| *factor)
    };
    match sent {
        "%" => Some((Measure::Share, 0.01)),
        // Elastic's agents send shares of 1 so.
        "percent" => Some((Measure::Share, 1.0)),
        _ => find(&DURATIONS)
            .map(|factor| (Measure::Duration, factor))
            .or_else(|| find(&BYTES).map(|factor| (Measure::Bytes, factor))),
    }
}

fn of_name(name: &str) -> Option<(Measure, f64)> {
    // A gauge of the machine that is a share of its memory.
    if name == "memory" {
        return Some((Measure::Share, 1.0));
    }
    let known = KNOWN.iter().find(|(start, _)| name.starts_with(start));
    if let Some((_, unit)) = known {
        return of_sent(unit);
    }
    let last = name.rsplit(['.', '_']).next().unwrap_or(name);
    match last {
        "pct" | "ratio" | "utilization" => Some((Measure::Share, 1.0)),
        "percent" => Some((Measure::Share, 0.01)),
        "rss" => Some((Measure::Bytes, 1.0)),
        // Counters of Prometheus end in `total`: what is before it tells the unit.
        "total" | "sum" if name.len() > last.len() => {
            of_name(&name[..name.len() - last.len() - 1]).or_else(|| of_memory(name))
        }
        "ns" | "us" | "ms" | "seconds" | "millis" | "bytes" => of_sent(last),
        _ => of_memory(name),
    }
}

fn of_memory(name: &str) -> Option<(Measure, f64)> {
    (name.starts_with("system.memory.") || name.ends_with(".memory.usage"))
        .then_some((Measure::Bytes, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_the_one_that_was_sent_or_the_one_of_the_name() {
        for (name, sent, value, want) in [
            ("system.cpu.total.norm.pct", "", 0.25, "25\u{202f}%"),
            ("system.memory.actual.free", "", 18.46e9, "18.5\u{202f}GB"),
            ("system.process.memory.rss.bytes", "", 3e6, "3.00\u{202f}MB"),
            ("jvm.memory.heap.used", "", 5e8, "500\u{202f}MB"),
            ("jvm.memory.used", "By", 5e8, "500\u{202f}MB"),
            ("disk", "KiBy", 1.0, "1.02\u{202f}kB"),
            ("jvm.gc.duration", "s", 0.25, "250\u{202f}ms"),
            ("golang.heap.gc.total_pause.ns", "", 5e6, "5.00\u{202f}ms"),
            ("nodejs.eventloop.delay.avg.ms", "", 1.5, "1.50\u{202f}ms"),
            ("process_cpu_seconds_total", "", 2.0, "2.00\u{202f}s"),
            ("cpu", "%", 12.0, "12\u{202f}%"),
            ("orders", "{order}", 7.0, "7"),
            ("jvm.thread.count", "", 31.0, "31"),
        ] {
            assert_eq!(Unit::of(name, sent, false).write(value), want, "{name}");
        }
    }

    #[test]
    fn time_that_was_spent_in_each_second_is_a_share() {
        let unit = Unit::of("jvm.gc.time", "", true);
        assert_eq!(unit.write(20.0), "2\u{202f}%".replace('2', "2.0"));
        assert_eq!(unit.note, "share of time");
        let bytes = Unit::of("network.io", "By", true);
        assert_eq!(
            (bytes.write(2e6), bytes.note),
            ("2.00\u{202f}MB".to_owned(), "per second")
        );
    }
}
