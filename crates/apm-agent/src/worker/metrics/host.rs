//! The host's CPU time and memory, from `/proc/stat` and `/proc/meminfo`.

/// Ticks since the host was started, over all cores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CpuTimes {
    pub(super) total: u64,
    /// Neither idle nor waiting for a disk.
    pub(super) busy: u64,
}

impl CpuTimes {
    pub(super) fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// Guest time is left out: the kernel counts it as user time too.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Vec<u64> = line
            .split_whitespace()
            .map_while(|field| field.parse().ok())
            .take(8)
            .collect();
        // user nice system idle iowait irq softirq steal; old kernels have fewer.
        let idle = *ticks.get(3)? + ticks.get(4).copied().unwrap_or_default();
        let total: u64 = ticks.iter().sum();
        Some(Self {
            total,
            busy: total - idle,
        })
    }
}

/// The host's memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    pub(super) total: u64,
    pub(super) available: u64,
}

impl Memory {
    pub(super) fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/meminfo").ok()?)
    }

    fn parse(meminfo: &str) -> Option<Self> {
        let field = |name: &str| kilobytes(meminfo, name);
        // Kernels before 3.14 do not say what is available.
        let estimate = || Some(field("MemFree")? + field("Buffers")? + field("Cached")?);
        Some(Self {
            total: field("MemTotal")?,
            available: field("MemAvailable").or_else(estimate)?,
        })
    }
}

/// The bytes in a line such as `VmRSS:      1234 kB`.
pub(super) fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kilobytes: u64 = value.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    kilobytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_counts_neither_guests_twice_nor_waiting_as_work() {
        let stat = "cpu  100 20 30 400 50 6 7 8 90 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n";
        assert_eq!(
            CpuTimes::parse(stat),
            Some(CpuTimes {
                total: 621,
                busy: 171
            })
        );
        assert_eq!(
            CpuTimes::parse("cpu  1 2 3 4\n"),
            Some(CpuTimes { total: 10, busy: 6 })
        );
        for bad in ["", "cpu  1 2 3\n", "cpu0 1 2 3 4\n", "cpu  x\n"] {
            assert_eq!(CpuTimes::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn available_memory_is_estimated_where_the_kernel_does_not_say() {
        let new = "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  600 kB\nBuffers: 10 kB\nCached: 200 kB\n";
        assert_eq!(
            Memory::parse(new),
            Some(Memory {
                total: 1_024_000,
                available: 614_400
            })
        );
        let old = "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 10 kB\nCached: 200 kB\nSwapCached: 9 kB\n";
        assert_eq!(
            Memory::parse(old),
            Some(Memory {
                total: 1_024_000,
                available: 317_440
            })
        );
        for bad in [
            "",
            "MemTotal: 1000 kB\n",
            "MemTotal: x kB\nMemAvailable: 1 kB\n",
            "MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB",
        ] {
            assert_eq!(Memory::parse(bad), None, "{bad:?}");
        }
    }
}
