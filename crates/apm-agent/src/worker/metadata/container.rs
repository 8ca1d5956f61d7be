//! The container and the pod that the process runs in, by what the kernel says about its cgroups and mounts.

/// Ids that were found; none outside of containers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Container {
    pub(super) id: Option<String>,
    pub(super) pod_uid: Option<String>,
}

/// Reads `/proc/self/cgroup` and, if that names no container (cgroup v2), `/proc/self/mountinfo`.
pub(super) fn discover(cgroup: &str, mountinfo: &str) -> Container {
    let found = cgroup
        .lines()
        .map(from_cgroup_line)
        .find(|found| found.id.is_some());
    found.unwrap_or_else(|| Container {
        id: mountinfo.lines().find_map(from_mount_line),
        pod_uid: None,
    })
}

/// A line is `hierarchy:controllers:path`.
fn from_cgroup_line(line: &str) -> Container {
    let path = line.splitn(3, ':').nth(2).unwrap_or_default();
    // Some runtimes write `slice:runtime:id`, others a path.
    let split = path.rsplit_once(':').or_else(|| path.rsplit_once('/'));
    let Some((directory, name)) = split else {
        return Container::default();
    };
    let name = match name.strip_suffix(".scope") {
        // `cri-containerd-<id>.scope`: the runtime's name may hold hyphens too.
        Some(name) => name.rsplit_once('-').map_or(name, |(_, id)| id),
        None => name,
    };
    match pod_uid(directory) {
        Some(uid) => Container {
            id: Some(name.to_owned()),
            pod_uid: Some(uid),
        },
        None => Container {
            id: is_container_id(name).then(|| name.to_owned()),
            pod_uid: None,
        },
    }
}

/// The pod's UID in `/kubepods/…/pod<uid>` or `…/kubepods-…-pod<uid>.slice`.
fn pod_uid(directory: &str) -> Option<String> {
    let last = directory.rsplit('/').next().unwrap_or_default();
    let in_path = directory.starts_with("/kubepods") && !directory.contains(char::is_whitespace);
    let plain = last.strip_prefix("pod").filter(|_| in_path);
    let slice = || {
        directory.split('/').find_map(|part| {
            let (_, after) = part.split_once("kubepods")?;
            let (_, after) = after.split_once("-pod")?;
            after.split_once(".slice").map(|(uid, _)| uid)
        })
    };
    plain
        .or_else(slice)
        .filter(|uid| !uid.is_empty())
        // systemd writes `_` for hyphens in the names of slices.
        .map(|uid| uid.replace('_', "-"))
}

/// 64 hex digits; a UUID whose last part may be longer; or 32 hex digits, a hyphen and a number (AWS ECS).
fn is_container_id(name: &str) -> bool {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts: Vec<&str> = name.split('-').collect();
    match parts[..] {
        [only] => only.len() == 64 && hex(only),
        [id, task] => {
            id.len() == 32
                && hex(id)
                && (1..=10).contains(&task.len())
                && task.bytes().all(|byte| byte.is_ascii_digit())
        }
        [a, b, c, d, e] => {
            [a, b, c, d, e].into_iter().all(hex)
                && [a, b, c, d].map(str::len) == [8, 4, 4, 4]
                && e.len() >= 4
        }
        _ => false,
    }
}

/// The container's own `/etc/hostname` is mounted from a folder that is named after the container.
fn from_mount_line(line: &str) -> Option<String> {
    if !line.contains("/etc/hostname") {
        return None;
    }
    let root = line.split(' ').nth(3)?;
    let mut runs = root.split(|letter: char| !letter.is_ascii_hexdigit());
    runs.find(|run| run.len() >= 64)
        .map(|run| run[..64].to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::fixtures;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Case {
        files: BTreeMap<String, Vec<String>>,
        container_id: Option<String>,
        pod_id: Option<String>,
    }

    #[test]
    fn elastics_shared_hosts_are_told_apart_as_published() {
        let Some(cases) = fixtures::json::<BTreeMap<String, Case>>(
            "json-specs/container_metadata_discovery.json",
        ) else {
            return;
        };
        assert_eq!(cases.len(), 6);
        for (name, case) in cases {
            let file = |path: &str| {
                case.files
                    .get(path)
                    .map(|lines| lines.join("\n"))
                    .unwrap_or_default()
            };
            let found = discover(&file("/proc/self/cgroup"), &file("/proc/self/mountinfo"));
            assert_eq!(
                found,
                Container {
                    id: case.container_id,
                    pod_uid: case.pod_id
                },
                "{name}"
            );
        }
    }

    #[test]
    fn other_layouts_are_read_too() {
        let id = "a".repeat(64);
        let table = [
            (format!("4:cpu:/docker/{id}"), Some(id.as_str()), None),
            (
                format!("1:name=systemd:/kubepods/besteffort/pod1-2/{id}"),
                Some(&id),
                Some("1-2"),
            ),
            (
                format!("0::/system.slice/pods:cri-containerd:{id}"),
                Some(&id),
                None,
            ),
            ("0::/".to_owned(), None, None),
            ("11:devices:/user.slice".to_owned(), None, None),
            ("garbage".to_owned(), None, None),
            (String::new(), None, None),
        ];
        for (cgroup, container, pod) in table {
            let found = discover(&cgroup, "");
            assert_eq!(
                (found.id.as_deref(), found.pod_uid.as_deref()),
                (container, pod),
                "{cgroup}"
            );
        }
    }
}
