//! The families that Prometheus' own libraries have for each process, and the build.

use std::fmt::Write as _;

/// `process_*`, as far as the operating system tells, and `pocket_apm_build_info`. `started_at`: µs since the epoch.
pub(super) fn process_families(text: &mut String, started_at: i64) {
    let _ = writeln!(
        text,
        "# HELP pocket_apm_build_info The version of the server, as a label.\n\
         # TYPE pocket_apm_build_info gauge\n\
         pocket_apm_build_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    );
    // Read once, at the start: `changes(process_start_time_seconds)` counts restarts, and two readings of the clock and
    // of the uptime never differ by the same.
    write(
        text,
        "start_time_seconds",
        "gauge",
        "When the server started, seconds since 1970.",
        started_at as f64 / apm_time::SECOND as f64,
    );
    system(text);
}

/// The numbers of `/proc`.
#[cfg(target_os = "linux")]
fn system(text: &mut String) {
    /// Clock ticks in a second: a constant of the kernel's interface.
    const TICKS: f64 = 100.0;
    /// Bytes of a page, where the kernel counts in pages; asked for by the size in kB instead.
    const KIB: f64 = 1024.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the process may hold blanks and parentheses: the fields are counted from its end.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let field = |at: usize| fields.get(at).and_then(|value| value.parse::<f64>().ok());
    if let (Some(user), Some(system)) = (field(11), field(12)) {
        let seconds = (user + system) / TICKS;
        write(
            text,
            "cpu_seconds_total",
            "counter",
            "CPU time, user and system.",
            seconds,
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<f64>()
            .ok()
    };
    if let Some(size) = kib("VmRSS:") {
        write(
            text,
            "resident_memory_bytes",
            "gauge",
            "Resident memory.",
            size * KIB,
        );
    }
    if let Some(size) = kib("VmSize:") {
        write(
            text,
            "virtual_memory_bytes",
            "gauge",
            "Virtual memory.",
            size * KIB,
        );
    }
    if let Some(threads) = kib("Threads:") {
        write(text, "threads", "gauge", "Threads.", threads);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        write(
            text,
            "open_fds",
            "gauge",
            "Open files and connections.",
            open.count() as f64,
        );
    }
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let most = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    if let Some(most) = most.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()) {
        write(
            text,
            "max_fds",
            "gauge",
            "Files and connections that may be open.",
            most,
        );
    }
}

#[cfg(not(target_os = "linux"))]
fn system(_: &mut String) {}

fn write(text: &mut String, name: &str, kind: &str, help: &str, value: f64) {
    let _ = writeln!(
        text,
        "# HELP process_{name} {help}\n# TYPE process_{name} {kind}\nprocess_{name} {value}"
    );
}
