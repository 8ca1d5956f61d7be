//! The memory limit and use of the container, from its control group (version 1 or 2).

use std::path::{Path, PathBuf};

/// The number that version 1 shows for "no limit": the largest number of whole pages.
const UNLIMITED: u64 = 0x7fff_ffff_ffff_f000;

/// The folder of the control group's files, by version.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cgroup {
    V1(PathBuf),
    V2(PathBuf),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    /// `None` is unlimited.
    pub(super) limit: Option<u64>,
    pub(super) usage: u64,
}

impl Cgroup {
    /// `None` outside of Linux, and where control groups are not mounted.
    pub(super) fn discover() -> Option<Self> {
        let cgroup = std::fs::read_to_string("/proc/self/cgroup").ok()?;
        let mountinfo = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        Self::candidates(&cgroup, &mountinfo)
            .into_iter()
            .find(|candidate| candidate.memory().is_some())
    }

    /// The places where the files may be, the most specific one first: in a container the group's own path is often not
    /// visible, and the mount point is the group.
    fn candidates(cgroup: &str, mountinfo: &str) -> Vec<Self> {
        let own = |wanted: &dyn Fn(&str, &str) -> bool| {
            cgroup.lines().find_map(|line| {
                let mut parts = line.splitn(3, ':');
                let (hierarchy, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
                wanted(hierarchy, controllers).then(|| path.trim_start_matches('/'))
            })
        };
        let memory_v1 = own(&|_, controllers| controllers.split(',').any(|name| name == "memory"));
        let unified = own(&|hierarchy, controllers| hierarchy == "0" && controllers.is_empty());
        let mut candidates = Vec::new();
        if let (Some(path), Some(mount)) = (memory_v1, mount_of(mountinfo, "cgroup", "memory")) {
            candidates.extend([Self::V1(mount.join(path)), Self::V1(mount)]);
        }
        if let (Some(path), Some(mount)) = (unified, mount_of(mountinfo, "cgroup2", "")) {
            candidates.extend([Self::V2(mount.join(path)), Self::V2(mount)]);
        }
        candidates.push(Self::V1("/sys/fs/cgroup/memory".into()));
        candidates
    }

    pub(super) fn memory(&self) -> Option<Memory> {
        let number = |directory: &Path, file: &str| {
            let text = std::fs::read_to_string(directory.join(file)).ok()?;
            Some(text.trim().to_owned())
        };
        match self {
            Self::V1(directory) => {
                let limit = number(directory, "memory.limit_in_bytes")?.parse().ok()?;
                let usage = number(directory, "memory.usage_in_bytes")?.parse().ok()?;
                Some(Memory {
                    limit: (limit < UNLIMITED).then_some(limit),
                    usage,
                })
            }
            Self::V2(directory) => {
                let usage = number(directory, "memory.current")?.parse().ok()?;
                // `max`, or no such file in the root group.
                let limit = number(directory, "memory.max").and_then(|text| text.parse().ok());
                Some(Memory { limit, usage })
            }
        }
    }
}

/// The mount point of a file system of this type, with this option among its own.
fn mount_of(mountinfo: &str, kind: &str, option: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        // `36 35 98:0 /root /mount/point rw,noatime master:1 - type source options`
        let (head, tail) = line.split_once(" - ")?;
        let mut tail = tail.split(' ');
        let right_type = tail.next() == Some(kind);
        let options = tail.nth(1).unwrap_or_default();
        let right =
            right_type && (option.is_empty() || options.split(',').any(|name| name == option));
        right
            .then(|| head.split(' ').nth(4).map(PathBuf::from))
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
30 23 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755
31 30 0:27 / /sys/fs/cgroup/cpu rw,nosuid shared:10 - cgroup cgroup rw,cpu,cpuacct
39 30 0:35 / /sys/fs/cgroup/memory rw,nosuid shared:18 - cgroup cgroup rw,memory
40 30 0:36 / /sys/fs/cgroup/unified rw,nosuid shared:19 - cgroup2 cgroup2 rw,nsdelegate
";

    #[test]
    fn both_versions_are_looked_for_where_they_are_mounted() {
        let candidates = Cgroup::candidates("5:memory:/docker/abc\n0::/init.scope\n", MOUNTS);
        assert_eq!(
            candidates[..4],
            [
                Cgroup::V1("/sys/fs/cgroup/memory/docker/abc".into()),
                Cgroup::V1("/sys/fs/cgroup/memory".into()),
                Cgroup::V2("/sys/fs/cgroup/unified/init.scope".into()),
                Cgroup::V2("/sys/fs/cgroup/unified".into()),
            ]
        );
        assert_eq!(Cgroup::candidates("", "").len(), 1);
    }

    #[test]
    fn limits_and_their_absence_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let (v1, v2) = (Cgroup::V1(dir.path().into()), Cgroup::V2(dir.path().into()));
        assert_eq!((v1.memory(), v2.memory()), (None, None));

        write("memory.usage_in_bytes", "964778\n");
        write("memory.limit_in_bytes", "7964778\n");
        assert_eq!(
            v1.memory(),
            Some(Memory {
                limit: Some(7_964_778),
                usage: 964_778
            })
        );
        write("memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(
            v1.memory(),
            Some(Memory {
                limit: None,
                usage: 964_778
            })
        );

        write("memory.current", "1000\n");
        assert_eq!(
            v2.memory(),
            Some(Memory {
                limit: None,
                usage: 1000
            })
        );
        write("memory.max", "max\n");
        assert_eq!(
            v2.memory(),
            Some(Memory {
                limit: None,
                usage: 1000
            })
        );
        write("memory.max", "2000\n");
        assert_eq!(
            v2.memory(),
            Some(Memory {
                limit: Some(2000),
                usage: 1000
            })
        );
        write("memory.current", "garbage\n");
        assert_eq!(v2.memory(), None);
    }
}
