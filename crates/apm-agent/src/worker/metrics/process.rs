//! This process's CPU time and memory, from `/proc/self/stat` and `/proc/self/status`.

use super::host::kilobytes;

/// Ticks of user and system time of all threads.
pub(super) fn cpu_ticks() -> Option<u64> {
    parse_ticks(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// The executable's name is the second field, in parentheses, and may hold blanks and parentheses itself.
fn parse_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    // The state is field 3 of the file; utime is field 14, stime field 15.
    let mut times = after_name.split_whitespace().skip(11);
    let utime: u64 = times.next()?.parse().ok()?;
    let stime: u64 = times.next()?.parse().ok()?;
    utime.checked_add(stime)
}

/// The process's memory, in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    pub(super) virtual_size: u64,
    pub(super) resident: u64,
}

impl Memory {
    pub(super) fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/self/status").ok()?)
    }

    fn parse(status: &str) -> Option<Self> {
        Some(Self {
            virtual_size: kilobytes(status, "VmSize")?,
            resident: kilobytes(status, "VmRSS")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_executable_cannot_mislead() {
        let fields = "S 1 2 3 4 5 6 7 8 9 10 111 222 13 14 15 16 17 18";
        for name in ["shop", "my shop", "a) S 9 9 9 (b", ""] {
            assert_eq!(
                parse_ticks(&format!("42 ({name}) {fields}")),
                Some(333),
                "{name}"
            );
        }
        for bad in [
            "",
            "42 (shop",
            "42 (shop) S 1 2",
            "42 (shop) S 1 2 3 4 5 6 7 8 9 10 x 222",
        ] {
            assert_eq!(parse_ticks(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn memory_is_read_in_bytes() {
        let status = "Name:\tshop\nVmPeak:\t  900 kB\nVmSize:\t  800 kB\nVmRSS:\t  300 kB\n";
        assert_eq!(
            Memory::parse(status),
            Some(Memory {
                virtual_size: 819_200,
                resident: 307_200
            })
        );
        assert_eq!(Memory::parse("Name:\tkthreadd\n"), None);
    }
}
