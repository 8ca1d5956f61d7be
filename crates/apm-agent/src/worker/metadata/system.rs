//! The host, and the container or the pod around the process.

use serde::Serialize;

use super::container::{self, Container};
use super::keyword;

#[derive(Clone, Debug, Serialize)]
pub(super) struct System {
    architecture: &'static str,
    platform: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detected_hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configured_hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Id>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kubernetes: Option<Kubernetes>,
}

#[derive(Clone, Debug, Serialize)]
struct Id {
    id: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Kubernetes {
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<Node>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Pod>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Node {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Pod {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
}

impl System {
    pub(super) fn current(configured_hostname: Option<&str>) -> Self {
        let file = |path: &str| std::fs::read_to_string(path).ok();
        let variable = |name: &str| std::env::var(name).ok();
        let detected_hostname = hostname(file, variable);
        let found = container::discover(
            &file("/proc/self/cgroup").unwrap_or_default(),
            &file("/proc/self/mountinfo").unwrap_or_default(),
        );
        let kubernetes = kubernetes(&found, detected_hostname.as_deref(), variable);
        Self {
            architecture: std::env::consts::ARCH,
            platform: std::env::consts::OS,
            detected_hostname,
            configured_hostname: configured_hostname.map(keyword),
            container: found.id.map(|id| Id { id }),
            kubernetes,
        }
    }

    pub(super) fn hostname(&self) -> &str {
        self.configured_hostname
            .as_deref()
            .or(self.detected_hostname.as_deref())
            .unwrap_or("unknown")
    }
}

/// The kernel's name for the host, else what the shell or the system's file says. Never asks DNS: that can take
/// seconds.
fn hostname(
    file: impl Fn(&str) -> Option<String>,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let sources: [&dyn Fn() -> Option<String>; 4] = [
        &|| file("/proc/sys/kernel/hostname"),
        &|| variable("HOSTNAME"),
        &|| variable("HOST"),
        &|| file("/etc/hostname"),
    ];
    sources.iter().find_map(|source| {
        let name = source()?;
        let name = name.trim_matches(|letter| letter <= ' ');
        (!name.is_empty()).then(|| keyword(&name.to_ascii_lowercase()))
    })
}

/// The pod by its cgroups, overruled by the variables that the downward API is asked to set.
fn kubernetes(
    found: &Container,
    hostname: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Option<Kubernetes> {
    let variable = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(|value| keyword(&value))
    };
    let uid = variable("KUBERNETES_POD_UID").or_else(|| found.pod_uid.clone());
    // Only within a pod is the host's name that of the pod.
    let hostname = uid.is_some().then_some(hostname).flatten();
    let name = variable("KUBERNETES_POD_NAME").or_else(|| hostname.map(str::to_owned));
    let pod = (name.is_some() || uid.is_some()).then_some(Pod { name, uid });
    let kubernetes = Kubernetes {
        namespace: variable("KUBERNETES_NAMESPACE"),
        node: variable("KUBERNETES_NODE_NAME").map(|name| Node { name }),
        pod,
    };
    (kubernetes != Kubernetes::default()).then_some(kubernetes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn the_hostname_is_trimmed_lower_case_and_taken_from_the_first_that_knows() {
        assert_eq!(
            hostname(|_| Some(" Web-1.Example\n\0".to_owned()), none).as_deref(),
            Some("web-1.example")
        );
        let blank = |_: &str| Some("\n".to_owned());
        let host = |name: &str| (name == "HOST").then(|| "from-host".to_owned());
        assert_eq!(hostname(blank, host).as_deref(), Some("from-host"));
        assert_eq!(hostname(none, none), None);
    }

    #[test]
    fn a_pod_is_named_after_the_host_unless_a_variable_says_otherwise() {
        let found = Container {
            id: None,
            pod_uid: Some("uid-1".to_owned()),
        };
        let found_only = kubernetes(&found, Some("pod-1"), none);
        assert_eq!(
            serde_json::to_value(found_only).unwrap(),
            json!({"pod": {"name": "pod-1", "uid": "uid-1"}})
        );

        let overruled = kubernetes(&found, Some("pod-1"), |name| Some(name.to_owned()));
        assert_eq!(
            serde_json::to_value(overruled).unwrap(),
            json!({
                "namespace": "KUBERNETES_NAMESPACE",
                "node": {"name": "KUBERNETES_NODE_NAME"},
                "pod": {"name": "KUBERNETES_POD_NAME", "uid": "KUBERNETES_POD_UID"},
            })
        );
        assert_eq!(
            kubernetes(&Container::default(), Some("laptop"), none),
            None
        );
    }
}
